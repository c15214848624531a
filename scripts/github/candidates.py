"""Candidates: the versions that open pull requests would release, as branches for consumers.

The branch `candidate/12` contains the version that the merge of pull request 12 would release. The
code of main makes it from the version inputs. Releases ignore it.
"""

import re
from collections.abc import Iterator

from scripts.errors import UserError
from scripts.git import commits
from scripts.git.git import Git
from scripts.github import actions, marker, merges, proposed
from scripts.github.client import GitHub
from scripts.github.proposed import MESSAGE, NONE, Candidate, NotMadeError
from scripts.publish import origin
from scripts.releases import lock
from scripts.releases.lock import LOCK_FILE
from scripts.review import render

PREFIX = "candidate/"
NUMBERED = re.compile(f"{PREFIX}[1-9][0-9]*")


def publish_candidate(git: Git) -> Iterator[str]:
    """Publish the candidate of the pull request whose workflow run has ended.

    Yields messages. The pull request is found by the head of the run, as GitHub reports it. Its
    earlier candidate is removed if it has none now, and so are those of closed pull requests.
    Raises `UserError` afterwards if the candidate could not be made because of an error.
    """
    run, hub = actions.event()["workflow_run"], GitHub()
    origin.try_again(lambda: origin.fetch(git))
    number, failure = hub.own_pull(run["head_branch"], run["head_sha"]), None
    if number is None:
        yield "no open pull request of this repository has this head: no candidate"
    else:
        head = str(run["head_sha"])
        try:
            yield origin.try_again(lambda: _publish(git, hub, number, head))
        except UserError as error:
            failure = UserError(f"pull request {number}: {error}")
    yield from remove_outdated(git, hub)
    if failure:
        raise failure


def remove_outdated(git: Git, hub: GitHub) -> Iterator[str]:
    """Remove the candidates of closed pull requests, and those that differ from their comment.

    A comment that was updated after a release can show a different dataset. Yields messages; after
    a failure, the others are still processed.
    """
    there = {
        branch: commit
        for branch, commit in origin.try_again(
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
        except Exception as error:  # noqa: BLE001 - no other one may be kept by it
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
    """Return the candidate of a pull request; raises one of `NONE` if there is none."""
    if merges.fetch_head(git, number) != head:
        raise NotMadeError("newer commits exist; their run publishes it")
    return proposed.candidate(git, number, head, merges.tree(git, head))


def _show(hub: GitHub, number: int, branch: str, md5: str) -> None:
    """Add the command that gets the candidate to the comment, if it shows the same dataset."""
    text = hub.commented(number)
    if text is None or marker.is_newer(text):
        return
    new = marker.with_candidate(text, md5, render.candidate(hub.url, branch))
    if new != text:
        hub.comment(number, new)


def _is_ours(git: Git, branch: str, commit: str) -> bool:
    """Return whether this module made a branch: a commit without parents and with its message."""
    message = MESSAGE.format(number=branch.removeprefix(PREFIX))
    return NUMBERED.fullmatch(branch) is not None and commits.is_snapshot(git, commit, message)


def _is_current(git: Git, hub: GitHub, number: int, commit: str) -> bool:
    """Return whether the comment shows the dataset of the candidate at `commit`.

    A candidate without such a comment is kept.
    """
    text = hub.commented(number)
    known, _ = marker.parse(text) if text else (None, "")
    held = lock.parse(git.file(commit, LOCK_FILE) or b"", f"{LOCK_FILE} at {commit[:10]}")
    return known is None or known.md5 == held.md5
