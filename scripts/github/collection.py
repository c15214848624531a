"""Garbage collection: what nothing needs is listed, and deleted on request.

The order matters. First the remote is listed, then it is found out what is needed: whatever is
stored or named in the meantime is either not listed or known to be needed. After the deletion both
are done again, so that a run which came in between is noticed.
"""

import time
from collections.abc import Sequence

from scripts.errors import UserError
from scripts.github import actions
from scripts.github.client import GitHub
from scripts.storage import garbage
from scripts.storage.garbage import Garbage
from scripts.storage.remote import Remote, Stored, open_remote
from scripts.storage.settings import CONFIG_PATH
from scripts.versions import needed, origin, publish
from scripts.versions.git import MAIN, TRACKED_MAIN, Git


def collect(git: Git, *, delete: bool) -> tuple[str, Garbage]:
    """Return the address of the remote that main names, and what nothing in it needs.

    With `delete` that is deleted. Raises `UserError` when origin or the remote is unreachable, when
    it cannot be known what is needed, or when something of it came to be needed meanwhile.
    """
    publish.try_again(lambda: origin.fetch(git))
    committed = git.file(TRACKED_MAIN, CONFIG_PATH)
    remote = open_remote(git.root, committed, f"{CONFIG_PATH} on {MAIN}")
    if actions.running() and remote.is_folder:
        if publish.lacks_bucket(git, committed):
            return remote.url, Garbage([], 0, 0)
        raise UserError(publish.FOLDER_ON_RUNNER.format(url=remote.url))
    listed = remote.listing()
    found = garbage.find(listed, _needed(git, remote, listed), time.time())
    if delete and found.unneeded:
        garbage.delete(remote, found.unneeded)
        _refuse_if_needed(git, remote, found.unneeded)
    return remote.url, found


def _needed(git: Git, remote: Remote, listed: Sequence[Stored]) -> set[str]:
    """Return what is needed of `listed`.

    Where GitHub's API can be used, closed pull requests count no more, and what the comment on an
    open one shows is needed, too: without a candidate no commit names it.
    """
    if not actions.has_token():
        return publish.try_again(lambda: needed.needed(git, remote, listed))
    hub = GitHub()
    pulls = hub.open_pulls()
    # The marker is in the first line.
    markers = [(hub.commented(number) or "").partition("\n")[0] for number in pulls]
    shown = needed.names_in(" ".join(markers).encode())
    return publish.try_again(lambda: needed.needed(git, remote, listed, pulls, shown))


def _refuse_if_needed(git: Git, remote: Remote, deleted: Sequence[Stored]) -> None:
    """Raise `UserError` when something that was deleted is needed now."""
    late = garbage.names_of(deleted) & _needed(git, remote, remote.listing())
    if late:
        raise UserError(
            f"{len(late):,} of the deleted objects came to be needed at the same time, such as"
            f" {min(late)}. Repair the releases that `python -m scripts verify` names, and run the"
            " workflows of open pull requests again."
        )
