"""Mirrors the releases to a dataset repository at the Hugging Face Hub.

A release is one commit on the Hub's main, and a tag of the same name. What is missing is derived
from the tags and commits at the Hub, so a run continues where the one before has stopped.
"""

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from huggingface_hub import CommitOperationAdd, CommitOperationCopy, CommitOperationDelete
from huggingface_hub.utils.sha import git_hash

from scripts.assets import card
from scripts.assets.package import CARD, package
from scripts.errors import UserError
from scripts.git.git import MAIN, Git, GitTree
from scripts.hub.repository import HubCommit, HubRepository, Operation, Refs
from scripts.releases import declared, releases
from scripts.releases.declared import STABLE
from scripts.releases.history import History
from scripts.releases.releases import Release

# A run makes the files of so many releases at most, because the next release waits for it.
MAX_RELEASES = 5


def mirror(git: Git, hub: HubRepository) -> Iterator[str]:
    """Bring the Hub up to date with the releases and `releases.yaml`; yield what was changed.

    Raises `UserError` if the Hub refuses, or has another tag with the name of a release.
    """
    history = History(git)
    wanted = declared.read(git, GitTree(git, releases.main_of(git)))
    refs = hub.refs()
    commits = hub.commits(MAIN)
    _check_tags(history, hub, refs, commits)
    # What was withdrawn before it was mirrored is not published again.
    skipped = {*refs.tags, *wanted.withdrawn}
    missing = [release for release in history.releases if release.tag not in skipped]
    for release in missing[:MAX_RELEASES]:
        made = (commit for commit, found in commits.items() if _is_of(release, found))
        commit = next(made, None) or _publish(git, history, release, hub, refs)
        hub.tag(release.tag, commit)
        refs.tags[release.tag] = commit
        yield f"{release.tag} is mirrored"
    if later := [release.tag for release in missing[MAX_RELEASES:]]:
        yield f"left for the next run: {', '.join(later)}"
    mirrored = [release.tag for release in history.releases if release.tag in refs.tags]
    if mirrored and _follow(hub, refs, MAIN, mirrored[-1], wanted.withdrawn):
        yield f"{MAIN} has the files of {mirrored[-1]}"
    if _promote(hub, refs, wanted.stable):
        yield f"{STABLE} is now {wanted.stable}" if wanted.stable else f"{STABLE} is removed"


def _is_of(release: Release, commit: HubCommit) -> bool:
    """Return whether `commit` at the Hub was made for `release`, by `_publish`."""
    return commit.title == release.tag and release.lock.md5 in commit.message


def _check_tags(
    history: History, hub: HubRepository, refs: Refs, commits: Mapping[str, HubCommit]
) -> None:
    """Raise `UserError` if a tag at the Hub is not the release of that name."""
    for release in history.releases:
        if (commit := refs.tags.get(release.tag)) is None:
            continue
        # Its commit is not on main if the history of main was squashed.
        found = commits.get(commit) or hub.commits(commit).get(commit)
        if found is None or not _is_of(release, found):
            raise UserError(
                f"the tag {release.tag} at the Hugging Face Hub is not the release {release.tag} of"
                " this repository. Delete the tag there, or use another repository"
            )


def _publish(git: Git, history: History, release: Release, hub: HubRepository, refs: Refs) -> str:
    """Replace the files on the Hub's main by those of `release`; return the commit."""
    with tempfile.TemporaryDirectory() as folder:
        files = {path.name: path for path in package(git, history, release, Path(folder))}
        operations: list[Operation] = [
            *(CommitOperationDelete(path) for path in hub.files(MAIN) if path not in files),
            *(CommitOperationAdd(name, path) for name, path in files.items()),
        ]
        commit = HubCommit(release.tag, f"md5 of dataset/: {release.lock.md5}")
        refs.branches[MAIN] = hub.commit(MAIN, refs.branches[MAIN], operations, commit)
    return refs.branches[MAIN]


def _promote(hub: HubRepository, refs: Refs, wanted: str | None) -> bool:
    """Let the branch `stable` have the files of the release `wanted`; return whether it changed."""
    if wanted is None:
        if STABLE in refs.branches:
            hub.delete_branch(STABLE)
        return STABLE in refs.branches
    if wanted not in refs.tags:
        return False
    if STABLE in refs.branches:
        return _follow(hub, refs, STABLE, wanted)
    hub.create_branch(STABLE, refs.tags[wanted])
    return True


def _follow(
    hub: HubRepository, refs: Refs, branch: str, tag: str, withdrawn: Mapping[str, str] = {}
) -> bool:
    """Give `branch` the files of `tag`, by a commit if it has others; return whether it had.

    The card says which releases are withdrawn. The files are copied at the Hub.
    """
    if refs.branches[branch] == refs.tags[tag] and not withdrawn:
        return False
    files, found = hub.files(tag), hub.files(branch)
    operations: list[Operation] = []
    if withdrawn:
        content = card.with_withdrawn(hub.read(tag, CARD), withdrawn)
        del files[CARD]
        if found.pop(CARD, None) != git_hash(content):
            operations.append(CommitOperationAdd(CARD, content))
    operations += [CommitOperationDelete(path) for path in found if path not in files]
    operations += [
        CommitOperationCopy(path, path, src_revision=tag)
        for path, blob in files.items()
        if found.get(path) != blob
    ]
    if operations:
        hub.commit(branch, refs.branches[branch], operations, HubCommit(f"files of {tag}", ""))
    return bool(operations)
