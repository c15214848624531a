"""Averages: 16 x 16 gray levels of an image, and which of them are nearest.

They are made from the thumbnails, so images of any size and color are compared, and no image that
has a thumbnail is read. Neighbors in averages say more about the label of an image than those in
all pixels: on MNIST, 9 of the 15 known wrong labels are found with both, but 9 instead of 8 of the
11 right labels are suggested, at a third of the cost.
"""

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from scripts.dataset import thumbnails
from scripts.dataset.distances import MIDDLE, Ints, Levels
from scripts.dataset.thumbnails import PixelsByRow
from scripts.progress import Bar
from scripts.sources.thumbnails import SIDE as THUMBNAIL_SIDE

SIDE = 16
SIZE = SIDE * SIDE
SHARE = THUMBNAIL_SIDE // SIDE
# Distances that are in memory at the same time; they bound the memory.
BLOCK = 2**23
# The share of all distances from which the bound of the nearest ones is taken.
SAMPLE = 4096
NONE = -1
# No squared distance is larger.
FARTHEST = SIZE * 255**2

Floats = npt.NDArray[np.float32]

# Turns thumbnails into sums of `SHARE` by `SHARE` levels.
_PARTS = np.repeat(np.eye(SIDE, dtype=np.float32), SHARE, axis=0)
SUMS: Floats = np.kron(_PARTS, _PARTS)


def distance(square: int) -> float:
    """Return the root mean square distance of two averages, given their squared distance."""
    return math.sqrt(square / SIZE)


class Nearest(NamedTuple):
    """The nearest ones of each query, nearest first, in the shape (queries, count).

    `places` are places in what was searched, `NONE` where there are too few; `squares` are the
    squared distances.
    """

    places: Ints
    squares: Ints


def averages_of(images: PixelsByRow, rows: Sequence[int]) -> Levels:
    """Return the averages of `rows`, which are in ascending order, as (rows, SIZE)."""
    return thumbnails.reduced(images, rows, SIZE, of_thumbnails)


def of_thumbnails(levels: Levels) -> Levels:
    """Return the averages of the thumbnails `levels`, as (images, SIZE)."""
    sums = levels.astype(np.float32) @ SUMS
    # The nearest whole number, of two the larger one; exact, because SHARE**2 is a power of 2.
    made: Levels = (sums / SHARE**2 + 0.5).astype(np.uint8)
    return made


def nearest(queries: Levels, others: Levels, count: int, own: Ints) -> Nearest:
    """Return the `count` nearest of `others` for each of `queries`, of equal ones the first.

    `own` is the place of each query in `others`, `NONE` if it is not there: a query is not its own
    neighbor. The result is exact, and the same on every machine.
    """
    found = Nearest(
        np.full((len(queries), count), NONE, np.int64), np.zeros((len(queries), count), np.int64)
    )
    for start, squares in _squares(queries, others):
        mine = own[start : start + len(squares)]
        lines = np.flatnonzero(mine != NONE)
        squares[lines, mine[lines]] = np.inf
        _choose(squares, count, Nearest(*(part[start : start + len(squares)] for part in found)))
    return found


def _squares(queries: Levels, others: Levels) -> Iterator[tuple[int, Floats]]:
    """Yield the squared distances of some queries to all others, and the place of the first.

    They are products of vectors: |x|² + |y|² - 2xy is (x, |x|², 1) times (-2y, 1, |y|²). Each
    distance of `SIZE` levels, and each number on the way to it, is a whole number of at most 2**24,
    which 32 bits hold without an error.
    """
    if not len(others):
        return
    right = _centered(others)
    right = np.column_stack([-2 * right, np.ones(len(right), np.float32), _norms(right)])
    step = max(1, BLOCK // len(others))
    for start in Bar(range(0, len(queries), step), desc="Comparing images", unit="part"):
        left = _centered(queries[start : start + step])
        left = np.column_stack([left, _norms(left), np.ones(len(left), np.float32)])
        yield start, left @ right.T


def _centered(levels: Levels) -> Floats:
    centered: Floats = levels.astype(np.float32) - MIDDLE
    return centered


def _norms(levels: Floats) -> Floats:
    norms: Floats = np.einsum("ij,ij->i", levels, levels)
    return norms


def _choose(squares: Floats, count: int, found: Nearest) -> None:
    """Write the `count` nearest of each line of `squares` to `found`."""
    sample = squares[:, :: max(1, squares.shape[1] // SAMPLE)]
    bounds = np.full((len(squares), 1), FARTHEST, np.float32)
    if sample.shape[1] >= count:
        # The nearest ones of all are not farther away than those of the sample.
        of_sample = np.partition(sample, count - 1, axis=1)[:, count - 1 : count]
        bounds = np.minimum(bounds, of_sample)
    lines, places = np.divmod(np.flatnonzero(squares <= bounds), squares.shape[1])
    values = squares[lines, places].astype(np.int64)
    order = np.lexsort((places, values, lines))
    lines, places, values = lines[order], places[order], values[order]
    ranks = np.arange(len(lines)) - np.searchsorted(lines, lines)
    kept = ranks < count
    found.places[lines[kept], ranks[kept]] = places[kept]
    found.squares[lines[kept], ranks[kept]] = values[kept]
