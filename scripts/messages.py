"""What the project says at GitHub: comments on pull requests, notes of releases."""

import re
from collections.abc import Iterator
from pathlib import Path

from scripts import actions, proposal, releases, report
from scripts.config import CONFIG_FILE
from scripts.errors import UserError
from scripts.git import TRACKED_MAIN, Git
from scripts.github import REPORT_FILE, GitHub
from scripts.release import fetch
from scripts.report import Report
from scripts.touched import MADE_WITH

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
    before = None
    for tag in releases.tags(git):
        found = releases.get(git, tag)
        title = report.notes_title(found, before)
        if address := hub.release(tag, title, report.notes(found, before, hub.url)):
            yield address
        before = found


def refresh(git: Git) -> Iterator[str]:
    """Bring the comments on all open pull requests up to date with main; yield their addresses.

    Runs the code of main only: from a pull request it takes the config, as the merge would leave
    it. Where the merge would change the code as well, the comment says that it is out of date.
    """
    hub = GitHub()
    fetch(git)
    for number in hub.open_pulls():
        old = hub.commented(number)
        if old is None:
            continue
        new = _fresh(git, number, old) or _outdated(git, old)
        if new != old:
            yield hub.comment(number, new)


def _fresh(git: Git, number: int, old: str) -> str | None:
    """Return the comment anew, None where only the pull request's own workflow can tell."""
    tree = _merge(git, number)
    if tree is None:
        return None
    changed = git("diff", "--name-only", TRACKED_MAIN, tree, "--", *MADE_WITH).split()
    if changed != [CONFIG_FILE]:
        return None
    sheet = SHEET_LINK.search(old)
    try:
        wanted = proposal.read_from(git, tree)
        found = Report(change=proposal.change(git, wanted, releases.latest(git)))
    except UserError as error:
        found = Report(faults=report.faults(error))
    return report.comment(found, sheet and sheet.group(1))


def _merge(git: Git, number: int) -> str | None:
    """Return the tree that merging the pull request into main would give, None on conflicts."""
    git("fetch", "--quiet", "--no-tags", "origin", f"refs/pull/{number}/head")
    try:
        return git("merge-tree", "--write-tree", TRACKED_MAIN, "FETCH_HEAD").split()[0]
    except UserError:
        return None


def _outdated(git: Git, old: str) -> str:
    latest = releases.latest(git)
    tag = latest.tag if latest else "a release"
    note = (
        f"> [!NOTE]\n> Out of date: {tag} was published since. Update the branch to look again.\n\n"
    )
    return note + OUTDATED.sub("", old)
