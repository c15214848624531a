from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.dataset import averages
from scripts.dataset.averages import NONE, SIZE
from scripts.dataset.distances import Levels
from scripts.sources.source import Held


def by_hand(queries: Levels, others: Levels, query: int, own: int, count: int) -> list[int]:
    """Return the nearest places by exact arithmetic, of equal ones the first."""
    squares = ((queries[query].astype(int) - others.astype(int)) ** 2).sum(axis=1)
    return sorted((at for at in range(len(others)) if at != own), key=squares.__getitem__)[:count]


@given(st.integers(0, 2**32 - 1), st.integers(1, 12), st.sampled_from([1, 2, 256]), st.booleans())
def test_the_nearest_are_exact_and_of_equal_ones_the_first(
    seed: int, count: int, levels: int, are_extreme: bool
) -> None:
    chance = np.random.default_rng(seed)
    others = chance.integers(0, levels, (30, SIZE)).astype(np.uint8)
    if are_extreme:
        # The largest distance that there can be, and equal ones.
        others[::3], others[1::3] = 0, 255
    own = chance.permutation(30)[:8]
    queries = others[own]
    own[::2] = NONE

    with patch.multiple(averages, BLOCK=100, SAMPLE=9):
        found = averages.nearest(queries, others, count, own)

    for query, place in enumerate(own.tolist()):
        expected = by_hand(queries, others, query, place, count)
        assert found.places[query].tolist() == expected
        squares = ((queries[query].astype(int) - others[expected].astype(int)) ** 2).sum(axis=1)
        assert found.squares[query].tolist() == squares.tolist()


def test_too_few_others_leave_places_empty() -> None:
    levels = np.zeros((2, SIZE), np.uint8)

    assert averages.nearest(levels, levels, 3, np.array([0, 1])).places.tolist() == [
        [1, NONE, NONE],
        [0, NONE, NONE],
    ]
    nothing = averages.nearest(levels, levels[:0], 2, np.array([NONE, NONE]))
    assert nothing.places.tolist() == [[NONE, NONE]] * 2


@pytest.mark.parametrize("shape", [(28, 28), (32, 32), (100, 60, 3), (8, 8)])
def test_averages_are_those_of_the_parts_of_an_image(shape: tuple[int, ...]) -> None:
    chance = np.random.default_rng(0)
    images = {row: chance.integers(0, 256, shape).astype(np.uint8) for row in range(3)}

    found = averages.averages_of(Held(images), [0, 2])

    for row, made in zip((0, 2), found, strict=True):
        gray = images[row].reshape(*shape[:2], -1).mean(axis=2)
        # Each pixel is divided into parts, so that every part has the same number of them.
        fine = np.kron(gray, np.ones((16, 16)))
        parts = fine.reshape(16, shape[0], 16, shape[1]).mean(axis=(1, 3))
        assert np.abs(made - parts.ravel()).max() <= 1
