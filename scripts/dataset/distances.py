"""Exact squared distances of images, as whole numbers: the same on every machine.

Images are rows of levels from 0 to 255.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

# Around it, levels are so small that for images of at most `SMALL` levels all sums are whole
# numbers of at most 24 bits, which 32 bits hold without an error, in whatever order they are added.
# 64 bits hold those of any image.
MIDDLE, SMALL = 128, 1024
# Pairs that are compared at the same time.
PAIRS = 2048

Levels = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]


def of_all(ones: Levels, twos: Levels) -> Ints:
    """Return the squared distance of each of `ones` to each of `twos`, in this shape."""
    left, right = _around_middle(ones), _around_middle(twos)
    squares: Ints = (left @ right.T).astype(np.int64)
    squares *= -2
    for points, axis in ((left, 1), (right, 0)):
        squares += np.expand_dims(np.einsum("ij,ij->i", points, points).astype(np.int64), axis)
    return squares


def of_pairs(
    ones: Levels, twos: Levels, left: npt.NDArray[np.intp], right: npt.NDArray[np.intp]
) -> Ints:
    """Return the squared distances of pairs: those of `ones` at `left` to `twos` at `right`."""
    squares = np.zeros(len(left), np.int64)
    for start in range(0, len(left), PAIRS):
        part = slice(start, start + PAIRS)
        differences = ones[left[part]].astype(np.int64) - twos[right[part]]
        squares[part] = np.einsum("ij,ij->i", differences, differences)
    return squares


def _around_middle(levels: Levels) -> npt.NDArray[np.floating[Any]]:
    kind = np.float32 if levels.shape[1] <= SMALL else np.float64
    centered: npt.NDArray[np.floating[Any]] = levels.astype(kind)
    centered -= MIDDLE
    return centered
