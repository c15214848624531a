"""Three splits, all samples, and the test set of the source's own."""

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from scripts.dataset.order import order
from scripts.dataset.selection import Selection, select
from scripts.inputs.config import SPLITS, TEST, TRAIN, VALIDATION
from scripts.inputs.config_values import ALL
from scripts.inputs.problems import InputError
from scripts.sources.resized import Resized
from scripts.sources.source import Source
from scripts.sources.table import Table
from tests.dataset.pools import CLASSES, Rows, of_sizes, pool, pools, with_own_test
from tests.dataset.test_selection import ANY_CLASS, asking, available, folders, moved, sides

Wish = dict[str, Any]
WIDE = of_sizes(a=50, b=50, c=50, d=50)


def by_size(train: int, validation: int, test: int) -> Wish:
    samples = train + validation + test
    return {"samples": samples, "test_size": test, "validation_size": validation}


def problems_of(source: Source, **changes: Any) -> list[str]:
    with pytest.raises(InputError) as caught:
        select(asking(**changes), source)
    return [problem.message for problem in caught.value.problems]


# Validation


@given(pools(), st.sampled_from(ANY_CLASS), st.data())
def test_counts_of_three_splits_are_exact_up_to_the_last_usable_image(
    rows: Rows, desired: object, data: st.DataObject
) -> None:
    wish: Wish = {"samples": {}, "test_size": {}, "validation_size": {}}
    expected: dict[str, dict[str, int]] = {split: {} for split in SPLITS}
    for folder, most in available(rows, desired).items():
        assume(most >= 3)
        count = data.draw(st.integers(3, most) | st.just(most))
        test = data.draw(st.integers(1, count - 2))
        validation = data.draw(st.integers(1, count - test - 1))
        sizes = (count - test - validation, validation, test)
        for split, size in zip(SPLITS, sizes, strict=True):
            expected[split][folder] = size
        for key, size in by_size(*sizes).items():
            wish[key][folder] = size

    found = select(asking(class_=desired, **wish), pool(rows))

    assert found.counts() == expected
    drawings = [rows[row][1] for row in found.places()]
    assert len(set(drawings)) == len(drawings)
    for row, (_, folder) in found.places().items():
        assert rows[row][0] in folders(desired)[folder]


@pytest.mark.parametrize("desired", ANY_CLASS)
@given(st.data())
def test_three_splits_grow_without_moving_a_sample_while_each_has_room(
    desired: object, data: st.DataObject
) -> None:
    """Train and validation have four fifths of each line, test has the last one."""
    sizes = st.tuples(st.integers(1, 29), st.integers(1, 11), st.integers(1, 10))
    one, other = (
        select(asking(class_=desired, **by_size(*data.draw(sizes))), WIDE) for _ in range(2)
    )

    assert not moved(one, other)
    for place, rows in one.rows.items():
        less, more = sorted([rows, other.rows[place]], key=len)
        assert more[: len(less)] == less


def test_validation_is_taken_below_four_fifths_and_then_above() -> None:
    line = [image.row for image in order(WIDE, 0)["a"]]

    def taken(*sizes: int) -> list[int]:
        found = select(asking(class_=["a"], **by_size(*sizes)), WIDE)
        return found.rows[VALIDATION, "a"]

    assert taken(5, 3, 5) == line[39:36:-1]
    assert taken(5, 40, 5) == line[39::-1]
    assert taken(2, 43, 5) == [*line[39::-1], *line[40:43]]


def test_a_validation_set_is_added_without_moving_a_sample() -> None:
    two, three = (
        select(asking(class_="a", samples=samples, test_size=5, **more), WIDE)
        for samples, more in ((25, {}), (30, {"validation_size": 5}))
    )

    assert VALIDATION not in two.counts()
    assert two.files().items() <= three.files().items()


@given(
    st.sampled_from([(0.1, 0.1), (0.2, 0.1), (0.15, 0.3), (0.07, 0.03)]),
    st.integers(34, 50),
    st.integers(34, 50),
)
def test_rounding_of_fractions_never_moves_a_sample(
    fractions: tuple[float, float], one: int, other: int
) -> None:
    test, validation = fractions
    wish = {"class_": ["a"], "test_size": test, "validation_size": validation}
    # Up to 80 % of the line, validation does not reach train.
    less, more = (
        select(asking(samples=int(samples * 0.8), **wish), WIDE) for samples in sorted((one, other))
    )

    assert less.files().items() <= more.files().items()


@given(st.sampled_from(ANY_CLASS), st.data())
def test_three_splits_shrink_and_grow_again_to_the_same(
    desired: object, data: st.DataObject
) -> None:
    sizes = st.tuples(st.integers(1, 20), st.integers(1, 20), st.integers(1, 10))
    one, other = (asking(class_=desired, **by_size(*data.draw(sizes))) for _ in range(2))

    first, _, again = (select(config, WIDE) for config in (one, other, one))

    assert first == again


# All samples

SHARES = st.integers(1, 45).map(lambda percent: percent / 100)


@given(pools(), st.sampled_from(ANY_CLASS), st.data())
def test_from_any_counts_to_all_moves_only_what_it_must(
    rows: Rows, desired: object, data: st.DataObject
) -> None:
    """Of two splits: where train before and test after, or the reverse, exceed the line."""
    there = available(rows, desired)
    assume(min(there.values()) >= 2)
    counts = {name: data.draw(st.integers(2, most)) for name, most in there.items()}
    tests = {name: data.draw(st.integers(1, count - 1)) for name, count in counts.items()}
    share = data.draw(SHARES | st.integers(1, min(there.values()) - 1))
    source = pool(rows)
    before = select(asking(class_=desired, samples=counts, test_size=tests), source)
    try:
        after = select(asking(class_=desired, samples=ALL, test_size=share), source)
    except InputError as error:
        assume("would be for test" not in str(error))
        raise

    new = after.counts()
    forced = sum(
        max(0, counts[name] - tests[name] + new[TEST][name] - most)
        + max(0, tests[name] + new[TRAIN][name] - most)
        for name, most in there.items()
    )
    assert len(moved(before, after)) == forced


@given(st.sampled_from(ANY_CLASS), SHARES, SHARES, st.data())
def test_from_counts_to_all_in_three_splits_moves_nothing_that_fits(
    desired: object, test: float, validation: float, data: st.DataObject
) -> None:
    whole = asking(class_=desired, samples=ALL, test_size=test, validation_size=validation)
    after = select(whole, WIDE)
    sizes = {
        folder: [after.counts()[split][folder] for split in SPLITS] for folder in folders(desired)
    }
    # Validation as it will be; some of train and of test.
    wish: Wish = {"samples": {}, "test_size": {}, "validation_size": {}}
    for folder, (most, count, largest) in sizes.items():
        some = (data.draw(st.integers(1, most)), count, data.draw(st.integers(1, largest)))
        for key, size in by_size(*some).items():
            wish[key][folder] = size

    before = select(asking(class_=desired, **wish), WIDE)

    assert before.files().items() <= after.files().items()


@given(st.sampled_from(ANY_CLASS), st.integers(1, 20).map(lambda percent: percent / 100), SHARES)
def test_of_all_samples_each_image_is_where_its_own_place_says(
    desired: object, test: float, validation: float
) -> None:
    """With a fifth or less for test, which then is behind validation."""
    found = select(
        asking(class_=desired, samples=ALL, test_size=test, validation_size=validation), WIDE
    )

    placed = sides(found)
    for line in order(WIDE, 0).values():
        for image in line:
            if image.row not in placed:
                continue
            place, cuts = round(image.place, 9), (round(0.8 - validation, 9), round(1 - test, 9))
            is_validation = cuts[0] <= place < 0.8
            expected = TEST if place >= cuts[1] else VALIDATION if is_validation else TRAIN
            assert placed[image.row] == expected


def test_counts_of_all_samples_are_exact_beside_a_fraction() -> None:
    for test, validation in [(7, 0.2), (0.2, 7), (7, 7)]:
        wish = {"test_size": test, "validation_size": validation}
        counts = select(asking(class_=["a"], samples=ALL, **wish), WIDE).counts()

        for split, size in ((TEST, test), (VALIDATION, validation)):
            assert counts[split]["a"] == (size if size == 7 else 10)
        assert sum(by["a"] for by in counts.values()) == 50


def test_a_class_without_usable_images_is_named() -> None:
    source = pool([("a", 1), ("b", 1), ("a", 2), ("a", 3)])
    wish = {"class_": ["a", "b"], "test_size": 1}

    assert problems_of(source, samples=ALL, **wish) == ["samples: pool has no images for folder b"]
    assert problems_of(source, samples=2, **wish) == [
        "samples: folder b needs 2 images, but pool has only 0 for it"
    ]


# The test set of the source's own

OWN = with_own_test([(CLASSES[row % 4], row) for row in range(200)], range(150, 200))


def of_own(**changes: Any) -> Selection:
    return select(asking(**{"class_": "a", "split_by": "source", **changes}), OWN)


def own_sides(found: Selection) -> None:
    """Check that test images are from the own test set, and no others are."""
    assert OWN.tests is not None
    assert all((row in OWN.tests) == (split == TEST) for row, split in sides(found).items())


@given(
    st.sampled_from(["a", ["b", "c"], ALL]),
    st.tuples(st.integers(1, 20), st.integers(0, 8), st.integers(1, 12)),
)
def test_a_split_by_the_source_keeps_its_sets_and_gives_exact_counts(
    desired: object, sizes: tuple[int, int, int]
) -> None:
    wish = by_size(*sizes)
    if not sizes[1]:
        del wish["validation_size"]

    found = of_own(class_=desired, **wish)

    own_sides(found)
    for split, size in zip(SPLITS, sizes, strict=True):
        assert set(found.counts().get(split, {"": 0}).values()) == {size}


@given(st.lists(st.tuples(*[st.integers(1, 12)] * 3), min_size=2, max_size=2))
def test_a_split_by_the_source_grows_without_moving_a_sample(
    sizes: list[tuple[int, int, int]],
) -> None:
    # Together train and validation never want more than the train set has.
    one, other = (of_own(**by_size(*of)) for of in sizes)

    assert not moved(one, other)
    for place, rows in one.rows.items():
        less, more = sorted([rows, other.rows[place]], key=len)
        assert more[: len(less)] == less


@pytest.mark.parametrize("validation", [None, 5, 0.25])
def test_all_samples_by_the_source_are_its_two_sets(validation: float | None) -> None:
    found = of_own(samples=ALL, test_size=None, validation_size=validation)

    own_sides(found)
    assert sorted(found.places()) == [*range(200)]
    counts = found.counts()
    assert counts[TEST] == {
        "a": sum(row % 4 == 0 for row in OWN.tests or ()),
        "noa": sum(row % 4 != 0 for row in OWN.tests or ()),
    }
    if validation == 5:
        assert counts[VALIDATION] == {"a": 5, "noa": 5}
    if validation == 0.25:
        # A fraction is of the train set, by place.
        of_train_set = counts[TRAIN]["noa"] + counts[VALIDATION]["noa"]
        assert 0.2 < counts[VALIDATION]["noa"] / of_train_set < 0.3


def test_validation_takes_from_the_back_of_the_own_train_set() -> None:
    line = [image.row for image in order(OWN, 0)["a"]]
    train = [row for row in line if row not in (OWN.tests or ())]
    test = [row for row in line if row in (OWN.tests or ())]

    found = of_own(class_=["a"], **by_size(4, 3, 2))

    assert found.rows[TRAIN, "a"] == train[:4]
    assert found.rows[VALIDATION, "a"] == train[:-4:-1]
    assert found.rows[TEST, "a"] == test[:-3:-1]


def test_all_samples_by_the_source_and_a_count_for_test() -> None:
    whole = of_own(samples=ALL, test_size=None)
    found = of_own(samples=ALL, test_size=9)

    own_sides(found)
    assert found.counts()[TEST] == {"a": 9, "noa": 9}
    assert found.counts()[TRAIN] == whole.counts()[TRAIN]
    assert found.files().items() <= whole.files().items()


def test_of_all_samples_by_the_source_an_image_that_leaves_moves_no_other() -> None:
    before = of_own(samples=ALL, test_size=None, validation_size=0.25)
    gone = min(row for row, split in sides(before).items() if split == VALIDATION)
    rows = [(CLASSES[row % 4], row) for row in range(200)]
    other = CLASSES[(gone + 1) % 4]
    again = with_own_test([*rows, (other, gone)], OWN.tests or ())

    after = select(
        asking(class_="a", split_by="source", samples=ALL, test_size=None, validation_size=0.25),
        again,
    )

    assert sides(after) == {row: split for row, split in sides(before).items() if row != gone}


def test_a_copy_in_both_sets_of_the_source_is_where_its_first_row_is() -> None:
    rows = [("a", 1), ("a", 2), ("a", 3), ("a", 1), ("a", 4)]
    source = with_own_test(rows, {3, 4})

    found = select(asking(class_=["a"], split_by="source", samples=ALL, test_size=None), source)

    assert sides(found) == {0: TRAIN, 1: TRAIN, 2: TRAIN, 4: TEST}


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        (
            {"samples": ALL, "test_size": 0.2},
            "test_size: with split_by: source and samples: all it must be a count; leave it out to"
            " take the whole test set of the source",
        ),
        (
            {"samples": 60, "test_size": 40},
            "test_size: folder a needs 40 images, but the test set of pool has only {test} for it",
        ),
        (
            {"samples": ALL, "test_size": 40},
            "test_size: folder a needs 40 images, but the test set of pool has only {test} for it",
        ),
        (
            {"samples": 45, "test_size": 2},
            "samples: folder a needs 43 images, but the train set of pool has only {train} for it",
        ),
        (
            {"samples": 45, "test_size": 2, "validation_size": 20},
            "samples: folder a needs 43 images, but the train set of pool has only {train} for it",
        ),
        (
            {"samples": ALL, "test_size": None, "validation_size": 40},
            "validation_size: all 50 samples of folder a would be for test or validation and none"
            " for train; it must be smaller than samples",
        ),
    ],
)
def test_what_the_own_sets_cannot_give_is_named(changes: Wish, problem: str) -> None:
    own = OWN.tests or frozenset()
    counts = {
        "test": sum(row % 4 == 0 for row in own),
        "train": sum(row % 4 == 0 and row not in own for row in range(200)),
    }

    assert problems_of(OWN, class_=["a"], split_by="source", **changes) == [
        problem.format(**counts)
    ]


def test_a_source_without_sets_of_its_own_is_named() -> None:
    assert problems_of(WIDE, split_by="source") == [
        "split_by: pool has no known train and test sets"
    ]


@pytest.mark.parametrize(("tests", "part"), [({0, 1}, "train"), ({2, 3}, "test")])
def test_a_class_that_is_in_one_of_the_sets_only_is_named(tests: set[int], part: str) -> None:
    source = with_own_test([("a", 1), ("a", 2), ("b", 3), ("b", 4)], tests)

    for wish in ({"samples": ALL, "test_size": None}, {"samples": 2, "test_size": 1}):
        assert problems_of(source, class_=["a"], split_by="source", **wish) == [
            f"split_by: the {part} set of pool has no images for folder a"
        ]


# Resized images


def drawings(count: int) -> Table:
    chance = np.random.default_rng(0)
    pixels = chance.integers(0, 256, (count, 8, 8), dtype=np.uint8)
    return Table("drawings", pixels, np.array([CLASSES[row % 4] for row in range(count)]))


@pytest.mark.parametrize("desired", ANY_CLASS)
def test_another_image_size_leaves_every_image_in_its_split(desired: object) -> None:
    source = drawings(160)
    for wish in (by_size(10, 4, 3), {"samples": ALL, "test_size": 0.2}):
        before = select(asking(class_=desired, **wish), source)

        for size in ((4, 4), (16, 9)):
            assert select(asking(class_=desired, **wish), Resized(source, size)) == before


def test_copies_that_arise_by_resizing_are_one_image_and_move_no_other() -> None:
    source = drawings(160)
    # Every second image of a differs from row 0 by one gray level in one pixel.
    copies = range(8, 160, 8)
    for row in (0, *copies):
        source.pixels[row] = 7
        source.pixels[row].flat[row // 8] = 8
    small = Resized(source, (2, 2))
    assert len({small.image(row).tobytes() for row in (0, *copies)}) == 1

    for test in (0.1, 0.2, 0.3, 0.4, 0.5):
        wish = asking(class_=["a"], samples=ALL, test_size=test)
        before, after = (select(wish, one) for one in (source, small))

        kept = {row: split for row, split in sides(before).items() if row not in copies}
        assert sides(after) == kept
        assert len(kept) == 21


def test_an_image_that_gets_a_second_label_by_resizing_is_left_out() -> None:
    source = drawings(160)
    source.pixels[0], source.pixels[1] = 7, 7
    source.pixels[1, 0, 0] += 1
    wish = asking(class_=["a", "b"], samples=ALL, test_size=0.2)

    before, after = (select(wish, one) for one in (source, Resized(source, (2, 2))))

    assert sides(after) == {row: split for row, split in sides(before).items() if row > 1}
