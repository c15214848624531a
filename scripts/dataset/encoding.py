"""Encodings: what an image file of the dataset is.

Another one is a module with the members of `Encoding`, and its line in `ENCODINGS`.
"""

from collections.abc import Mapping
from typing import Protocol

from scripts.dataset import png
from scripts.errors import UserError
from scripts.inputs import image_name
from scripts.sources.source import Pixels


class Encoding(Protocol):
    """A module that makes image files of pixels; the bytes are the same on every machine."""

    @property
    def ENDING(self) -> str:  # noqa: N802 - a constant of the module
        """How the names of its files end, such as `.png`."""

    def encode(self, pixels: Pixels) -> bytes:
        """Return the file of an image in the shape (height, width), or (height, width, 3)."""

    def decode(self, content: bytes) -> Pixels:
        """Return the pixels of a file that `encode` made."""

    def fingerprint(self) -> bytes:
        """Return what decides the bytes of a file, besides its pixels."""


PNG = "png"
ENCODINGS: Mapping[str, Encoding] = {PNG: png}


def decode(name: str, content: bytes) -> Pixels:
    """Return the pixels of the file called `name`; raises `UserError` for an unknown ending."""
    _, ending = image_name.split_file(name.rpartition("/")[2])
    for encoding in ENCODINGS.values():
        if ending == encoding.ENDING:
            return encoding.decode(content)
    raise UserError(f"{name} is not an image file of a dataset")
