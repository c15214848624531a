"""What holds when a source grows by batches, with zones closed as an ingest closes them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from scripts.dataset.order import Image, order
from scripts.dataset.selection import Selection, select
from scripts.inputs.config import SPLITS, TEST, TRAIN, VALIDATION
from scripts.inputs.config_values import ALL
from scripts.inputs.problems import InputError
from scripts.sources.source import Batch, Zones
from tests.dataset.pools import CLASSES, Grown, Rows, grown
from tests.dataset.test_selection import asking, sides

MIDDLE = 0.8
Wish = dict[str, Any]
Sides = Mapping[int, str]


def of_batch(count: int, number: int) -> Rows:
    """Return the rows of one batch: so many images of each class, all different."""
    start = 100_000 * (number + 1)
    return [(label, start + 1000 * i + j) for j in range(count) for i, label in enumerate(CLASSES)]


def add_batch(source: Grown, count: int, releases: Sequence[tuple[Wish, Sides]]) -> Grown:
    """Return `source` with one more batch; its older ones are closed by what releases took."""
    rows = of_batch(count, len(source.batches))
    more = grown([("a", 0)] * len(source.labels) + rows, ())
    closed = [
        replace(batch, zones=zones)
        for batch, zones in zip(source.batches, close(source, releases), strict=True)
    ]
    start = len(source.labels)
    return Grown(
        source.name,
        np.concatenate([source.pixels, more.pixels[start:]]),
        np.concatenate([source.labels, more.labels[start:]]),
        (*closed, Batch(start, start + len(rows))),
        source.tests,
    )


def close(source: Grown, releases: Sequence[tuple[Wish, Sides]]) -> list[dict[str, Zones]]:
    """Return the zones of each batch, as an ingest records them."""
    found: list[dict[str, Zones]] = [{} for _ in source.batches]
    for label, line in order(source, 0).items():
        for number, batch in enumerate(source.batches):
            images = [image for image in line if image.batch == number]
            if images:
                before = batch.zones.get(label) or shares(releases)
                found[number][label] = cut(images, before, [of for _, of in releases])
    return found


def shares(releases: Sequence[tuple[Wish, Sides]]) -> Zones:
    """Return where the cuts are by the shares of the newest release."""
    if not releases:
        return Zones(MIDDLE, MIDDLE, 1.0)
    newest = list(releases[-1][1].values())
    validation, test = (newest.count(split) / len(newest) for split in (VALIDATION, TEST))
    return Zones(max(0.0, MIDDLE - validation), 1 - test, 1 - validation / (1 - test))


def cut(images: Sequence[Image], wanted: Zones, releases: Sequence[Sides]) -> Zones:
    """Return the cuts of one label in one batch, moved to where its splits were."""
    step = images[0].place

    def places(*splits: str) -> list[float]:
        return [image.place for image in images for of in releases if of.get(image.row) in splits]

    def moved(place: float, below: list[float], above: list[float]) -> float:
        if below and place <= max(below):
            place = max(below) + step
        return min([place, *above])

    train, validation, test = (places(split) for split in SPLITS)
    below_middle = [place for place in validation if place < MIDDLE]
    # Where test reached past validation, it is before it too.
    before = [place for place in train + test if place < MIDDLE]
    return Zones(
        min(MIDDLE, moved(wanted.validation, before, below_middle)),
        moved(wanted.test, train + validation, test),
        moved(wanted.own_validation, train, validation),
    )


@st.composite
def wishes(draw: st.DrawFn, most: int, splits: Sequence[str], largest: float = 1) -> Wish:
    """Draw sizes for lines in which each class has `most` images; not above a share of them."""
    desired = draw(st.sampled_from(["a", ["a"], ["b", "c"], ALL]))
    names = ["a", "noa"] if desired == "a" else list(CLASSES) if desired == ALL else list(desired)
    sizes: dict[str, dict[str, int]] = {"samples": {}, "test_size": {}, "validation_size": {}}
    for name in names:
        count = int(largest * most * (3 if name == "noa" else 1))
        test = draw(st.integers(1, max(1, count // 2)))
        validation = (
            draw(st.integers(1, max(1, (count - test) // 2))) if VALIDATION in splits else 0
        )
        train = draw(st.integers(1, max(1, count - test - validation)))
        assume(train + validation + test <= count)
        sizes["samples"][name] = train + validation + test
        sizes["test_size"][name] = test
        sizes["validation_size"][name] = validation
    if VALIDATION not in splits:
        del sizes["validation_size"]
    return {"class_": desired, **sizes}


def selected(source: Grown, wish: Wish) -> Selection:
    return select(asking(**wish), source)


def agree(one: Sides, other: Sides) -> bool:
    """Return whether no image is in different splits."""
    return all(other.get(row, split) == split for row, split in one.items())


TWO, THREE = (TRAIN, TEST), SPLITS


@pytest.mark.parametrize("splits", [TWO, THREE], ids=["two splits", "three splits"])
@given(data=st.data())
def test_a_new_batch_changes_nothing_that_was_released(
    splits: Sequence[str], data: st.DataObject
) -> None:
    most = data.draw(st.integers(4, 20))
    source = grown(of_batch(most, 0), ())
    releases: list[tuple[Wish, Sides]] = []
    for wish in data.draw(st.lists(wishes(most, splits), min_size=1, max_size=4)):
        found = sides(selected(source, wish))
        # What would move an image between splits is not released.
        if all(agree(found, of) for _, of in releases):
            releases.append((wish, found))
    # Validation behind its end is in nobody's zone.
    assume(not any(sticks_out(source, of) for _, of in releases))

    after = add_batch(source, data.draw(st.integers(0, 5)), releases)

    for wish, _ in releases:
        assert selected(after, wish).files() == selected(source, wish).files()


def sticks_out(source: Grown, of: Sides) -> bool:
    places = {image.row: image.place for line in order(source, 0).values() for image in line}
    return any(split == VALIDATION and places[row] >= MIDDLE for row, split in of.items())


@pytest.mark.parametrize("splits", [TWO, THREE], ids=["two splits", "three splits"])
@given(data=st.data())
def test_growth_over_batches_moves_nothing_while_the_newest_batch_has_room(
    splits: Sequence[str], data: st.DataObject
) -> None:
    """Train and validation stay below 0.8 of each batch, test above it."""
    source = grown(of_batch(10, 0), ())
    releases: list[tuple[Wish, Sides]] = []
    tenths = 1
    for number in range(data.draw(st.integers(2, 4))):
        if number:
            source = add_batch(source, data.draw(st.sampled_from([10, 20, 30])), releases)
        room = len(source.labels) // len(CLASSES)
        for _ in range(data.draw(st.integers(0, 2))):
            tenths = data.draw(st.integers(tenths, room // 10))
            wish = in_parts(tenths, splits)
            found = sides(selected(source, wish))
            for before, of in releases:
                assert agree(of, found)
                assert sides(selected(source, before)) == of
            releases.append((wish, found))


def in_parts(tenths: int, splits: Sequence[str]) -> Wish:
    """Return a wish for ten images of one class, or a multiple: a fifth of them for test.

    With another share for test, the batches would be cut elsewhere.
    """
    wish = {"class_": ["a"], "samples": 10 * tenths, "test_size": 2 * tenths}
    return wish | ({"validation_size": tenths} if VALIDATION in splits else {})


def test_draws_pass_over_to_the_next_batch_when_one_is_used_up() -> None:
    small = {"class_": ["a"], "samples": 10, "test_size": 2}
    source = grown(of_batch(10, 0), ())
    first = selected(source, small)

    source = add_batch(source, 40, [(small, sides(first))])
    larger = selected(source, small | {"samples": 30, "test_size": 6})

    assert selected(source, small).files() == first.files()
    assert larger.files().items() >= first.files().items()
    for split, count in ((TRAIN, 8), (TEST, 2)):
        # All of the first batch, then the new one.
        rows = larger.rows[split, "a"]
        assert [row < 40 for row in rows] == [True] * count + [False] * 2 * count
        assert rows[:count] == first.rows[split, "a"]


def test_a_closed_batch_that_nobody_used_is_cut_at_four_fifths() -> None:
    source = add_batch(grown(of_batch(10, 0), ()), 10, [])

    found = selected(source, {"class_": ["a"], "samples": 20, "test_size": 4})

    places = {image.row: image.place for image in order(source, 0)["a"]}
    assert {row for row, split in sides(found).items() if split == TEST} == {
        row for row, place in places.items() if place >= MIDDLE
    }


@given(st.integers(1, 40), st.integers(1, 40), st.data())
def test_of_all_samples_a_closed_batch_keeps_its_cut_and_loses_no_image(
    test: int, validation: int, data: st.DataObject
) -> None:
    """Whatever is a fraction, and whatever a count."""
    small = {"class_": ["a"], "samples": 8, "test_size": 2, "validation_size": 1}
    source = grown(of_batch(10, 0), ())
    before = sides(selected(source, small))
    source = add_batch(source, 30, [(small, before)])
    wish = {
        "class_": ["a"],
        "samples": ALL,
        "test_size": data.draw(st.sampled_from([test / 100, 2])),
        "validation_size": data.draw(st.sampled_from([validation / 100, 1])),
    }
    try:
        found = selected(source, wish)
    except InputError as error:
        assume("none of the" not in str(error))
        raise

    assert sum(sum(by.values()) for by in found.counts().values()) == 40
    assert agree(before, sides(found))
    for key, split in (("test_size", TEST), ("validation_size", VALIDATION)):
        if isinstance(wish[key], int):
            assert found.counts()[split]["a"] == wish[key]


def test_a_second_label_in_a_new_batch_takes_an_image_away_and_moves_no_other() -> None:
    small = {"class_": ["a"], "samples": 8, "test_size": 2}
    source = grown(of_batch(10, 0), ())
    before = sides(selected(source, small))
    gone = min(row for row, split in before.items() if split == TRAIN)
    closed = add_batch(source, 1, [(small, before)])
    # The newest row is the same image under another label.
    closed.pixels[-1] = closed.pixels[gone]

    after = sides(selected(closed, small))

    assert gone not in after
    assert agree(before, after)
    assert len(after) == len(before)


def test_a_new_batch_with_another_seed_keeps_counts() -> None:
    small = {"class_": ["a"], "samples": 8, "test_size": 2}
    source = grown(of_batch(10, 0), ())
    source = add_batch(source, 10, [(small, sides(selected(source, small)))])

    assert selected(source, small | {"seed": 1}).counts() == {TRAIN: {"a": 6}, TEST: {"a": 2}}


def test_growing_appends_over_batches() -> None:
    source = grown(of_batch(10, 0), ())
    sizes = ((5, 1), (7, 1), (10, 2), (25, 5), (30, 6))
    steps = [{"class_": ["a"], "samples": samples, "test_size": test} for samples, test in sizes]
    releases = [(step, sides(selected(source, step))) for step in steps[:3]]
    source = add_batch(source, 20, releases)

    for before, after in pairwise([selected(source, step) for step in steps]):
        for place, rows in before.rows.items():
            assert after.rows[place][: len(rows)] == rows


@given(st.integers(2, 5), st.integers(1, 5))
def test_the_own_test_set_is_for_test_in_every_batch(train: int, test: int) -> None:
    wish = {
        "class_": ["a", "c"],
        "samples": train + test,
        "test_size": test,
        "validation_size": 1,
        "split_by": "source",
    }
    # Every second image of each class.
    source = grown(of_batch(10, 0), (), [row for row in range(400) if row // 4 % 2])
    before = selected(source, wish)

    after = add_batch(source, 10, [(wish, sides(before))])

    assert selected(after, wish).files() == before.files()
    more = selected(after, wish | {"samples": 2 * (train + test), "test_size": 2 * test})
    assert before.files().items() <= more.files().items()
    own = after.own_test
    assert own is not None
    assert all(own[row] == (split == TEST) for row, split in sides(more).items())
