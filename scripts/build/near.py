"""Near-duplicates: images of train that are nearly the same as one that results are measured on."""

import math
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from scripts.sources.source import Pixels

# The root mean square distance over all values of two images, in gray levels (0 to 255), below
# which they are near-duplicates. The closest test and train images of MNIST are 7.5 apart, those of
# the digits 9.9; an image that was only saved again as JPEG is closer to itself than this.
LIMIT = 5.0
# At most so many images are compared, times the values of each: half a minute of one core if it has
# to compare all values.
MAX_OPERATIONS = 1_500_000_000_000
MAX_PAIRS = 20
# The search ends when it has found so many.
MAX_FOUND = 10_000
# Images are compared by so many sums first. Where more than this share of all pairs can be near,
# the sums say too little, and all values are compared.
SKETCH = 64
MAX_CANDIDATES = 0.01
# Images of each side that are compared at the same time, and their values.
OUTER, INNER = 2048, 1024
MAX_VALUES = 2**22
# Distances in 32 bits are a little off. What is this much above the limit is computed exactly.
MARGIN = 1.1

Values = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]


class Images(Protocol):
    """Images by row."""

    def image(self, row: int) -> Pixels:
        """Return the pixels of a row."""


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


def find(images: Images, train: Sequence[int], others: Sequence[int], new: Collection[int]) -> Near:
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
        if of_train and of_others:
            _search(images, of_train, of_others, found)
    return Near(tuple(found.pairs), min(found.count, MAX_FOUND))


@dataclass
class _Found:
    pairs: list[Pair] = field(default_factory=list)
    count: int = 0

    def add(self, pairs: Sequence[Pair]) -> None:
        self.count += len(pairs)
        self.pairs = sorted([*self.pairs, *pairs])[:MAX_PAIRS]


def _search(images: Images, train: Sequence[int], others: Sequence[int], found: _Found) -> None:
    """Compare all of `train` with all of `others`; each image is read once."""
    is_swapped = len(train) < len(others)
    small, large = (train, others) if is_swapped else (others, train)
    comparers = [_Comparer(images, outer) for outer in _blocks(images, small, OUTER)]
    for inner in _blocks(images, large, INNER):
        for compare in comparers:
            if compare.shape == inner.shape:
                pairs = islice(compare(inner), MAX_FOUND)
                found.add([Pair(d, a, b) if is_swapped else Pair(d, b, a) for d, a, b in pairs])
            if found.count >= MAX_FOUND:
                return


def _blocks(images: Images, rows: Sequence[int], most: int) -> Iterator[_Block]:
    """Yield the images of `rows`, by shape, with at most so many images in a block."""
    waiting: dict[tuple[int, ...], list[tuple[int, Values]]] = {}
    for row in rows:
        pixels = images.image(row)
        same = waiting.setdefault(pixels.shape, [])
        same.append((row, pixels))
        if len(same) >= most or len(same) * pixels.size >= MAX_VALUES:
            yield _block(pixels.shape, waiting.pop(pixels.shape))
    for shape, rest in waiting.items():
        yield _block(shape, rest)


def _block(shape: tuple[int, ...], images: Sequence[tuple[int, Values]]) -> _Block:
    values = np.stack([pixels.reshape(-1) for _, pixels in images])
    return _Block(shape, [row for row, _ in images], values)


class _Comparer:
    """Compares blocks with the block `outer`, whose values it does not keep."""

    def __init__(self, images: Images, outer: _Block) -> None:
        self.shape = outer.shape
        self._images, self._rows = images, outer.rows
        self._sums = _sums(outer.values.shape[1])
        self._sketches = _Points(outer.values.astype(np.float32) @ self._sums)

    def __call__(self, inner: _Block) -> Iterator[tuple[float, int, int]]:
        """Yield the distance and both rows of each pair below the limit."""
        size = inner.values.shape[1]
        limit = LIMIT * LIMIT * size
        close, step = self._candidates(inner, limit * MARGIN), max(1, MAX_VALUES // size)
        for start in range(0, len(close), step):
            ones, others = np.divmod(close[start : start + step], len(inner.rows))
            differences = self._values(ones).astype(np.int64) - inner.values[others]
            exact = (differences * differences).sum(axis=1)
            for a, b, square in zip(ones.tolist(), others.tolist(), exact.tolist(), strict=True):
                if square < limit:
                    yield math.sqrt(square / size), self._rows[a], inner.rows[b]

    def _candidates(self, inner: _Block, limit: float) -> npt.NDArray[np.intp]:
        """Return the pairs whose squared distance can be below `limit`, by number."""
        values = inner.values.astype(np.float32)
        close = np.flatnonzero(self._sketches.squared_distances(values @ self._sums) < limit)
        if len(close) <= MAX_CANDIDATES * len(self._rows) * len(inner.rows):
            return close
        every = _Points(self._values(np.arange(len(self._rows))).astype(np.float32))
        return np.flatnonzero(every.squared_distances(values) < limit)

    def _values(self, numbers: npt.NDArray[np.intp]) -> Values:
        """Return the values of images of the outer block; each is read once."""
        wanted, positions = np.unique(numbers, return_inverse=True)
        read = [self._images.image(self._rows[number]).reshape(-1) for number in wanted.tolist()]
        values: Values = np.stack(read)[positions]
        return values


class _Points:
    """Points in the shape (points, dimensions), to which others are compared."""

    def __init__(self, points: Floats) -> None:
        # Around their mean the numbers are smaller, and so are the errors of 32 bits.
        self._center = points.mean(axis=0)
        points = points - self._center
        self._points = np.column_stack([points, _squares(points), np.ones_like(points[:, 0])])

    def squared_distances(self, others: Floats) -> Floats:
        """Return the squared distance of each pair, in the shape (these points, others)."""
        others = others - self._center
        # |a - b|² = -2ab + |a|² + |b|², in one product.
        factors = np.column_stack([-2 * others, np.ones_like(others[:, 0]), _squares(others)])
        distances: Floats = self._points @ factors.T
        return distances


def _squares(points: Floats) -> Floats:
    squares: Floats = np.einsum("ij,ij->i", points, points)
    return squares


def _sums(size: int) -> Floats:
    """Return the matrix that turns the `size` values of an image into its sketch.

    A sketch is the sums of a few values that lie together, scaled so that two sketches are never
    farther apart than the images.
    """
    parts = np.arange(size) * min(SKETCH, size) // size
    matrix = np.zeros((size, min(SKETCH, size)), np.float32)
    matrix[np.arange(size), parts] = 1 / np.sqrt(np.bincount(parts)[parts])
    return matrix
