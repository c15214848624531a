"""Changed copies: images that are another one after an everyday change, such as JPEG compression.

Images are compared by the correlation of `SIDE` x `SIDE` averages of their thumbnails, which a
change of brightness, contrast or size hardly affects. A limit is not enough: thin digits of
different writers correlate more than an image and itself turned by two degrees. So an image is a
copy if both are much nearer than the next one. docs/design.md has the numbers.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from scripts.dataset.distances import MIDDLE, Ints, Levels
from scripts.dataset.thumbnails import PixelsByRow, reduced
from scripts.sources import thumbnails

# Drawings of 28 x 28 pixels, and those of half the size, have the same averages.
SIDE = 14
SIZE = SIDE * SIDE
# The distance of two images is 1 - their correlation. They are copies if it is below `NEARLY`; or
# below `FARTHEST`, and `TIMES` smaller than that of either to the next image of train.
NEARLY, FARTHEST, TIMES = 0.002, 0.05, 4
# The standard deviation of the averages, in gray levels, below which an image is too uniform.
MIN_CONTRAST = 4
# Compared pairs, at most: some seconds on two cores. And those that are compared exactly.
MAX_PAIRS, MAX_EXACT = 1_000_000_000, 200_000_000
# Pairs in memory at the same time; they bound the memory.
BLOCK = 2**22
# The nearest image of each part of all images is compared, to know how near the next one is.
PARTS = 8
# Correlations of numbers of 32 bits are off by less than this.
ROUNDED = 1e-5

# Turns thumbnails into sums for averages.
_SHARES = thumbnails.shares(thumbnails.SIDE, SIDE).astype(np.float32)
_SUMS = np.kron(_SHARES, _SHARES).T
# Turns averages into those of 2 x 2, scaled so that products of two images are never larger.
_PAIRS = np.repeat(np.eye(SIDE // 2, dtype=np.float32), 2, axis=0)
_COARSER = (np.kron(_PAIRS, _PAIRS) / 2).astype(np.float32)

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Places = npt.NDArray[np.intp]


class Side(NamedTuple):
    """Images of one side of the split: their averages, as (images, SIZE), and which are new."""

    levels: Levels
    is_new: Bools


class Copy(NamedTuple):
    """A pair, by its places on both sides; `mirrored` if one is the other's mirror image."""

    distance: float
    train: int
    other: int
    mirrored: bool


@dataclass(frozen=True)
class Copies:
    """The changed copies, nearest first; without `searched` not all pairs were compared."""

    pairs: Sequence[Copy] = ()
    searched: bool = True


def levels_of(images: PixelsByRow, rows: Sequence[int]) -> Levels:
    """Return the averages of `rows`, which are in ascending order, as (rows, SIZE)."""
    return reduced(images, rows, SIZE, _averages)


def _averages(levels: Levels) -> Levels:
    sums = levels.astype(np.float32) @ _SUMS
    # The nearest whole number, of two the larger one. All numbers are exact in 32 bits.
    averages: Levels = ((sums + thumbnails.SIZE // 2) / thumbnails.SIZE).astype(np.uint8)
    return averages


def find(train: Side, others: Side, rest: Callable[[], Levels]) -> Copies:
    """Return the changed copies between `train` and `others`, of which one is new.

    Each of `others` is in at most one pair: that with the nearest image of train. `rest` returns
    more images of the same kind, because in a small train set the next one can be far away by
    chance. The result is the same on every machine.
    """
    new_train, new_others = (int(np.count_nonzero(side.is_new)) for side in (train, others))
    old_others = len(others.levels) - new_others
    if new_others * len(train.levels) + old_others * new_train > MAX_PAIRS:
        return Copies(searched=False)
    of_train, found, searched = _Images.of(train), dict[int, Copy](), True
    of_rest = cache(lambda: _Images.of(Side(levels := rest(), np.zeros(len(levels), np.bool_))))
    for mirrored in (False, True):
        queries = _Images.of(Side(_mirror(others.levels), others.is_new) if mirrored else others)
        suspects = _suspects(queries, of_train)
        most = MAX_EXACT // max(1, len(of_train.places))
        searched = searched and len(suspects) <= most
        for distance, place, other in _verdicts(queries.at(suspects[:most]), of_train, of_rest):
            found.setdefault(other, Copy(distance, place, other, mirrored))
    return Copies(tuple(sorted(found.values())), searched)


@dataclass(frozen=True)
class _Images:
    """Images: averages around their middle, which of them are new, and places on their side."""

    levels: Levels
    is_new: Bools
    places: Places

    @classmethod
    def of(cls, side: Side) -> "_Images":
        """Return the images of `side` that are not too uniform."""
        made = cls(*side, np.arange(len(side.levels)))
        return made.at(np.flatnonzero(made.spreads >= (SIZE * MIN_CONTRAST) ** 2))

    def at(self, which: Places | slice) -> "_Images":
        return _Images(self.levels[which], self.is_new[which], self.places[which])

    @property
    def centered(self) -> Floats:
        """The levels around the middle: sums of products of two images are exact in 32 bits."""
        levels: Floats = self.levels.astype(np.float32)
        levels -= MIDDLE
        return levels

    @cached_property
    def sums(self) -> Ints:
        """The sum of the levels around the middle."""
        sums: Ints = self.levels.sum(axis=1, dtype=np.int64)
        sums -= SIZE * MIDDLE
        return sums

    @cached_property
    def spreads(self) -> Ints:
        """The variance of the levels, times `SIZE` squared."""
        centered = self.centered
        return SIZE * _dots(centered, centered).astype(np.int64) - self.sums**2


def _vectors(images: _Images) -> Floats:
    """Return unit vectors, whose products are the correlations, up to rounding."""
    vectors = images.centered - (images.sums / SIZE).astype(np.float32)[:, np.newaxis]
    vectors *= np.sqrt(SIZE / images.spreads).astype(np.float32)[:, np.newaxis]
    return vectors


def _short_vectors(images: _Images) -> Floats:
    """Return vectors of a quarter of the numbers, whose products are never below the correlations.

    These are averages of 2 x 2, and the length of what they leave out.
    """
    coarse = _vectors(images) @ _COARSER
    left_out = np.sqrt(np.maximum(0, 1 - _dots(coarse, coarse)))
    return np.column_stack([coarse, left_out])


def _suspects(queries: _Images, train: _Images) -> Places:
    """Return the queries that can be a copy of one of `train`, of which one is new."""
    new, old = np.flatnonzero(queries.is_new), np.flatnonzero(~queries.is_new)
    found = []
    for some, others in ((new, train), (old, train.at(np.flatnonzero(train.is_new)))):
        left = some
        # Each of the two is far cheaper than what follows it, and leaves few.
        for vectors_of in (_short_vectors, _vectors):
            left = left[_may_be_copies(queries.at(left), others, vectors_of)]
        found.append(left)
    return np.sort(np.concatenate(found))


def _may_be_copies(
    queries: _Images, train: _Images, vectors_of: Callable[[_Images], Floats]
) -> Bools:
    """Return whether each of `queries` can be a copy of one of `train`, by rough correlations."""
    found = np.zeros(len(queries.places), np.bool_)
    if not (len(train.places) and len(found)):
        return found
    width = -(-len(train.places) // PARTS)
    parts = [train.at(slice(at, at + width)) for at in range(0, len(train.places), width)]
    vectors = [vectors_of(part).T for part in parts]
    step = max(1, BLOCK // width)
    for start in range(0, len(found), step):
        some = queries.at(slice(start, start + step))
        mine, lines = vectors_of(some), np.arange(len(some.places))
        highest, known = np.full(len(lines), -np.inf), []
        for part, theirs in zip(parts, vectors, strict=True):
            bounds = mine @ theirs
            nearest = bounds.argmax(axis=1)
            highest = np.maximum(highest, bounds[lines, nearest])
            known.append(_distances(some, part.at(nearest)))
        # The next image of all is not farther away than the next one of these.
        following = np.sort([*known, np.full(len(lines), np.inf)], axis=0)[1]
        limit = np.maximum(NEARLY, np.minimum(FARTHEST, following / TIMES))
        found[start : start + step] = 1 - highest < limit + ROUNDED
    return found


def _verdicts(
    queries: _Images, train: _Images, rest: Callable[[], _Images]
) -> Iterator[tuple[float, int, int]]:
    """Yield the pairs of a copy of an image of `train`, of which one is new: distance and places.

    Each of `queries` is in at most one.
    """
    step = max(1, BLOCK // max(1, len(train.places)))
    for start in range(0, len(queries.places), step):
        some = queries.at(slice(start, start + step))
        distances = _all_distances(some, train)
        is_pair = some.is_new[:, np.newaxis] | train.is_new
        nearest = np.where(is_pair, distances, np.inf).argmin(axis=1)
        nearness = distances[np.arange(len(nearest)), nearest]
        chosen = np.flatnonzero(_is_copy(nearness, _following(distances, nearest)))
        # Most often there are none, and the rest is not read.
        if len(chosen):
            some, nearest, nearness = some.at(chosen), nearest[chosen], nearness[chosen]
            originals = train.at(nearest)
            following = np.minimum.reduce(
                [
                    _following(distances[chosen], nearest),
                    _following(_all_distances(originals, train), nearest),
                    *(
                        _all_distances(one, rest()).min(axis=1, initial=np.inf)
                        for one in (some, originals)
                    ),
                ]
            )
            found = np.flatnonzero(_is_copy(nearness, following))
            yield from zip(
                nearness[found].tolist(),
                originals.places[found].tolist(),
                some.places[found].tolist(),
                strict=True,
            )


def _following(distances: Doubles, nearest: Places) -> Doubles:
    """Return the smallest distance of each line, but for the one of the `nearest`."""
    others = distances.copy()
    others[np.arange(len(nearest)), nearest] = np.inf
    following: Doubles = others.min(axis=1)
    return following


def _is_copy(distances: Doubles, following: Doubles) -> Bools:
    is_much_nearer = (distances < FARTHEST) & (distances * TIMES <= following)
    found: Bools = (distances < NEARLY) | is_much_nearer
    return found


def _distances(ones: _Images, twos: _Images) -> Doubles:
    """Return the distance of each of `ones` to the one of `twos` in the same place."""
    dots = _dots(ones.centered, twos.centered).astype(np.float64)
    dots = SIZE * dots - ones.sums * twos.sums
    return 1 - dots / np.sqrt(ones.spreads * twos.spreads.astype(np.float64))


def _all_distances(ones: _Images, twos: _Images) -> Doubles:
    """Return the distance of each of `ones` to each of `twos`, in this shape."""
    found = (ones.centered @ twos.centered.T).astype(np.float64)
    found *= -SIZE
    found += np.multiply.outer(ones.sums, twos.sums)
    found /= np.sqrt(np.multiply.outer(ones.spreads.astype(np.float64), twos.spreads))
    found += 1
    return found


def _mirror(levels: Levels) -> Levels:
    return levels.reshape(-1, SIDE, SIDE)[:, :, ::-1].reshape(-1, SIZE)


def _dots(ones: Floats, twos: Floats) -> Floats:
    """Return the sum of the products of each pair of lines."""
    dots: Floats = np.einsum("ij,ij->i", ones, twos)
    return dots
