from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.insight import appearance, drift, permutations
from scripts.insight.appearance import Appearance
from scripts.insight.drift import FALSE_ALARM, FEWEST, Trait
from scripts.insight.permutations import Divisions
from scripts.sources import registry
from scripts.sources.source import SourceRequest
from scripts.sources.thumbnails import SIZE, thumbnails_of
from tests.insight.test_suspects import dataset_of, source

Values = npt.NDArray[np.int64]


@pytest.fixture(scope="module")
def digits() -> Appearance:
    """All digits of scikit-learn, in random order: neighbors in the source have one writer."""
    loaded = registry.load(SourceRequest("digits"))
    rows = np.random.default_rng(0).permutation(len(loaded.labels)).tolist()
    pixels = np.stack([loaded.image(row) for row in rows])
    return Appearance(
        thumbnails_of(pixels),
        np.full(len(rows), pixels[0].size),
        [str(loaded.labels[row]) for row in rows],
    )


def subset(images: Appearance, rows: Values) -> Appearance:
    return Appearance(images.levels[rows], images.pixels[rows], [images.classes[i] for i in rows])


def part(images: Appearance, start: int, stop: int) -> Appearance:
    return subset(images, np.arange(start, min(stop, len(images.levels))))


def changed(images: Appearance, change: Callable[[Values], Values]) -> Appearance:
    return images._replace(levels=np.clip(change(images.levels.astype(int)), 0, 255).astype("u1"))


def blurred(levels: Values) -> Values:
    squares = levels.reshape(-1, 32, 32)
    moved = [np.roll(squares, at, axis=(1, 2)) for at in ((0, 0), (0, 2), (2, 0), (2, 2))]
    total: Values = np.sum(moved, axis=0)
    return total.reshape(-1, SIZE) // 4


def shifted(levels: Values) -> Values:
    return np.roll(levels.reshape(-1, 32, 32), 4, axis=2).reshape(-1, SIZE)


def names_of(found: drift.Drift) -> set[str]:
    return {trait.name for trait in found.traits if trait.is_different}


def test_images_of_the_same_distribution_are_like_each_other(digits: Appearance) -> None:
    """Of so many samples, two false alarms have a probability of 1 in 100."""
    alarms = 0
    for sample in range(15):
        rows = np.random.default_rng(sample).permutation(len(digits.levels))[:150]
        mixed = subset(digits, rows)
        alarms += drift.find(part(mixed, 0, 120), part(mixed, 120, 150)).is_different
    assert alarms <= 1


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda levels: 255 - levels, {"similarity", "brightness"}),
        (lambda levels: levels * 7 // 10, {"brightness", "contrast"}),
        (blurred, {"contrast", "sharpness"}),
        (shifted, {"similarity"}),
    ],
    ids=["inverted", "darker", "blurred", "shifted"],
)
def test_a_change_of_all_images_is_found(
    digits: Appearance, change: Callable[[Values], Values], expected: set[str]
) -> None:
    found = drift.find(part(digits, 0, 500), changed(part(digits, 500, 600), change))

    assert expected <= names_of(found)


def test_a_new_class_is_found_by_its_images_and_by_its_name(digits: Appearance) -> None:
    is_nine = np.array(digits.classes) == "9"
    nines, others = (subset(digits, np.flatnonzero(rows)) for rows in (is_nine, ~is_nine))
    known, new = part(others, 0, 500), part(nines, 0, 40)

    found = drift.find(known, new)
    unlabeled = drift.find(known, new._replace(classes=[""] * 40))

    assert {"similarity", "class mix"} <= names_of(found)
    (mix,) = (trait for trait in found.traits if trait.name == "class mix")
    assert (mix.before, mix.now) == ("9: 0 %", "9: 100 %")
    assert "similarity" in names_of(unlabeled)
    assert "class mix" not in {trait.name for trait in unlabeled.traits}


def test_other_sizes_and_shares_of_the_classes_are_found(digits: Appearance) -> None:
    new = part(digits, 500, 600)
    few_zeros = ["0" if i % 2 else one for i, one in enumerate(new.classes)]

    found = drift.find(part(digits, 0, 500), new._replace(pixels=new.pixels * 4, classes=few_zeros))

    assert names_of(found) == {"size", "class mix"}
    (size,) = (trait for trait in found.traits if trait.name == "size")
    assert (size.before, size.now) == ("64 pixels", "256 pixels")


def test_too_few_images_say_nothing(digits: Appearance) -> None:
    few, enough = part(digits, 0, FEWEST - 1), part(digits, 100, 100 + FEWEST)
    assert drift.find(part(digits, 500, 900), few) == drift.Drift()
    assert drift.find(few, part(digits, 500, 900)) == drift.Drift()
    assert drift.find(part(digits, 500, 900), enough).traits


def test_images_that_are_all_the_same_are_compared(digits: Appearance) -> None:
    """Images without any contrast have no sharpness; what is equal everywhere is not tested."""
    black = Appearance(np.zeros((30, SIZE), np.uint8), np.full(30, 64), [""] * 30)
    assert not drift.find(black, black).is_different
    assert [trait.name for trait in drift.find(black, black).traits] == ["similarity"]
    assert {"similarity", "contrast"} <= names_of(drift.find(part(digits, 0, 300), black))


def test_the_strangest_images_come_first_with_the_most_similar_ones(digits: Appearance) -> None:
    known, new = part(digits, 0, 500), part(digits, 500, 600)
    levels = new.levels.copy()
    levels[[7, 70]] = 255 - levels[[7, 70]]
    levels[3] = known.levels[11]

    found = drift.find(known, new._replace(levels=levels))

    assert {one.place for one in found.strange[:2]} == {7, 70}
    assert [one.distance for one in found.strange] == sorted(
        (one.distance for one in found.strange), reverse=True
    )
    assert found.strange[0].usual == 1.0
    differences = known.averages.astype(int) - averages_of(levels[7])
    exact = np.sqrt((differences**2).mean(axis=1))
    (seven,) = (one for one in found.strange if one.place == 7)
    assert seven.distance == pytest.approx(exact.min())
    assert seven.similar[0].row == exact.argmin()
    assert 3 not in {one.place for one in found.strange}


def averages_of(levels: npt.NDArray[np.uint8]) -> Values:
    means: Values = np.floor(levels.reshape(16, 2, 16, 2).mean(axis=(1, 3)) + 0.5).astype(int)
    return means.reshape(-1)


@given(st.lists(st.integers(0, 9), min_size=2, max_size=30), st.data())
def test_statistics_are_those_of_their_definitions(values: list[int], data: st.DataObject) -> None:
    first = data.draw(st.integers(1, len(values) - 1))
    numbers = np.array(values)
    members = np.zeros((len(values), 1), np.bool_)
    members[data.draw(st.permutations(range(len(values))))[:first]] = True
    one, two = numbers[members[:, 0]], numbers[~members[:, 0]]

    gaps = [abs((one <= at).mean() - (two <= at).mean()) for at in range(10)]
    gap = permutations.largest_gap(numbers)(members)[0]
    assert gap / (len(one) * len(two)) == pytest.approx(max(gaps))
    expected = sum(
        ((one == at).sum() - first * total / len(values)) ** 2 / total
        for at in range(10)
        if (total := (numbers == at).sum())
    )
    found = permutations.different_shares(numbers)(members)[0] / len(values) ** 2
    assert found == pytest.approx(expected, abs=0.1)
    # The other sample differs as much.
    assert gap == permutations.largest_gap(numbers)(~members)[0]
    # Only the order of values counts, and not their names.
    assert gap == permutations.largest_gap(numbers**3 + 5)(members)[0]


@given(st.integers(1, 20), st.integers(1, 20), st.integers(0, 100))
def test_the_probability_of_the_true_division_is_never_zero(
    first: int, others: int, seed: int
) -> None:
    values = np.random.default_rng(seed).integers(0, 50, first + others)
    statistic = permutations.largest_gap(values)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(permutations, "DIVISIONS", 50)
        patch.setattr(permutations, "BLOCK", 20)
        found = Divisions(first, others).probability(statistic)
    assert 1 / 50 <= found <= 1


@given(st.lists(st.floats(0, 1), min_size=1, max_size=6))
def test_all_tests_together_are_held_to_one_probability(probabilities: list[float]) -> None:
    tested = [Trait(str(n), "", "", one) for n, one in enumerate(probabilities)]
    adjusted = [trait.probability for trait in drift._adjusted(tested)]
    assert min(adjusted) == pytest.approx(min(1, min(probabilities) * len(probabilities)))
    # The order stays, and none becomes smaller.
    assert sorted(range(len(adjusted)), key=lambda at: (adjusted[at], probabilities[at])) == sorted(
        range(len(adjusted)), key=lambda at: probabilities[at]
    )
    assert all(after >= before for after, before in zip(adjusted, probabilities, strict=True))
    assert (min(probabilities) * len(probabilities) <= FALSE_ALARM) == any(
        trait.is_different for trait in drift._adjusted(tested)
    )


@given(st.integers(0, 2**32), st.integers(1, 3), st.integers(0, 60))
def test_patterns_have_one_brightness_and_contrast(seed: int, factor: int, more: int) -> None:
    blocks = np.random.default_rng(seed).integers(0, 65, (3, 16, 16))
    levels = blocks.repeat(2, axis=1).repeat(2, axis=2).reshape(3, SIZE)
    images = Appearance(levels.astype("u1"), np.zeros(3, np.int64), [""] * 3)
    other = changed(images, lambda values: values * factor + more)

    # A half can be rounded in two ways.
    assert np.abs(images.patterns.astype(int) - other.patterns).max() <= 1
    assert (other.contrast == images.contrast * factor**2).all()
    assert np.abs(other.sharpness - images.sharpness).max() <= 1


def test_rows_are_chosen_by_their_pixels_and_classes_have_several_names() -> None:
    rows = source("digits")
    dataset = dataset_of(rows)
    some = appearance.chosen(dataset.images.keys, dataset.selection.places(), 50)

    assert some == sorted(some)
    assert len(some) == 50
    rest = dataset.selection.places().keys() - set(some)
    keys = dataset.images.keys
    assert max(keys[row] for row in some) < min(keys[row] for row in rest)
    assert appearance.class_names(dataset)["3"] == "3"
    made = appearance.of_rows(dataset.originals, some, ["3"] * 50)
    assert (made.levels[7] == thumbnails_of(rows.image(some[7])[np.newaxis])[0]).all()
    assert set(made.pixels.tolist()) == {64}
