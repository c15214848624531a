"""Targets: make the files of a version, and store them."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Protocol

from scripts import workers
from scripts.dataset import encoded_files
from scripts.dataset.encoded_files import EncodedFile
from scripts.dataset.encoding import Encoding
from scripts.sources.extended import Extended, Images
from scripts.storage.cache import Cache, CachedObject
from scripts.storage.manifest import Manifest

if TYPE_CHECKING:
    # pyarrow takes long to import.
    from scripts.dataset.shuffle import Shuffle


class Target(Protocol):
    """Makes and stores files."""

    def intact(self, names: Collection[str], /) -> Collection[str]:
        """Return the `names` that need not be stored again."""

    def store(
        self, images: Extended, encoding: Encoding, rows: Sequence[int], /
    ) -> Iterator[CachedObject]:
        """Make and store the file of each of `rows`."""

    def store_shards(self, shuffle: "Shuffle", /) -> Iterator[CachedObject]:
        """Make and store shards."""

    def finish(self, made: Manifest, stored: Sequence[CachedObject], /) -> None:
        """Store the manifest; `stored` are the new files."""


@dataclass(frozen=True)
class Local:
    """Makes files on this machine, and stores them in its cache."""

    cache: Cache

    def intact(self, names: Collection[str]) -> Collection[str]:
        """Return the `names` that exist in the cache."""
        return self.cache.intact(names)

    def store(
        self, images: Extended, encoding: Encoding, rows: Sequence[int]
    ) -> Iterator[CachedObject]:
        """Make and store the file of each of `rows`."""
        return workers.results(partial(_stored, images, encoding, self.cache), rows)

    def store_shards(self, shuffle: "Shuffle") -> Iterator[CachedObject]:
        """Make and store shards."""
        return shuffle.results(self.cache.store)

    def finish(self, made: Manifest, stored: Sequence[CachedObject]) -> None:
        """Store the manifest."""
        self.cache.put_manifest(made)
        self.cache.note_intact(made, stored)


def encoded(images: Images, encoding: Encoding, rows: Sequence[int]) -> Iterator[EncodedFile]:
    """Yield the MD5 and size of the file of each of `rows`, without storing it."""
    return workers.results(partial(_encoded, images, encoding), rows)


def _encoded(images: Images, encoding: Encoding, rows: Sequence[int]) -> list[EncodedFile]:
    return [encoded_files.of_content(encoding.content(images, row)) for row in rows]


def _stored(
    images: Images, encoding: Encoding, cache: Cache, rows: Sequence[int]
) -> list[CachedObject]:
    return [cache.store(encoding.content(images, row)) for row in rows]
