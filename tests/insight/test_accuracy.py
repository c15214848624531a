import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from scripts.insight import accuracy
from scripts.insight.accuracy import ClassAccuracy, Z, interval

CLASSES = st.sampled_from("abc")


def test_predictions_are_compared_by_sample_and_by_class() -> None:
    found = accuracy.compare("aaabbc", "aabbac", "aaabbb")

    assert (found.samples, found.before, found.after, found.gained, found.lost) == (6, 4, 5, 2, 1)
    assert found.classes == [
        ClassAccuracy("a", 3, 2, 3),
        ClassAccuracy("b", 2, 1, 2),
        ClassAccuracy("c", 1, 1, 0),
    ]


@given(st.lists(st.tuples(CLASSES, CLASSES, CLASSES)))
def test_the_classes_add_up_and_what_changes_most_comes_first(
    rows: list[tuple[str, str, str]],
) -> None:
    truth, before, after = (
        (list(column) for column in zip(*rows, strict=True)) if rows else ([],) * 3
    )

    found = accuracy.compare(truth, before, after)

    assert found.after - found.before == found.gained - found.lost
    assert found.samples == sum(one.samples for one in found.classes) == len(rows)
    assert found.before == sum(one.before for one in found.classes)
    assert found.after == sum(one.after for one in found.classes)
    changes = [abs(one.after - one.before) for one in found.classes]
    assert changes == sorted(changes, reverse=True)


@st.composite
def paired(draw: st.DrawFn) -> tuple[int, int, int]:
    """Return a number of samples, and how many are gained and lost."""
    samples = draw(st.integers(1, 3000))
    gained = draw(st.integers(0, samples))
    return samples, gained, draw(st.integers(0, samples - gained))


@given(paired())
@example((200, 0, 0))
@example((1, 1, 0))
@example((30, 0, 30))
def test_the_interval_contains_the_difference_and_mirrors_it(given: tuple[int, int, int]) -> None:
    samples, gained, lost = given
    low, high = interval(samples, gained, lost)
    mirrored = interval(samples, lost, gained)

    assert -1 <= low <= (gained - lost) / samples <= high <= 1
    assert low < high
    assert mirrored == pytest.approx((-high, -low), abs=1e-9)


@given(paired())
def test_the_interval_excludes_0_exactly_where_mcnemars_test_is_significant(
    given: tuple[int, int, int],
) -> None:
    samples, gained, lost = given
    low, high = interval(samples, gained, lost)
    statistic = abs(gained - lost) / math.sqrt(gained + lost) if gained + lost else 0.0

    if abs(statistic - Z) > 1e-6:
        assert (low > 0 or high < 0) == (statistic > Z)


@pytest.mark.parametrize("samples", [30, 80, 200])
@pytest.mark.parametrize(("gain", "loss"), [(0.01, 0.01), (0.03, 0.0), (0.03, 0.01), (0.1, 0.05)])
def test_the_interval_covers_the_true_difference_as_often_as_it_says(
    samples: int, gain: float, loss: float
) -> None:
    """Over every outcome, each with its probability. The exact test covers as little as 44 %."""
    covered = 0.0
    for gained in range(samples + 1):
        for lost in range(samples + 1 - gained):
            probability = _probability(samples, gained, lost, gain, loss)
            if probability > 1e-7:
                low, high = interval(samples, gained, lost)
                covered += probability * (low <= gain - loss <= high)

    assert covered > 0.93


def _probability(samples: int, gained: int, lost: int, gain: float, loss: float) -> float:
    rest = samples - gained - lost
    ways = math.comb(samples, gained) * math.comb(samples - gained, lost)
    return ways * gain**gained * loss**lost * (1 - gain - loss) ** rest
