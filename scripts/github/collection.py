"""Garbage collection: what nothing needs is listed, and deleted on request.

The order matters. First the remote is listed, then it is found out what is needed: whatever is
stored or named in the meantime is either not listed or known to be needed. After the deletion both
are done again, so that a run which came in between is noticed.
"""

import time
from collections.abc import Sequence
from typing import NamedTuple

from scripts.errors import UserError
from scripts.git.git import MAIN, TRACKED_MAIN, Git
from scripts.github import actions
from scripts.github.client import GitHub
from scripts.publish import bucket, needed, origin
from scripts.publish.needed import Needed, Open
from scripts.storage import garbage
from scripts.storage.garbage import Garbage
from scripts.storage.remote import Remote, StoredObject
from scripts.storage.remote_kinds import open_remote
from scripts.storage.settings import CONFIG_PATH


class Collection(NamedTuple):
    """The address of the remote that main names, and what nothing in it needs.

    `left_out` are pull requests that could not be read, by number, with the reason.
    """

    url: str
    garbage: Garbage
    left_out: dict[int, str]


def collect(git: Git, *, delete: bool) -> Collection:
    """Find, and with `delete` delete, what nothing needs.

    Raises `UserError` when origin or the remote is unreachable, when it cannot be known what is
    needed, or when something of it came to be needed meanwhile.
    """
    origin.try_again(lambda: origin.fetch(git))
    committed = git.file(TRACKED_MAIN, CONFIG_PATH)
    remote = open_remote(git.root, committed, f"{CONFIG_PATH} on {MAIN}")
    if not bucket.is_ready(git, remote, committed, actions.runner()):
        return Collection(remote.url, Garbage([], 0, 0), {})
    listed = remote.listing()
    used = _needed(git, remote, listed)
    found = garbage.find(listed, used.names, time.time())
    if delete and found.unneeded:
        garbage.delete(remote, found.unneeded)
        _refuse_if_needed(git, remote, found.unneeded)
    return Collection(remote.url, found, used.left_out)


def _needed(
    git: Git, remote: Remote, listed: Sequence[StoredObject], deleted: Sequence[StoredObject] = ()
) -> Needed:
    """Return what is needed of `listed`, all that the remote has, and of `deleted`.

    Where GitHub's API can be used, closed pull requests count no more, and what the comment on an
    open one shows is needed, too: without a candidate no commit names it. Files of forks are not
    stored before the merge, whatever their comments show.
    """
    wanted = garbage.names_of([*listed, *deleted])
    if not actions.has_token():
        return origin.try_again(lambda: needed.needed(git, remote, listed, wanted))
    hub = GitHub()
    own = hub.own_pulls()
    # The marker is in the first line.
    markers = [(hub.commented(number) or "").partition("\n")[0] for number in own]
    shown = needed.names_in(" ".join(markers).encode())
    opened = Open(hub.open_pulls(), own, shown)
    return origin.try_again(lambda: needed.needed(git, remote, listed, wanted, opened))


def _refuse_if_needed(git: Git, remote: Remote, deleted: Sequence[StoredObject]) -> None:
    """Raise `UserError` when something that was deleted is needed now."""
    late = garbage.names_of(deleted) & _needed(git, remote, remote.listing(), deleted).names
    if late:
        raise UserError(
            f"{len(late):,} of the deleted objects are needed again, such as"
            f" {min(late)}. Repair the releases that `python -m scripts verify` lists, and run the"
            " workflows of open pull requests again."
        )
