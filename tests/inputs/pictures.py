"""Small pictures and their files."""

import io
import struct
import zlib
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from scripts.inputs.formats import PNG

Pixels = npt.NDArray[np.uint8]
# The tag for the orientation in a photo's metadata.
ORIENTATION = 0x112


def gray(height: int, width: int, seed: int = 0) -> Pixels:
    """Return random gray values."""
    return np.random.default_rng(seed).integers(0, 256, (height, width), dtype=np.uint8)


def rgb(height: int, width: int, seed: int = 0) -> Pixels:
    """Return random colors."""
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def encoded(picture: Pixels | Image.Image, form: str = "PNG", **options: Any) -> bytes:
    """Return the content of a file, as other programs than ours write it."""
    image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def chunk(kind: bytes, data: bytes) -> bytes:
    """Return a part of a PNG."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_of(
    width: int, height: int, bits: int, color: int, rows: bytes, *more: bytes, interlaced: int = 0
) -> bytes:
    """Return a PNG with these rows, and `more` parts before them."""
    header = struct.pack(">IIBBBBB", width, height, bits, color, 0, 0, interlaced)
    data = chunk(b"IDAT", zlib.compress(rows))
    return PNG + chunk(b"IHDR", header) + b"".join(more) + data + chunk(b"IEND", b"")


def turned(orientation: int) -> Image.Exif:
    """Return metadata with this orientation."""
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    return exif
