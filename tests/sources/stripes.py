"""A kind of source that computes each image when it is asked for and stores no pixels."""

import hashlib
from collections.abc import Sequence
from functools import cached_property

import numpy as np
import numpy.typing as npt

from scripts.sources.source import Pixels

NAME = "stripes"
COUNT = 60
SIDE = 8


class Stripes:
    """Stripes in different gray values, upright or level."""

    name = NAME
    labels: npt.NDArray[np.str_] = np.array(["level", "upright"] * (COUNT // 2))

    def image(self, row: int) -> Pixels:
        """Return the pixels of a row."""
        level = np.zeros((SIDE, SIDE), np.uint8)
        level[::2] = 255 - row
        return level if self.labels[row] == "level" else level.T.copy()

    @cached_property
    def digests(self) -> Sequence[bytes]:
        """The SHA-256 of each row's pixels."""
        return [hashlib.sha256(self.image(row).tobytes()).digest() for row in range(COUNT)]

    @cached_property
    def sha256(self) -> str:
        """The checksum of all rows."""
        return hashlib.sha256(b"".join(self.digests)).hexdigest()


def provides(name: str) -> bool:
    """Return whether this kind of source has `name`."""
    return name == NAME


def read(name: str) -> Stripes:
    """Return the source."""
    return Stripes()
