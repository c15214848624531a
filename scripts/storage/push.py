"""Copy a version from the cache to the remote, and verify it there."""

from scripts.errors import UserError
from scripts.storage.cache import Cache
from scripts.storage.remote import Remote, reason


def push(cache: Cache, remote: Remote, manifest_md5: str) -> int:
    """Copy a version's objects to the remote and verify that each is there and intact.

    The manifest goes last, so that a manifest in the remote always has its files. Returns how many
    objects were copied. Raises `UserError` when an object is missing in the end or its checksum
    does not match.
    """
    names = cache.object_names(manifest_md5)
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
    if wrong := remote.mismatched(names):
        raise UserError(
            f"Checksum mismatch for {len(wrong):,} of {len(names):,} objects in {remote.url}, such"
            f" as {min(wrong)}. Remove them from the remote and run it again."
        )
    return len(absent)
