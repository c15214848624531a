"""Reads the images of custom sources from their shards, and verifies them."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from scripts.errors import UserError
from scripts.inputs import images
from scripts.inputs.images import ImageError
from scripts.sources import identity
from scripts.sources.shards import Digests, Shards
from scripts.sources.source import OpenObject, Pixels
from scripts.sources.summaries import SummaryRows
from scripts.storage import manifest

# The number of shards of which a process keeps the footers.
FOOTERS = 4


@dataclass(frozen=True)
class OwnReader:
    """Reads some `rows`, of which it has the `digests`, and what is known of the `files`.

    They are sorted. `starts` are the first rows of the needed shards, `names` their objects, which
    `opened` opens.
    """

    name: str
    starts: Sequence[int]
    names: Sequence[str]
    rows: Sequence[int]
    digests: Digests
    files: SummaryRows
    opened: OpenObject

    def image(self, row: int) -> Pixels:
        """Return the pixels of a row; raises `UserError` if they are not available."""
        return image(self.name, self._shards, row, self.digests[self._place(row)])

    def file(self, row: int) -> bytes:
        """Return the file of a row as it came; raises `UserError` when it is not available."""
        place = self._place(row)
        return file(self.name, self._shards, row, self.digests[place], self.files[place])

    def _place(self, row: int) -> int:
        return bisect_left(self.rows, row)

    @cached_property
    def _shards(self) -> Shards:
        opened, names = self.opened, self.names
        return Shards(self.starts, lambda number: _shard(opened, names[number]))


def _shard(opened: OpenObject, name: str) -> Any:
    from pyarrow import parquet

    return parquet.ParquetFile(opened(name), metadata=_footer(opened, name))


@lru_cache(maxsize=FOOTERS)
def _footer(opened: OpenObject, name: str) -> Any:
    """Return what an object says of its parts: a process reads several pieces of a shard."""
    from pyarrow import parquet

    return parquet.read_metadata(opened(name))


def image(name: str, reader: Shards, row: int, digest: bytes) -> Pixels:
    """Return the pixels of a row; raises `UserError` when they are missing or damaged."""
    return _pixels(name, _content(name, reader, row, digest), digest)


def file(name: str, reader: Shards, row: int, digest: bytes, known: np.void) -> bytes:
    """Return the file of a row, verified; raises `UserError` as `image` does."""
    content = _content(name, reader, row, digest)
    if not known["size"]:
        # The index of older machinery does not have the checksum of the file.
        _pixels(name, content, digest)
    elif manifest.md5_of(content) != known["md5"].tobytes().hex():
        raise _damaged(name, digest, "its file does not match its checksum")
    return content


def _pixels(name: str, content: bytes, digest: bytes) -> Pixels:
    """Return the pixels in a file, verified."""
    try:
        picture = images.read(content)
    except ImageError as error:
        raise _damaged(name, digest, str(error)) from None
    if digest not in (picture.digest, identity.digest_with_shape(picture.pixels)):
        raise _damaged(name, digest, "its pixels do not match their checksum")
    return picture.pixels


def _content(name: str, reader: Shards, row: int, digest: bytes) -> bytes:
    try:
        return reader.file(row)
    except UserError:
        raise
    except Exception as error:  # noqa: BLE001 - damaged files fail in many ways
        raise _damaged(name, digest, str(error)) from None


def _damaged(name: str, digest: bytes, reason: str) -> UserError:
    reason = " ".join(reason.split())
    return UserError(f"source {name}: image {identity.identifier(digest)} is damaged: {reason}")
