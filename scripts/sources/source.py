"""What every source can do."""

import re
from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from scripts.errors import UserError

# The gray values of one image, 0 to 255, in the shape (height, width).
Pixels = npt.NDArray[np.uint8]


class SourceError(UserError):
    """The source is unknown or unsupported; trying again cannot help."""


class Source(Protocol):
    """Labeled images in a fixed order. The number of a row is its identity."""

    @property
    def name(self) -> str:
        """The name by which a config asks for it."""

    @property
    def labels(self) -> npt.NDArray[np.str_]:
        """The label of each row, in the shape (rows,)."""

    @property
    def digests(self) -> Sequence[bytes]:
        """The SHA-256 of each row's pixels: equal images have equal digests."""

    @property
    def sha256(self) -> str:
        """The checksum of all rows, independent of the file that they were read from."""

    def image(self, row: int) -> Pixels:
        """Return the pixels of a row."""

    def __hash__(self) -> int:
        """Sources are compared by identity: what is computed from one is cached."""


def classes(source: Source) -> list[str]:
    """Return every label of `source`: by number where all are numbers, otherwise by name."""
    labels = np.unique(source.labels).tolist()
    return sorted(labels, key=int) if all(x.isdecimal() for x in labels) else sorted(labels)


def check_classes(name: str, labels: Sequence[str]) -> None:
    """Raise `SourceError` when a label of the source `name` cannot be the name of a folder."""
    for label in labels:
        if not re.fullmatch(r"[A-Za-z0-9_+-][A-Za-z0-9_.+-]{0,99}", label):
            raise SourceError(
                f"source {name} has the class {label!r}, which cannot be a folder name."
            )
    if len({label.lower() for label in labels}) < len(labels):
        raise SourceError(
            f"source {name} has classes that differ only in upper and lower case; on some file"
            " systems they would share one folder."
        )
