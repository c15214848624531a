"""Targets: make the files of a version, and store them."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from scripts import workers
from scripts.dataset.encoded_files import EncodedFile
from scripts.sources.source import FetchObject
from scripts.storage import manifest
from scripts.storage.cache import Cache, CachedObject
from scripts.storage.manifest import Manifest


class Maker(Protocol):
    """Makes files of images."""

    @property
    def together(self) -> int:
        """The number of files that are made together."""

    @property
    def least(self) -> int:
        """The number of files from which on it is faster to use all cores."""

    def contents(self, items: Sequence[Any], /) -> Iterator[bytes]:
        """Yield the content of the file of each of `items`."""

    def part(self, items: Sequence[Any], fetch: FetchObject, /) -> "Maker":
        """Return a maker of `items` for another machine, where `fetch` returns objects."""


class Target(Protocol):
    """Makes and stores files."""

    def intact(self, names: Collection[str], /) -> Collection[str]:
        """Return the `names` that need not be stored again."""

    def store(self, maker: Maker, items: Sequence[Any], /) -> Iterator[CachedObject]:
        """Make and store the file of each of `items`."""

    def finish(self, made: Manifest, stored: Sequence[CachedObject], /) -> None:
        """Store the manifest; `stored` are the new files."""


@dataclass(frozen=True)
class Local:
    """Makes files on this machine, and stores them in its cache."""

    cache: Cache

    def intact(self, names: Collection[str]) -> Collection[str]:
        """Return the `names` that exist in the cache."""
        return self.cache.intact(names)

    def store(self, maker: Maker, items: Sequence[Any]) -> Iterator[CachedObject]:
        """Make and store the file of each of `items`."""
        return _in_parts(partial(_stored, maker, self.cache), maker, items)

    def finish(self, made: Manifest, stored: Sequence[CachedObject]) -> None:
        """Store the manifest."""
        self.cache.put_manifest(made)
        self.cache.note_intact(made, stored)


def encoded(maker: Maker, items: Sequence[Any]) -> Iterator[EncodedFile]:
    """Yield the MD5 and size of the file of each of `items`, without storing it."""
    return _in_parts(partial(_encoded, maker), maker, items)


def _in_parts(
    work: workers.Work[Any, workers.Result], maker: Maker, items: Sequence[Any]
) -> Iterator[workers.Result]:
    """Yield the result of `work` for each of `items` of `maker`."""
    return workers.results(work, items, maker.together, maker.least)


def _encoded(maker: Maker, items: Sequence[Any]) -> list[EncodedFile]:
    return [EncodedFile(manifest.md5_of(one), len(one)) for one in maker.contents(items)]


def _stored(maker: Maker, cache: Cache, items: Sequence[Any]) -> list[CachedObject]:
    return [cache.store(content) for content in maker.contents(items)]
