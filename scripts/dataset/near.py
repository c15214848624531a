"""Near-duplicates: images of train that are nearly identical to one in test or validation.

All are compared by their thumbnails. Two thumbnails are never farther apart than their images, if
these have one shape, except for the rounding. So the pixels of only those pairs are read whose
thumbnails are near, and no pair is missed. Images of different shapes are compared only by
thumbnails. Distances are integers, so the result is the same on every machine.
"""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from scripts.dataset import distances
from scripts.dataset import pairs as by_pixels
from scripts.dataset.distances import Ints
from scripts.dataset.thumbnails import PixelsByRow, Thumbnails
from scripts.sources.summaries import SummaryRows
from scripts.sources.thumbnails import ROUNDED, SIDE, SIZE

# The root mean square distance over all values of two images, in gray levels (0 to 255), below
# which they are near-duplicates. The closest test and train images of MNIST are 7.5 apart, those of
# the digits 9.9. A photo that was saved again as JPEG of good quality is closer to itself than
# this; a drawing with sharp edges often is not: at quality 75, 70 of 100 images of MNIST.
LIMIT = 5.0
# The maximum number of compared thumbnail levels: at most half a minute on one core.
MAX_OPERATIONS = 1_500_000_000_000
MAX_PAIRS = 20
# The maximum number of counted pairs.
MAX_FOUND = 10_000
# The maximum number of pairs with near thumbnails that are compared by their pixels, nearest first.
MAX_CANDIDATES = 500_000
# Thumbnails are first compared by averages of squares with this side. If more than this share of
# all pairs may be near, all levels are compared instead.
COARSE = 4
MANY = 0.01
# Thumbnails of one side that are compared at the same time.
OUTER = 2048
# Distances in 32 bits are a little off. What is this much above the limit is compared exactly.
MARGIN = 1.1

# Turns thumbnails into sums of `COARSE` by `COARSE` levels, scaled so that two of these are never
# farther apart than the thumbnails.
_SUMS = np.repeat(np.eye(SIDE // COARSE, dtype=np.float32), COARSE, axis=0)
COARSER = (np.kron(_SUMS, _SUMS) / COARSE).astype(np.float32)

Floats = npt.NDArray[np.float32]


class Pair(NamedTuple):
    """Two near-duplicates: their distance, the row in train, and the other one."""

    distance: float
    train: int
    other: int


@dataclass(frozen=True)
class NearPairs:
    """The near-duplicates: the closest `pairs`, closest first, and how many there are.

    At most `MAX_FOUND` are counted. Without `searched` not all pairs were compared, so there can be
    more.
    """

    pairs: Sequence[Pair] = ()
    count: int = 0
    searched: bool = True


def find(
    images: PixelsByRow, train: Sequence[int], others: Sequence[int], new: Collection[int]
) -> NearPairs:
    """Return the near-duplicates between the rows `train` and `others`, of which one is `new`."""
    # Every pair is in one of these, and only once.
    parts = [
        ([row for row in train if row in new], others),
        ([row for row in train if row not in new], [row for row in others if row in new]),
    ]
    parts = [part for part in parts if all(part)]
    if not parts:
        return NearPairs()
    if sum(len(one) * len(other) for one, other in parts) * SIZE > MAX_OPERATIONS:
        return NearPairs(searched=False)
    thumbnails = Thumbnails(
        images, sorted({row for part in parts for rows in part for row in rows})
    )
    same, different = _Closest(MAX_CANDIDATES), _Closest(MAX_FOUND)
    for of_train, of_others in parts:
        _compare(thumbnails, of_train, of_others, same, different)
    pairs, is_complete = _checked(images, same, different)
    return NearPairs(tuple(pairs[:MAX_PAIRS]), len(pairs), is_complete or len(pairs) >= MAX_FOUND)


def among(images: PixelsByRow, pairs: Collection[tuple[int, int]]) -> set[tuple[int, int]]:
    """Return those of `pairs`, rows in train and others, that are near-duplicates."""
    train, others = (sorted({pair[side] for pair in pairs}) for side in (0, 1))
    thumbnails = Thumbnails(images, sorted({*train, *others}))
    same, different = _Closest(MAX_CANDIDATES), _Closest(MAX_FOUND)
    if pairs:
        _compare(thumbnails, train, others, same, different)
    found, _ = _checked(images, same, different)
    return {(pair.train, pair.other) for pair in found} & {*pairs}


def _checked(
    images: PixelsByRow, same: "_Closest", different: "_Closest"
) -> tuple[list[Pair], bool]:
    """Return the near-duplicates among pairs of the same shape, and of different shapes.

    They are the closest ones, closest first, with whether they are all.
    """
    pairs = [
        Pair(math.sqrt(square / SIZE), train, other)
        for square, train, other, _ in different.pairs().tolist()
    ]
    checked = by_pixels.search(images, same.pairs()[:, 1:], LIMIT, MAX_FOUND - len(pairs))
    pairs += [Pair(*pair) for pair in checked.pairs]
    is_complete = same.is_complete and different.is_complete and checked.is_complete
    return sorted(pairs), is_complete


class _Closest:
    """The closest pairs, at most `most`: squared distance, row in train, other row, values.

    The result does not depend on the order of the pairs.
    """

    def __init__(self, most: int) -> None:
        self._most, self.is_complete = most, True
        self._parts: list[Ints] = []

    def add(self, pairs: Ints) -> None:
        self._parts.append(pairs)
        if sum(map(len, self._parts)) > 2 * self._most:
            self._parts = [self.pairs()]

    def pairs(self) -> Ints:
        """Return the pairs, closest first."""
        every = np.concatenate([np.zeros((0, 4), np.int64), *self._parts])
        every = every[np.lexsort(every.T[2::-1])]
        self.is_complete = self.is_complete and len(every) <= self._most
        return every[: self._most]


def _compare(
    thumbnails: Thumbnails,
    train: Sequence[int],
    others: Sequence[int],
    same: _Closest,
    different: _Closest,
) -> None:
    """Compare all of `train` with all of `others`."""
    is_swapped = len(train) < len(others)
    small, large = (train, others) if is_swapped else (others, train)
    held = np.concatenate([*thumbnails.blocks(small)])
    points = [_Points(held[start : start + OUTER]) for start in range(0, len(held), OUTER)]
    for block in map(_Points, thumbnails.blocks(large)):
        for outer in points:
            squares, ones, twos = _close(outer, block)
            of_train, of_others = outer.records[ones], block.records[twos]
            if not is_swapped:
                of_train, of_others = of_others, of_train
            pairs = np.column_stack(
                [squares, of_train["row"], of_others["row"], of_train["shape"].prod(axis=1)]
            )
            is_same = (of_train["shape"] == of_others["shape"]).all(axis=1)
            same.add(pairs[is_same])
            different.add(pairs[~is_same & (squares < LIMIT * LIMIT * SIZE)])


class _Points:
    """Thumbnails as points, from which distances are computed."""

    def __init__(self, records: SummaryRows) -> None:
        self.records = records
        self.levels = records["levels"]
        self.coarse: Floats = self.levels.astype(np.float32) @ COARSER


def _close(ones: _Points, twos: _Points) -> tuple[Ints, npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Return all pairs whose thumbnails may be near: squared distances, and both places."""
    limit = (LIMIT + ROUNDED) ** 2 * SIZE
    close = np.flatnonzero(_rough_squares(ones.coarse, twos.coarse) < limit * MARGIN)
    if len(close) <= MANY * len(ones.levels) * len(twos.levels):
        places = np.divmod(close, len(twos.levels))
        squares = distances.of_pairs(ones.levels, twos.levels, *places)
        is_near = squares < limit
        return squares[is_near], places[0][is_near], places[1][is_near]
    every = distances.of_all(ones.levels, twos.levels)
    near, other = np.nonzero(every < limit)
    return every[near, other], near, other


def _rough_squares(ones: Floats, twos: Floats) -> Floats:
    """Return the approximate squared distance of each pair, in the shape (ones, twos)."""
    # Around their mean the numbers are smaller, and so are the errors of 32 bits.
    center = ones.mean(axis=0)
    ones, twos = ones - center, twos - center
    # |a - b|² = -2ab + |a|² + |b|², in one product.
    left = np.column_stack([ones, _norms(ones), np.ones_like(ones[:, 0])])
    right = np.column_stack([-2 * twos, np.ones_like(twos[:, 0]), _norms(twos)])
    squares: Floats = left @ right.T
    return squares


def _norms(points: Floats) -> Floats:
    norms: Floats = np.einsum("ij,ij->i", points, points)
    return norms
