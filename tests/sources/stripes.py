"""A kind of source that computes each image when it is asked for and stores no pixels."""

import hashlib
from collections.abc import Sequence
from functools import cached_property

import numpy as np
import numpy.typing as npt

from scripts.sources.source import Batch, Held, OneShape, OpenObject, Pixels, SourceRequest

NAME = "stripes"
COUNT = 60
SIDE = 8


class Stripes(OneShape):
    """Stripes in different gray values, upright or level."""

    name = NAME
    labels: npt.NDArray[np.str_] = np.array(["level", "upright"] * (COUNT // 2))
    batches = (Batch(0, COUNT),)
    own_test = None
    shape = (SIDE, SIDE)

    def image(self, row: int) -> Pixels:
        """Return the pixels of a row."""
        level = np.zeros((SIDE, SIDE), np.uint8)
        level[::2] = 255 - row
        return level if self.labels[row] == "level" else level.T.copy()

    def reader(self, rows: Sequence[int], _: OpenObject) -> Held:
        """Return what reads `rows` on another machine."""
        return Held({row: self.image(row) for row in rows})

    def identifier(self, row: int) -> str:
        """Return the number of a row."""
        return f"{row:05}"

    def find(self, identifier: str) -> int | None:
        """Return the row with this number."""
        return int(identifier) if int(identifier) < COUNT else None

    @cached_property
    def digests(self) -> Sequence[bytes]:
        """The SHA-256 of each row's pixels."""
        return [hashlib.sha256(self.image(row).tobytes()).digest() for row in range(COUNT)]

    @property
    def keys(self) -> Sequence[bytes]:
        """What decides the order of the rows."""
        return self.digests

    @cached_property
    def sha256(self) -> str:
        """The checksum of all rows."""
        return hashlib.sha256(b"".join(self.digests)).hexdigest()


def provides(request: SourceRequest) -> bool:
    """Return whether this kind of source has what is asked for."""
    return request.name == NAME


def read(_: SourceRequest) -> Stripes:
    """Return the source."""
    return Stripes()
