"""Encodings: what a file of the dataset is, a file made of the pixels or the file as it came."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from scripts.dataset.codecs import CODECS
from scripts.inputs.config import ORIGINAL, Config
from scripts.sources.extended import Images


class Encoding(Protocol):
    """Says what the file of each row is. It can be pickled."""

    def ending(self, images: Images, row: int, /) -> str:
        """Return how the name of a row's file ends, such as `.png`."""

    def content(self, images: Images, row: int, /) -> bytes:
        """Return the file of a row; raises `UserError` when it is not available."""

    def fingerprint(self) -> bytes:
        """Return what decides the bytes of a file, besides the digest of its row."""


@dataclass(frozen=True)
class FromPixels:
    """Files that the codec called `codec` makes of the pixels.

    `in_color` makes RGB images of all, because some of the selected ones are in color.
    """

    codec: str
    in_color: bool

    def ending(self, _images: Images, _row: int) -> str:
        """Return the ending of the codec."""
        return CODECS[self.codec].ENDING

    def content(self, images: Images, row: int) -> bytes:
        """Return the file that is made of a row's pixels."""
        pixels = images.image(row)
        if self.in_color and pixels.ndim == 2:  # noqa: PLR2004 - height and width
            pixels = np.stack([pixels] * 3, axis=-1)
        return CODECS[self.codec].encode(pixels)

    def fingerprint(self) -> bytes:
        """Return what decides the bytes, besides the pixels of a row."""
        return CODECS[self.codec].fingerprint() + (b" in color" if self.in_color else b"")


class Original:
    """Files as they came."""

    def ending(self, images: Images, row: int) -> str:
        """Return the ending of a row's own file."""
        return images.ending(row)

    def content(self, images: Images, row: int) -> bytes:
        """Return a row's own file."""
        return images.file(row)

    def fingerprint(self) -> bytes:
        """Return the same for all: nothing is encoded."""
        return b"original"


def encoding_of(config: Config, *, in_color: bool = False) -> Encoding:
    """Return the encoding that `config` asks for; `in_color` is that of `FromPixels`."""
    return Original() if config.encoding == ORIGINAL else FromPixels(config.encoding, in_color)
