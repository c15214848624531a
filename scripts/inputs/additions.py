"""Additions: a few images of the team's own, kept in git below `additions/`."""

import hashlib
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from scripts.inputs.config import Split


class Addition(NamedTuple):
    """One image: where it lies in the repository, its split and label, and its pixels."""

    path: str
    split: Split
    label: str
    pixels: npt.NDArray[np.uint8]

    @property
    def digest(self) -> bytes:
        """The SHA-256 of its pixels."""
        return hashlib.sha256(self.pixels.tobytes()).digest()

    @property
    def identifier(self) -> str:
        """Its identifier, which names its file in the dataset."""
        return f"x{self.digest[:8].hex()}"
