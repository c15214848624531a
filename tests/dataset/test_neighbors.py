import tracemalloc
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scripts.dataset import neighbors
from scripts.dataset.neighbors import nearest

Images = npt.NDArray[np.uint8]


def by_hand(images: Images, query: int, candidates: Sequence[int], count: int) -> list[int]:
    """Return the nearest rows by exact arithmetic, of equal ones the first in the list."""
    values = images.reshape(len(images), -1).astype(int)

    def distance(row: int) -> int:
        return int(((values[query] - values[row]) ** 2).sum())

    return sorted((row for row in candidates if row != query), key=distance)[:count]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 12), st.sampled_from([1, 255]), st.booleans())
def test_neighbors_are_exact_and_of_equal_ones_the_first(
    seed: int, count: int, levels: int, color: bool
) -> None:
    chance = np.random.default_rng(seed)
    shape = (40, 3, 2, 3) if color else (40, 3, 3)
    # With two levels many distances are equal.
    images = chance.integers(0, levels, shape, np.uint8, endpoint=True)
    queries = chance.choice(40, 5, replace=False).tolist()
    candidates = chance.permutation(40)[:25].tolist()
    with pytest.MonkeyPatch.context() as patch:
        # Blocks of a few images each.
        patch.setattr(neighbors, "BLOCK_BYTES", 8 * images[0].size * 4)
        patch.setattr(neighbors, "QUERIES", 2)
        found = nearest(images.__getitem__, queries, candidates, count)

    assert [[one.row for one in rows] for rows in found] == [
        by_hand(images, query, candidates, count) for query in queries
    ]


def test_the_distance_is_the_root_mean_square_of_the_differences() -> None:
    images = np.array([[[0, 0], [0, 0]], [[6, 8], [0, 0]]], np.uint8)

    [[neighbor]] = nearest(images.__getitem__, [0], [0, 1], 5)

    assert neighbor == (1, 5.0)


def test_large_images_do_not_lose_small_differences() -> None:
    # In single precision these distances would be equal.
    images = np.full((3, 400, 400), 255, np.uint8)
    images[0] = 0
    images[1:, 0, 0] = 1, 0

    [found] = nearest(images.__getitem__, [0], [1, 2], 2)

    assert [one.row for one in found] == [2, 1]


@pytest.mark.parametrize(("queries", "candidates"), [([], [1]), ([0], []), ([0], [0])])
def test_where_there_is_nothing_to_compare_there_are_no_neighbors(
    queries: list[int], candidates: list[int]
) -> None:
    images = np.zeros((2, 2, 2), np.uint8)

    assert nearest(images.__getitem__, queries, candidates, 3) == [[] for _ in queries]


def test_many_large_images_are_not_all_in_memory_at_once() -> None:
    images = np.zeros((2, 512, 512), np.uint8)
    tracemalloc.start()
    try:
        found = nearest(lambda row: images[row % 2], range(150), [200, 201], 1)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert len(found) == 150
    # As numbers of 8 bytes, all of them together are 315 MB.
    assert peak < 5 * neighbors.BLOCK_BYTES
