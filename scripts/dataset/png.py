"""PNG encoding: the same bytes on every machine."""

import io
import zlib

import numpy as np
from PIL import Image

from scripts.sources.source import Pixels


def encode(pixels: Pixels) -> bytes:
    """Return `pixels` as an 8-bit PNG, gray or RGB.

    zlib's run-length strategy was made for PNG (https://www.zlib.net/manual.html, deflateInit2): on
    small drawings it is no larger than the default, and its output does not depend on the build of
    zlib or zlib-ng, as that of the default's match search does.
    """
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", compress_type=zlib.Z_RLE)
    return buffer.getvalue()


def decode(png: bytes) -> Pixels:
    """Return the pixels of a PNG that `encode` made."""
    with Image.open(io.BytesIO(png)) as image:
        return np.asarray(image)
