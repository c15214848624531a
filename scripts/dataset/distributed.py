"""Makes files on a cluster and stores them in the remote.

Tasks read rows of the source from the remote, make files, and upload missing ones. So each can be
run again on any worker. The machine that submits the tasks does not download images; it makes the
manifest from the returned checksums.
"""

import socket
import sys
import zlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from importlib import metadata
from io import RawIOBase
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scripts import workers
from scripts.cluster import Connection
from scripts.cluster_shuffle import TwoPasses
from scripts.dataset.encoding import Encoding
from scripts.errors import UserError
from scripts.sources.extended import Extended, Images
from scripts.storage import manifest, remote_kinds
from scripts.storage.cache import Cache, CachedObject
from scripts.storage.manifest import Manifest
from scripts.storage.remote import Remote

if TYPE_CHECKING:
    # pyarrow takes long to import.
    from scripts.dataset.shuffle import Group, Piece, Shuffle


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

    def __call__(self, name: str) -> RawIOBase:
        """Return an object, of which only what is read is transferred; it is not verified."""
        return self.remote.open(name)

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

    connection: Connection
    settings: Mapping[str, Any]
    code: str

    @property
    def objects(self) -> Objects:
        """The remote, for a worker."""
        return Objects(tuple(sorted(self.settings.items())))


@dataclass(frozen=True)
class Distributed:
    """Makes files on a cluster, and stores them in the remote; the manifest stays in the cache.

    What a release has `verified` is taken as there, as by a push.
    """

    cluster: Cluster
    remote: Remote
    cache: Cache
    verified: Collection[str] = frozenset()

    def intact(self, names: Collection[str]) -> Collection[str]:
        """Return the `names` that exist in the remote; the push verifies them."""
        doubtful = set(names).difference(self.verified)
        return set(names) - self.remote.missing(doubtful)

    def store(
        self, images: Extended, encoding: Encoding, rows: Sequence[int]
    ) -> Iterator[CachedObject]:
        """Make and store the file of each of `rows`."""
        objects, size = self.cluster.objects, workers.PART
        work = partial(_store_files, versions(self.cluster.code), objects, encoding)
        parts = (rows[start : start + size] for start in range(0, len(rows), size))
        tasks = ((images.part(part, objects), part) for part in parts)
        for stored in self.cluster.connection.results(work, tasks):
            yield from stored

    def store_shards(self, shuffle: "Shuffle") -> Iterator[CachedObject]:
        """Make and store shards."""
        objects, expected = self.cluster.objects, versions(self.cluster.code)
        passes = TwoPasses(
            partial(_read, expected),
            shuffle.pieces(objects),
            partial(_store_group, expected, objects),
            shuffle.groups,
            shuffle.divisions,
            shuffle.empty,
        )
        for stored in self.cluster.connection.shuffled(passes) if shuffle.shards else ():
            yield from stored

    def finish(self, made: Manifest, _: Sequence[CachedObject]) -> None:
        """Store the manifest in the cache; it is pushed last."""
        self.cache.put_manifest(made)


def _store_files(
    expected: Mapping[str, str],
    objects: Objects,
    encoding: Encoding,
    images: Images,
    rows: Sequence[int],
) -> list[CachedObject]:
    """Make the files of `rows` and store them: a task."""
    check_versions(expected)
    return objects.store([encoding.content(images, row) for row in rows])


def _read(expected: Mapping[str, str], piece: "Piece") -> Any:
    """Return the encoded images of a piece: a task."""
    check_versions(expected)
    return piece.table()


def _store_group(
    expected: Mapping[str, str], objects: Objects, group: "Group", images: Any
) -> list[CachedObject]:
    """Make the shards of `group` of `images` and store them: a task."""
    check_versions(expected)
    return [stored for content in group.contents(images) for stored in objects.store([content])]


def check_versions(expected: Mapping[str, str]) -> None:
    """Raise `UserError` unless the versions here are those that are `expected`."""
    here = versions(Path(__file__).parents[2].name)
    if wrong := [name for name, version in expected.items() if here[name] != version]:
        name = wrong[0]
        raise UserError(
            f"the worker {socket.gethostname()} has another version of {name}: {here[name]} instead"
            f" of {expected[name]}. Install requirements.txt and requirements-dask.txt there too, "
            f"and restart the workers."
        )


def versions(code: str) -> dict[str, str]:
    """Return the versions of everything that determines the bytes of files."""
    return {
        "Python": f"{sys.version_info.major}.{sys.version_info.minor}",
        "zlib": zlib.ZLIB_RUNTIME_VERSION,
        **{name: metadata.version(name) for name in ("pillow", "numpy", "pyarrow")},
        "this project": code,
    }


@lru_cache(maxsize=4)
def _opened(settings: tuple[tuple[str, Any], ...]) -> Remote:
    return remote_kinds.of_settings(dict(settings))
