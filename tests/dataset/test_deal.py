"""The rule of dealing, compared with a slow one that is written step by step."""

import random
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.dataset.deal import Wish, deal, zone, zone_of_own_train
from scripts.dataset.order import Image
from scripts.inputs.config import SPLITS, TEST, TRAIN, VALIDATION, Split
from scripts.sources.source import Zones

Dealt = dict[Split, list[Image]]
BySplit = dict[int, Split]
MIDDLE = Fraction(4, 5)
HUNDRED = 100


class Task(NamedTuple):
    line: list[Image]
    zones: BySplit
    pins: BySplit


@st.composite
def tasks(draw: st.DrawFn) -> Task:
    """Draw a line of up to three batches with up to two labels, its zones, and pins."""
    chance = draw(st.randoms(use_true_random=False))
    line: list[Image] = []
    zones: BySplit = {}
    batches = draw(st.integers(1, 3))
    for batch in range(batches):
        for _ in range(draw(st.integers(1, 2))):
            count = draw(st.integers(0, 12))
            of_label = Zones(*(Fraction(chance.randint(0, 10), 10) for _ in range(3)))  # type: ignore[arg-type]
            for rank in range(count):
                place = (2 * rank + 1) / (2 * count)
                line.append(Image(batch, place, chance.randbytes(4), len(line)))
                if batch < batches - 1:
                    zones[line[-1].row] = zone(of_label, place)
    of_pins = draw(st.sampled_from([0, 0.1, 0.5]))
    pins = {image.row: chance.choice(SPLITS) for image in line if chance.random() < of_pins}
    return Task(sorted(line), zones, pins)


def step_by_step(task: Task, counts: Mapping[Split, int], end: Fraction) -> Dealt:
    """Deal by count as it is described: one image after the other."""
    dealt: Dealt = {split: [] for split in SPLITS}

    def offer(images: Sequence[Image], split: Split) -> None:
        for image in images:
            is_full = len(dealt[split]) >= counts.get(split, 0)
            is_taken = any(image in others for others in dealt.values())
            if not is_full and not is_taken and task.pins.get(image.row) in {None, split}:
                dealt[split].append(image)

    batches = sorted({image.batch for image in task.line})
    for batch in batches:
        for split in SPLITS:
            own = [
                image
                for image in task.line
                if image.batch == batch and task.zones.get(image.row) == split
            ]
            offer(own if split == TRAIN else own[::-1], split)
    for batch in reversed(batches):
        images = [image for image in task.line if image.batch == batch]
        offer([image for image in images if image.place < end][::-1], VALIDATION)
        offer([image for image in images if image.place >= end], VALIDATION)
        offer(images[::-1], TEST)
        offer(images, TRAIN)
    return dealt


def hundredths(shares: Mapping[Split, int], end: Fraction) -> list[Split]:
    """Return whose each hundredth of the places is: the shares as counts of a hundred images."""
    fine = [Image(0, (2 * rank + 1) / 200, b"", rank) for rank in range(HUNDRED)]
    counts = {**shares, TRAIN: HUNDRED}
    dealt = step_by_step(Task(fine, {}, {}), counts, end)
    whose = {image.row: split for split, images in dealt.items() for image in images}
    return [whose[number] for number in range(HUNDRED)]


def by_place(task: Task, shares: Mapping[Split, int], counts: Mapping[Split, int]) -> Dealt:
    """Deal by place as it is described."""
    whose = hundredths(shares, MIDDLE)
    split_of: dict[int, Split] = {}
    for image in task.line:
        hundredth = int(Fraction(image.place).limit_denominator(1000) * HUNDRED)
        by_itself = task.zones.get(image.row) or whose[hundredth]
        split_of[image.row] = task.pins.get(image.row) or by_itself
    rest = [image for image in task.line if split_of[image.row] not in shares]
    dealt = step_by_step(task._replace(line=rest), counts, MIDDLE)
    for split in shares:
        mine = [image for image in task.line if split_of[image.row] == split]
        dealt[split] = sorted(mine, key=lambda image: (image.batch, -image.place))
    return dealt


COUNTS = st.fixed_dictionaries({split: st.integers(0, 30) for split in SPLITS})


@given(tasks(), COUNTS, st.sampled_from([MIDDLE, Fraction(1), Fraction(1, 2)]))
def test_counts_are_dealt_by_the_rule(task: Task, counts: dict[Split, int], end: Fraction) -> None:
    found = deal(task.line, Wish(counts, validation_end=end), task.zones, task.pins)

    assert found == step_by_step(task, counts, end)


@st.composite
def shares(draw: st.DrawFn) -> dict[Split, int]:
    """Draw hundredths for test, for validation, or for both, that leave some for train."""
    of = draw(st.sampled_from([(TEST,), (VALIDATION,), (VALIDATION, TEST)]))
    found: dict[Split, int] = {}
    for split in of:
        found[split] = draw(st.integers(1, 98 - sum(found.values())))
    return found


@given(tasks(), shares(), COUNTS)
def test_shares_are_dealt_by_place_and_counts_from_the_rest(
    task: Task, of_hundred: dict[Split, int], counts: dict[Split, int]
) -> None:
    fractions = {split: Fraction(share, HUNDRED) for split, share in of_hundred.items()}
    counts = {split: count for split, count in counts.items() if split not in of_hundred}

    found = deal(task.line, Wish(counts, fractions), task.zones, task.pins)

    for split, images in by_place(task, of_hundred, counts).items():
        # Images of two labels at one place have no order that matters to the split.
        assert sorted(found[split]) == sorted(images)
        places = [(image.batch, image.place) for image in images]
        assert [(image.batch, image.place) for image in found[split]] == places


@given(tasks(), COUNTS)
def test_no_image_is_in_two_splits_or_in_one_that_it_is_not_pinned_to(
    task: Task, counts: dict[Split, int]
) -> None:
    found = deal(task.line, Wish(counts), task.zones, task.pins)

    rows = [image.row for images in found.values() for image in images]
    assert len(rows) == len(set(rows))
    for split, images in found.items():
        assert len(images) <= counts[split]
        assert all(task.pins.get(image.row, split) == split for image in images)


@given(tasks(), COUNTS)
def test_a_split_gets_less_than_its_count_only_where_nothing_is_left_for_it(
    task: Task, counts: dict[Split, int]
) -> None:
    found = deal(task.line, Wish(counts), task.zones, task.pins)

    rows = {image.row for images in found.values() for image in images}
    for split, images in found.items():
        left = [
            image
            for image in task.line
            if image.row not in rows and task.pins.get(image.row, split) == split
        ]
        assert len(images) == counts[split] or not left


@pytest.mark.parametrize(
    ("zones", "expected"),
    [
        # One letter for each tenth: train, validation or test.
        (Zones(0.6, 0.9, 1.0), "rrrrrrvvrt"),
        (Zones(0.8, 0.8, 1.0), "rrrrrrrrtt"),
        (Zones(0.8, 0.5, 1.0), "rrrrrttttt"),
        (Zones(0.8, 1.0, 1.0), "rrrrrrrrrr"),
        # Test reached past validation towards the front.
        (Zones(0.6, 0.4, 1.0), "rrrrttvvtt"),
        (Zones(0.0, 0.8, 1.0), "vvvvvvvvtt"),
    ],
)
def test_a_zone_reaches_from_its_cut_to_the_next(zones: Zones, expected: str) -> None:
    letters = {TRAIN: "r", VALIDATION: "v", TEST: "t"}
    places = [tenth / 10 for tenth in range(10)]

    assert "".join(letters[zone(zones, place)] for place in places) == expected


def test_the_own_train_set_has_a_cut_of_its_own() -> None:
    zones = Zones(0.1, 0.2, 0.7)

    assert [zone_of_own_train(zones, place) for place in (0.15, 0.69, 0.7, 0.95)] == [
        *(TRAIN, TRAIN),
        *(VALIDATION, VALIDATION),
    ]


def test_closed_batches_are_dealt_oldest_first_and_what_is_left_of_them_newest_first() -> None:
    # Four images in each of three batches; the first two are cut in the middle.
    places = (0.125, 0.375, 0.625, 0.875)
    line = [Image(row // 4, places[row % 4], b"", row) for row in range(12)]
    zones: BySplit = {row: TRAIN if row % 4 < 2 else TEST for row in range(8)}

    def rows(train: int, test: int) -> tuple[list[int], list[int]]:
        dealt = deal(line, Wish({TRAIN: train, TEST: test}), zones, {})
        return [image.row for image in dealt[TRAIN]], [image.row for image in dealt[TEST]]

    assert rows(3, 1) == ([0, 1, 4], [3])
    assert rows(5, 5) == ([0, 1, 4, 5, 8], [3, 2, 7, 6, 11])
    # The newest batch is used up: train takes what test has left of the others.
    assert rows(8, 1) == ([0, 1, 4, 5, 8, 9, 10, 11], [3])
    assert rows(10, 1) == ([0, 1, 4, 5, 8, 9, 10, 11, 6, 7], [3])
    assert rows(11, 1) == ([0, 1, 4, 5, 8, 9, 10, 11, 6, 7, 2], [3])


@given(st.integers(1, 60), st.integers(0, 60), st.integers(0, 60), st.randoms())
def test_places_that_a_share_gives_are_those_that_its_count_takes(
    count: int, validation: int, test: int, chance: random.Random
) -> None:
    line = [Image(0, (2 * rank + 1) / (2 * count), b"", rank) for rank in range(count)]
    # Shares of whole images, so that nothing is rounded.
    test = min(test, count)
    validation = min(validation, count - test)
    fractions: dict[Split, Fraction] = {
        split: Fraction(size, count)
        for split, size in ((VALIDATION, validation), (TEST, test))
        if size
    }
    wish = Wish({TRAIN: count}, fractions)
    sizes = {TRAIN: count - validation - test, VALIDATION: validation, TEST: test}

    found, expected = deal(line, wish, {}, {}), deal(line, Wish(sizes), {}, {})

    # Validation begins at 0.8 of the line, which may be within an image.
    moved = {image for split in SPLITS for image in {*found[split]} ^ {*expected[split]}}
    assert len(moved) <= (2 if validation else 0)
