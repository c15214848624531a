"""A source whose pixels lie in one array: tables of numbers, such as those of OpenML."""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from scripts.sources.source import Pixels, SourceError, check_classes

GRAY_LEVELS = 256


@dataclass(frozen=True, eq=False)
class Table:
    """A source in memory; `pixels` are uint8 in the shape (rows, height, width)."""

    name: str
    pixels: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.str_]

    @cached_property
    def sha256(self) -> str:
        """The checksum of the shape, all pixels and all labels."""
        digest = hashlib.sha256(repr(self.pixels.shape).encode())
        digest.update(np.ascontiguousarray(self.pixels).data)
        digest.update("\n".join(self.labels.tolist()).encode())
        return digest.hexdigest()

    @cached_property
    def digests(self) -> Sequence[bytes]:
        """The SHA-256 of each row's pixels."""
        content, size = self.pixels.tobytes(), self.pixels[0].size
        return [
            hashlib.sha256(content[start : start + size]).digest()
            for start in range(0, len(content), size)
        ]

    def image(self, row: int) -> Pixels:
        """Return the pixels of a row."""
        pixels: Pixels = self.pixels[row]
        return pixels


def from_values(name: str, values: npt.NDArray[Any], labels: npt.NDArray[Any]) -> Table:
    """Return a source from `values` in the shape (rows, side * side), gray values from 0 to 255.

    Raises `SourceError` when the table holds anything but square 8-bit gray images, or has classes
    that cannot be folders.
    """
    unsupported = f"source {name} is not made of square 8-bit gray images"
    if values.ndim != 2 or not values.size:  # noqa: PLR2004 - rows and columns
        raise SourceError(f"{unsupported}: it has no table of numbers.")
    side = math.isqrt(values.shape[1])
    if side * side != values.shape[1]:
        raise SourceError(f"{unsupported}: {values.shape[1]} values in a row are not a square.")
    if values.dtype.kind not in "uif":
        raise SourceError(f"{unsupported}: it has columns that are not numbers.")
    if not np.isfinite(values).all():
        raise SourceError(f"{unsupported}: it has missing values.")
    if values.min() < 0 or values.max() >= GRAY_LEVELS or (values != np.floor(values)).any():
        raise SourceError(f"{unsupported}: its values are not whole numbers from 0 to 255.")
    text = labels.astype(str)
    check_classes(name, np.unique(text).tolist())
    return Table(name, values.astype(np.uint8).reshape(-1, side, side), text)
