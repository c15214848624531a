"""Atlases: all images of a sheet in one PNG, in rows of `COLUMNS`."""

import io
import math
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image

from scripts.dataset import png
from scripts.site.sheets import COLUMNS, PictureSheet
from scripts.sources.source import Pixels
from scripts.storage import manifest

# Values of a pixel: gray, or RGB.
MODES = ("L", "RGB")
# Of images whose shapes can differ.
SIDE = 96
# An atlas of damaged data could be of any size.
MAX_PIXELS = 64_000_000


def draw(images: Sequence[Pixels]) -> bytes:
    """Return the atlas of `images`, all in one shape, as a PNG; places without one are black."""
    shape = images[0].shape
    height, width = shape[:2]
    rows = math.ceil(len(images) / COLUMNS)
    page = np.zeros((rows * height, COLUMNS * width, *shape[2:]), np.uint8)
    for number, image in enumerate(images):
        top, left = number // COLUMNS * height, number % COLUMNS * width
        page[top : top + height, left : left + width] = image
    return png.encode(page)


def fitted(images: Iterable[Pixels]) -> list[Pixels]:
    """Return images of any shapes as RGB images of `SIDE` x `SIDE`, with their proportions."""
    return [in_square(image) for image in images]


def reduced(image: Pixels) -> Pixels:
    """Return an image as it is if it is small, and fitted otherwise."""
    return image if max(image.shape[:2]) <= SIDE else in_square(image)


def in_square(image: Pixels) -> Pixels:
    """Return an image of any shape as an RGB image of `SIDE` x `SIDE`, with its proportions."""
    square, picture = Image.new("RGB", (SIDE, SIDE)), Image.fromarray(image).convert("RGB")
    picture.thumbnail((SIDE, SIDE), Image.Resampling.BOX)
    square.paste(picture, ((SIDE - picture.width) // 2, (SIDE - picture.height) // 2))
    return np.asarray(square)


def cut(atlas: bytes, count: int) -> Iterator[Pixels]:
    """Yield the first `count` images of an atlas; raises `ValueError` if it is too small."""
    page, (height, width) = _decoded(atlas, count)
    for number in range(count):
        top, left = number // COLUMNS * height, number % COLUMNS * width
        yield page[top : top + height, left : left + width]


def holds(atlas: bytes, sheet: PictureSheet) -> bool:
    """Return whether an atlas contains the images of `sheet`.

    Each is encoded again as in `build`, and its checksum compared with the manifest.
    """
    try:
        images = cut(atlas, len(sheet.pictures))
        return all(
            manifest.md5_of(png.encode(np.ascontiguousarray(image))) == picture.md5
            for image, picture in zip(images, sheet.pictures, strict=True)
        )
    except ValueError:
        return False


@lru_cache(maxsize=8)
def read(path: Path, count: int) -> list[Pixels]:
    """Return the images of the atlas in a file; a few atlases stay in memory."""
    return [*cut(path.read_bytes(), count)]


def size(atlas: bytes, count: int) -> tuple[int, int]:
    """Return the (height, width) of each image in an atlas of `count`."""
    with Image.open(io.BytesIO(atlas)) as page:
        return page.height // math.ceil(count / COLUMNS), page.width // COLUMNS


def _decoded(atlas: bytes, count: int) -> tuple[Pixels, tuple[int, int]]:
    try:
        with Image.open(io.BytesIO(atlas), formats=["PNG"]) as page:
            rows = math.ceil(count / COLUMNS)
            if (
                page.mode not in MODES
                or page.width * page.height > MAX_PIXELS
                or page.width % COLUMNS
                or page.height % rows
            ):
                raise ValueError("not an atlas")
            return np.asarray(page), (page.height // rows, page.width // COLUMNS)
    except (OSError, SyntaxError) as error:
        raise ValueError(str(error)) from None
