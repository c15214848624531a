"""Copy objects between the cache and the remote, and verify them there."""

from collections.abc import Callable
from pathlib import Path

from scripts.errors import UserError
from scripts.storage.cache import Cache
from scripts.storage.remote import Remote, reason

MAX_LISTED = 20


def fetch(cache: Cache, open_remote: Callable[[], Remote], name: str) -> Path:
    """Return the path of an object in the cache, copied from the remote when it is not there.

    Raises `UserError` when it is missing or damaged in both.
    """
    if cache.read(name) is None:
        remote = open_remote()
        if remote.missing({name}):
            raise UserError(f"the object {name} is missing in {remote.url}")
        for _, content in remote.read({name}):
            if cache.put(content) != name:
                raise UserError(
                    f"checksum mismatch for an object in {remote.url}. Remove it:"
                    f" {remote.removal(name)}"
                )
    return cache.path(name)


def push(cache: Cache, remote: Remote, manifest_md5: str) -> int:
    """Copy a version's objects to the remote and verify that each is there and intact.

    The manifest goes last, so that a manifest in the remote always has its files. Returns how many
    objects were copied. Raises `UserError` when an object is missing in the end or its checksum
    does not match.
    """
    names = cache.object_names(manifest_md5)
    cache.remove_leftovers()
    remote.remove_leftovers()
    with remote.reporting("push to"):
        absent = remote.missing(names)
        cache.refuse_damaged(absent)
        errors = remote.upload(cache, absent - {manifest_md5})
        # An object that another run copied at the same time is there: only absence is a failure.
        missing = remote.missing(absent - {manifest_md5})
        if not missing:
            errors = remote.upload(cache, absent & {manifest_md5})
            missing = remote.missing(names)
    if missing:
        raise UserError(
            f"{len(missing):,} of {len(names):,} objects could not be copied to {remote.url}"
            f" ({reason(errors)}). Nothing is lost: run it again."
        )
    if wrong := sorted(remote.mismatched(names)):
        listed = [remote.removal(name) for name in wrong[:MAX_LISTED]]
        more = [f"and {len(wrong) - MAX_LISTED:,} more"] if len(wrong) > MAX_LISTED else []
        lines = "".join(f"\n    {line}" for line in listed + more)
        raise UserError(
            f"Checksum mismatch for {len(wrong):,} of {len(names):,} objects in {remote.url}."
            f" Remove them and run it again:{lines}"
        )
    return len(absent)
