"""Snapshots: commits that contain one version for consumers, and nothing else.

They contain no workflow files, so the built-in token may push them.
"""

from scripts.git import commits
from scripts.git.git import Git
from scripts.inputs.paths import CONFIG_FILE, CURATION_FILE
from scripts.releases.lock import LOCK_FILE

DVC_FOLDER = ".dvc"
# The inputs of a version.
WRITTEN = (CONFIG_FILE, CURATION_FILE)


def of_release(git: Git, commit: str, message: str) -> str:
    """Return the snapshot of the release at `commit`."""
    entries = git.entries(commit, *WRITTEN, LOCK_FILE, DVC_FOLDER)
    return commits.snapshot(git, entries, {}, message, commit)


def of_merge(git: Git, tree: str, main: str, lock: bytes, *, message: str, dated_as: str) -> str:
    """Return the snapshot of the version that a merge would release.

    `tree` is the merged tree, `lock` the lock of the version; `.dvc/` is that of `main`.
    """
    entries = {**git.entries(tree, *WRITTEN), **git.entries(main, DVC_FOLDER)}
    return commits.snapshot(git, entries, {LOCK_FILE: lock}, message, dated_as)
