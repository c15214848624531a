"""Previews: the contact sheets of open pull requests, as files of the branch `previews`.

A comment shows its sheet as a picture. The address leads through GitHub's own site, which checks
the session of whoever looks: so it works for private repositories too, where the addresses of raw
files need a token, and no proxy for pictures of other sites keeps a copy. The name of the file has
a checksum, so that no cache shows an older sheet.

Main's code draws every sheet from what people wrote; none is taken from a run.
"""

import hashlib
import re
from collections.abc import Collection, Iterator, Mapping

from scripts.build.dataset import Dataset
from scripts.build.large import is_large
from scripts.errors import UserError
from scripts.github import actions, candidates, marker, merges
from scripts.github.candidates import NoCandidateError
from scripts.github.client import GitHub
from scripts.github.merges import ConflictError
from scripts.inputs import reader
from scripts.inputs.paths import CONFIG_FILE, CURATION_FILE, RELEASES_FILE
from scripts.inputs.problems import InputError
from scripts.review import contact_sheet, plan, render
from scripts.versions import commits, origin, publish, releases, resolve
from scripts.versions.git import TRACKED_MAIN, Git
from scripts.versions.releases import Release

BRANCH = "previews"
MESSAGE = "Contact sheets of open pull requests"
FILE = re.compile(r"([1-9][0-9]*)-[0-9a-f]{16}\.png")
# What this code reads of a stranger's pull request; images are for its own run to read.
READ_HERE = {CONFIG_FILE, CURATION_FILE, RELEASES_FILE}

# Why a pull request can have no preview, without being a failure of the workflow.
NONE = (NoCandidateError, ConflictError, InputError)


def publish_preview(git: Git) -> Iterator[str]:
    """Show the contact sheet of the pull request whose workflow run has just ended in its comment.

    Which one that is follows from the run's head, as GitHub reports it. Sheets of closed pull
    requests are removed. Yields what was done.
    """
    run, hub = actions.event()["workflow_run"], GitHub()
    publish.try_again(lambda: origin.fetch(git))
    branch, head = str(run["head_branch"]), str(run["head_sha"])
    own = hub.own_pull(branch, head)
    number = own or _of_stranger(hub, run)
    sheets = {}
    if number is None:
        yield "no open pull request has this head: no preview"
    else:
        try:
            dataset = _dataset(git, number, head, is_own=own is not None)
            sheets[number] = dataset.manifest.md5, _draw(git, dataset)
        except NONE as error:
            yield f"pull request {number} has no preview: {error}"
    put(git, hub.open_pulls(), {number: sheet for number, (_, sheet) in sheets.items()})
    for number_, (md5, sheet) in sheets.items():
        text = hub.commented(number_)
        new = text and with_picture(hub, number_, text, md5, sheet)
        if text and new and new != text:
            hub.comment(number_, new)
        yield f"{BRANCH} has the sheet of pull request {number_}"


def with_picture(hub: GitHub, number: int, text: str, md5: str, sheet: bytes) -> str:
    """Return the comment `text` with a picture, if it shows the dataset `md5`."""
    if marker.is_newer(text):
        return text
    address = f"{hub.url}/blob/{BRANCH}/{_name(number, sheet)}?raw=true"
    return marker.with_picture(text, md5, render.picture(address))


def put(git: Git, opened: Collection[int], sheets: Mapping[int, bytes]) -> None:
    """Make the branch hold `sheets`, beside those that it has of other pull requests in `opened`.

    Raises `UserError` when origin refuses it, or when the branch is not ours.
    """
    publish.try_again(lambda: _put(git, opened, sheets))


def strangers_dataset(git: Git, tree: str, latest: Release | None) -> Dataset:
    """Return the dataset of a merge that a stranger can have proposed.

    It is made of the config, the curation and the source of the latest release: a pull request must
    not make this job load any other source. Raises one of `NONE`, or `UserError`.
    """
    if latest is None:
        raise NoCandidateError("nothing is released yet")
    changed = set(merges.changed(git, tree))
    if not changed or not changed <= READ_HERE:
        raise NoCandidateError("it changes more than main's code reads of a stranger")
    inputs = reader.read(merges.read(git, tree))
    if inputs.config.source != latest.lock.meta.source.name:
        raise NoCandidateError("it uses another source than the latest release")
    return resolve.resolve(git, inputs, latest.lock)


def _of_stranger(hub: GitHub, run: Mapping[str, object]) -> int | None:
    repository = run["head_repository"]
    if not isinstance(repository, Mapping):
        return None  # the fork was deleted
    owner = str(repository["owner"]["login"])
    return hub.pull_of_run(owner, str(run["head_branch"]), str(run["head_sha"]))


def _dataset(git: Git, number: int, head: str, *, is_own: bool) -> Dataset:
    if merges.fetch_head(git, number) != head:
        raise NoCandidateError("it has new commits, whose own run makes it")
    tree = merges.tree(git, head)
    if is_own:
        dataset = candidates.proposed(git, tree)
    else:
        dataset = strangers_dataset(git, tree, releases.scan(git).latest)
    if is_large(dataset):
        raise NoCandidateError("it has so many images that the release makes their files")
    return dataset


def _draw(git: Git, dataset: Dataset) -> bytes:
    before = releases.scan(git).latest
    _, difference = plan.plan(git, dataset, before)
    return contact_sheet.draw(dataset, difference)


def _name(number: int, sheet: bytes) -> str:
    return f"{number}-{hashlib.sha256(sheet).hexdigest()[:16]}.png"


def _put(git: Git, opened: Collection[int], sheets: Mapping[int, bytes]) -> None:
    before = origin.fetch_branches(git, BRANCH).get(BRANCH)
    if before and not commits.is_snapshot(git, before, MESSAGE):
        raise UserError(f"the branch {BRANCH} is not ours. Rename it: its name is reserved")
    there = git.entries(before) if before else {}
    kept = {
        path: entry
        for path, entry in there.items()
        if (found := FILE.fullmatch(path))
        and int(found[1]) in opened
        and int(found[1]) not in sheets
    }
    files = {_name(number, sheet): sheet for number, sheet in sheets.items()}
    made = commits.snapshot(git, kept, files, MESSAGE, TRACKED_MAIN) if kept or files else None
    if made and before and git.entries(made) == there:
        return
    if made or before:
        origin.push_branch(git, BRANCH, made, before)
