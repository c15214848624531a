"""Candidates: what open pull requests would release, as branches that consumers can name.

The branch `candidate/12` holds what the merge of pull request 12 would release. Main's code makes
it from the files that people wrote. Releases ignore it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from scripts.build.dataset import Dataset
from scripts.build.large import is_large
from scripts.errors import UserError
from scripts.github import actions, marker, merges
from scripts.github.client import GitHub
from scripts.github.merges import ConflictError
from scripts.inputs.paths import INPUTS_OF_PEOPLE, RELEASES_FILE
from scripts.inputs.problems import InputError
from scripts.review import render
from scripts.storage.cache import Cache
from scripts.storage.consumer import UnreadableError, check_readable
from scripts.storage.remote import open_remote
from scripts.storage.settings import CONFIG_PATH
from scripts.versions import (
    commits,
    comparison,
    index,
    lock,
    origin,
    publish,
    releases,
    resolve,
    snapshot,
)
from scripts.versions.git import MAIN, TRACKED_MAIN, Git, GitTree
from scripts.versions.history import History
from scripts.versions.lock import LOCK_FILE

PREFIX = "candidate/"
NUMBERED = re.compile(f"{PREFIX}[1-9][0-9]*")
MESSAGE = "Candidate of pull request {number}"


class NoCandidateError(UserError):
    """The pull request has no candidate; the text says why."""


# What a pull request can be without being a failure of the workflow.
NONE = (NoCandidateError, ConflictError, InputError, UnreadableError)


@dataclass(frozen=True)
class Candidate:
    """What a pull request would release: its commit, and the name of its manifest."""

    commit: str
    md5: str


def publish_candidate(git: Git) -> Iterator[str]:
    """Make the candidate of the pull request whose workflow run has just ended.

    Yields what was done. Which pull request that is follows from the run's head, as GitHub reports
    it. A candidate that it had before is removed when it has none now, and so are those of closed
    pull requests.
    """
    run, hub = actions.event()["workflow_run"], GitHub()
    publish.try_again(lambda: origin.fetch(git))
    number = hub.own_pull(run["head_branch"], run["head_sha"])
    if number is None:
        yield "no open pull request of this repository has this head: no candidate"
    else:
        head = str(run["head_sha"])
        yield publish.try_again(lambda: _publish(git, hub, number, head))
    yield from remove_outdated(git, hub)


def remove_outdated(git: Git, hub: GitHub) -> Iterator[str]:
    """Remove the candidates of closed pull requests, and those that differ from the comment.

    A comment that was rendered again after a release can show another dataset. Yields what was
    done; a failure of one does not stop the others.
    """
    there = {
        branch: commit
        for branch, commit in publish.try_again(
            lambda: origin.fetch_branches(git, f"{PREFIX}*")
        ).items()
        if _is_ours(git, branch, commit)
    }
    opened = hub.open_pulls() if there else []
    for branch, commit in there.items():
        number = int(branch.removeprefix(PREFIX))
        try:
            if number in opened and _is_current(git, hub, number, commit):
                continue
            origin.push_branch(git, branch, None, commit)
            yield f"{branch} is removed"
        except (UserError, origin.TryAgainError) as error:
            yield f"{branch} could not be removed: {error}"


def _publish(git: Git, hub: GitHub, number: int, head: str) -> str:
    branch = f"{PREFIX}{number}"
    before = origin.fetch_branches(git, branch).get(branch)
    if before and not _is_ours(git, branch, before):
        raise UserError(f"the branch {branch} is not a candidate. Rename it: its name is reserved")
    try:
        made = _make(git, number, head)
    except NONE as error:
        if before:
            origin.push_branch(git, branch, None, before)
        return f"pull request {number} has no candidate: {error}"
    if made.commit != before:
        origin.push_branch(git, branch, made.commit, before)
    _show(hub, number, branch, made.md5)
    return f"{branch} holds {made.md5}"


def _make(git: Git, number: int, head: str) -> Candidate:
    """Return the candidate of a pull request; raises one of `NONE` where there is none."""
    if merges.fetch_head(git, number) != head:
        raise NoCandidateError("it has new commits, whose own run makes it")
    tree = merges.tree(git, head)
    dataset = _dataset(git, tree)
    recorded, made = _lock(git, dataset), dataset.manifest
    committed = git.file(TRACKED_MAIN, CONFIG_PATH)
    if publish.lacks_bucket(git, committed):
        raise NoCandidateError("there is no bucket yet")
    remote = open_remote(git.root, committed, f"{CONFIG_PATH} on {MAIN}")
    if missing := remote.missing({*made.objects(), made.md5}):
        raise NoCandidateError(f"{len(missing):,} of its objects are missing in {remote.url}")
    commit = snapshot.of_merge(
        git,
        tree,
        TRACKED_MAIN,
        lock.render(recorded).encode(),
        message=MESSAGE.format(number=number),
        dated_as=head,
    )
    cache = Cache(git.root)
    cache.put_manifest(made)
    with git.checkout(commit) as folder:
        check_readable(folder, cache, made)
    return Candidate(commit, made.md5)


def _dataset(git: Git, tree: str) -> Dataset:
    """Return the dataset of a merge that publishes a new version, made by main's code."""
    dataset, before = proposed(git, tree), releases.scan(git).latest
    if is_large(dataset):
        raise NoCandidateError("it has so many images that the release makes their files")
    if before and before.lock.md5 == dataset.manifest.md5:
        raise NoCandidateError(f"it publishes no new version: the dataset is that of {before.tag}")
    return dataset


def proposed(git: Git, tree: str) -> Dataset:
    """Return the dataset that the merge of one of our branches would have, made by main's code.

    Raises `NoCandidateError` when it changes more than data, `InputError` when it is not valid.
    """
    if other := [path for path in merges.changed(git, tree) if not _is_data(path)]:
        raise NoCandidateError(f"it changes {other[0]}, which only its own run uses")
    before = releases.scan(git).latest
    recorded = before.lock if before else resolve.template_lock(GitTree(git, TRACKED_MAIN))
    return resolve.of_tree(git, merges.read(git, tree), recorded)


def _is_data(path: str) -> bool:
    return path == RELEASES_FILE or any(
        path == one or path.startswith(f"{one}/") for one in INPUTS_OF_PEOPLE
    )


def _lock(git: Git, dataset: Dataset) -> lock.Lock:
    """Return the lock of a candidate; raises `InputError` for leaks, which forbid the merge."""
    found = releases.scan(git)
    made = index.of_dataset(dataset)
    compared = comparison.compare(dataset, History(git, found.accepted), made)
    compared.refuse_leaks(dataset, found.next_tag)
    return lock.of(
        dataset,
        dataset.manifest,
        comparable=compared.comparable,
        splits=made.sha256,
        copy=None,
    )


def _show(hub: GitHub, number: int, branch: str, md5: str) -> None:
    """Add the command that gets the candidate to the comment, where that shows the same dataset."""
    text = hub.commented(number)
    if text is None or marker.is_newer(text):
        return
    new = marker.with_candidate(text, md5, render.candidate(hub.url, branch))
    if new != text:
        hub.comment(number, new)


def _is_ours(git: Git, branch: str, commit: str) -> bool:
    """Return whether this module made a branch: a commit without parents that says so."""
    message = MESSAGE.format(number=branch.removeprefix(PREFIX))
    return NUMBERED.fullmatch(branch) is not None and commits.is_snapshot(git, commit, message)


def _is_current(git: Git, hub: GitHub, number: int, commit: str) -> bool:
    """Return whether the candidate at `commit` is the dataset that the comment shows.

    One without a comment that says so is kept.
    """
    text = hub.commented(number)
    known, _ = marker.parse(text) if text else (None, "")
    held = lock.parse(git.file(commit, LOCK_FILE) or b"", f"{LOCK_FILE} at {commit[:10]}")
    return known is None or known.md5 == held.md5
