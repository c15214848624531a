"""Rows of the source as PNG bytes."""

import io
import zlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

Pixels = npt.NDArray[np.uint8]

# A character shows two pixels, one above the other: none, upper, lower, both.
INK = " ▀▄█"
DARK = 56
SKETCH_SIDE = 16
THUMBNAIL = 56
GAP = 4
HEADING = 20
PAPER, TEXT = 255, 0


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


def sketch(images: Sequence[Pixels]) -> list[str]:
    """Return `images` side by side, drawn in characters that show two pixels each."""
    drawn = [_sketch_one(pixels) for pixels in images]
    return ["  ".join(parts).rstrip() for parts in zip(*drawn, strict=True)]


def contact_sheet(rows: Sequence[tuple[str, Sequence[Pixels]]]) -> bytes:
    """Return a PNG that shows each of `rows`, a heading and images, enlarged, in black on white."""
    columns = max(len(images) for _, images in rows)
    step = THUMBNAIL + GAP
    height = len(rows) * (HEADING + step) + GAP
    page = Image.new("L", (max(columns, 4) * step + GAP, height), PAPER)
    draw = ImageDraw.Draw(page)
    for index, (heading, images) in enumerate(rows):
        top = index * (HEADING + step) + GAP
        draw.text((GAP, top), heading, fill=TEXT)
        for column, pixels in enumerate(images):
            drawing = Image.fromarray(PAPER - pixels)
            large = drawing.resize((THUMBNAIL, THUMBNAIL), Image.Resampling.NEAREST)
            page.paste(large, (GAP + column * step, top + HEADING - GAP))
    buffer = io.BytesIO()
    page.save(buffer, "PNG")
    return buffer.getvalue()


def _sketch_one(pixels: Pixels) -> list[str]:
    side = min(SKETCH_SIDE, len(pixels))
    small = np.asarray(Image.fromarray(pixels).resize((side, side), Image.Resampling.BOX))
    dark = small >= DARK
    if side % 2:
        dark = np.vstack([dark, np.zeros((1, side), bool)])
    return [
        "".join(INK[up + 2 * low] for up, low in zip(*pair, strict=True))
        for pair in zip(dark[::2], dark[1::2], strict=True)
    ]
