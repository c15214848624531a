"""What the curation does to a selection."""

import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from scripts.dataset.dataset import Dataset
from scripts.dataset.order import order
from scripts.dataset.selection import Selection, select
from scripts.inputs import curation
from scripts.inputs.config import SPLITS, TEST, TRAIN, VALIDATION
from scripts.inputs.config_values import ALL
from scripts.inputs.curation import Curation
from scripts.inputs.paths import CURATION_FILE
from scripts.inputs.problems import InputError
from scripts.inputs.reader import Inputs
from scripts.sources.source import Source
from tests.dataset.pools import CLASSES, Rows, of_sizes, pool, pools, with_own_test
from tests.dataset.test_selection import asking, sides

HEADER = "sample,action,label,new_label,reason\n"


def deciding(*rows: str) -> Curation:
    return curation.parse((HEADER + "".join(f"{row}\n" for row in rows)).encode())


def line_of(source: Source, *labels: str) -> list[int]:
    """Return the rows of a folder with these classes, in their order."""
    return [image.row for image in sorted(one for x in labels for one in order(source, 0)[x])]


def problems_of(source: Source, decisions: Curation, **changes: Any) -> list[str]:
    with pytest.raises(InputError) as caught:
        select(asking(**changes), source, decisions)
    return [
        f"{problem.file}:{problem.mark.line}:{problem.mark.column}: {problem.message}"
        for problem in caught.value.problems
    ]


SOURCE = of_sizes(a=20, b=20, c=20)
A = line_of(SOURCE, "a")
ASKED = {"class_": ["a", "b"], "samples": 6, "test_size": 2}


def chosen(*rows: str, **changes: Any) -> Selection:
    """Return what is selected of 20 images each of a and b: by default 4 for train, 2 for test."""
    return select(asking(**ASKED | changes), SOURCE, deciding(*rows))


# Excluded samples


def test_excluded_samples_are_replaced_by_the_next_in_order() -> None:
    found = chosen(f"{A[0]},exclude,a,,", f"{A[2]},exclude,,,", f"{A[-1]},exclude,,,")

    assert found.rows[TRAIN, "a"] == [A[1], A[3], A[4], A[5]]
    assert found.rows[TEST, "a"] == [A[-2], A[-3]]
    assert found.rows[TRAIN, "b"] == chosen().rows[TRAIN, "b"]
    assert not found.on_top | found.left_out


def test_the_excluded_are_replaced_in_a_folder_of_several_classes_whatever_their_class() -> None:
    line = line_of(SOURCE, "b", "c")

    found = chosen(f"{line[1]},exclude,,,", class_="a")

    assert found.rows[TRAIN, "noa"] == [line[0], *line[2:5]]


def test_an_excluded_sample_that_is_not_drawn_changes_nothing() -> None:
    assert chosen(f"{A[10]},exclude,,,") == chosen()


def test_excluded_samples_are_not_among_all() -> None:
    found = chosen(f"{A[3]},exclude,,,", f"{A[-1]},exclude,,,", samples=ALL, test_size=0.25)

    assert sorted(found.rows[TRAIN, "a"]) == sorted({*A[:15]} - {A[3]})
    assert found.rows[TEST, "a"] == A[-2:14:-1]


def test_too_few_images_name_how_many_are_excluded() -> None:
    decisions = deciding(*(f"{row},exclude,,," for row in A[:3]), f"{A[0] + 20},exclude,,,")

    assert problems_of(SOURCE, decisions, **ASKED | {"samples": 20}) == [
        f"dataset_config.yaml:1:1: samples: folder {label} needs 20 images, but pool has only"
        f" {20 - count} for it (without {count} that curation.csv excludes)"
        for label, count in (("a", 3), ("b", 1))
    ]


# Relabeled samples


def test_relabeled_samples_keep_their_split_and_change_the_folder() -> None:
    found = chosen(f"{A[1]},relabel,a,b,", f"{A[-1]},relabel,a,b,")

    plain = chosen()
    assert found.rows[TRAIN, "a"] == [A[0], A[2], A[3]]
    assert found.rows[TEST, "a"] == [A[-2]]
    assert found.rows[TRAIN, "b"] == [*plain.rows[TRAIN, "b"], A[1]]
    assert found.rows[TEST, "b"] == [*plain.rows[TEST, "b"], A[-1]]
    assert sides(found) == sides(plain)
    assert not found.on_top | found.left_out


def test_relabels_of_samples_that_are_not_drawn_wait_until_they_are() -> None:
    waiting = [f"{A[5]},relabel,a,b,"]

    assert chosen(*waiting) == chosen()
    grown = chosen(*waiting, samples=8)
    assert A[5] in grown.rows[TRAIN, "b"]
    assert sides(chosen(*waiting)).items() <= sides(grown).items()


def test_a_sample_may_be_relabeled_within_its_folder() -> None:
    line = line_of(SOURCE, "b", "c")
    label = SOURCE.labels[line[0]]
    other = "c" if label == "b" else "b"

    found = chosen(f"{line[0]},relabel,{label},{other},", class_="a")

    assert sides(found) == sides(chosen(class_="a"))
    assert found.places()[line[0]] == (TRAIN, "noa")


def test_a_sample_relabeled_to_a_class_without_a_folder_is_left_out_and_listed() -> None:
    found = chosen(f"{A[0]},relabel,a,c,", f"{A[10]},relabel,a,c,")

    assert found.left_out == {A[0]}
    assert found.counts() == {TRAIN: {"a": 3, "b": 4}, TEST: {"a": 2, "b": 2}}


def test_a_class_without_a_folder_gives_no_sample_that_is_relabeled_only() -> None:
    assert chosen(f"{line_of(SOURCE, 'c')[0]},relabel,c,a,") == chosen()


# Pinned samples


@pytest.mark.parametrize("split", [TRAIN, TEST])
def test_pinned_samples_that_were_not_dealt_come_on_top(split: str) -> None:
    found = chosen(f"{A[10]},{split},,,", f"{A[9]},{split},,,")

    plain = chosen()
    pinned = sorted([A[9], A[10]])
    assert found.rows[split, "a"] == [*plain.rows[split, "a"], *pinned]  # type: ignore[index]
    assert found.on_top == {*pinned}
    assert sides(plain).items() <= sides(found).items()


def test_pinned_samples_that_were_dealt_anyway_change_nothing() -> None:
    assert chosen(f"{A[0]},train,,,", f"{A[-1]},test,,,") == chosen()


def test_a_sample_pinned_away_from_its_split_counts_for_neither() -> None:
    found = chosen(f"{A[0]},test,,,")

    assert found.rows[TRAIN, "a"] == A[1:5]
    assert found.rows[TEST, "a"] == [A[-1], A[-2], A[0]]
    assert found.on_top == {A[0]}


def test_a_pinned_sample_counts_once_its_split_reaches_it() -> None:
    pinned = f"{A[5]},train,,,"

    small, large = chosen(pinned), chosen(pinned, samples=8)

    assert len(small.rows[TRAIN, "a"]) == 5
    assert large.rows[TRAIN, "a"] == A[:6]
    assert not large.on_top


def test_a_pinned_and_relabeled_sample_goes_to_its_new_label() -> None:
    c = line_of(SOURCE, "c")[0]

    found = chosen(
        *(f"{A[10]},test,a,,", f"{A[10]},relabel,a,b,"),
        *(f"{c},train,,,", f"{c},relabel,c,a,"),
    )

    assert found.rows[TEST, "b"][-1] == A[10]
    assert found.rows[TRAIN, "a"][-1] == c
    assert found.on_top == {A[10], c}


def test_a_pin_to_a_class_without_a_folder_is_left_out_and_listed() -> None:
    c = line_of(SOURCE, "c")[0]

    found = chosen(f"{c},test,c,,", f"{A[10]},train,,,", f"{A[10]},relabel,a,c,")

    assert found.left_out == {c, A[10]}
    assert found.counts() == chosen().counts()
    assert not found.on_top


def test_a_pin_to_validation_needs_a_validation_set() -> None:
    decisions = deciding("3,train,,,", f"{A[10]},validation,,,")

    assert problems_of(SOURCE, decisions, **ASKED) == [
        f"curation.csv:3:{len(str(A[10])) + 2}: action: there is no validation set; add"
        " validation_size to the config"
    ]
    found = select(asking(**ASKED, validation_size=1), SOURCE, decisions)
    assert A[10] in found.rows[VALIDATION, "a"]


@pytest.mark.parametrize("test_size", [5, 0.25])
def test_of_all_samples_a_pin_moves_its_own_alone(test_size: float) -> None:
    plain = chosen(samples=ALL, test_size=test_size)

    found = chosen(f"{A[0]},test,,,", samples=ALL, test_size=test_size)

    assert sides(found) == sides(plain) | {A[0]: TEST}


def test_the_own_test_set_of_a_source_gives_what_is_pinned_to_train() -> None:
    rows = [("a", number) for number in range(20)]
    source = with_own_test(rows, range(14, 20))
    wish = {"class_": ["a"], "samples": ALL, "split_by": "source", "test_size": None}

    found = select(asking(**wish), source, deciding("15,train,a,,", "3,test,,,"))

    assert {row for row, split in sides(found).items() if split == TEST} == {
        *range(14, 20),
        3,
    } - {15}
    assert len(sides(found)) == 20


def test_pins_that_leave_too_few_images_for_a_split_are_refused() -> None:
    decisions = deciding(*(f"{row},train,,," for row in A[1:]))

    assert problems_of(SOURCE, decisions, **ASKED) == [
        "dataset_config.yaml:1:1: test_size: folder a needs 2 images for test, but only 1 are left "
        "for it, because others are pinned to another split"
    ]
    assert problems_of(SOURCE, decisions, **ASKED | {"samples": ALL}) == [
        "dataset_config.yaml:1:1: test_size: folder a needs 2 images for test, but only 1 are left "
        "for it, because others are pinned to another split"
    ]
    decisions = deciding(*(f"{row},test,,," for row in A[1:]))
    assert problems_of(SOURCE, decisions, **ASKED) == [
        "dataset_config.yaml:1:1: samples: folder a needs 4 images for train, but only 1 are left "
        "for it, because others are pinned to another split"
    ]


# Rows that do not suit the source

AMBIGUOUS = pool([("a", 1), ("b", 1), ("a", 2), ("a", 2), ("a", 3), ("a", 4), ("b", 5), ("b", 6)])


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("8,exclude,,,", "2:1: sample: pool has no sample 8"),
        ("s0123456789abcdef,test,,,", "2:1: sample: pool has no sample s0123456789abcdef"),
        ("2,exclude,b,,", "2:11: label: the label of 2 in pool is a, not b"),
        ("2,test,x,,", "2:8: label: the label of 2 in pool is a, not x"),
        ("4,relabel,b,a,", "2:11: label: the label of 4 in pool is a, not b"),
        ("4,relabel,a,x,", "2:13: new_label: pool has no class 'x'; it has a, b"),
        ("3,exclude,,,", "2:1: sample: 3 is a copy of 00002; use that one instead"),
        ("00003,test,,,", "2:1: sample: 00003 is a copy of 00002; use that one instead"),
        ("1,exclude,,,", "2:1: sample: 1 is a copy of 00000; use that one instead"),
        (
            "0,test,,,",
            "2:1: sample: pool has 0 with two labels, so it is left out; remove this row",
        ),
        (
            "0,relabel,a,b,",
            "2:1: sample: pool has 0 with two labels, so it is left out; remove this row",
        ),
    ],
)
def test_a_row_that_does_not_suit_the_source_is_a_problem(row: str, problem: str) -> None:
    found = problems_of(AMBIGUOUS, deciding(row), class_="a", samples=2, test_size=1)

    assert found == [f"{CURATION_FILE}:{problem}"]


def test_an_ambiguous_sample_may_be_excluded() -> None:
    wish = asking(class_="a", samples=2, test_size=1)

    assert select(wish, AMBIGUOUS, deciding("0,exclude,,,")) == select(wish, AMBIGUOUS)


def test_every_problem_is_reported_at_once_with_those_of_the_config() -> None:
    decisions = deciding("8,exclude,,,", "3,test,b,,", "5,validation,b,,")

    assert problems_of(AMBIGUOUS, decisions, class_=["a", "x"], samples=9, test_size=1) == [
        "curation.csv:2:1: sample: pool has no sample 8",
        "curation.csv:3:1: sample: 3 is a copy of 00002; use that one instead",
        "curation.csv:3:8: label: the label of 3 in pool is a, not b",
        "curation.csv:4:3: action: there is no validation set; add validation_size to the config",
        "curation.csv:4:14: label: the label of 5 in pool is a, not b",
        "dataset_config.yaml:1:1: class: pool has no class 'x'; it has a, b",
        "dataset_config.yaml:1:1: samples: folder a needs 9 images, but pool has only 3 for it",
    ]


# Whatever the curation

WIDE = of_sizes(a=60, b=60, c=60, d=60)


@st.composite
def curations(draw: st.DrawFn, source: Source, splits: Sequence[str], most: int = 12) -> Curation:
    """Draw decisions about some samples of `source`."""
    chance = draw(st.randoms(use_true_random=False))
    usable = sorted(image.row for line in order(source, 0).values() for image in line)
    rows = []
    for row in chance.sample(usable, draw(st.integers(0, min(most, len(usable))))):
        label = source.labels[row]
        new = chance.choice([one for one in CLASSES if one != label])
        number = f"{row:0{chance.randint(1, 5)}}"
        about: list[list[str]] = [
            [f"{number},exclude,,,"],
            [f"{number},relabel,{label},{new},"],
            [f"{number},{chance.choice(splits)},{chance.choice(['', label])},,"],
            [f"{number},relabel,{label},{new},", f"{number},{chance.choice(splits)},,,"],
        ]
        rows += chance.choice(about)
    return deciding(*rows)


WISHES = [
    {"class_": "a", "samples": 24, "test_size": 6},
    {"class_": ["a", "b"], "samples": 24, "test_size": 6},
    {"class_": ALL, "samples": 20, "test_size": 4, "validation_size": 3},
    {"class_": "c", "samples": 20, "test_size": 0.1, "validation_size": 0.1},
    {"class_": ALL, "samples": ALL, "test_size": 0.2},
    {"class_": "b", "samples": ALL, "test_size": 0.25, "validation_size": 0.1},
]


@given(st.sampled_from(WISHES), st.data())
def test_nothing_that_is_not_curated_moves_or_disappears_but_for_replacements(
    wish: dict[str, Any], data: st.DataObject
) -> None:
    config = asking(**wish)
    decisions = data.draw(curations(WIDE, config.splits))

    before, after = select(config, WIDE), select(config, WIDE, decisions)

    curated = {int(one.sample) for one in decisions.decisions}
    old, new = before.places(), after.places()
    assert {row: place for row, place in old.items() if row not in curated}.items() <= new.items()
    # New ones replace what is excluded or pinned away.
    gone = [row for row in old if row in curated and new.get(row, ("",))[0] != old[row][0]]
    assert len(new.keys() - old.keys() - curated) <= len(gone)


@given(st.sampled_from(WISHES), st.data())
def test_from_one_curation_to_another_nothing_moves_that_neither_names(
    wish: dict[str, Any], data: st.DataObject
) -> None:
    config = asking(**wish)
    one, other = (data.draw(curations(WIDE, config.splits)) for _ in range(2))

    before, after = (select(config, WIDE, decisions).places() for decisions in (one, other))

    curated = {int(row.sample) for row in (*one.decisions, *other.decisions)}
    for row in before.keys() & after.keys() - curated:
        assert before[row] == after[row]


@given(st.sampled_from(WISHES), st.data())
def test_curated_samples_are_where_the_curation_says(
    wish: dict[str, Any], data: st.DataObject
) -> None:
    config = asking(**wish)
    decisions = data.draw(curations(WIDE, config.splits))

    found = select(config, WIDE, decisions)

    places = found.places()
    new_labels = {int(x.sample): x.new_label for x in decisions.decisions if x.new_label}
    folders = {folder for _, folder in found.rows}
    rest = next((folder for folder in folders if folder.startswith("no")), None)
    for one in decisions.decisions:
        row = int(one.sample)
        label = new_labels.get(row, str(WIDE.labels[row]))
        folder = label if label in folders else rest
        if one.action == "exclude":
            assert row not in places
        elif one.action in SPLITS:
            assert places.get(row) == ((one.action, folder) if folder else None)
            assert (row in found.left_out) == (folder is None)
        elif row in places:
            assert places[row][1] == folder


@given(st.sampled_from(["a", ALL]), st.data())
def test_counts_of_splits_are_exact_but_for_what_is_on_top(
    desired: str, data: st.DataObject
) -> None:
    config = asking(class_=desired, samples=20, test_size=4, validation_size=3)
    decisions = data.draw(curations(WIDE, SPLITS))

    found = select(config, WIDE, decisions)

    folders = 4 if desired == ALL else 2
    for split, count in zip(SPLITS, (13, 3, 4), strict=True):
        rows = [row for row, of in sides(found).items() if of == split]
        assert len([row for row in rows if row not in found.on_top]) == count * folders


@given(pools(), st.data())
def test_an_exclusion_lengthens_its_own_split_by_one(rows: Rows, data: st.DataObject) -> None:
    source = pool(rows)
    wish = asking(class_=["a", "b"], samples=2, test_size=1)
    before = select(wish, source)
    row = data.draw(st.sampled_from(sorted(before.places())))
    split, folder = before.places()[row]
    label = source.labels[row]
    if len(order(source, 0)[label]) == 2:
        return

    after = select(wish, source, deciding(f"{row},exclude,{label},,"))

    less, more = before.rows[split, folder], after.rows[split, folder]
    assert more[:-1] == [one for one in less if one != row]
    assert len(more) == len(less)
    others = {place: taken for place, taken in before.rows.items() if place != (split, folder)}
    assert {place: after.rows[place] for place in others} == others


@given(
    st.sampled_from([(12, 2, 1), (30, 5, 3), (40, 8, 4), (48, 9, 5)]),
    st.data(),
)
def test_an_exclusion_from_three_splits_lengthens_its_own_by_one(
    sizes: tuple[int, int, int], data: st.DataObject
) -> None:
    """Train and validation have room below 0.8 of the line, test above it."""
    samples, test, validation = sizes
    wish = asking(class_=["a"], samples=samples, test_size=test, validation_size=validation)
    before = select(wish, WIDE)
    row = data.draw(st.sampled_from(sorted(before.places())))
    split, _ = before.places()[row]

    after = select(wish, WIDE, deciding(f"{row},exclude,a,,"))

    assert before.places().items() - after.places().items() == {(row, (split, "a"))}
    ((_, place),) = after.places().items() - before.places().items()
    assert place == (split, "a")


@given(st.data())
def test_of_all_samples_in_three_splits_an_exclusion_moves_no_other(data: st.DataObject) -> None:
    percent = st.integers(2, 45).map(lambda number: number / 100)
    wish = asking(
        class_=data.draw(st.sampled_from(["a", ["a", "b"], ALL])),
        samples=ALL,
        test_size=data.draw(percent),
        validation_size=data.draw(percent),
    )
    gone = data.draw(st.sets(st.integers(0, 239), min_size=1, max_size=9))

    before = select(wish, WIDE).places()
    try:
        after = select(wish, WIDE, deciding(*(f"{row},exclude,,," for row in gone))).places()
    except InputError:
        # A small split can have lost all its images.
        reject()

    assert after == {row: place for row, place in before.items() if row not in gone}


@settings(deadline=None)
@given(curations(WIDE, (TRAIN, TEST)), st.randoms(use_true_random=False))
def test_equal_curations_in_another_order_give_the_same_dataset(
    decisions: Curation, chance: random.Random
) -> None:
    rows = list(decisions.decisions)
    shuffled = Curation(
        tuple(
            one._replace(sample=f"{int(one.sample):05}", reason="other", label="")
            for one in chance.sample(rows, len(rows))
        )
    )
    config = asking(class_=["a", "b"], samples=4, test_size=2)

    one, other = (Dataset(Inputs(config, of), WIDE) for of in (decisions, shuffled))

    assert decisions.sha256 == shuffled.sha256
    assert one.selection.files() == other.selection.files()
    assert one.manifest == other.manifest


def test_the_order_of_the_rows_does_not_matter_to_the_order_of_the_samples() -> None:
    rows = [f"{A[9]},train,,,", f"{A[8]},train,,,", f"{A[0]},relabel,a,b,", f"{A[1]},relabel,a,b,"]

    assert chosen(*rows) == chosen(*rows[::-1])


def test_a_source_with_the_same_rows_gives_the_same() -> None:
    again = replace(SOURCE)
    decisions = deciding(f"{A[0]},exclude,,,", f"{A[9]},test,,,")

    assert select(asking(**ASKED), again, decisions) == select(asking(**ASKED), SOURCE, decisions)
