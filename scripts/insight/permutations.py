"""Permutation tests of two samples: how often chance alone separates them as much.

The images of both are put together and divided again at random, thousands of times. If all come
from one distribution, the true division is as good as any of these, so the share of divisions that
differ at least as much is an exact probability (Good, Permutation, Parametric and Bootstrap Tests
of Hypotheses, 2005). All statistics are whole numbers and the seed is fixed, so the result is the
same on every machine.
"""

from collections.abc import Callable, Iterator
from functools import cached_property

import numpy as np
import numpy.typing as npt

from scripts.dataset.distances import Ints

# The smallest probability is one of these. With six tests, one below 1 in 600 is significant.
DIVISIONS = 3_000
DIVISION_SEED, ORDER_SEED = 0, 1
# Divisions that are in memory at the same time.
BLOCK = 500

# Whether an image is in the first sample, as (images, divisions).
Members = npt.NDArray[np.bool_]
# Returns how much the two samples of each division differ.
Statistic = Callable[[Members], Ints]


def mixed(count: int) -> Ints:
    """Return `count` places in a random order, which has nothing to do with the divisions."""
    return np.random.default_rng(ORDER_SEED).permutation(count)


class Divisions:
    """The true division of images into the first `first` and the `others`, and random ones."""

    def __init__(self, first: int, others: int) -> None:
        """Divide `first` + `others` images."""
        self._first, self._all = first, first + others

    def probability(self, statistic: Statistic) -> float:
        """Return the share of the divisions that differ at least as much as the true one."""
        found = np.concatenate([statistic(block) for block in self._blocks])
        return float(np.count_nonzero(found >= found[0])) / len(found)

    @cached_property
    def _blocks(self) -> list[Members]:
        return [*self._made()]

    def _made(self) -> Iterator[Members]:
        chance = np.random.default_rng(DIVISION_SEED)
        for start in range(0, DIVISIONS, BLOCK):
            block = np.zeros((self._all, min(BLOCK, DIVISIONS - start)), np.bool_)
            for number in range(block.shape[1]):
                is_true = start + number == 0
                places = np.arange(self._all) if is_true else chance.permutation(self._all)
                block[places[: self._first], number] = True
            yield block


def largest_gap(values: Ints) -> Statistic:
    """Return the statistic of Kolmogorov and Smirnov, times the sizes of both samples.

    It is the largest difference of the shares of both samples that are not above a value.
    """
    order = np.argsort(values, kind="stable")
    ends = np.flatnonzero(np.append(np.diff(values[order]) != 0, True))

    def statistic(members: Members) -> Ints:
        below = np.cumsum(members[order], axis=0, dtype=np.int32)
        gaps = below[ends].astype(np.int64) * len(values)
        gaps -= (ends + 1)[:, np.newaxis] * below[-1].astype(np.int64)
        largest: Ints = np.maximum(gaps.max(axis=0), -gaps.min(axis=0))
        return largest

    return statistic


def different_shares(classes: Ints) -> Statistic:
    """Return the chi-squared statistic of the numbers of images of each class."""
    totals = np.bincount(classes)

    def statistic(members: Members) -> Ints:
        first = members.sum(axis=0)
        squares = np.zeros(members.shape[1], np.int64)
        for one, total in enumerate(totals.tolist()):
            there = members[classes == one].sum(axis=0)
            squares += (len(classes) * there - first * total) ** 2 // max(1, total)
        return squares

    return statistic


def near_each_other(neighbors: Ints) -> Statistic:
    """Return the number of neighbors within the first sample.

    `neighbors` are the nearest ones of each image, as (images, neighbors). It is the statistic of
    Schilling (1986) and Henze (1988), of one of the samples.
    """

    def statistic(members: Members) -> Ints:
        found = np.zeros(members.shape, np.uint8)
        for nearest in neighbors.T:
            found += members[nearest]
        found *= members
        total: Ints = found.sum(axis=0, dtype=np.int64)
        return total

    return statistic
