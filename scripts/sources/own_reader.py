"""Reads the images of custom sources from their shards, and verifies them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np

from scripts.errors import UserError
from scripts.inputs import images
from scripts.inputs.images import ImageError
from scripts.sources import identity
from scripts.sources.shards import Shards
from scripts.sources.source import FetchObject, Pixels
from scripts.storage import manifest


@dataclass(frozen=True)
class OwnReader:
    """Reads some rows, of which it has the `digests`, and what is known of the `files`.

    `sizes` are the numbers of rows of all shards, `names` the objects of the needed ones, by
    number.
    """

    name: str
    sizes: Sequence[int]
    names: Mapping[int, str]
    digests: Mapping[int, bytes]
    files: Mapping[int, np.void]
    fetch: FetchObject

    def image(self, row: int) -> Pixels:
        """Return the pixels of a row; raises `UserError` if they are not available."""
        return image(self.name, self._shards, row, self.digests[row])

    def file(self, row: int) -> bytes:
        """Return the file of a row as it came; raises `UserError` when it is not available."""
        return file(self.name, self._shards, row, self.digests[row], self.files[row])

    @cached_property
    def _shards(self) -> Shards:
        return Shards(self.sizes, cache(lambda number: self.fetch(self.names[number])))


def image(name: str, reader: Shards, row: int, digest: bytes) -> Pixels:
    """Return the pixels of a row; raises `UserError` when they are missing or damaged."""
    content = _content(name, reader, row, digest)
    try:
        picture = images.read(content)
    except ImageError as error:
        raise _damaged(name, digest, str(error)) from None
    if digest not in (picture.digest, identity.digest_with_shape(picture.pixels)):
        raise _damaged(name, digest, "its pixels do not match their checksum")
    return picture.pixels


def file(name: str, reader: Shards, row: int, digest: bytes, known: np.void) -> bytes:
    """Return the file of a row, verified; raises `UserError` as `image` does."""
    content = _content(name, reader, row, digest)
    # Shards of older machinery do not say it; they are compared by their own checksum.
    if known["size"] and manifest.md5_of(content) != known["md5"].tobytes().hex():
        raise _damaged(name, digest, "its file does not match its checksum")
    return content


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
