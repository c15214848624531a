"""Codecs: how pixels become the bytes of a file. Another one is a module and its line in `CODECS`.

A codec is a module with the members of `Codec`.
"""

from collections.abc import Mapping
from typing import Protocol

from scripts.dataset import png
from scripts.sources.source import Pixels


class Codec(Protocol):
    """Makes image files of pixels; the bytes are the same on every machine."""

    @property
    def ENDING(self) -> str:  # noqa: N802 - a constant of the module
        """How the names of its files end, such as `.png`."""

    def encode(self, pixels: Pixels) -> bytes:
        """Return the file of an image in the shape (height, width), or (height, width, 3)."""

    def fingerprint(self) -> bytes:
        """Return what decides the bytes of a file, besides its pixels."""


CODECS: Mapping[str, Codec] = {"png": png}
