"""A dataset repository for tests: a clone, its bare origin, and a folder as remote."""

import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import chdir, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from unittest.mock import patch

from scripts.__main__ import main
from scripts.git.git import Git

PROJECT = Path(__file__).parent.parent
# What a repository made from the template starts with. Not copied from this one: a team that edits
# its own config, lock or remote must not break the tests.
TEMPLATE = {
    ".dvc/config": "[core]\n    remote = storage\n    analytics = false\n    check_update = false\n"
    "['remote \"storage\"']\n    url = storage\n",
    ".dvc/.gitignore": "/config.local\n/tmp\n/cache\n/storage\n",
    ".gitignore": "/dataset\n/dataset.new\n/dataset.old\n/sources/*/*\n",
}
# Both are relative, so that a copy of a repository has an origin and a remote of its own.
ORIGIN_URL, REMOTE_URL = "../origin.git", "../../bucket"


class Result(NamedTuple):
    code: int
    out: str
    err: str


Run = Callable[..., Result]
Released = Callable[..., "Repository"]


def config_text(**changes: object) -> str:
    """Return a config of the digits; `class_` stands for `class`, None leaves a key out."""
    values = {"source": "digits", "class_": 3, "samples": 5, "test_size": 2, "seed": 0, **changes}
    return "".join(
        f"{key.rstrip('_')}: {json.dumps(value)}\n"
        for key, value in values.items()
        if value is not None
    )


def snapshot(root: Path) -> dict[str, tuple[bytes, int]]:
    """Return the content and the modification time of each file below `root`."""
    return {
        str(file.relative_to(root)): (file.read_bytes(), file.stat().st_mtime_ns)
        for file in root.rglob("*")
        if file.is_file()
    }


def contents(root: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(root)): file.read_bytes()
        for file in sorted(root.rglob("*"))
        if file.is_file()
    }


def objects(store: Path) -> dict[str, bytes]:
    """Return the objects of a DVC cache or remote in a folder, by name."""
    folder = store / "files" / "md5"
    return {
        file.parent.name + file.name: file.read_bytes()
        for file in sorted(folder.glob("??/*"))
        if not file.name.endswith(".tmp")
    }


def mismatched(found: dict[str, bytes]) -> list[str]:
    """Return the objects whose checksum does not match their name."""
    return [
        name
        for name, data in found.items()
        if hashlib.md5(data, usedforsecurity=False).hexdigest() != name.removesuffix(".dir")
    ]


def git(where: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments], cwd=where, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"git {' '.join(arguments)}: {done.stderr}"
    return done.stdout.strip("\n")


def dvc(where: Path, *arguments: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "dvc", *arguments],
        cwd=where,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"dvc {' '.join(arguments)}: {done.stderr}"
    return done.stdout.strip()


# One process for several verbs, because to start one takes longer than most verbs.
VERBS = """\
import sys
from scripts.__main__ import main

for verb in sys.argv[1:]:
    if code := main(verb.split()):
        sys.exit(code)
"""


def process(where: Path, *verbs: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """Run verbs, up to the first that fails, in a process with an environment of its own."""
    return subprocess.run(
        [sys.executable, "-c", VERBS, *verbs],
        cwd=where,
        env=os.environ | environment,
        capture_output=True,
        check=False,
    )


@dataclass(frozen=True)
class Repository:
    place: Path

    @property
    def root(self) -> Path:
        return self.place / "work"

    @property
    def origin(self) -> Path:
        return self.place / "origin.git"

    @property
    def bucket(self) -> Path:
        return self.place / "bucket"

    @property
    def cache(self) -> Path:
        return self.root / ".dvc" / "cache"

    @property
    def lock(self) -> Path:
        return self.root / "dataset.dvc"

    def git(self, *arguments: str) -> str:
        return git(self.root, *arguments)

    def at_origin(self, *arguments: str) -> str:
        return git(self.origin, *arguments)

    def tags(self) -> list[str]:
        """Return the tags at origin."""
        return self.at_origin("tag", "--list", "--sort=version:refname").split()

    def releases(self) -> list[str]:
        """Return the tags at origin that a release made, by the message that it gives them."""
        named = self.at_origin(
            "tag", "--list", "--sort=version:refname", "--format=%(refname:strip=2)|%(subject)"
        ).splitlines()
        pairs = [line.split("|", 1) for line in named]
        return [tag for tag, subject in pairs if subject == f"version {tag[1:]}"]

    def tip(self) -> str:
        """Return the commit of main at origin."""
        return self.at_origin("rev-parse", "main")

    def check_updates(self, script: str) -> Path:
        """Make origin run a script of the shell for each reference that is pushed to it."""
        hook = self.origin / "hooks" / "update"
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(f"#!/bin/sh\n{script}\n")
        hook.chmod(0o755)
        return hook

    def configure(self, text: str) -> None:
        (self.root / "dataset_config.yaml").write_text(text)

    def merge(self, text: str, message: str = "Change the dataset") -> str:
        """Commit a config to origin's main, as the merge of a pull request does."""
        return self.merge_file("dataset_config.yaml", text, message)

    def merge_file(self, name: str, text: str, message: str = "Change something") -> str:
        if self.git("rev-parse", "HEAD") != self.tip():
            self.git("pull", "--quiet", "--ff-only", "origin", "main")
        file = self.root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        self.git("add", name)
        self.git("commit", "--quiet", "--allow-empty", "--message", message)
        self.git("push", "--quiet", "origin", "HEAD:main")
        return self.git("rev-parse", "HEAD")

    def object_file(self, md5: str) -> Path:
        """Return the path of an object in the bucket."""
        return self.bucket / "files" / "md5" / md5[:2] / md5[2:]

    def cached_file(self, md5: str) -> Path:
        return self.cache / "files" / "md5" / md5[:2] / md5[2:]


def create(place: Path, config: str | None = None) -> Repository:
    """Make a repository whose main is pushed to origin and whose remote is a folder."""
    made = Repository(place)
    git(place, "init", "--quiet", "--bare", "--initial-branch=main", "origin.git")
    git(place, "init", "--quiet", "--initial-branch=main", "work")
    made.git("remote", "add", "origin", ORIGIN_URL)
    for name, content in TEMPLATE.items():
        (made.root / name).parent.mkdir(exist_ok=True)
        (made.root / name).write_text(content.replace("url = storage", f"url = {REMOTE_URL}"))
    made.configure(config or config_text())
    made.git("add", "--all")
    made.git("commit", "--quiet", "--message", "Begin")
    made.git("push", "--quiet", "origin", "main")
    return made


def copy(original: Repository, place: Path) -> Repository:
    """Copy a repository with its origin and its remote: much faster than making one."""
    for folder in (original.root, original.origin, original.bucket):
        if folder.exists():
            shutil.copytree(folder, place / folder.name, symlinks=True)
    return Repository(place)


def release(original: Repository, place: Path, config: str) -> Repository:
    """Copy a repository, and merge and release `config` there; the clone is up to date."""
    made = copy(original, place)
    if made.at_origin("show", "main:dataset_config.yaml") != config.strip():
        made.merge(config)
    with chdir(made.root), redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        assert main(["release"]) == 0
    made.git("pull", "--quiet", "--ff-only", "origin", "main")
    return made


@contextmanager
def started_git() -> Iterator[list[str]]:
    """Give the list of the git commands that are started in the block."""
    started: list[str] = []
    output = Git.output

    def counted(git: Git, *arguments: str, **options: bytes) -> bytes:
        started.append(arguments[0])
        return output(git, *arguments, **options)  # type: ignore[arg-type]

    with patch.object(Git, "output", counted):
        yield started
