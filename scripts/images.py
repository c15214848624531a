"""Rows of the source as PNG bytes."""

import io
import zlib

import numpy as np
import numpy.typing as npt
from PIL import Image

Pixels = npt.NDArray[np.uint8]


def encode(pixels: Pixels) -> bytes:
    """Return `pixels` (side, side) as an 8-bit grey PNG, the same bytes on every machine.

    The run-length strategy was made for PNG (https://www.zlib.net/manual.html, deflateInit2): on
    small drawings it is no larger than the default, and it leaves the compressor no choice, where
    the default's match search differs between builds of zlib and zlib-ng.
    """
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", compress_type=zlib.Z_RLE)
    return buffer.getvalue()


def decode(png: bytes) -> Pixels:
    """Return the pixels (side, side) of a PNG that `encode` made."""
    with Image.open(io.BytesIO(png)) as image:
        return np.asarray(image)
