"""Copy objects between the cache and the remote, and verify them there."""

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import NamedTuple

from scripts.errors import UserError
from scripts.inputs.tree import WorkTree
from scripts.storage import faults
from scripts.storage.cache import Cache
from scripts.storage.faults import FaultsError
from scripts.storage.remote import Remote, reason
from scripts.storage.remote_kinds import open_remote
from scripts.storage.settings import CONFIG_PATH

MAX_NAMED = 5


class Found(NamedTuple):
    """Problems of objects, in words; `whole` lists all of them if the words do not."""

    text: str
    whole: tuple[str, ...] = ()


def fetch(cache: Cache, open_remote: Callable[[], Remote], name: str) -> Path:
    """Return the path of an object in the cache, copied from the remote if necessary.

    Raises `UserError` if it is missing or damaged in both.
    """
    if cache.read(name) is None:
        cache.put_as(name, open_remote().intact_object(name))
    return cache.path(name)


def fetcher(root: Path) -> Callable[[str], Path]:
    """Return `fetch` for the repository at `root`, which is opened on first use."""

    def fetch_object(name: str) -> Path:
        committed = WorkTree(root).read(CONFIG_PATH)
        return fetch(Cache(root), lambda: open_remote(root, committed), name)

    return fetch_object


def check(remote: Remote, manifest_md5: str, verified: Collection[str] = ()) -> list[Found]:
    """Return the problems of the objects of a folder in the remote.

    What a release has `verified` is taken as there, as in a push. Raises `UserError` if the remote
    is not available.
    """
    if remote.missing({manifest_md5}):
        return [Found(f"the manifest {manifest_md5} is missing in {remote.url}")]
    try:
        files = remote.manifest(manifest_md5)
    except UserError as error:
        return [Found(str(error))]
    missing = remote.missing(remote.doubtful(set(files.values()), verified))
    wrong = remote.mismatched(set(files.values()) - missing - set(verified))
    problems = {"missing": missing, "checksum mismatch": wrong}
    return [
        described(files, names, f"{problem} in {remote.url}")
        for problem, names in problems.items()
        if names
    ]


def described(files: Mapping[str, str], names: Collection[str], problem: str) -> Found:
    """Return the `files` of the objects `names`, which have a problem."""
    found = [name for name, md5 in files.items() if md5 in names]
    if len(found) <= MAX_NAMED:
        return Found(f"{', '.join(found)}: {problem}")
    text = f"{', '.join(found[:MAX_NAMED])} and {len(found) - MAX_NAMED:,} more: {problem}"
    return Found(text, tuple(f"{name}: {problem}" for name in found))


def push(cache: Cache, remote: Remote, manifest_md5: str, verified: Collection[str] = ()) -> int:
    """Copy a folder's objects to the remote and verify that each is there and intact.

    The manifest goes last, so that a manifest in the remote always has its files. What a release
    has `verified` is taken as there in a bucket; in a folder, its existence is checked. Returns the
    number of copied objects. Raises `UserError` if an object is missing in the end or its checksum
    does not match.
    """
    names = cache.object_names(manifest_md5)
    cache.remove_leftovers()
    remote.remove_leftovers()
    stored = remote.store(cache, names, verified)
    if stored.missing:
        raise UserError(
            f"{len(stored.missing):,} of {len(names):,} objects could not be copied to"
            f" {remote.url} ({reason(stored.errors)}). No data is lost; run it again."
        )
    if wrong := sorted(stored.wrong):
        commands = [remote.removal(name) for name in wrong]
        more = len(commands) - faults.MOST
        shown = commands[: faults.MOST] + ([f"and {more:,} more"] if more > 0 else [])
        lines = "".join(f"\n    {line}" for line in shown)
        raise FaultsError(
            f"Checksum mismatch for {len(wrong):,} of {len(names):,} objects in {remote.url}."
            f" Remove them and run it again:{lines}",
            commands if more > 0 else (),
        )
    return stored.copied
