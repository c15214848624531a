"""The images that are most similar to others, by their pixels."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from scripts.dataset import distances
from scripts.dataset.distances import Levels
from scripts.progress import Bar
from scripts.sources.source import Pixels

# Limits the memory: the number of values, of 8 bytes each, that are compared at once.
BLOCK_BYTES = 32 * 1024 * 1024
QUERIES = 512

Floats = npt.NDArray[np.float64]


class Neighbor(NamedTuple):
    """A row, and the root mean square of the differences in gray or color levels to another."""

    row: int
    distance: float


def nearest(
    image: Callable[[int], Pixels], queries: Sequence[int], candidates: Sequence[int], count: int
) -> list[list[Neighbor]]:
    """Return the `count` nearest of `candidates` for each of `queries`, nearest first.

    All are rows of one shape, whose pixels `image` returns. At the same distance, the first of
    `candidates` is nearer. A row is not its own neighbor.

    The result is exact and the same on every machine.
    """
    if not queries or not candidates:
        return [[] for _ in queries]
    size = image(queries[0]).size
    together = max(1, BLOCK_BYTES // (8 * size))
    found = [_Found(np.empty(0), np.empty(0, np.int64)) for _ in queries]
    blocks = [*_blocks(candidates, together)]
    for block in Bar(blocks, desc="Comparing images"):
        values, rows = _values(image, block), np.array(block)
        for number, squares in _distances(image, queries, values, min(QUERIES, together)):
            squares[rows == queries[number]] = np.inf
            found[number] = found[number].with_more(squares, rows, count)
    return [one.neighbors(size) for one in found]


class _Found(NamedTuple):
    """The nearest rows so far, with their squared distances."""

    squared: Floats
    rows: npt.NDArray[np.int64]

    def with_more(self, squared: Floats, rows: npt.NDArray[np.int64], count: int) -> "_Found":
        """Return the nearest ones of these and of further rows."""
        squared, rows = np.append(self.squared, squared), np.append(self.rows, rows)
        if len(rows) > count:
            near = squared <= np.partition(squared, count - 1)[count - 1]
            squared, rows = squared[near], rows[near]
        order = np.argsort(squared, kind="stable")[:count]
        return _Found(squared[order], rows[order])

    def neighbors(self, size: int) -> list[Neighbor]:
        """Return the neighbors, for images of this number of values."""
        return [
            Neighbor(row, float(np.sqrt(squared / size)))
            for row, squared in zip(self.rows.tolist(), self.squared, strict=True)
            if np.isfinite(squared)
        ]


def _distances(
    image: Callable[[int], Pixels], queries: Sequence[int], values: Levels, together: int
) -> Iterator[tuple[int, Floats]]:
    """Yield the squared distances of each of `queries`, by number, to all of `values`."""
    for start in range(0, len(queries), together):
        some = _values(image, queries[start : start + together])
        yield from enumerate(distances.of_all(some, values).astype(np.float64), start)


def _values(image: Callable[[int], Pixels], rows: Sequence[int]) -> Levels:
    return np.stack([image(row).ravel() for row in rows])


def _blocks(rows: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    for start in range(0, len(rows), size):
        yield rows[start : start + size]
