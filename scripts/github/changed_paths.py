"""Finds the parts of the repository that a pull request or a merge group changes.

Run as `python3 -m scripts.github.changed_paths` on the proposed merge. Needs only Python and git,
so that it runs before requirements are installed. Sets two outputs of the step: `dataset` (the
dataset must be checked) and `machinery` (lint and tests must run). The log and the summary of the
job list the paths.
"""

import os
import subprocess
from collections.abc import Iterable, Sequence
from typing import Any

from scripts import markdown, output
from scripts.git import git_process
from scripts.github import actions
from scripts.inputs.paths import (
    CHECKED_PATHS,
    INPUT_PATHS,
    INPUTS_OF_PEOPLE,
    PREDICTIONS_FILE,
    RELEASES_FILE,
)

DATASET_PATHS = (*INPUT_PATHS, *CHECKED_PATHS)
# Paths that hold data only. A change of anything else needs the machinery's own checks.
DATA_PATHS = (*INPUTS_OF_PEOPLE, RELEASES_FILE, PREDICTIONS_FILE, "dataset.dvc", ".dvc/config")
UNKNOWN = "(the commits before a force-push are not available)"
MAX_PATHS_SHOWN = 20


def main() -> None:
    """Compare the proposed merge (HEAD) with its base, and with earlier states of the branch.

    Reverted changes still require a comment update: those of earlier commits of the branch, and
    those of commits that a force-push replaced.
    """
    changed = _of_event(actions.event())
    dataset = sorted(path for path in changed if path == UNKNOWN or _is_below(path, DATASET_PATHS))
    machinery = sorted(path for path in changed if not _is_below(path, DATA_PATHS))
    found = {"dataset": dataset, "machinery": machinery}
    shown = "\n".join(f"{name}: {_shown(paths)}" for name, paths in found.items())
    output.log(shown)
    output.summarize(f"{markdown.fenced(shown)}\n")
    for name, paths in found.items():
        actions.output(name, str(bool(paths)).lower())


def _of_event(event: dict[str, Any]) -> set[str]:
    if "ref" in event:
        # A push to main is checked as a whole.
        return {*_changed("ls-tree", "-r", "HEAD")}
    if "merge_group" in event:
        return {*_changed("diff", "--no-renames", event["merge_group"]["base_sha"], "HEAD")}
    net, earlier = (
        _changed("diff", "--no-renames", "HEAD^1", "HEAD"),
        _changed("log", "--no-renames", "--format=", "HEAD^1..HEAD^2"),
    )
    return {*net, *earlier, *_replaced(event)}


def _replaced(event: dict[str, Any]) -> Iterable[str]:
    """Return the changes of the branch before this push, if they are still available."""
    before = event.get("before")
    if before is None:
        return []
    for command in (["fetch", "--quiet", "origin", before], ["cat-file", "-e", before]):
        done = _git(command)
    if done.returncode:
        return [UNKNOWN]
    return _changed("log", "--no-renames", "--format=", f"HEAD^1..{before}")


def _changed(*arguments: str) -> list[str]:
    done = _git([arguments[0], "--name-only", "-z", *arguments[1:]])
    done.check_returncode()
    return [os.fsdecode(path).strip("\n") for path in done.stdout.split(b"\0") if path.strip()]


def _git(arguments: Sequence[str]) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        git_process.command(arguments),
        env=git_process.environment(),
        check=False,
        capture_output=True,
    )


def _is_below(path: str, parents: Iterable[str]) -> bool:
    return any(path == parent or path.startswith(f"{parent}/") for parent in parents)


def _shown(paths: list[str]) -> str:
    # After a line break, the rest of a path could be a workflow command.
    shown = [path if path.isprintable() else ascii(path) for path in paths[:MAX_PATHS_SHOWN]]
    more = len(paths) - len(shown)
    return ", ".join(shown) + (f" and {more:,} more" if more else "") or "no change"


if __name__ == "__main__":
    main()
