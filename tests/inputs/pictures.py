"""Small pictures and their files."""

import io
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

Pixels = npt.NDArray[np.uint8]


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
