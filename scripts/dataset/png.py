"""PNG encoding: the same bytes on every machine."""

import io
import zlib

import numpy as np
import PIL
from PIL import Image

from scripts.sources.source import Pixels

ENDING = ".png"
# Encoded to notice that the code of the encoder has changed: with edges, ramps and noise.
SAMPLE = (np.add.outer(np.arange(64) ** 2, np.arange(64) ** 3) % 251).astype(np.uint8)


def encode(pixels: Pixels) -> bytes:
    """Return `pixels` as an 8-bit PNG, gray or RGB.

    It uses zlib's run-length strategy, which was made for PNG (https://www.zlib.net/manual.html,
    deflateInit2). For small drawings the result is no larger than with the default strategy, and it
    does not depend on the build of zlib or zlib-ng.
    """
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", compress_type=zlib.Z_RLE)
    return buffer.getvalue()


def fingerprint() -> bytes:
    """Return what decides the bytes of a PNG, besides its pixels: another value, other bytes."""
    return f"{PIL.__version__} {zlib.ZLIB_RUNTIME_VERSION} ".encode() + encode(SAMPLE)
