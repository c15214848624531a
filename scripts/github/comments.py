"""Posts and updates comments on pull requests."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from scripts import output
from scripts.errors import UserError
from scripts.git.git import Git
from scripts.github import actions, marker, merges, previews, proposed
from scripts.github.client import GitHub
from scripts.github.marker import Marker
from scripts.github.proposed import Updated
from scripts.github.reports import REPORT_FILE
from scripts.publish import origin
from scripts.releases import releases
from scripts.releases.releases import Release
from scripts.review import render, report_json


def comment(folder: Path, sheet: str | None) -> str:
    """Post the report in `folder` on the pull request that started the workflow."""
    found = report_json.load((folder / REPORT_FILE).read_bytes())
    number = int(actions.event()["pull_request"]["number"])
    return GitHub().comment(number, proposed.text(found, sheet or None))


def comment_fork() -> str:
    """Post the report of the ended workflow run on its pull request.

    The pull request is found by the head of the run, as GitHub reports it, never from artifacts of
    the run. Returns a message.
    """
    run = actions.event()["workflow_run"]
    if run["head_repository"] is None:
        return "the fork was deleted: no comment"
    hub = GitHub()
    owner, branch = run["head_repository"]["owner"]["login"], run["head_branch"]
    number = hub.pull_of_run(owner, branch, run["head_sha"])
    if number is None:
        return "the pull request is closed or has new commits: no comment"
    found = hub.report_of_run(int(run["id"]))
    if found is None:
        return "the run has no report, because it does not change the dataset: no comment"
    return hub.comment(number, proposed.text(found, run["html_url"]))


def update_comments(git: Git) -> Iterator[str]:
    """Update the comments on all open pull requests after a release; yield messages.

    Runs only the code of main, with the source of the latest release, and reads the inputs from a
    test merge. If that is not enough, the comment is marked as out of date.
    """
    hub = GitHub()
    origin.try_again(lambda: origin.fetch(git))
    latest = releases.scan(git).latest
    if latest is None:
        return
    numbers, failures = hub.open_pulls(), []
    try:
        previews.put(git, numbers, {})
    except UserError as error:
        yield f"the sheets of closed pull requests could not be removed: {error}"
    for number in numbers:
        try:
            old = hub.commented(number)
            if old is None or marker.is_newer(old):
                continue
            updated = _updated(git, number, old, latest)
            new = (
                _shown(git, hub, numbers, number, updated)
                if updated
                else _outdated(git, old, latest)
            )
            if new != old:
                yield hub.comment(number, new)
        except Exception as error:  # noqa: BLE001 - whatever it is, it does not stop the others
            failures.append(f"pull request {number}: {error}")
            yield failures[-1]
    if failures and len(failures) == len(numbers):
        raise UserError("no comment could be updated; the reasons are above.")


def _updated(git: Git, number: int, old: str, latest: Release) -> Updated | None:
    """Return the updated comment, None if only the run of the pull request can make it."""
    try:
        tree = merges.tree(git, merges.fetch_head(git, number))
        return proposed.updated(git, tree, old, latest)
    except UserError as error:
        output.log(f"pull request {number}: {error}")
        return None


def _shown(git: Git, hub: GitHub, opened: Sequence[int], number: int, updated: Updated) -> str:
    """Return the text of a comment, with its contact sheet if that can be published."""
    if updated.sheet is None:
        return updated.text
    try:
        previews.put(git, opened, {number: updated.sheet.picture})
    except UserError as error:
        output.log(f"pull request {number}: {error}")
        return updated.text
    return previews.with_picture(hub, number, updated.text, updated.sheet)


def _outdated(git: Git, old: str, latest: Release) -> str:
    known, body = marker.parse(old)
    if known and _is_current(git, known, latest):
        return old
    note = render.outdated(latest.tag)
    return marker.compose(known or Marker(), body, f"{note}\n")


def _is_current(git: Git, known: Marker, latest: Release) -> bool:
    if known.version is None:
        # It shows problems, which a release does not change.
        return True
    if not known.changed:
        return known.against == latest.tag
    return known.version == releases.scan(git).next_tag
