"""Near-duplicates: images of train that are nearly the same as one that results are measured on."""

import math
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from scripts.sources.extended import Extended

# The root mean square distance over all values of two images, in gray levels (0 to 255), below
# which they are near-duplicates. The closest test and train images of MNIST are 7.5 apart, those of
# the digits 9.9; an image that was only saved again as JPEG is closer to itself than this.
LIMIT = 5.0
# At most so many images are compared, times the values of each: half a minute of one core.
MAX_OPERATIONS = 1_500_000_000_000
MAX_PAIRS = 20
# The search ends when it has found so many.
MAX_FOUND = 10_000
# Values that are in memory at the same time: of each side, and of their distances.
OUTER, INNER = 2**24, 2**22
DISTANCES = 2**23
# Distances in 32 bits are a little off. What is this much above the limit is computed exactly.
MARGIN = 1.1

Values = npt.NDArray[np.uint8]


class Pair(NamedTuple):
    """Two near-duplicates: their distance, the row in train, and the other one."""

    distance: float
    train: int
    other: int


@dataclass(frozen=True)
class Near:
    """The near-duplicates: the closest `pairs`, closest first, and how many there are.

    At most `MAX_FOUND` are counted. Without `searched` there was too much to compare.
    """

    pairs: Sequence[Pair] = ()
    count: int = 0
    searched: bool = True


@dataclass(frozen=True)
class _Block:
    """Images of one shape: their rows, and their values as (images, values)."""

    shape: tuple[int, ...]
    rows: list[int]
    values: Values


def find(
    images: Extended, train: Sequence[int], others: Sequence[int], new: Collection[int]
) -> Near:
    """Return the near-duplicates between the rows `train` and `others`, of which one is `new`.

    Images of different shapes are not compared.
    """
    # Every pair is in one of these, and only once.
    parts = [
        ([row for row in train if row in new], others),
        ([row for row in train if row not in new], [row for row in others if row in new]),
    ]
    comparisons = sum(len(one) * len(other) for one, other in parts)
    if not comparisons:
        return Near()
    if comparisons * images.image(train[0]).size > MAX_OPERATIONS:
        return Near(searched=False)
    found = _Found()
    for of_train, of_others in parts:
        _search(images, of_train, of_others, found)
    return Near(tuple(found.pairs), min(found.count, MAX_FOUND))


@dataclass
class _Found:
    pairs: list[Pair] = field(default_factory=list)
    count: int = 0

    def add(self, pairs: Sequence[Pair]) -> None:
        self.count += len(pairs)
        self.pairs = sorted([*self.pairs, *pairs])[:MAX_PAIRS]


def _search(images: Extended, train: Sequence[int], others: Sequence[int], found: _Found) -> None:
    """Compare all of `train` with all of `others`, in blocks."""
    # The smaller side is read once, the larger one as often as the smaller has blocks.
    is_swapped = len(train) < len(others)
    small, large = (train, others) if is_swapped else (others, train)
    for outer in _blocks(images, small, OUTER, DISTANCES):
        compare = _Comparer(outer)
        for inner in _blocks(images, large, INNER, max(1, DISTANCES // len(outer.rows))):
            if inner.shape == outer.shape:
                pairs = islice(compare(inner), MAX_FOUND)
                found.add([Pair(d, a, b) if is_swapped else Pair(d, b, a) for d, a, b in pairs])
            if found.count >= MAX_FOUND:
                return


def _blocks(images: Extended, rows: Sequence[int], values: int, most: int) -> Iterator[_Block]:
    """Yield the images of `rows`, by shape, with at most so many values and images in a block."""
    waiting: dict[tuple[int, ...], list[tuple[int, Values]]] = {}
    for row in rows:
        pixels = images.image(row)
        same = waiting.setdefault(pixels.shape, [])
        same.append((row, pixels))
        if len(same) >= most or len(same) * pixels.size >= values:
            yield _block(pixels.shape, waiting.pop(pixels.shape))
    for shape, rest in waiting.items():
        yield _block(shape, rest)


def _block(shape: tuple[int, ...], images: Sequence[tuple[int, Values]]) -> _Block:
    values = np.stack([pixels.reshape(-1) for _, pixels in images])
    return _Block(shape, [row for row, _ in images], values)


class _Comparer:
    """Compares blocks with the block `outer`."""

    def __init__(self, outer: _Block) -> None:
        self._outer = outer
        # Around their mean the numbers are smaller, and so are the errors of 32 bits.
        self._center = outer.values.mean(axis=0, dtype=np.float32)
        self._values = outer.values - self._center
        self._squares = (self._values * self._values).sum(axis=1)

    def __call__(self, inner: _Block) -> Iterator[tuple[float, int, int]]:
        """Yield the distance and both rows of each pair below the limit."""
        outer, size = self._outer, inner.values.shape[1]
        limit = LIMIT * LIMIT * size
        close = np.argwhere(self._estimate(inner.values) < limit * MARGIN)
        step = max(1, INNER // size)
        for start in range(0, len(close), step):
            part = close[start : start + step]
            differences = outer.values[part[:, 0]].astype(np.int64) - inner.values[part[:, 1]]
            exact = (differences * differences).sum(axis=1)
            for (a, b), square in zip(part.tolist(), exact.tolist(), strict=True):
                if square < limit:
                    yield math.sqrt(square / size), outer.rows[a], inner.rows[b]

    def _estimate(self, values: Values) -> npt.NDArray[np.float32]:
        """Return the squared distance of each pair, in the shape (images of outer, of inner)."""
        others = values - self._center
        squares: npt.NDArray[np.float32] = self._values @ others.T
        squares *= -2
        squares += self._squares[:, np.newaxis]
        squares += (others * others).sum(axis=1)
        return squares
