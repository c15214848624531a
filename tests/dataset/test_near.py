"""Near-duplicates, compared with a plain computation over all pairs."""

import hashlib
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scripts.dataset import distances, near, pairs
from scripts.dataset import thumbnails as kept
from scripts.dataset.near import LIMIT, NearPairs, Pair
from scripts.inputs.additions import Addition
from scripts.sources import thumbnails
from scripts.sources.extended import Extended
from scripts.sources.table import Table


def images(pixels: npt.NDArray[np.uint8], *additions: Addition) -> Extended:
    return Extended(Table("made", pixels, np.array(["a"] * len(pixels))), additions)


@dataclass(frozen=True, eq=False)
class Watched(Table):
    """A source that notes which rows are read."""

    read: list[int] = field(default_factory=list)

    def image(self, row: int) -> npt.NDArray[np.uint8]:
        self.read.append(row)
        return super().image(row)


def watch(pixels: npt.NDArray[np.uint8]) -> tuple[Extended, list[int]]:
    """Return images, and a list of the rows that are read of them."""
    source = Watched("made", pixels, np.array(["a"] * len(pixels)))
    return Extended(source, ()), source.read


def mixed(made: Sequence[npt.NDArray[np.uint8]]) -> Extended:
    """Return images of any shapes, all but the first one as additions."""
    additions = [
        Addition(
            *(f"additions/test/a/{n}.png", "test", "a", one),
            hashlib.sha256(one.tobytes()).digest(),
            b"",
            ".png",
        )
        for n, one in enumerate(made)
    ]
    return Extended(images(made[0][np.newaxis]).source, additions[1:])


def plainly(
    shown: Extended, train: Sequence[int], others: Sequence[int], new: set[int]
) -> list[Pair]:
    """Return all near-duplicates, pair by pair: by pixels, or by thumbnails if shapes differ."""
    pairs = []
    for one, other in itertools.product(train, others):
        left, right = shown.image(one), shown.image(other)
        if left.shape != right.shape:
            left, right = (thumbnails.thumbnails_of(image[np.newaxis]) for image in (left, right))
        square = ((left.astype(int) - right) ** 2).mean()
        if (one in new or other in new) and square < LIMIT**2:
            pairs.append(Pair(float(np.sqrt(square)), one, other))
    return sorted(pairs)


@st.composite
def drawings(draw: st.DrawFn) -> list[npt.NDArray[np.uint8]]:
    """Return images of one or more shapes around few drawings, many of them near the limit."""
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    shapes = draw(
        st.lists(
            st.sampled_from([(1, 1), (3, 3), (5, 4), (33, 40), (32, 32), (4, 4, 3), (40, 37, 3)]),
            min_size=1,
            max_size=3,
        )
    )
    noise, shift = draw(st.sampled_from([(8, 0), (9, 1), (1, 5), (0, 6), (14, 2)]))
    made = []
    for number in range(draw(st.integers(2, 40))):
        shape = shapes[random.integers(len(shapes))]
        # Equal parts of another size, so that images of different shapes are alike too.
        drawing = np.random.default_rng(number % 3).integers(0, 250, (1, 1, 3))
        image = np.broadcast_to(drawing[..., : (*shape, 1)[2]], (*shape[:2], (*shape, 1)[2]))
        image = image + random.integers(-noise, noise + 1, image.shape)
        image = image + random.integers(-shift, shift + 1)
        made.append(np.clip(image, 0, 255).astype(np.uint8).reshape(shape))
    return made


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_the_near_duplicates_are_those_of_a_plain_comparison(data: st.DataObject) -> None:
    made = data.draw(drawings())
    middle = data.draw(st.integers(1, len(made) - 1))
    train, others = range(middle), range(middle, len(made))
    new = data.draw(st.sets(st.integers(0, len(made) - 1)))
    shown = mixed(made)
    with pytest.MonkeyPatch.context() as patch:
        # Blocks of any size give the same, and so do both ways to compare thumbnails.
        patch.setattr(near, "OUTER", data.draw(st.sampled_from([1, 7, 4096])))
        patch.setattr(distances, "PAIRS", data.draw(st.sampled_from([1, 2048])))
        patch.setattr(near, "MANY", data.draw(st.sampled_from([-1, 0.1, 1])))
        patch.setattr(kept, "TOGETHER", data.draw(st.sampled_from([1, 5, 1024])))
        patch.setattr(kept, "MAX_VALUES", data.draw(st.sampled_from([1, 100, 2**22])))
        patch.setattr(pairs, "MAX_HELD", data.draw(st.sampled_from([1, 3_000, 2**27])))
        patch.setattr(pairs, "STEP", data.draw(st.sampled_from([1, 10, 2**16])))

        found = near.find(shown, train, others, new)

    expected = plainly(shown, train, others, new)
    assert (found.count, found.searched) == (len(expected), True)
    assert list(found.pairs) == expected[: near.MAX_PAIRS]


@given(st.data())
def test_thumbnails_are_never_farther_apart_than_images_but_for_rounding(
    data: st.DataObject,
) -> None:
    random = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    sides = st.integers(1, 80)
    shape = (data.draw(sides), data.draw(sides), *data.draw(st.sampled_from([(), (3,)])))
    one = random.integers(0, 256, shape)
    shift = data.draw(st.integers(-20, 20)) + random.integers(0, data.draw(sides), shape)
    both = np.stack([one, np.clip(one + shift, 0, 255)]).astype(np.uint8)

    left, right = thumbnails.thumbnails_of(both).astype(int)

    of_images = np.sqrt(((both[0].astype(int) - both[1]) ** 2).mean())
    assert np.sqrt(((left - right) ** 2).mean()) <= of_images + thumbnails.ROUNDED
    # Each level is the average of its part, in exact fractions.
    row, column = data.draw(st.tuples(*[st.integers(0, thumbnails.SIDE - 1)] * 2))
    assert left.reshape(thumbnails.SIDE, -1)[row, column] == average(both[0], row, column)


def average(image: npt.NDArray[np.uint8], row: int, column: int) -> int:
    """Return a level of a thumbnail, by the definition."""

    def shares(part: int, length: int) -> dict[int, Fraction]:
        start, stop = (Fraction(edge * length, thumbnails.SIDE) for edge in (part, part + 1))
        covered = range(int(start), math.ceil(stop))
        return {n: min(stop, Fraction(n + 1)) - max(start, Fraction(n)) for n in covered}

    rows, columns = shares(row, image.shape[0]), shares(column, image.shape[1])
    total = sum(
        (a * b * Fraction(int(image[y, x].sum()), image[y, x].size))
        for y, a in rows.items()
        for x, b in columns.items()
    )
    area = sum(rows.values()) * sum(columns.values())
    return math.floor(total / area + Fraction(1, 2))


def test_images_with_equal_averages_are_compared_by_all_levels(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # As many candidates as pairs: each would be compared by itself.
    random = np.random.default_rng(0)
    squares = np.full((2_000, 8, 8, 4), 100, np.uint8)
    np.put_along_axis(squares, random.integers(0, 4, (2_000, 8, 8, 1)), 200, axis=3)
    pixels = squares.reshape(2_000, 8, 8, 2, 2).transpose(0, 1, 3, 2, 4).reshape(2_000, 16, 16)
    monkeypatch.delattr(distances, "of_pairs")

    assert (
        near.find(images(pixels), range(1_000), range(1_000, 2_000), {*range(2_000)}) == NearPairs()
    )


def test_the_limit_itself_is_not_near() -> None:
    gray = np.full((4, 2, 2), 100, np.uint8)
    gray[1] += int(LIMIT)
    gray[2] += int(LIMIT) - 1
    gray[3, 0, 0] += 9  # 4.5 over all four values

    assert near.find(images(gray), [0], [1, 2, 3], {0}) == NearPairs(
        (Pair(LIMIT - 1, 0, 2), Pair(4.5, 0, 3)), 2
    )


def test_only_what_is_new_is_compared() -> None:
    watched, read = watch(np.zeros((9, 2, 2), np.uint8))

    assert near.find(watched, range(5), range(5, 9), set()) == NearPairs()
    assert read == []
    # A new image of test is compared with train, not with the rest of test; and so on.
    assert near.find(watched, range(5), range(5, 9), {6}).count == 5
    assert near.find(watched, range(5), range(5, 9), {1}).count == 4
    assert near.find(watched, range(5), range(5, 9), {1, 6}).count == 4 + 5 - 1


def test_each_image_is_read_once_where_none_are_near() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (9_000, 4, 4)).astype(np.uint8)
    shown, read = watch(pixels)

    assert near.find(shown, range(4_000), range(4_000, 9_000), {*range(9_000)}).searched
    assert sorted(read) == [*range(9_000)]


def test_photos_are_read_once_and_later_only_those_that_look_alike(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    # Reads in other processes would not be noted.
    monkeypatch.setattr(kept, "LEAST", 1_000)
    random = np.random.default_rng(0)
    blocks = random.integers(0, 200, (300, 8, 8, 3)).repeat(8, axis=1).repeat(8, axis=2)
    photos = (blocks + random.integers(0, 30, (300, 64, 64, 3))).astype(np.uint8)
    photos[250] = photos[3] ^ 1
    # The averages are near, the pixels are not.
    photos[251] = blocks[7] + random.integers(0, 30, (64, 64, 3))
    every, expected = {*range(300)}, NearPairs((Pair(1.0, 3, 250),), 1)

    shown, read = watch(photos)
    assert near.find(shown, range(240), range(240, 300), every) == expected
    assert sorted(read) == sorted([*every, 3, 7, 250, 251])
    shown, read = watch(photos)
    assert near.find(shown, range(240), range(240, 300), every) == expected
    assert sorted(read) == [3, 7, 250, 251]
    # Only what is new to the local copy is read; what is damaged there is made again.
    shown, read = watch(photos)
    [file] = (tmp_path / "dataset-sources" / "thumbnails").iterdir()
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    assert near.find(shown, range(10), [250], every) == expected
    assert sorted(read) == sorted([*range(10), 250, 3, 250])
    shown, read = watch(photos)
    assert near.find(shown, range(12), [250], every) == expected
    assert sorted(read) == [3, 10, 11, 250]


def test_images_of_different_sizes_are_compared_by_their_thumbnails() -> None:
    small = np.random.default_rng(0).integers(0, 256, (32, 32)).astype(np.uint8)
    large = small.repeat(3, axis=0).repeat(2, axis=1)
    color = np.stack([large] * 3, axis=2)
    shown = mixed([small, large + np.uint8(large < 250) * np.uint8(4), color, 255 - large])

    found = near.find(shown, [0], [1, 2, 3], {0})

    assert [(pair.train, pair.other) for pair in found.pairs] == [(0, 2), (0, 1)]
    assert found.pairs[0].distance == 0


def test_above_a_bound_nobody_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    same = images(np.zeros((6, 2, 2), np.uint8))
    monkeypatch.setattr(near, "MAX_OPERATIONS", 3 * 3 * thumbnails.SIZE)
    assert near.find(same, [0, 1, 2], [3, 4, 5], {0, 1, 2}).count == 9
    monkeypatch.setattr(near, "MAX_OPERATIONS", 3 * 3 * thumbnails.SIZE - 1)
    assert near.find(same, [0, 1, 2], [3, 4, 5], {0, 1, 2}) == NearPairs(searched=False)
    # The cost is that of what is new.
    assert near.find(same, [0, 1, 2], [3, 4, 5], {0, 1}).count == 6


def test_the_number_of_pairs_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(near, "MAX_FOUND", 100)
    same = images(np.zeros((60, 2, 2), np.uint8))

    found = near.find(same, range(30), range(30, 60), {*range(60)})

    assert (found.count, len(found.pairs)) == (100, near.MAX_PAIRS)


@pytest.mark.parametrize(
    ("bound", "value", "count", "reads"),
    [
        # Of 100 pairs the first 40 are compared, then 30, then those of 7 images read in all.
        ("near.MAX_CANDIDATES", 40, 40, 20 + 14),
        ("pairs.MAX_COMPARED", 30 * 64, 30, 20 + 13),
        ("pairs.MAX_READ", 7 * 64, 6, 20 + 7),
    ],
)
def test_thousands_of_images_that_look_alike_are_compared_within_bounds(
    monkeypatch: pytest.MonkeyPatch, bound: str, value: int, count: int, reads: int
) -> None:
    monkeypatch.setattr(f"scripts.dataset.{bound}", value)
    same, read = watch(np.zeros((20, 8, 8), np.uint8))

    found = near.find(same, range(10), range(10, 20), {*range(20)})

    assert (found.count, found.searched) == (count, False)
    assert len(found.pairs) == min(count, near.MAX_PAIRS)
    # Once for the thumbnails, which are larger; then for the pixels.
    assert len(read) == reads


def test_only_some_pixels_are_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pairs, "MAX_HELD", 3 * 64)
    same, read = watch(np.zeros((18, 8, 8), np.uint8))

    found = near.find(same, range(10), range(10, 18), {*range(18)})

    assert (found.count, found.searched) == (80, True)
    # Eight images of test, three at a time, and for each of these all of train.
    assert len(read) == 18 + 8 + 3 * 10
