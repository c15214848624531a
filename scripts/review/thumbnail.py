"""Draws thumbnails of samples, and measures text."""

import math

from PIL import Image, ImageFont

from scripts.inputs.config import ORIGINAL, Config
from scripts.sources.source import Pixels

SIDE = 56
WHITE = (255, 255, 255)


def draw(pixels: Pixels, config: Config) -> Image.Image:
    """Return an image in a square of `SIDE` pixels, with its proportions.

    Gray drawings are black on white; colors, and original files, stay as they are.
    """
    is_drawing = pixels.ndim == 2 and config.encoding != ORIGINAL  # noqa: PLR2004 - no colors
    small = Image.fromarray(255 - pixels if is_drawing else pixels)
    scale = SIDE / max(small.size)
    width, height = (max(1, round(side * scale)) for side in small.size)
    # Enlarged pixels stay sharp; large images are averaged.
    method = Image.Resampling.NEAREST if scale >= 1 else Image.Resampling.BOX
    square = Image.new("RGB", (SIDE, SIDE), WHITE)
    large = small.resize((width, height), method).convert("RGB")
    square.paste(large, ((SIDE - width) // 2, (SIDE - height) // 2))
    return square


def width_of(text: str) -> int:
    """Return the width of `text` in pixels."""
    return math.ceil(ImageFont.load_default().getlength(text))
