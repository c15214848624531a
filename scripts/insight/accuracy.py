"""Two sets of predictions of the same samples, compared."""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

# The two-sided 97.5 % quantile of the normal distribution.
Z = 1.959963984540054
HALVINGS = 60


class ClassAccuracy(NamedTuple):
    """The samples of one class, and how many of them were predicted right before and after."""

    folder: str
    samples: int
    before: int
    after: int


@dataclass(frozen=True)
class Accuracy:
    """How many of the `samples` are predicted right before and after.

    `gained` were wrong and are right, `lost` were right and are wrong. The classes with the largest
    changes come first.
    """

    samples: int
    before: int
    after: int
    gained: int
    lost: int
    classes: Sequence[ClassAccuracy]


def compare(truth: Sequence[str], before: Sequence[str], after: Sequence[str]) -> Accuracy:
    """Compare the predictions `before` and `after` of the same samples with their classes."""
    was = [one == right for one, right in zip(before, truth, strict=True)]
    now = [one == right for one, right in zip(after, truth, strict=True)]
    rows = [*zip(truth, was, now, strict=True)]
    samples, old = Counter(truth), Counter(folder for folder, right, _ in rows if right)
    new = Counter(folder for folder, _, right in rows if right)
    classes = [ClassAccuracy(one, samples[one], old[one], new[one]) for one in sorted(samples)]
    return Accuracy(
        samples=len(rows),
        before=sum(was),
        after=sum(now),
        gained=sum(now and not was for _, was, now in rows),
        lost=sum(was and not now for _, was, now in rows),
        classes=sorted(classes, key=lambda one: -abs(one.after - one.before)),
    )


def interval(samples: int, gained: int, lost: int) -> tuple[float, float]:
    """Return the 95 % interval of the difference of two accuracies on the same samples.

    It is Tango's score interval (Statistics in Medicine 17, 1998, 891-908), which inverts McNemar's
    test: it excludes 0 exactly where that test is significant. Intervals from the exact test and
    from a bootstrap know nothing where no sample changes, and say that the difference is 0.
    """
    if not samples:
        return -1.0, 1.0
    # The numbers of a report can be wrong.
    found = max(-1.0, min(1.0, (gained - lost) / samples))

    def excess(difference: float) -> float:
        return abs(_score(samples, gained, lost, difference)) - Z

    return -_edge(lambda at: excess(-at), -found), _edge(excess, found)


def _score(samples: int, gained: int, lost: int, difference: float) -> float:
    """Return the score statistic of a true `difference`: about standard normal."""
    # The likelihood is largest at this share of lost samples.
    a = 2 * samples
    b = -gained - lost + (2 * samples - gained + lost) * difference
    c = -lost * difference * (1 - difference)
    share = (math.sqrt(max(0.0, b * b - 4 * a * c)) - b) / (2 * a)
    variance = samples * (2 * share + difference * (1 - difference))
    distance = gained - lost - samples * difference
    return distance / math.sqrt(variance) if variance > 0 else math.copysign(math.inf, distance)


def _edge(excess: Callable[[float], float], inside: float) -> float:
    """Return where `excess` becomes positive between `inside` and 1."""
    low, high = inside, 1.0
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if excess(middle) <= 0 else (low, middle)
    return low
