"""Test merges of pull requests, made without a work tree."""

from scripts.errors import UserError
from scripts.git.git import TRACKED_MAIN, Git, GitTree
from scripts.git.limited import BYTES, SECONDS, LimitedGit
from scripts.inputs.paths import CHECKED_PATHS, INPUT_PATHS


class ConflictError(UserError):
    """The branch does not exist, or its merge conflicts."""


def fetch_head(git: Git, number: int) -> str:
    """Fetch pull request `number`, and return the commit of its head."""
    try:
        _limited(git).fetch(f"refs/pull/{number}/head")
    except UserError as error:
        raise ConflictError(f"the branch cannot be fetched: {error}") from None
    return git.commit("FETCH_HEAD")


def tree(git: Git, head: str) -> str:
    """Return the tree of main after the merge of `head`.

    Raises `ConflictError` if the merge conflicts.
    """
    try:
        return _limited(git)("merge-tree", "--write-tree", TRACKED_MAIN, head).split()[0]
    except UserError:
        raise ConflictError("the merge conflicts") from None


def changed(git: Git, merged: str) -> list[str]:
    """Return the checked paths that the merge would change."""
    paths = (*INPUT_PATHS, *CHECKED_PATHS)
    command = ("diff", "--no-renames", "--name-only", "-z", TRACKED_MAIN, merged)
    listed = _limited(git)(*command, "--", *paths)
    return [path for path in listed.split("\0") if path]


def read(git: Git, merged: str) -> GitTree:
    """Return the files of the tree `merged`."""
    return GitTree(_limited(git), merged)


def _limited(git: Git) -> LimitedGit:
    return LimitedGit(git.root, SECONDS, BYTES)
