"""Copy objects between the cache and the remote, and verify them there."""

from collections.abc import Callable, Collection, Mapping
from pathlib import Path

from scripts.errors import UserError
from scripts.inputs.reader import WorkTree
from scripts.storage.cache import Cache
from scripts.storage.remote import Remote, open_remote, reason
from scripts.storage.settings import CONFIG_PATH

MAX_LISTED = 20
MAX_NAMED = 5


def fetch(cache: Cache, open_remote: Callable[[], Remote], name: str) -> Path:
    """Return the path of an object in the cache, copied from the remote when it is not there.

    Raises `UserError` when it is missing or damaged in both.
    """
    if cache.read(name) is None:
        cache.put_as(name, open_remote().intact_object(name))
    return cache.path(name)


def fetcher(root: Path) -> Callable[[str], Path]:
    """Return `fetch` for the repository at `root`, which is opened when it is needed."""

    def fetch_object(name: str) -> Path:
        committed = WorkTree(root).read(CONFIG_PATH)
        return fetch(Cache(root), lambda: open_remote(root, committed), name)

    return fetch_object


def check(remote: Remote, manifest_md5: str, verified: Collection[str] = ()) -> list[str]:
    """Return what is wrong with the objects of a folder in the remote, in words.

    Of those that are `verified` only the presence matters. Raises `UserError` when the remote is
    not available.
    """
    if remote.missing({manifest_md5}):
        return [f"the manifest {manifest_md5} is missing in {remote.url}"]
    try:
        files = remote.manifest(manifest_md5)
    except UserError as error:
        return [str(error)]
    missing = remote.missing(set(files.values()))
    wrong = remote.mismatched(set(files.values()) - missing - set(verified))
    problems = {"missing": missing, "checksum mismatch": wrong}
    return [
        f"{named(files, names)} {problem} in {remote.url}"
        for problem, names in problems.items()
        if names
    ]


def named(files: Mapping[str, str], names: Collection[str]) -> str:
    """Return which of `files` the objects `names` hold: a few, and how many more."""
    found = [name for name, md5 in files.items() if md5 in names]
    more = f" and {len(found) - MAX_NAMED:,} more" if len(found) > MAX_NAMED else ""
    return f"{', '.join(found[:MAX_NAMED])}{more}:"


def push(cache: Cache, remote: Remote, manifest_md5: str, verified: Collection[str] = ()) -> int:
    """Copy a folder's objects to the remote and verify that each is there and intact.

    The manifest goes last, so that a manifest in the remote always has its files. Of those that are
    `verified`, and are still there, only the presence matters. Returns how many objects were
    copied. Raises `UserError` when an object is missing in the end or its checksum does not match.
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
        if not missing and absent:
            errors = remote.upload(cache, absent & {manifest_md5})
            missing = remote.missing(names)
    if missing:
        raise UserError(
            f"{len(missing):,} of {len(names):,} objects could not be copied to {remote.url}"
            f" ({reason(errors)}). Nothing is lost: run it again."
        )
    if wrong := sorted(remote.mismatched(names - (set(verified) - absent))):
        listed = [remote.removal(name) for name in wrong[:MAX_LISTED]]
        more = [f"and {len(wrong) - MAX_LISTED:,} more"] if len(wrong) > MAX_LISTED else []
        lines = "".join(f"\n    {line}" for line in listed + more)
        raise UserError(
            f"Checksum mismatch for {len(wrong):,} of {len(names):,} objects in {remote.url}."
            f" Remove them and run it again:{lines}"
        )
    return len(absent)
