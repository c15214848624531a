"""Previews: the contact sheets of open pull requests, as files of the branch `previews`.

The sheet of the issue about drift is there, too.

A comment shows its sheet as a picture. GitHub serves the address with the session of the reader, so
it works in private repositories too, where raw files need a token and the image proxy has no
access. The name of the file contains a checksum, so that no cache shows an older sheet.

The code of main draws every sheet from the version inputs; none is taken from a run.
"""

import hashlib
import re
from collections.abc import Callable, Collection, Iterator, Mapping

from scripts.errors import UserError
from scripts.git import commits
from scripts.git.git import TRACKED_MAIN, Git
from scripts.github import actions, marker, merges, proposed
from scripts.github.client import GitHub
from scripts.github.proposed import NONE, DrawnSheet, NotMadeError
from scripts.publish import origin
from scripts.review import render

BRANCH = "previews"
MESSAGE = "Contact sheets of open pull requests"
FILE = re.compile(r"([1-9][0-9]*)-[0-9a-f]{16}\.png")
# The sheet of the issue about drift.
DRIFT_NAME = "drift-{}.png"
DRIFT_FILE = re.compile(DRIFT_NAME.format("[0-9a-f]{16}"))


def publish_preview(git: Git) -> Iterator[str]:
    """Show the contact sheet of the pull request whose run has ended in its comment.

    The pull request is found by the head of the run, as GitHub reports it. Sheets of closed pull
    requests are removed. Yields messages. Raises `UserError` afterwards if the sheet cannot be
    drawn.
    """
    run, hub = actions.event()["workflow_run"], GitHub()
    origin.try_again(lambda: origin.fetch(git))
    branch, head = str(run["head_branch"]), str(run["head_sha"])
    own = hub.own_pull(branch, head)
    number = own or _of_stranger(hub, run)
    sheet, failure = None, None
    if number is None:
        yield "no open pull request has this head: no preview"
    else:
        try:
            sheet = _sheet(git, number, head, is_own=own is not None)
        except NONE as error:
            yield f"pull request {number} has no preview: {error}"
        except UserError as error:
            failure = UserError(f"pull request {number}: {error}")
    made = {number: sheet.picture} if number and sheet else {}
    put(git, hub.open_pulls(), made)
    if number and sheet:
        text = hub.commented(number)
        new = text and with_picture(hub, number, text, sheet)
        if text and new and new != text:
            hub.comment(number, new)
        yield f"{BRANCH} has the sheet of pull request {number}"
    if failure:
        raise failure


def with_picture(hub: GitHub, number: int, text: str, sheet: DrawnSheet) -> str:
    """Return the comment `text` with a picture, if it shows the dataset of `sheet`."""
    if marker.is_newer(text):
        return text
    address = _address(hub, _name(number, sheet.picture))
    return marker.with_picture(text, sheet.md5, render.picture(address))


def put(git: Git, opened: Collection[int], sheets: Mapping[int, bytes]) -> None:
    """Add `sheets` to the branch, and keep those of other pull requests in `opened`.

    Raises `UserError` if origin refuses it, or if the branch was not made by this project.
    """

    def is_kept(path: str) -> bool:
        found = FILE.fullmatch(path)
        number = int(found[1]) if found else None
        is_open = number in opened and number not in sheets
        return is_open or DRIFT_FILE.fullmatch(path) is not None

    files = {_name(number, sheet): sheet for number, sheet in sheets.items()}
    origin.try_again(lambda: _put(git, is_kept, files))


def put_drift(git: Git, hub: GitHub, sheet: bytes | None) -> str:
    """Make `sheet` the only drift sheet on the branch, or remove it; return its address.

    The address is empty without a sheet. Raises as `put` does.
    """
    files = {DRIFT_NAME.format(_checksum(sheet)): sheet} if sheet else {}
    origin.try_again(lambda: _put(git, lambda path: FILE.fullmatch(path) is not None, files))
    return next((_address(hub, name) for name in files), "")


def _of_stranger(hub: GitHub, run: Mapping[str, object]) -> int | None:
    repository = run["head_repository"]
    if not isinstance(repository, Mapping):
        return None  # the fork was deleted
    owner = str(repository["owner"]["login"])
    return hub.pull_of_run(owner, str(run["head_branch"]), str(run["head_sha"]))


def _sheet(git: Git, number: int, head: str, *, is_own: bool) -> DrawnSheet:
    if merges.fetch_head(git, number) != head:
        raise NotMadeError("newer commits exist; their run publishes it")
    return proposed.sheet(git, merges.tree(git, head), is_own=is_own)


def _address(hub: GitHub, name: str) -> str:
    return f"{hub.url}/blob/{BRANCH}/{name}?raw=true"


def _name(number: int, sheet: bytes) -> str:
    return f"{number}-{_checksum(sheet)}.png"


def _checksum(sheet: bytes) -> str:
    return hashlib.sha256(sheet).hexdigest()[:16]


def _put(git: Git, is_kept: Callable[[str], bool], files: Mapping[str, bytes]) -> None:
    """Add `files` to the branch, and keep those whose names `is_kept` accepts."""
    before = origin.fetch_branches(git, BRANCH).get(BRANCH)
    if before and not commits.is_snapshot(git, before, MESSAGE):
        raise UserError(
            f"the branch {BRANCH} was not made by this project. Rename it: its name is reserved"
        )
    there = git.entries(before) if before else {}
    kept = {path: entry for path, entry in there.items() if is_kept(path)}
    made = commits.snapshot(git, kept, files, MESSAGE, TRACKED_MAIN) if kept or files else None
    if made and before and git.entries(made) == there:
        return
    if made or before:
        origin.push_branch(git, BRANCH, made, before)
