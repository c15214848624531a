"""Kills a verb before each of its writes in turn, runs it again, and reports what is wrong."""

import io
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from contextlib import chdir, redirect_stderr, redirect_stdout, suppress
from pathlib import Path
from typing import Any, NamedTuple

from scripts.__main__ import main
from scripts.errors import UserError
from scripts.releases import lock
from tests.repository import Repository, contents, copy, git, mismatched, objects

KILLED = 137
GIT_WRITES = {"push", "fetch", "hash-object", "commit-tree", "mktag", "update-ref", "write-tree"}


class Outcome(NamedTuple):
    """How many writes there are to kill a verb before, and what was wrong after some."""

    points: int
    failures: list[str]


def kill(original: Repository, verb: str, every: int) -> Outcome:
    """Kill `verb` before its first write, and so on before every few, until it ends by itself.

    Each time in a copy of `original`. After every other kill of a release a fresh clone continues,
    as another runner would.
    """
    place = original.place / "try"
    undisturbed_state = undisturbed(again(original, place), verb)
    failures: list[str] = []
    point = 0
    while True:
        repository = again(original, place)
        code = attempt(repository.root, verb, point)
        failures += [f"killed at {point}: {what}" for what in broken(repository)]
        if code == 0:
            break
        assert code == KILLED, f"exit code {code} at {point}"
        where = repository.root
        elsewhere = verb == "release" and point // every % 2 == 1
        if elsewhere:
            where = place / "elsewhere"
            git(place, "clone", "--quiet", str(repository.origin), str(where))
        code = attempt(where, verb, None)
        found = state(repository, work_tree=not elsewhere)
        expected = {key: value for key, value in undisturbed_state.items() if key in found}
        if code or found != expected:
            names = [key for key in expected if found[key] != expected[key]]
            failures.append(f"killed at {point}, run again: exit code {code}, differs in {names}")
        point += every
    return Outcome(point, failures)


def undisturbed(repository: Repository, verb: str) -> dict[str, object]:
    # In this very process, so that the children need not import anything any more.
    with chdir(repository.root), redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        assert main([verb]) == 0
    return state(repository, work_tree=True)


def again(original: Repository, place: Path) -> Repository:
    with suppress(FileNotFoundError):
        shutil.rmtree(place)
    place.mkdir()
    return copy(original, place)


def attempt(where: Path, verb: str, point: int | None) -> int:
    """Run `verb` in a child, killed before the write number `point`; return its exit code."""
    child = os.fork()
    if child == 0:
        with open(os.devnull, "wb") as nowhere:  # noqa: PTH123
            os.dup2(nowhere.fileno(), 1)
            os.dup2(nowhere.fileno(), 2)
        code = 1
        try:
            os.chdir(where)
            if point is not None:
                kill_before(point)
            code = main([verb])
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def kill_before(point: int) -> None:
    left = point

    def step() -> None:
        nonlocal left
        if left == 0:
            os._exit(KILLED)
        left -= 1

    def counted(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            step()
            return function(*arguments, **options)

        return call

    for name in ("replace", "rename", "link", "mkdir", "unlink"):
        setattr(os, name, counted(getattr(os, name)))
    run = subprocess.run

    def run_git(command: list[str], **options: Any) -> Any:
        if command[1] in GIT_WRITES:
            step()
        return run(command, **options)

    subprocess.run = run_git  # type: ignore[assignment]


def state(repository: Repository, *, work_tree: bool) -> dict[str, object]:
    """Return what a user or a consumer can see of the repository."""
    seen: dict[str, object] = {
        "references": repository.at_origin("for-each-ref"),
        "remote": objects(repository.bucket),
    }
    if work_tree:
        root = repository.root
        seen |= {
            "dataset": contents(root / "dataset"),
            "lock": repository.lock.read_bytes() if repository.lock.exists() else None,
            "top": sorted(file.name for file in root.iterdir()),
            "cache": objects(repository.cache),
            "tags": repository.git("for-each-ref", "refs/tags"),
        }
    return seen


def broken(repository: Repository) -> list[str]:
    """Return what must never happen, not even right after a kill."""
    there = objects(repository.bucket)
    found = [f"{name} is half-written in the remote" for name in mismatched(there)]
    found += [
        f"{name} is half-written in the cache" for name in mismatched(objects(repository.cache))
    ]
    if repository.lock.exists():
        try:
            lock.parse(repository.lock.read_bytes())
        except UserError as error:
            found.append(str(error))
    return found + incomplete(repository, there)


def incomplete(repository: Repository, there: dict[str, bytes]) -> list[str]:
    """Return which releases lack an intact object, given the objects of the remote."""
    found = []
    intact = there.keys() - mismatched(there)
    for tag in repository.releases():
        manifest = lock.parse(repository.at_origin("show", f"{tag}:dataset.dvc").encode()).md5
        entries = json.loads(there[manifest]) if manifest in intact else None
        if entries is None or not {entry["md5"] for entry in entries} <= intact:
            found.append(f"{tag} exists, but its objects are not all in the remote")
    return found
