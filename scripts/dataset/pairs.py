"""Compares pairs of images by their pixels, with limits of time and memory."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from scripts.dataset.thumbnails import PixelsByRow
from scripts.sources.source import Pixels

# The maximum number of values in memory, and of read and compared values: a minute on one core.
MAX_HELD = 2**27
MAX_READ = 2**31
MAX_COMPARED = 2**33
# Values that are compared at the same time; below 2**53 / 255**2, so that no sum is rounded.
STEP = 2**16


@dataclass
class Compared:
    """Near pairs: distance and both rows; without `is_complete` not all were compared."""

    pairs: list[tuple[float, int, int]] = field(default_factory=list)
    is_complete: bool = True


@dataclass
class _Round:
    """Pairs whose left images are in memory together: the partners of each right image."""

    held: set[int] = field(default_factory=set)
    values: int = 0
    partners: dict[int, list[int]] = field(default_factory=dict)


def search(
    images: PixelsByRow, candidates: npt.NDArray[np.int64], limit: float, most: int
) -> Compared:
    """Return the `candidates` that are nearer than `limit`, at most `most` of them.

    A candidate is two rows of the same shape and the number of values of each. Candidates beyond
    the limits are left out.
    """
    found, count = Compared(), _within_bounds(candidates)
    chosen = candidates[:count]
    # The side with fewer images is in memory, so that most are read once.
    is_swapped = len({*chosen[:, 1].tolist()}) < len({*chosen[:, 0].tolist()})
    if is_swapped:
        chosen = chosen[:, [1, 0, 2]]
    rounds, is_all = _rounds(chosen[np.lexsort(chosen.T[1::-1])].tolist())
    found.is_complete = is_all and count == len(candidates)
    for one in rounds:
        if len(found.pairs) >= most:
            break
        held = {row: images.image(row) for row in sorted(one.held)}
        for right in sorted(one.partners):
            if len(found.pairs) >= most:
                break
            pixels = images.image(right)
            for left in one.partners[right]:
                distance = _distance(held[left], pixels, limit)
                if distance < limit:
                    rows = (right, left) if is_swapped else (left, right)
                    found.pairs.append((distance, *rows))
    found.pairs = found.pairs[:most]
    return found


def _within_bounds(candidates: npt.NDArray[np.int64]) -> int:
    """Return the number of candidates that can be compared if each image is read once."""
    values = candidates[:, 2]
    read = np.zeros_like(values)
    for side in (0, 1):
        _, first = np.unique(candidates[:, side], return_index=True)
        read[first] += values[first]
    is_within = (np.cumsum(values) <= MAX_COMPARED) & (np.cumsum(read) <= MAX_READ)
    return int(is_within.sum())


def _rounds(candidates: Sequence[Sequence[int]]) -> tuple[list[_Round], bool]:
    """Return the rounds of pairs, and whether all of them are within the limits.

    `candidates` are in the order of the images that are in memory.
    """
    rounds, read = [_Round()], 0
    for left, right, values in candidates:
        last = rounds[-1]
        if left not in last.held and last.held and last.values + values > MAX_HELD:
            last = _Round()
        read += values * ((left not in last.held) + (right not in last.partners))
        if read > MAX_READ:
            return rounds, False
        if last is not rounds[-1]:
            rounds.append(last)
        if left not in last.held:
            last.held.add(left)
            last.values += values
        last.partners.setdefault(right, []).append(left)
    return rounds, True


def _distance(one: Pixels, other: Pixels, limit: float) -> float:
    """Return the root mean square distance of two images; infinity unless it is below `limit`."""
    left, right = one.reshape(-1), other.reshape(-1)
    square, most = 0, limit * limit * left.size
    for start in range(0, left.size, STEP):
        part = slice(start, start + STEP)
        difference = left[part].astype(np.float64) - right[part]
        square += int(difference @ difference)
        if square >= most:
            return math.inf
    return math.sqrt(square / left.size)
