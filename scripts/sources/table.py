"""Sources with all pixels in one array: tables of numbers, such as those of OpenML."""

import hashlib
import math
import mmap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from scripts.sources.source import (
    Batch,
    Held,
    OneShape,
    OpenObject,
    Pixels,
    SourceError,
    check_classes,
)

GRAY_LEVELS = 256
COLORS = 3
# Bytes of pixels that are read together.
PART = 64 * 1024 * 1024
# Five digits are enough for 100,000 rows; a larger table gets as many as it needs.
MIN_DIGITS = 5
# The first row of the authors' test set in datasets of OpenML.
OWN_TEST_SETS = {
    "mnist_784": 60_000,
    "Fashion-MNIST": 60_000,
    "Kuzushiji-MNIST": 60_000,
    "CIFAR_10": 50_000,
}
# The order of color channels in datasets of OpenML.
KNOWN_CHANNELS = {"CIFAR_10": "first"}


@dataclass(frozen=True, eq=False)
class Table(OneShape):
    """A source in memory; `pixels` are uint8, (rows, height, width) or (rows, height, width, 3).

    A sample's identifier is the number of its row.
    """

    name: str
    pixels: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.str_]

    @cached_property
    def sha256(self) -> str:
        """The checksum of the shape, all pixels and all labels."""
        digest = hashlib.sha256(repr(self.pixels.shape).encode())
        for part in _parts(self.pixels):
            digest.update(part.data)
        digest.update("\n".join(self.labels.tolist()).encode())
        return digest.hexdigest()

    @cached_property
    def digests(self) -> Sequence[bytes]:
        """The SHA-256 of each row's pixels."""
        size = self.pixels[0].size
        return [
            hashlib.sha256(part.data[start : start + size]).digest()
            for part in _parts(self.pixels)
            for start in range(0, len(part), size)
        ]

    @property
    def keys(self) -> Sequence[bytes]:
        """The digests, which determine the order of the rows."""
        return self.digests

    @property
    def batches(self) -> Sequence[Batch]:
        """All rows: a table does not grow."""
        return (Batch(0, len(self.labels)),)

    @property
    def own_test(self) -> npt.NDArray[np.bool_] | None:
        """Whether each row is in the test set of the dataset's authors; None if unknown."""
        start = OWN_TEST_SETS.get(self.name)
        return None if start is None else np.arange(len(self.labels)) >= start

    @property
    def shape(self) -> tuple[int, ...]:  # type: ignore[override]
        """The shape of every image's pixels."""
        return tuple(self.pixels.shape[1:])

    def image(self, row: int) -> Pixels:
        """Return the pixels of a row."""
        pixels: Pixels = self.pixels[row]
        return pixels

    def reader(self, rows: Sequence[int], _: OpenObject) -> Held:
        """Return a reader of `rows` for another machine: a copy of their pixels."""
        return Held({row: self.pixels[row] for row in rows})

    def identifier(self, row: int) -> str:
        """Return the number of a row, such as `00007`."""
        return str(row).zfill(self._digits)

    @cached_property
    def _digits(self) -> int:
        return max(MIN_DIGITS, len(str(len(self.labels) - 1)))

    def find(self, identifier: str) -> int | None:
        """Return the row with this number, with or without leading zeros; None if there is none."""
        is_number = identifier.isascii() and identifier.isdecimal()
        return row if is_number and (row := int(identifier)) < len(self.labels) else None


def _parts(pixels: npt.NDArray[np.uint8]) -> Iterator[npt.NDArray[np.uint8]]:
    """Yield the pixels of some rows after the other, in one dimension.

    Of a file that is mapped into memory, what was read is given back: it is read again if needed.
    """
    rows = max(1, PART // pixels[0].size)
    for start in range(0, len(pixels), rows):
        yield np.ascontiguousarray(pixels[start : start + rows]).reshape(-1)
        if isinstance(pixels.base, np.memmap) and hasattr(mmap, "MADV_DONTNEED"):
            pixels.base._mmap.madvise(mmap.MADV_DONTNEED)  # type: ignore[attr-defined]


def from_values(
    name: str, values: npt.NDArray[Any], labels: npt.NDArray[Any], channels: str | None = None
) -> Table:
    """Return a source from `values` in the shape (rows, values of an image), from 0 to 255.

    An image has side * side gray values, or three times as many for RGB: with `channels` `first`
    all values of one color after those of the other, with `last` the three colors of each pixel
    together. Raises `SourceError` unless the table contains square 8-bit images, and classes that
    can be folders.
    """
    unsupported = f"source {name} is not made of square 8-bit images"
    if values.ndim != 2 or not values.size:  # noqa: PLR2004 - rows and columns
        raise SourceError(f"{unsupported}: it has no table of numbers.")
    shape = _shape(name, values.shape[1])
    if values.dtype.kind not in "uif":
        raise SourceError(f"{unsupported}: it has columns that are not numbers.")
    if not np.isfinite(values).all():
        raise SourceError(f"{unsupported}: it has missing values.")
    if values.min() < 0 or values.max() >= GRAY_LEVELS or (values != np.floor(values)).any():
        raise SourceError(f"{unsupported}: its values are not whole numbers from 0 to 255.")
    text = labels.astype(str)
    check_classes(name, np.unique(text).tolist())
    pixels = values.astype(np.uint8)
    if len(shape) == COLORS and _layout(name, channels) == "first":
        pixels = pixels.reshape(-1, COLORS, *shape[:2]).transpose(0, 2, 3, 1)
    return Table(name, np.ascontiguousarray(pixels.reshape(-1, *shape)), text)


def _shape(name: str, count: int) -> tuple[int, ...]:
    """Return the shape of an image that has `count` values."""
    side = math.isqrt(count)
    if side * side == count:
        return side, side
    side = math.isqrt(count // COLORS)
    # Three values are not an image.
    if side > 1 and COLORS * side * side == count:
        return side, side, COLORS
    raise SourceError(
        f"source {name} is not made of square 8-bit images: {count} values in a row are not one "
        f"square or three squares."
    )


def _layout(name: str, channels: str | None) -> str:
    layout = channels or KNOWN_CHANNELS.get(name)
    if layout is None:
        raise SourceError(
            f"source {name} has color images, but the order of their values is unknown. Add"
            " 'channels: first' if all red values come first, or 'channels: last' if the three"
            " colors of each pixel are together, and look at the samples."
        )
    return layout
