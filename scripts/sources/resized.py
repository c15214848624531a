"""A source whose images are resized."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from scripts.inputs.images import resize
from scripts.sources.source import Batch, FetchObject, Pixels, Reader, Source


@dataclass(frozen=True, eq=False)
class Resized:
    """The images of `source`, each resized to `size` (height, width).

    The order of the rows does not change, so another size leaves every image in its split.
    """

    source: Source
    size: tuple[int, int]

    @property
    def name(self) -> str:
        """The name of the source."""
        return self.source.name

    @property
    def labels(self) -> npt.NDArray[np.str_]:
        """The label of each row."""
        return self.source.labels

    @cached_property
    def digests(self) -> Sequence[bytes]:
        """The SHA-256 of each row's resized pixels."""
        rows = range(len(self.labels))
        return [hashlib.sha256(self.image(row).tobytes()).digest() for row in rows]

    @property
    def keys(self) -> Sequence[bytes]:
        """What decides the order of the rows, as in the source."""
        return self.source.keys

    @property
    def batches(self) -> Sequence[Batch]:
        """The batches of the source."""
        return self.source.batches

    @property
    def own_test(self) -> npt.NDArray[np.bool_] | None:
        """The source's own test set."""
        return self.source.own_test

    @cached_property
    def shape(self) -> tuple[int, ...]:
        """The shape of every image's pixels."""
        return tuple(self.image(0).shape)

    @property
    def sha256(self) -> str:
        """The checksum of the source."""
        return self.source.sha256

    def image(self, row: int) -> Pixels:
        """Return the resized pixels of a row."""
        return resize(self.source.image(row), self.size)

    def reader(self, rows: Sequence[int], fetch: FetchObject) -> "ResizedReader":
        """Return what reads `rows` on another machine."""
        return ResizedReader(self.source.reader(rows, fetch), self.size)

    def identifier(self, row: int) -> str:
        """Return the identifier of a row in the source."""
        return self.source.identifier(row)

    def find(self, identifier: str) -> int | None:
        """Return the row of a sample of the source."""
        return self.source.find(identifier)


@dataclass(frozen=True)
class ResizedReader:
    """Reads rows and resizes them."""

    source: Reader
    size: tuple[int, int]

    def image(self, row: int) -> Pixels:
        """Return the resized pixels of a row."""
        return resize(self.source.image(row), self.size)
