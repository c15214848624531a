import random
from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn.model_selection import train_test_split

from scripts.dataset.order import order
from scripts.dataset.selection import Selection, select
from scripts.inputs import config_file
from scripts.inputs.config import TEST, TRAIN, Config
from scripts.inputs.config_values import ALL
from scripts.inputs.problems import InputError
from scripts.sources import registry
from scripts.sources.source import Source, SourceRequest
from tests.dataset.pools import CLASSES, Rows, of_sizes, pool, pools, usable
from tests.repository import config_text

Wish = dict[str, Any]
BOTH = (TRAIN, TEST)

SINGLE_CLASSES = ("all", ["a", "c"], ["d", "b", "a"])
ANY_CLASS = ("a", "b", "c", "d", *SINGLE_CLASSES)


DEFAULTS = {"source": "pool", "class": "a", "samples": 5, "test_size": 2}


def asking(**changes: object) -> Config:
    """Return a config; `class_` stands for `class`."""
    return Config.model_validate(
        DEFAULTS | {key.rstrip("_"): value for key, value in changes.items()}
    )


def folders(desired: object) -> dict[str, list[str]]:
    """Return the classes of each folder."""
    if desired == ALL:
        return {label: [label] for label in CLASSES}
    if isinstance(desired, list):
        return {label: [label] for label in desired}
    return {
        str(desired): [str(desired)],
        f"no{desired}": [label for label in CLASSES if label != desired],
    }


def available(rows: Rows, desired: object) -> dict[str, int]:
    """Return how many usable images there are for each folder."""
    of_class = usable(rows)
    return {
        folder: sum(of_class[label] for label in labels)
        for folder, labels in folders(desired).items()
    }


@st.composite
def wishes(
    draw: st.DrawFn, rows: Rows, classes: Sequence[object] = ANY_CLASS, *, spare: int = 0
) -> Wish:
    """Draw sizes that the source can fill, often to its last image; `spare` images are left."""
    desired = draw(st.sampled_from(classes))
    samples, test_size = {}, {}
    for folder, most in available(rows, desired).items():
        assume(most - spare >= 2)
        nearly_all = st.integers(max(2, most - spare - 2), most - spare)
        samples[folder] = draw(nearly_all | st.integers(2, most - spare))
        # A fraction is rounded up, and leaves one image for train.
        largest = 100 * (samples[folder] - 1) // samples[folder]
        sizes = st.integers(1, samples[folder] - 1)
        shares = st.integers(1, min(99, largest)).map(lambda percent: percent / 100)
        test_size[folder] = draw(sizes | shares)
    return {"class_": desired, "samples": samples, "test_size": test_size}


def counted(selection: Selection) -> Counter[tuple[str, str]]:
    return Counter(
        {
            (split, folder): count
            for split, by in selection.counts().items()
            for folder, count in by.items()
        }
    )


def sides(selection: Selection) -> dict[int, str]:
    """Return the split of each selected row."""
    return {row: split for row, (split, _) in selection.places().items()}


def moved(before: Selection, after: Selection) -> set[int]:
    old, new = sides(before), sides(after)
    return {row for row in old.keys() & new.keys() if old[row] != new[row]}


def images(selection: Selection, rows: Source, split: str) -> set[bytes]:
    return {rows.image(row).tobytes() for row, side in sides(selection).items() if side == split}


def overlap(before: Counter[Any], after: Counter[Any], size: int, key: object) -> int:
    """Return how many of `size` images must change the split."""
    return sum(
        max(0, before[one, key] + after[other, key] - size)
        for one, other in [(TRAIN, TEST), (TEST, TRAIN)]
    )


# Exact counts


@given(pools(), st.data())
def test_counts_are_exact_up_to_the_last_usable_image(rows: Rows, data: st.DataObject) -> None:
    wish = data.draw(wishes(rows))
    selection = select(asking(**wish), pool(rows))

    expected: dict[str, dict[str, int]] = {TRAIN: {}, TEST: {}}
    for folder, count in wish["samples"].items():
        size = wish["test_size"][folder]
        test = size if isinstance(size, int) else -(-round(size * 100) * count // 100)
        expected[TRAIN][folder], expected[TEST][folder] = count - test, test
    assert selection.counts() == expected
    files = selection.files()
    assert len(files) == sum(wish["samples"].values()) == len(set(files.values()))


@given(pools(), st.data())
def test_only_more_images_than_there_are_is_refused(rows: Rows, data: st.DataObject) -> None:
    wish = data.draw(wishes(rows))
    there = available(rows, wish["class_"])
    folder = data.draw(st.sampled_from(sorted(there)))
    more = {"samples": wish["samples"] | {folder: there[folder] + 1}}

    with pytest.raises(InputError) as caught:
        select(asking(**wish | more), pool(rows))

    assert [problem.message for problem in caught.value.problems] == [
        f"samples: folder {folder} needs {there[folder] + 1} images, but pool has only"
        f" {there[folder]} for it"
    ]


def test_a_small_class_never_stops_a_large_folder_from_growing() -> None:
    rows = of_sizes(a=1000, b=12, c=500, d=300)
    steps = [
        select(asking(samples=samples, test_size=test), rows)
        for samples, test in [(100, 10), (200, 20), (812, 400)]
    ]

    assert steps[1].counts() == {TRAIN: {"a": 180, "noa": 180}, TEST: {"a": 20, "noa": 20}}
    for before, after in pairwise(steps):
        assert before.files().items() <= after.files().items()


def test_the_last_image_of_a_class_is_available_and_one_more_is_an_error() -> None:
    digits = registry.load(SourceRequest("digits"))
    everything, too_many = (
        config_file.parse(config_text(class_=[3], samples=samples, test_size=40).encode())
        for samples in (183, 184)
    )
    assert select(everything, digits).counts() == {TRAIN: {"3": 143}, TEST: {"3": 40}}

    with pytest.raises(
        InputError,
        match=r"^dataset_config.yaml:3:10: samples: folder 3 needs 184 images, but digits has only"
        r" 183 for it$",
    ):
        select(too_many, digits)


def test_every_folder_that_cannot_be_filled_is_named() -> None:
    with pytest.raises(InputError) as caught:
        select(asking(class_="all", samples=9, test_size=1), of_sizes(a=8, b=9, c=7, d=9))

    assert [problem.message.split(",")[0] for problem in caught.value.problems] == [
        "samples: folder a needs 9 images",
        "samples: folder c needs 9 images",
    ]


def test_a_test_fraction_is_rounded_as_in_scikit_learn() -> None:
    compared = 0
    for count in (2, 3, 7, 10, 50, 99, 100, 101, 183, 1000, 6313):
        for percent in range(1, 100):
            share = percent / 100
            exact = Fraction(percent, 100) * count
            trouble = -(-exact.numerator // exact.denominator) != int(np.ceil(share * count))
            desired = asking(samples=count, test_size=share).sizes("a")
            if trouble or desired.train < 1:
                continue
            train, test = train_test_split(range(count), test_size=share, random_state=0)
            assert desired == (len(train), 0, len(test))
            compared += 1
    assert compared > 900


def test_seven_percent_of_a_hundred_are_seven() -> None:
    assert asking(samples=100, test_size=0.07).sizes("a") == (93, 0, 7)


# What a folder holds


@given(pools(), st.data())
def test_every_image_is_in_the_folder_of_its_class(rows: Rows, data: st.DataObject) -> None:
    wish = data.draw(wishes(rows))

    for name, row in select(asking(**wish), pool(rows)).files().items():
        split, folder, file = name.split("/")
        assert split in BOTH
        assert file == f"{row:05}.png"
        assert rows[row][0] in folders(wish["class_"])[folder]


@given(pools(), st.data())
def test_copies_are_one_image_on_one_side(rows: Rows, data: st.DataObject) -> None:
    selection = select(asking(**data.draw(wishes(rows))), pool(rows))

    drawings = [rows[row][1] for row in selection.files().values()]
    assert len(set(drawings)) == len(drawings)


def test_copies_are_on_one_side_where_the_two_ends_meet() -> None:
    # Every image three times: each line is used to its last image, for every cut.
    rows = [(label, 100 * i + drawing) for i, label in enumerate("ab") for drawing in range(6)] * 3
    source = pool(rows)

    for seed in range(8):
        for test in range(1, 6):
            selection = select(asking(samples=6, test_size=test, seed=seed), source)
            sides = [images(selection, source, split) for split in BOTH]
            assert not sides[0] & sides[1]
            assert [len(side) for side in sides] == [2 * (6 - test), 2 * test]


@given(pools(ambiguous=False), st.integers(0, 3), st.data())
def test_the_rest_has_each_class_in_proportion_to_the_source(
    rows: Rows, seed: int, data: st.DataObject
) -> None:
    wish = data.draw(wishes(rows, CLASSES))
    selection = select(asking(**wish, seed=seed), pool(rows))

    rest, of_class = f"no{wish['class_']}", usable(rows)
    total = available(rows, wish["class_"])[rest]
    for split in BOTH:
        chosen = selection.rows[split, rest]
        drawn = Counter(rows[row][0] for row in chosen)
        for label in folders(wish["class_"])[rest]:
            assert abs(drawn[label] - Fraction(len(chosen) * of_class[label], total)) <= 1


@given(pools(ambiguous=False), st.integers(0, 3), st.integers(0, 3), st.data())
def test_another_seed_has_as_many_of_each_class_but_for_equal_places(
    rows: Rows, seed: int, other: int, data: st.DataObject
) -> None:
    wish, source = data.draw(wishes(rows, CLASSES)), pool(rows)
    made = [select(asking(**wish, seed=one), source) for one in (seed, other)]

    rest = f"no{wish['class_']}"
    for split in BOTH:
        one, two = (Counter(rows[row][0] for row in each.rows[split, rest]) for each in made)
        assert all(abs(one[label] - two[label]) <= 1 for label in CLASSES)


def test_the_rest_of_the_digits_has_eight_to_ten_of_each_in_eighty() -> None:
    digits = registry.load(SourceRequest("digits"))
    selection = select(asking(class_=3, samples=100, test_size=20), digits)

    drawn = Counter(digits.labels[row] for row in selection.rows[TRAIN, "no3"])
    assert sorted(drawn) == list("012456789")
    assert all(8 <= count <= 10 for count in drawn.values())


def test_equal_places_are_in_the_order_of_their_keys() -> None:
    rows = of_sizes(a=2, b=6, c=6, d=6)
    line = sorted(
        (image.place, image.key, image.row) for label in "bcd" for image in order(rows, 0)[label]
    )
    assert len({place for place, _, _ in line}) == 6

    selection = select(asking(samples={"a": 2, "noa": 18}, test_size={"a": 1, "noa": 7}), rows)

    assert selection.rows[TRAIN, "noa"] == [row for _, _, row in line[:11]]
    assert selection.rows[TEST, "noa"] == [row for _, _, row in reversed(line[11:])]


# Growing and shrinking


@given(pools(), st.data())
def test_a_sample_moves_only_where_old_train_and_new_test_exceed_the_line(
    rows: Rows, data: st.DataObject
) -> None:
    source, desired = pool(rows), data.draw(st.sampled_from(ANY_CLASS))
    before, after = (select(asking(**data.draw(wishes(rows, [desired]))), source) for _ in range(2))

    old, new = counted(before), counted(after)
    forced = sum(
        overlap(old, new, size, folder) for folder, size in available(rows, desired).items()
    )
    assert len(moved(before, after)) == forced


@given(pools(), st.data())
def test_growing_appends_to_both_splits(rows: Rows, data: st.DataObject) -> None:
    source, desired = pool(rows), data.draw(st.sampled_from(ANY_CLASS))
    one, other = (select(asking(**data.draw(wishes(rows, [desired]))), source) for _ in range(2))

    assert one.rows.keys() == other.rows.keys()
    for place, chosen in one.rows.items():
        less, more = sorted([chosen, other.rows[place]], key=len)
        assert more[: len(less)] == less


@given(pools(), st.data())
def test_growing_to_the_whole_source_never_moves_a_sample(rows: Rows, data: st.DataObject) -> None:
    large = data.draw(wishes(rows))
    grown = select(asking(**large), pool(rows)).counts()
    fewer = {
        folder: [data.draw(st.integers(1, grown[split][folder])) for split in BOTH]
        for folder in large["samples"]
    }
    small = large | {
        "samples": {folder: train + test for folder, (train, test) in fewer.items()},
        "test_size": {folder: test for folder, (_, test) in fewer.items()},
    }

    before, after = (select(asking(**wish), pool(rows)) for wish in (small, large))

    assert before.files().items() <= after.files().items()


@given(pools(), st.data())
def test_shrinking_and_growing_again_gives_the_same(rows: Rows, data: st.DataObject) -> None:
    source = pool(rows)
    one, other = (asking(**data.draw(wishes(rows))) for _ in range(2))

    first, _, again, fresh = (
        select(one, source),
        select(other, source),
        select(one, source),
        select(one, pool(rows)),
    )

    assert first == again == fresh
    assert first.sha256 == fresh.sha256


# Changes of the class


@given(pools(), st.integers(0, 3), st.data())
def test_a_class_has_one_line_in_whatever_folder_it_is(
    rows: Rows, seed: int, data: st.DataObject
) -> None:
    source, wish = pool(rows), data.draw(wishes(rows))
    selection = select(asking(**wish, seed=seed), source)

    for folder, labels in folders(wish["class_"]).items():
        for label in labels:
            line = [image.row for image in order(source, seed)[label]]
            train, test = (
                [row for row in selection.rows[split, folder] if rows[row][0] == label]
                for split in BOTH
            )
            assert train == line[: len(train)]
            assert test == line[::-1][: len(test)]


@given(pools(), st.data())
def test_a_class_change_moves_only_what_a_class_has_too_few_images_for(
    rows: Rows, data: st.DataObject
) -> None:
    source = pool(rows)
    before, after = (select(asking(**data.draw(wishes(rows))), source) for _ in range(2))

    old, new = (
        Counter((split, rows[row][0]) for row, split in sides(one).items())
        for one in (before, after)
    )
    forced = sum(overlap(old, new, size, label) for label, size in usable(rows).items())
    assert len(moved(before, after)) == forced


def test_any_class_change_with_half_of_each_folder_moves_nothing() -> None:
    rows = of_sizes(a=40, b=40, c=40, d=40)
    selections = [
        select(asking(class_=desired, samples=samples, test_size=test), rows)
        for desired in ANY_CLASS
        for samples, test in [(20, 10), (20, 1), (20, 19), (9, 4)]
    ]

    assert not any(moved(one, other) for one in selections for other in selections)


# Images under two labels


def test_an_image_under_two_labels_is_left_out() -> None:
    rows = pool([("a", 1), ("b", 1), ("a", 2), ("a", 3), ("b", 4), ("b", 5)])

    selection = select(asking(class_=["a", "b"], samples=2, test_size=1), rows)

    assert sorted(selection.files().values()) == [2, 3, 4, 5]
    with pytest.raises(InputError, match="needs 3 images, but pool has only 2 for it"):
        select(asking(class_=["a", "b"], samples=3, test_size=1), rows)


@given(pools(), st.data())
def test_an_image_that_gets_a_second_label_is_replaced_in_its_own_split(
    rows: Rows, data: st.DataObject
) -> None:
    wish = data.draw(wishes(rows, spare=1))
    before = select(asking(**wish), pool(rows))
    name, row = data.draw(st.sampled_from(sorted(before.files().items())))
    label, drawing = rows[row]
    other = data.draw(st.sampled_from([one for one in CLASSES if one != label]))

    after = select(asking(**wish), pool([*rows, (other, drawing)]))

    gone = before.files().items() - after.files().items()
    (new,) = after.files().items() - before.files().items()
    assert gone == {(name, row)}
    assert new[0].rpartition("/")[0] == name.rpartition("/")[0]


# All samples

# Of two images one is for train and one for test.
PERCENT = st.integers(25, 74)


@pytest.mark.parametrize(("size", "count"), [(0.25, 3), (0.24, 2), (0.05, 1), (0.94, 9)])
def test_of_all_samples_a_place_on_the_border_is_for_test(size: float, count: int) -> None:
    # The places of ten images are 0.05, 0.15, … 0.95.
    selection = select(asking(class_=["a"], samples=ALL, test_size=size), of_sizes(a=10, b=10))

    assert selection.counts() == {TRAIN: {"a": 10 - count}, TEST: {"a": count}}


@given(pools(), st.sampled_from(ANY_CLASS), st.data())
def test_all_samples_are_all_usable_images(
    rows: Rows, desired: object, data: st.DataObject
) -> None:
    size = data.draw(st.just(1) | PERCENT.map(lambda percent: percent / 100))
    selection = _all_of(rows, desired, size)

    counts = selection.counts()
    for folder, count in available(rows, desired).items():
        assert counts[TRAIN][folder] + counts[TEST][folder] == count


@given(pools(), st.sampled_from(ANY_CLASS), PERCENT)
def test_of_all_samples_a_fraction_takes_the_places_at_the_back(
    rows: Rows, desired: object, percent: int
) -> None:
    selection = _all_of(rows, desired, percent / 100)

    places = {image.row: image.place for line in order(pool(rows), 0).values() for image in line}
    for row, split in sides(selection).items():
        assert (split == TEST) == (places[row] >= (100 - percent) / 100)


@given(pools(), st.sampled_from(ANY_CLASS), PERCENT, st.data())
def test_of_all_samples_and_a_fraction_no_image_that_leaves_moves_another(
    rows: Rows, desired: object, percent: int, data: st.DataObject
) -> None:
    before = sides(_all_of(rows, desired, percent / 100))
    gone = data.draw(st.lists(st.sampled_from(sorted(before)), min_size=1, max_size=9, unique=True))
    # A second label takes an image away.
    second = [(next(one for one in CLASSES if one != rows[row][0]), rows[row][1]) for row in gone]

    after = sides(_all_of([*rows, *second], desired, percent / 100))

    assert after == {row: split for row, split in before.items() if row not in gone}


@given(pools(), st.sampled_from(ANY_CLASS), st.data())
def test_of_all_samples_a_count_takes_exactly_so_many_from_the_back(
    rows: Rows, desired: object, data: st.DataObject
) -> None:
    test = data.draw(st.integers(1, min(available(rows, desired).values()) - 1))
    source = pool(rows)

    selection = select(asking(class_=desired, samples=ALL, test_size=test), source)

    for folder, labels in folders(desired).items():
        line = [
            image.row
            for image in sorted(image for label in labels for image in order(source, 0)[label])
        ]
        assert selection.rows[TRAIN, folder] == line[:-test]
        assert selection.rows[TEST, folder] == line[: -test - 1 : -1]


def test_all_samples_of_one_folder_and_a_count_for_the_other() -> None:
    rows = of_sizes(a=30, b=20, c=20, d=20)

    by_count = select(asking(samples={"a": ALL, "noa": 20}, test_size=5), rows)
    by_fraction = select(asking(samples={"a": 10, "noa": ALL}, test_size=0.25), rows)

    assert by_count.counts() == {TRAIN: {"a": 25, "noa": 15}, TEST: {"a": 5, "noa": 5}}
    assert by_fraction.counts() == {TRAIN: {"a": 7, "noa": 45}, TEST: {"a": 3, "noa": 15}}


@pytest.mark.parametrize(
    ("size", "reason"),
    [
        (0.01, "none of the 10 samples of folder a would be for test; it must be larger"),
        (
            0.99,
            "all 10 samples of folder a would be for test and none for train; it must be smaller"
            " than samples",
        ),
        (
            10,
            "all 10 samples of folder a would be for test and none for train; it must be smaller"
            " than samples",
        ),
    ],
)
def test_all_samples_in_one_split_are_refused(size: float, reason: str) -> None:
    with pytest.raises(InputError) as caught:
        select(asking(class_=["a"], samples=ALL, test_size=size), of_sizes(a=10, b=10))

    assert [problem.message for problem in caught.value.problems] == [f"test_size: {reason}"]


def _all_of(rows: Rows, desired: object, size: float) -> Selection:
    """Return the selection of all samples, or give up where one split would be empty."""
    try:
        return select(asking(class_=desired, samples=ALL, test_size=size), pool(rows))
    except InputError as error:
        assume("would be for test" not in str(error) and "has no images" not in str(error))
        raise


# The rest


@given(pools(ambiguous=False), st.randoms(use_true_random=False), st.data())
def test_the_order_of_the_rows_does_not_matter(
    rows: Rows, chance: random.Random, data: st.DataObject
) -> None:
    desired = asking(**data.draw(wishes(rows)))
    shuffled = chance.sample(rows, len(rows))

    one, other = (
        {place: [source[row][1] for row in chosen] for place, chosen in selection.rows.items()}
        for source, selection in [
            (rows, select(desired, pool(rows))),
            (shuffled, select(desired, pool(shuffled))),
        ]
    )

    assert one == other


@pytest.mark.parametrize(("rows", "digits"), [(100_000, 5), (100_001, 6)])
def test_a_larger_source_gets_wider_names(rows: int, digits: int) -> None:
    names = select(asking(samples=2, test_size=1), of_sizes(a=rows - 9, b=9)).files()

    assert {len(name.split("/")[-1]) for name in names} == {digits + len(".png")}


@pytest.mark.parametrize(
    ("desired", "expected"),
    [
        ("b", ["b", "nob"]),
        (["d", "a", "c"], ["d", "a", "c"]),
        ("all", ["a", "b", "c", "d"]),
    ],
)
def test_folders_are_in_the_order_of_the_config(desired: object, expected: list[str]) -> None:
    selection = select(asking(class_=desired), of_sizes(d=9, b=9, c=9, a=9))

    assert {split: list(by) for split, by in selection.counts().items()} == {
        TRAIN: expected,
        TEST: expected,
    }


def test_sizes_by_folder_are_kept_for_each() -> None:
    sizes = {"samples": {"a": 10, "noa": 20}, "test_size": {"a": 3, "noa": 0.25}}

    assert select(asking(**sizes), of_sizes(a=30, b=30)).counts() == {
        TRAIN: {"a": 7, "noa": 15},
        TEST: {"a": 3, "noa": 5},
    }


def test_another_seed_selects_other_images() -> None:
    rows = of_sizes(a=60, b=60)
    first, second = (select(asking(seed=seed), rows) for seed in (0, 1))
    assert first.files() != second.files()


def test_comparable_since_does_not_change_the_selection() -> None:
    rows = of_sizes(a=60, b=60)
    assert select(asking(comparable_since="v3"), rows) == select(asking(), rows)


def test_the_checksum_is_that_of_the_sorted_file_names() -> None:
    names = {1: "00001", 2: "00002", 3: "00003"}
    one = Selection({(TRAIN, "a"): [1, 2], (TEST, "a"): [3]}, names)
    reordered = Selection({(TEST, "a"): [3], (TRAIN, "a"): [2, 1]}, names)
    swapped = Selection({(TRAIN, "a"): [1, 3], (TEST, "a"): [2]}, names)

    assert one.sha256 == reordered.sha256 != swapped.sha256
