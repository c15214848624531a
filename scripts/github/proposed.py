"""Makes the dataset of a pull request with the code of main, in a process with limits.

Even a small config can ask for a lot of work. A limit or a crash is an error of that pull request
only. The process does not import the client of GitHub, which takes a second.
"""

from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from scripts import isolated
from scripts.dataset import bounds
from scripts.dataset.dataset import Dataset
from scripts.errors import UserError
from scripts.git.git import MAIN, TRACKED_MAIN, Git, GitTree
from scripts.github import actions, marker, merges
from scripts.github.merges import ConflictError
from scripts.inputs import reader
from scripts.inputs.paths import (
    CONFIG_FILE,
    CURATION_FILE,
    INPUTS_OF_PEOPLE,
    PREDICTIONS_FILE,
    RELEASES_FILE,
)
from scripts.inputs.problems import InputError
from scripts.insight import facts
from scripts.isolated import Limits
from scripts.publish import bucket, snapshot
from scripts.releases import comparison, index, lock, released_files, releases, resolve
from scripts.releases.history import History
from scripts.releases.new_lock import new_lock
from scripts.releases.releases import Release
from scripts.review import contact_sheet, insights, plan, render, report
from scripts.review.report import Report
from scripts.storage.cache import Cache
from scripts.storage.consumer import UnreadableError, check_readable
from scripts.storage.remote_kinds import open_remote
from scripts.storage.settings import CONFIG_PATH

GiB = 1024**3
# For pull requests of forks, and of the repository itself.
STRANGERS = Limits(seconds=300.0, memory=3 * GiB)
OWN = Limits(seconds=1500.0, memory=4 * GiB)
# Bytes of the pixels of all images that are resized for a fork: half a minute of work.
STRANGERS_PIXELS = 2 * GiB
MESSAGE = "Candidate of pull request {number}"
# The files that are read from a fork; only the run of the pull request reads images.
READ_HERE = {CONFIG_FILE, CURATION_FILE, RELEASES_FILE, PREDICTIONS_FILE}
LARGE = "it has too many images to build before the merge"

Result = TypeVar("Result")


class NotMadeError(UserError):
    """The pull request has no candidate or contact sheet; the text is the reason."""


# Errors that are not a failure of the workflow.
NONE = (NotMadeError, ConflictError, InputError, UnreadableError)


@dataclass(frozen=True)
class Candidate:
    """A candidate: its commit, and the name of its manifest."""

    commit: str
    md5: str


class DrawnSheet(NamedTuple):
    """A contact sheet, and the name of the manifest of its dataset."""

    md5: str
    picture: bytes


class Updated(NamedTuple):
    """An updated comment, with its contact sheet if there is one."""

    text: str
    sheet: DrawnSheet | None


def candidate(git: Git, number: int, head: str, tree: str) -> Candidate:
    """Return the candidate of a pull request with the head `head` and the merged `tree`.

    Raises one of `NONE` if there is none, `UserError` if it cannot be made.
    """
    return _made(isolated.run(OWN, _candidate, git, number, head, tree))


def sheet(git: Git, tree: str, *, is_own: bool) -> DrawnSheet:
    """Return the contact sheet of a pull request with the merged `tree`.

    Pull requests of forks have lower limits. Raises the same errors as `candidate`.
    """
    work, limits = (_own_sheet, OWN) if is_own else (_strangers_sheet, STRANGERS)
    return _made(isolated.run(limits, work, git, tree))


def updated(git: Git, tree: str, old: str, latest: Release) -> Updated:
    """Return the comment `old` of a pull request, updated for the merged `tree`.

    Raises `UserError` if only the run of the pull request can make it, and at a limit.
    """
    return isolated.run(STRANGERS, _updated, git, tree, old, latest)


def text(found: Report, sheet: str | None) -> str:
    """Return the text of the comment for a report; `sheet` is the address of its contact sheet."""
    return marker.compose(marker.marker_of(found, sheet), render.comment(found, sheet))


def _made(found: Result | str) -> Result:
    """Return the result of a process, or raise its error."""
    if isinstance(found, str):
        raise NotMadeError(found)
    return found


# In the process:


def _candidate(git: Git, number: int, head: str, tree: str) -> Candidate | str:
    try:
        return _make(git, number, head, tree)
    except NONE as error:
        return str(error)


def _own_sheet(git: Git, tree: str) -> DrawnSheet | str:
    try:
        return _draw(git, _own_dataset(git, tree))
    except NONE as error:
        return str(error)


def _strangers_sheet(git: Git, tree: str) -> DrawnSheet | str:
    try:
        return _draw(git, _strangers_dataset(git, tree, releases.scan(git).latest))
    except NONE as error:
        return str(error)


def _updated(git: Git, tree: str, old: str, latest: Release) -> Updated:
    known, _ = marker.parse(old)
    made = None
    try:
        dataset = _strangers_dataset(git, tree, latest)
        planned, difference = plan.plan(git, dataset, latest, actions.runner())
        files = merges.read(git, tree)
        planned = plan.with_promotion(git, planned, files)
        insight = facts.of_diff(git, dataset, difference)
        planned = insights.with_insight(planned, insight, files)
        if planned.md5:
            # A version that only the release can make has none.
            made = DrawnSheet(planned.md5, contact_sheet.draw(dataset, difference, insight))
        # The files of the run are still stored, unless main changes the dataset.
        same = known is not None and known.md5 == planned.md5
        found = Report(plan=planned, stored=known.stored if known and same else None)
    except InputError as error:
        found = Report(problems=report.problems(error))
    new = text(found, known.sheet if known else None)
    return Updated(marker.carry_candidate(old, new), made)


def _draw(git: Git, dataset: Dataset) -> DrawnSheet:
    _refuse_large(dataset)
    _, difference = plan.plan(git, dataset, releases.scan(git).latest, actions.runner())
    insight = facts.of_diff(git, dataset, difference)
    return DrawnSheet(dataset.manifest.md5, contact_sheet.draw(dataset, difference, insight))


def _refuse_large(dataset: Dataset) -> None:
    if not actions.runner().makes(len(dataset.selection.identifiers)):
        raise NotMadeError(LARGE)


def _make(git: Git, number: int, head: str, tree: str) -> Candidate:
    dataset = _new_version(git, tree)
    recorded, made = _lock(git, dataset), dataset.manifest
    committed = git.file(TRACKED_MAIN, CONFIG_PATH)
    if bucket.is_missing(git, committed):
        raise NotMadeError("there is no bucket yet")
    remote = open_remote(git.root, committed, f"{CONFIG_PATH} on {MAIN}")
    # What is released was verified; garbage collection keeps it.
    released = released_files.verified(git, releases.scan(git).latest, committed)
    if missing := remote.missing(remote.doubtful({*made.objects(), made.md5}, released)):
        raise NotMadeError(f"{len(missing):,} of its objects are missing in {remote.url}")
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


def _new_version(git: Git, tree: str) -> Dataset:
    """Return the dataset of a merge that publishes a new version."""
    dataset, before = _own_dataset(git, tree), releases.scan(git).latest
    _refuse_large(dataset)
    if before and before.lock.md5 == dataset.manifest.md5:
        raise NotMadeError(f"it publishes no new version: the dataset is that of {before.tag}")
    return dataset


def _own_dataset(git: Git, tree: str) -> Dataset:
    """Return the dataset of the merge of a branch of this repository.

    Raises `NotMadeError` if it changes more than data, `InputError` if it is invalid.
    """
    if other := [path for path in merges.changed(git, tree) if not _is_data(path)]:
        raise NotMadeError(f"it changes {other[0]}, which only its own run uses")
    before = releases.scan(git).latest
    recorded = before.lock if before else resolve.template_lock(GitTree(git, TRACKED_MAIN))
    return resolve.of_tree(git, merges.read(git, tree), recorded)


def _is_data(path: str) -> bool:
    return path in {RELEASES_FILE, PREDICTIONS_FILE} or any(
        path == one or path.startswith(f"{one}/") for one in INPUTS_OF_PEOPLE
    )


def _strangers_dataset(git: Git, tree: str, latest: Release | None) -> Dataset:
    """Return the dataset of the merge of an untrusted pull request.

    It uses only the config, the curation and the source of the latest release: a pull request must
    not make this job load another source, or resize many images. Raises one of `NONE`, or
    `UserError`.
    """
    if latest is None:
        raise NotMadeError("nothing is released yet")
    changed = set(merges.changed(git, tree))
    if not changed or not changed <= READ_HERE:
        raise NotMadeError("it changes files that are not read from a fork")
    inputs = reader.read(merges.read(git, tree))
    if inputs.config.source != latest.lock.meta.source.name:
        raise NotMadeError("it uses a different source than the latest release")
    source = resolve.source_of(git, inputs, latest.lock)
    if (pixels := bounds.pixels(inputs, source)) > STRANGERS_PIXELS:
        raise NotMadeError(
            f"its resized images would have {pixels:,} bytes of pixels; for a fork at most"
            f" {STRANGERS_PIXELS:,} are allowed"
        )
    return resolve.checked(Dataset(inputs, source))


def _lock(git: Git, dataset: Dataset) -> lock.Lock:
    """Return the lock of a candidate; raises `InputError` for leaks."""
    found = releases.scan(git)
    made = index.of_dataset(dataset)
    compared = comparison.compare(dataset, History(git, found.accepted), made)
    compared.refuse_leaks(dataset, found.next_tag)
    return new_lock(
        dataset,
        dataset.manifest,
        comparable=compared.comparable,
        splits=made.sha256,
        copy=None,
    )
