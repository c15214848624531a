"""Garbage collection: lists unused objects, and deletes them on request.

The remote is listed twice, a part at a time, because all of its objects need not fit into memory:
first for the manifests, from which the needed objects are computed, then for those that are unused.
Objects that are stored in the meantime are young, and kept. What is needed is computed again after
the deletion, to detect concurrent runs.
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
from scripts.storage.remote import DIR, Remote, StoredObject
from scripts.storage.remote_kinds import open_remote
from scripts.storage.settings import CONFIG_PATH


class Collection(NamedTuple):
    """The address of the remote of main, and its unused objects.

    `left_out` are pull requests that could not be read, by number, with the reason.
    """

    url: str
    garbage: Garbage
    left_out: dict[int, str]


def collect(git: Git, *, delete: bool) -> Collection:
    """Find unused objects, and with `delete` delete them.

    Raises `UserError` if origin or the remote is unreachable, if the needed objects are unknown, or
    if deleted objects have become needed.
    """
    origin.try_again(lambda: origin.fetch(git))
    committed = git.file(TRACKED_MAIN, CONFIG_PATH)
    remote = open_remote(git.root, committed, f"{CONFIG_PATH} on {MAIN}")
    if not bucket.is_ready(git, remote, committed, actions.runner()):
        return Collection(remote.url, Garbage([], 0, 0), {})
    used = _needed(git, remote)
    found = garbage.find(remote.listing(), used.names, time.time())
    if delete and found.unneeded:
        garbage.delete(remote, found.unneeded)
        _refuse_if_needed(git, remote, found.unneeded)
    return Collection(remote.url, found, used.left_out)


def _needed(git: Git, remote: Remote) -> Needed:
    """Return the needed objects in the remote.

    If GitHub's API is available, closed pull requests are ignored, and versions in the comments of
    open ones are needed too, because without a candidate no commit names them. Files of forks are
    not stored before the merge.
    """
    manifests = [stored for stored in remote.listing() if stored.place.endswith(DIR)]
    if not actions.has_token():
        return origin.try_again(lambda: needed.needed(git, remote, manifests))
    hub = GitHub()
    own = hub.own_pulls()
    # The marker is in the first line.
    markers = [(hub.commented(number) or "").partition("\n")[0] for number in own]
    shown = needed.names_in(" ".join(markers).encode())
    opened = Open(hub.open_pulls(), own, shown)
    return origin.try_again(lambda: needed.needed(git, remote, manifests, opened))


def _refuse_if_needed(git: Git, remote: Remote, deleted: Sequence[StoredObject]) -> None:
    """Raise `UserError` if a deleted object is needed now."""
    late = garbage.names_of(deleted) & _needed(git, remote).names
    if late:
        raise UserError(
            f"{len(late):,} of the deleted objects are needed again, such as"
            f" {min(late)}. Repair the releases that `python -m scripts verify` lists, and run the"
            " workflows of open pull requests again."
        )
