import numpy as np
import pytest

from scripts.dataset import distances


@pytest.mark.parametrize("size", [1, distances.SMALL, distances.SMALL + 1, 100_000])
@pytest.mark.parametrize(("low", "high"), [(0, 256), (0, 1), (255, 256)])
def test_squared_distances_are_exact(size: int, low: int, high: int) -> None:
    random = np.random.default_rng(0)
    ones = random.integers(low, high, (3, size)).astype(np.uint8)
    twos = np.concatenate([ones[:1], np.full_like(ones[:1], 255), np.zeros_like(ones[:1])])
    expected = [[int(((a.astype(int) - b) ** 2).sum()) for b in twos] for a in ones]

    assert distances.of_all(ones, twos).tolist() == expected
    left, right = np.indices((3, 3)).reshape(2, -1)
    found = distances.of_pairs(ones, twos, left, right)
    assert found.reshape(3, 3).tolist() == expected
