"""The releases there are: annotated tags v0, v1, … of a git repository."""

import re
from typing import NamedTuple

from scripts.errors import UserError
from scripts.versions import lock
from scripts.versions.git import Git
from scripts.versions.lock import LOCK_FILE, Lock

TAG = re.compile(r"v(0|[1-9][0-9]{0,8})")


class Release(NamedTuple):
    """One published version: its tag, its commit, and the lock there."""

    tag: str
    commit: str
    lock: Lock


def tags(git: Git) -> list[str]:
    """Return the tags of all releases, oldest first."""
    names = [name for name in git("tag", "--list", "v*").split() if TAG.fullmatch(name)]
    return sorted(names, key=number)


def number(tag: str) -> int:
    """Return the number in a release's tag."""
    return int(tag[1:])


def next_tag(git: Git) -> str:
    """Return the tag that the next release will have."""
    names = tags(git)
    return f"v{number(names[-1]) + 1}" if names else "v0"


def get(git: Git, rev: str) -> Release:
    """Return the version at `rev`, any git revision.

    Raises `UserError` when there is no such revision, or no lock in it.
    """
    is_tag = TAG.fullmatch(rev)
    commit = git.commit(f"refs/tags/{rev}" if is_tag else rev)
    content = git.file(commit, LOCK_FILE)
    if content is None:
        fix = f" Remove the tag: git push --delete origin {rev}; git tag -d {rev}"
        raise UserError(
            f"{rev} has no {LOCK_FILE}, so it is not a version of the dataset."
            f"{fix if is_tag else ''}"
        )
    return Release(rev, commit, lock.parse(content, f"{LOCK_FILE} at {rev}"))


def latest(git: Git) -> Release | None:
    """Return the newest release, None before the first."""
    names = tags(git)
    return get(git, names[-1]) if names else None


def all_releases(git: Git) -> list[Release]:
    """Return all releases, oldest first."""
    return [get(git, tag) for tag in tags(git)]
