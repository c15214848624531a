"""What the project says at GitHub: comments on pull requests, notes of releases."""

import re
from collections.abc import Iterator
from pathlib import Path

from scripts import actions, proposal, releases, report
from scripts.config import CONFIG_FILE, ConfigError
from scripts.errors import UserError
from scripts.git import ORIGIN, TRACKED_MAIN, Git
from scripts.github import REPORT_FILE, GitHub
from scripts.release import fetch
from scripts.releases import Release
from scripts.report import Report
from scripts.touched import MADE_WITH, RECORDED_IN

SHEET_FILE = "samples.png"
SHEET_LINK = re.compile(r"\[Look at the samples\]\((\S+)\)")
OUTDATED = re.compile(r"\A> \[!NOTE\]\n> .*\n\n")


def write_report(git: Git, folder: Path, stored: str | None) -> Report:
    """Write the report on the work tree's config to `folder`, with a contact sheet."""
    found, sheet = proposal.look(git)
    found = found.model_copy(update={"stored": stored})
    folder.mkdir(parents=True, exist_ok=True)
    (folder / REPORT_FILE).write_text(found.model_dump_json(by_alias=True), encoding="utf-8")
    if sheet:
        (folder / SHEET_FILE).write_bytes(sheet)
    return found


def comment(folder: Path, sheet: str | None) -> str:
    """Post the report in `folder` on the pull request that started the workflow."""
    found = Report.model_validate_json((folder / REPORT_FILE).read_text(encoding="utf-8"))
    number = int(actions.event()["pull_request"]["number"])
    return GitHub().comment(number, report.comment(found, sheet))


def relay() -> str:
    """Post the report of the workflow run that has just ended, on the pull request it is about.

    Which one that is follows from the run's own head, as GitHub tells it, never from what the run
    left behind. Returns what was done.
    """
    run = actions.event()["workflow_run"]
    if run["head_repository"] is None:
        return "the fork is gone: nothing to say"
    hub = GitHub()
    owner, branch = run["head_repository"]["owner"]["login"], run["head_branch"]
    number = hub.pull_of_run(owner, branch, run["head_sha"])
    if number is None:
        return "the pull request is closed, or has moved on: nothing to say"
    found = hub.report_of_run(int(run["id"]))
    if found is None:
        return "the run left no report: it did not touch the dataset"
    return hub.comment(number, report.comment(found, run["html_url"]))


def announce(git: Git) -> Iterator[str]:
    """Publish a GitHub release for every tag that has none; yield the address of each."""
    hub = GitHub()
    announced = hub.released()
    tags = releases.tags(git)
    for before, tag in zip([None, *tags], tags, strict=False):
        if tag not in announced:
            found, last = releases.get(git, tag), releases.get(git, before) if before else None
            notes = report.notes(found, last, hub.url)
            yield hub.release(tag, report.notes_title(found, last), notes, latest=tag == tags[-1])


def refresh(git: Git) -> Iterator[str]:
    """Bring the comments on all open pull requests up to date with main; yield what was done.

    Runs the code of main only, on its own source: from a pull request it takes the config, as the
    merge would leave it. Where that is not enough, the comment says that it is out of date.
    """
    hub = GitHub()
    fetch(git)
    latest = releases.latest(git)
    if latest is None:
        return
    numbers, failures = hub.open_pulls(), []
    for number in numbers:
        try:
            old = hub.commented(number)
            new = old and (_fresh(git, number, old, latest) or _outdated(git, old, latest))
            if new and new != old:
                yield hub.comment(number, new)
        except UserError as error:
            # One that is locked or just closed must not keep the others from being told.
            failures.append(f"pull request {number}: {error}")
            yield failures[-1]
    if failures and len(failures) == len(numbers):
        raise UserError("no comment could be brought up to date; see above why.")


def _fresh(git: Git, number: int, old: str, latest: Release) -> str | None:
    """Return the comment anew, None where only the pull request's own workflow can tell."""
    try:
        git("fetch", "--quiet", "--no-tags", ORIGIN, f"refs/pull/{number}/head")
        tree = git("merge-tree", "--write-tree", TRACKED_MAIN, "FETCH_HEAD").split()[0]
    except UserError:
        # The merge conflicts.
        return None
    paths = (*MADE_WITH, *RECORDED_IN)
    if git("diff", "--name-only", TRACKED_MAIN, tree, "--", *paths).split() != [CONFIG_FILE]:
        return None
    try:
        wanted = proposal.read_from(git, tree, latest.lock)
        found = Report(change=proposal.change(git, wanted, latest))
    except ConfigError as error:
        found = Report(faults=report.faults(error))
    except UserError:
        return None
    sheet = SHEET_LINK.search(old)
    return report.comment(found, sheet and sheet.group(1))


def _outdated(git: Git, old: str, latest: Release) -> str:
    said = report.SAYS_VERSION.search(old)
    true = ((releases.following(git), None), (None, latest.tag))
    if said is None or said.groups() in true:
        return old
    note = f"Out of date: {latest.tag} was published since. Update the branch to look again."
    return f"> [!NOTE]\n> {note}\n\n" + OUTDATED.sub("", old)
