"""Near-duplicates, compared with a plain computation over all pairs."""

import time
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scripts.build import near
from scripts.build.near import LIMIT, Near, Pair
from scripts.inputs.additions import Addition
from scripts.sources import registry
from scripts.sources.extended import Extended
from scripts.sources.source import SourceRequest
from scripts.sources.table import Table


def images(pixels: npt.NDArray[np.uint8], *additions: Addition) -> Extended:
    return Extended(Table("made", pixels, np.array(["a"] * len(pixels))), additions)


def plainly(
    pixels: npt.NDArray[np.uint8], train: Sequence[int], others: Sequence[int], new: set[int]
) -> list[Pair]:
    """Return all near-duplicates, pair by pair."""
    flat = pixels.reshape(len(pixels), -1).astype(float)
    pairs = [
        Pair(float(np.sqrt(((flat[one] - flat[other]) ** 2).mean())), one, other)
        for one in train
        for other in others
        if one in new or other in new
    ]
    return sorted(pair for pair in pairs if pair.distance < LIMIT)


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_the_near_duplicates_are_those_of_a_plain_comparison(data: st.DataObject) -> None:
    random = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    shape = data.draw(st.sampled_from([(3, 3), (5, 4), (4, 4, 3)]))
    count = data.draw(st.integers(2, 40))
    # Around few drawings, so that many pairs are near the limit.
    drawings = random.integers(0, 250, (3, *shape))
    noise = random.integers(-8, 9, (count, *shape))
    chosen = drawings[random.integers(0, 3, count)]
    pixels = np.clip(chosen + noise, 0, 255).astype(np.uint8)
    middle = data.draw(st.integers(1, count - 1))
    train, others = range(middle), range(middle, count)
    new = data.draw(st.sets(st.integers(0, count - 1)))
    with pytest.MonkeyPatch.context() as patch:
        # Blocks of any size give the same.
        patch.setattr(near, "OUTER", data.draw(st.sampled_from([1, 7, 4096])))
        patch.setattr(near, "INNER", data.draw(st.sampled_from([1, 5, 1024])))
        patch.setattr(near, "MAX_VALUES", data.draw(st.sampled_from([1, 100, 2**22])))
        # And so do few sums and many, and comparing all values at once.
        patch.setattr(near, "SKETCH", data.draw(st.sampled_from([1, 2, 7, 64])))
        patch.setattr(near, "MAX_CANDIDATES", data.draw(st.sampled_from([0, 0.1, 1])))

        found = near.find(images(pixels), train, others, new)

    expected = plainly(pixels, train, others, new)
    assert found.count == len(expected)
    assert list(found.pairs) == expected[: near.MAX_PAIRS]


def test_images_with_equal_sums_are_compared_by_all_values() -> None:
    # As many candidates as pairs: without a second look each would be compared by itself.
    random = np.random.default_rng(0)
    pixels = np.full((2_000, 16, 16), 100, np.uint8)
    for row in pixels.reshape(2_000, 64, 4):
        row[np.arange(64), random.integers(0, 4, 64)] = 200
    start = time.process_time()

    assert near.find(images(pixels), range(1_000), range(1_000, 2_000), {*range(2_000)}) == Near()

    assert time.process_time() - start < 5


def test_the_limit_itself_is_not_near() -> None:
    gray = np.full((4, 2, 2), 100, np.uint8)
    gray[1] += int(LIMIT)
    gray[2] += int(LIMIT) - 1
    gray[3, 0, 0] += 9  # 4.5 over all four values

    assert near.find(images(gray), [0], [1, 2, 3], {0}) == Near(
        (Pair(LIMIT - 1, 0, 2), Pair(4.5, 0, 3)), 2
    )


def test_only_what_is_new_is_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []

    class Watched(Extended):
        def image(self, row: int) -> npt.NDArray[np.uint8]:
            seen.append(row)
            return super().image(row)

    same = np.zeros((9, 2, 2), np.uint8)
    watched = Watched(images(same).source, ())

    assert near.find(watched, range(5), range(5, 9), set()) == Near()
    assert seen == []
    # A new image of test is compared with train, not with the rest of test; and so on.
    assert near.find(watched, range(5), range(5, 9), {6}).count == 5
    assert near.find(watched, range(5), range(5, 9), {1}).count == 4
    assert near.find(watched, range(5), range(5, 9), {1, 6}).count == 4 + 5 - 1


def test_each_image_is_read_once_where_none_are_near() -> None:
    random = np.random.default_rng(0)
    seen: list[int] = []

    class Watched(Extended):
        def image(self, row: int) -> npt.NDArray[np.uint8]:
            seen.append(row)
            return super().image(row)

    watched = Watched(images(random.integers(0, 256, (9_000, 4, 4)).astype(np.uint8)).source, ())

    assert near.find(watched, range(4_000), range(4_000, 9_000), {*range(9_000)}).searched
    assert sorted(seen[1:]) == [*range(9_000)]


def test_images_of_different_shapes_are_not_compared() -> None:
    wide = Addition("additions/test/a/x.png", "test", "a", np.zeros((1, 4), np.uint8), b"")
    same = Addition("additions/test/a/y.png", "test", "a", np.zeros((2, 2), np.uint8), b"")
    mixed = images(np.zeros((2, 2, 2), np.uint8), wide, same)

    found = near.find(mixed, [0, 1], [2, 3], {2, 3})

    assert [(pair.train, pair.other) for pair in found.pairs] == [(0, 3), (1, 3)]


def test_above_a_bound_nobody_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    same = images(np.zeros((6, 2, 2), np.uint8))
    monkeypatch.setattr(near, "MAX_OPERATIONS", 3 * 3 * 4)
    assert near.find(same, [0, 1, 2], [3, 4, 5], {0, 1, 2}).count == 9
    monkeypatch.setattr(near, "MAX_OPERATIONS", 3 * 3 * 4 - 1)
    assert near.find(same, [0, 1, 2], [3, 4, 5], {0, 1, 2}) == Near(searched=False)
    # The cost is that of what is new.
    assert near.find(same, [0, 1, 2], [3, 4, 5], {0, 1}).count == 6


def test_the_number_of_pairs_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(near, "MAX_FOUND", 100)
    found = near.find(
        images(np.zeros((60, 2, 2), np.uint8)), range(30), range(30, 60), {*range(60)}
    )

    assert (found.count, len(found.pairs)) == (100, near.MAX_PAIRS)


@pytest.mark.usefixtures("mnist")
def test_all_of_mnist_is_compared_within_seconds_and_has_none() -> None:
    source = registry.load(SourceRequest("mnist_784"))
    everything, start = Extended(source, ()), time.process_time()

    found = near.find(everything, range(60_000), range(60_000, 70_000), {*range(70_000)})

    assert found == Near()
    # 5 s of one core.
    assert time.process_time() - start < 20
