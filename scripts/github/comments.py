"""Comments on pull requests: posted, posted for a fork, and kept up to date."""

from collections.abc import Iterator
from pathlib import Path

from scripts.errors import UserError
from scripts.github import actions, marker
from scripts.github.client import REPORT_FILE, GitHub
from scripts.github.marker import Marker
from scripts.inputs import reader
from scripts.inputs.paths import CHECKED_PATHS, CONFIG_FILE, INPUT_PATHS
from scripts.inputs.problems import InputError
from scripts.inputs.reader import WorkTree
from scripts.review import plan, render, report
from scripts.review.report import Report, Stored
from scripts.storage.settings import CONFIG_PATH
from scripts.versions import publish, releases, resolve
from scripts.versions.git import ORIGIN, TRACKED_MAIN, Git, GitTree
from scripts.versions.releases import Release

SHEET_FILE = "samples.png"


def write_report(git: Git, folder: Path, stored: Stored | None) -> Report:
    """Write the report on the work tree to `folder`, with a contact sheet."""
    found, sheet = plan.review(git)
    no_bucket = publish.lacks_bucket(git, WorkTree(git.root).read(CONFIG_PATH))
    found = found.model_copy(update={"stored": stored, "no_bucket": no_bucket})
    folder.mkdir(parents=True, exist_ok=True)
    (folder / REPORT_FILE).write_text(report.dump(found), encoding="utf-8")
    if sheet:
        (folder / SHEET_FILE).write_bytes(sheet)
    return found


def comment(folder: Path, sheet: str | None) -> str:
    """Post the report in `folder` on the pull request that started the workflow."""
    found = report.load((folder / REPORT_FILE).read_bytes())
    number = int(actions.event()["pull_request"]["number"])
    return GitHub().comment(number, _text(found, sheet or None))


def comment_fork() -> str:
    """Post the report of the workflow run that has just ended on the pull request it belongs to.

    Which one that is follows from the run's head, as GitHub reports it, never from anything the run
    left behind. Returns what was done.
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
        return "the run left no report, because it does not change the dataset: no comment"
    return hub.comment(number, _text(found, run["html_url"]))


def update_comments(git: Git) -> Iterator[str]:
    """Update the comments on all open pull requests after a release; yield what was done.

    Runs main's code only, on the source of the latest release: of a pull request it uses the
    inputs as the merge would leave them. Where that is not enough, the comment is marked as out of
    date.
    """
    hub = GitHub()
    publish.fetch(git)
    latest = releases.latest(git)
    if latest is None:
        return
    numbers, failures = hub.open_pulls(), []
    for number in numbers:
        try:
            old = hub.commented(number)
            new = old and (_updated(git, number, old, latest) or _outdated(git, old, latest))
            if new and new != old:
                yield hub.comment(number, new)
        except UserError as error:
            # One that is locked or just closed must not stop the others.
            failures.append(f"pull request {number}: {error}")
            yield failures[-1]
    if failures and len(failures) == len(numbers):
        raise UserError("no comment could be updated; the reasons are above.")


def _text(found: Report, sheet: str | None) -> str:
    return marker.compose(marker.of(found, sheet), render.comment(found, sheet))


def _updated(git: Git, number: int, old: str, latest: Release) -> str | None:
    """Return the comment rendered again, None where only the pull request's own run can do it."""
    try:
        git("fetch", "--quiet", "--no-tags", ORIGIN, f"refs/pull/{number}/head")
        tree = git("merge-tree", "--write-tree", TRACKED_MAIN, "FETCH_HEAD").split()[0]
    except UserError:
        # The merge conflicts.
        return None
    paths = (*INPUT_PATHS, *CHECKED_PATHS)
    if git("diff", "--name-only", TRACKED_MAIN, tree, "--", *paths).split() != [CONFIG_FILE]:
        return None
    try:
        inputs = reader.read(GitTree(git, tree))
        if inputs.config.source != latest.lock.meta.source.name:
            # A pull request must not make this job load any other source.
            return None
        dataset = resolve.resolve(inputs, latest.lock, latest)
        found = Report(plan=plan.plan(git, dataset, latest))
    except InputError as error:
        found = Report(problems=report.problems(error))
    except UserError:
        return None
    known, _ = marker.parse(old)
    return _text(found, known.sheet if known else None)


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
    return known.version == releases.next_tag(git)
