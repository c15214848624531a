"""Thumbnails: 32 x 32 gray levels of an image, to compare images without their pixels.

A level is the average of its part of the image, over all colors; a pixel on an edge counts for its
share. So the root mean square of the differences of two thumbnails is never larger than that of the
images, if these have one shape, except for `ROUNDED`.
"""

from functools import lru_cache

import numpy as np
import numpy.typing as npt

SIDE = 32
SIZE = SIDE * SIDE
# Each level is at most half a gray level off, so the difference of two at most one.
ROUNDED = 1
# Values that are converted at the same time. They bound the memory, whatever the size of an image.
MAX_VALUES = 2**20
# Whole numbers below this one have no error in 32 bits.
EXACT = 2**24

Values = npt.NDArray[np.uint8]


def thumbnails_of(images: Values) -> Values:
    """Return the thumbnails of images of one shape, as (images, SIZE).

    `images` are (images, height, width) or (images, height, width, colors). All intermediate
    numbers are integers, so the result is the same on every machine.
    """
    count, height, width, *rest = images.shape
    colors = rest[0] if rest else 1
    lines = images.reshape(count * height, width, colors)
    pixels = height * width * colors
    across = shares(width).T.astype(_kind(width * colors))
    narrow = np.empty((count * height, SIDE), _kind(pixels))
    step = max(1, MAX_VALUES // (width * colors))
    for start in range(0, len(lines), step):
        part = lines[start : start + step]
        added = part[..., 0].astype(across.dtype)
        for color in range(1, colors):
            added += part[..., color]
        narrow[start : start + step] = added @ across
    sums = shares(height).astype(narrow.dtype) @ narrow.reshape(count, height, SIDE)
    # The nearest whole number, of two the larger one. A quotient of whole numbers that small is
    # never rounded up to the next one.
    halves = sums.astype(_kind(3 * pixels), copy=False)
    halves *= 2
    halves += pixels
    halves /= 2 * pixels
    levels: Values = halves.astype(np.uint8)
    return levels.reshape(count, SIZE)


def shape_of(pixels: Values) -> tuple[int, int, int]:
    """Return height, width and colors of an image."""
    height, width, *colors = pixels.shape
    return height, width, colors[0] if colors else 1


def _kind(values: int) -> type[np.floating]:
    """Return the smallest integer type in which the sum of this number of values is exact."""
    return np.float32 if np.iinfo(np.uint8).max * values < EXACT else np.float64


@lru_cache(maxsize=64)
def shares(length: int, side: int = SIDE) -> npt.NDArray[np.float64]:
    """Return the share of each of `length` pixels in each of `side` parts, in 1/side of a pixel."""
    parts, pixels = np.arange(side)[:, np.newaxis], np.arange(length)
    ends = np.minimum((parts + 1) * length, (pixels + 1) * side)
    starts = np.maximum(parts * length, pixels * side)
    found: npt.NDArray[np.float64] = np.maximum(ends - starts, 0).astype(np.float64)
    return found
