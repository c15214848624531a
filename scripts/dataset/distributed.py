"""Makes files on a cluster and stores them in the remote.

A task reads some rows of the source from the remote, makes files, and uploads missing ones. So it
can be run again on any worker. The machine that submits the tasks does not download images; it
makes the manifest from the returned checksums.
"""

import socket
import sys
import tempfile
import zlib
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import metadata
from pathlib import Path
from typing import Any

from scripts.dataset.targets import Maker
from scripts.errors import UserError
from scripts.storage import files, manifest, remote_kinds
from scripts.storage.cache import Cache, CachedObject
from scripts.storage.manifest import Manifest
from scripts.storage.remote import Remote

# The maximum number of pending tasks.
WAITING = 200


@dataclass(frozen=True)
class Objects:
    """The remote for a worker: `settings` are the committed ones, without credentials.

    A worker uses its own identity.
    """

    settings: tuple[tuple[str, Any], ...]

    @property
    def remote(self) -> Remote:
        """The remote, opened once in each process."""
        return _opened(self.settings)

    def fetch(self, name: str) -> Path:
        """Return the path of an object on the worker's disk."""
        return _fetched(self.settings, name)

    def store(self, contents: Sequence[bytes]) -> list[CachedObject]:
        """Store objects that the remote lacks; return the names and sizes of all."""
        found = {manifest.md5_of(content): content for content in contents}
        for name in self.remote.missing(found):
            self.remote.put(name, found[name])
        return [CachedObject(name, len(found[name]), "") for name in map(manifest.md5_of, contents)]


@dataclass(frozen=True)
class Cluster:
    """A connected cluster, and the remote that its workers use.

    `code` is the name of the code that was sent to it.
    """

    executor: Executor
    settings: Mapping[str, Any]
    code: str

    @property
    def objects(self) -> Objects:
        """The remote, for a worker."""
        return Objects(tuple(sorted(self.settings.items())))


@dataclass(frozen=True)
class Distributed:
    """Makes files on a cluster, and stores them in the remote; the manifest stays in the cache."""

    cluster: Cluster
    remote: Remote
    cache: Cache

    def intact(self, names: Collection[str]) -> Collection[str]:
        """Return the `names` that exist in the remote; the push verifies them."""
        return set(names) - self.remote.missing(names)

    def store(self, maker: Maker, items: Sequence[Any]) -> Iterator[CachedObject]:
        """Make and store the file of each of `items`."""
        objects, size = self.cluster.objects, maker.together
        parts = (items[start : start + size] for start in range(0, len(items), size))
        expected = versions(self.cluster.code)
        tasks = ((expected, maker.part(part, objects.fetch), part, objects) for part in parts)
        for stored in in_order(self.cluster.executor, run, tasks):
            yield from stored

    def finish(self, made: Manifest, _: Sequence[CachedObject]) -> None:
        """Store the manifest in the cache; it is pushed last."""
        self.cache.put_manifest(made)


def run(
    expected: Mapping[str, str], maker: Maker, items: Sequence[Any], objects: Objects
) -> list[CachedObject]:
    """Make the files of `items` and store them: a task.

    Raises `UserError` unless the versions here are those that are `expected`.
    """
    here = versions(Path(__file__).parents[2].name)
    if wrong := [name for name, version in expected.items() if here[name] != version]:
        name = wrong[0]
        raise UserError(
            f"the worker {socket.gethostname()} has another version of {name}: {here[name]} instead"
            f" of {expected[name]}. Install requirements.txt and requirements-dask.txt there too, "
            f"and restart the workers."
        )
    return objects.store(list(maker.contents(items)))


def versions(code: str) -> dict[str, str]:
    """Return the versions of everything that determines the bytes of files."""
    return {
        "Python": f"{sys.version_info.major}.{sys.version_info.minor}",
        "zlib": zlib.ZLIB_RUNTIME_VERSION,
        **{name: metadata.version(name) for name in ("pillow", "numpy", "pyarrow")},
        "this project": code,
    }


def in_order(
    executor: Executor, work: Callable[..., Any], tasks: Iterator[tuple[Any, ...]]
) -> Iterator[Any]:
    """Yield the results of `tasks` in order, with a limited number of pending tasks."""
    waiting: deque[Future[Any]] = deque()
    try:
        for task in tasks:
            waiting.append(executor.submit(work, *task))
            if len(waiting) >= WAITING:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()


@lru_cache(maxsize=4)
def _opened(settings: tuple[tuple[str, Any], ...]) -> Remote:
    return remote_kinds.of_settings(dict(settings))


@cache
def _fetched(settings: tuple[tuple[str, Any], ...], name: str) -> Path:
    # All processes of a machine share fetched files.
    path = Path(tempfile.gettempdir()) / "dataset-objects" / name
    if not path.exists() or files.md5(path) != name.removesuffix(".dir"):
        files.write(path, _opened(settings).intact_object(name))
    return path
