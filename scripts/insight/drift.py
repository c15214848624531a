"""Drift: whether new images come from the same distribution as those of a dataset.

The similarity of images, brightness, contrast, sharpness, size and class mix are tested each, with
permutation tests. Holm's method (Scandinavian Journal of Statistics 6, 1979, 65-70) combines them,
so that all tests together find a difference in at most 1 of 100 samples of the same distribution.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from scripts.dataset import averages
from scripts.dataset.averages import NONE
from scripts.dataset.distances import Ints, Levels
from scripts.dataset.neighbors import Neighbor
from scripts.insight import permutations
from scripts.insight.appearance import SCALE, Appearance
from scripts.insight.permutations import Divisions
from scripts.sources.thumbnails import SIDE, SIZE

# With fewer new images, only the largest differences would be more than chance.
FEWEST = 20
# Images of each side that are compared at most. With more, hardly anything more would be found.
MOST = 2_000
# The most similar images that are counted for each. docs/drift.md has the measurements.
NEIGHBORS = 20
# The probability of a false alarm, of all tests together.
FALSE_ALARM = 0.01
# The new images that are least like the dataset, and the most similar images of each.
STRANGEST, SIMILAR = 10, 5


class Trait(NamedTuple):
    """A test: typical values in the dataset and in the new images, and how probable that is.

    `probability` is the share of samples of the same distribution that differ at least as much. In
    the result of `find`, it is adjusted for the number of tests.
    """

    name: str
    before: str
    now: str
    probability: float

    @property
    def is_different(self) -> bool:
        """Whether the difference is more than chance."""
        return self.probability <= FALSE_ALARM

    @property
    def chance(self) -> str:
        """The probability in words."""
        return f"{100 * self.probability:.2g} %"


class Strange(NamedTuple):
    """A new image, by its place, and the most similar images of the dataset, by theirs.

    `usual` is the share of the images of the dataset that are nearer to another one of it.
    """

    place: int
    usual: float
    similar: Sequence[Neighbor]

    @property
    def distance(self) -> float:
        """The distance to the most similar image, in gray levels."""
        return self.similar[0].distance


@dataclass(frozen=True)
class Drift:
    """What was found: nothing if there are too few images, otherwise a trait for each test.

    `strange` are the new images that are least like any of the dataset, the strangest first.
    """

    traits: Sequence[Trait] = ()
    strange: Sequence[Strange] = ()

    @property
    def is_different(self) -> bool:
        """Whether any difference is more than chance."""
        return any(trait.is_different for trait in self.traits)


def find(known: Appearance, new: Appearance) -> Drift:
    """Compare `new` images with the `known` ones of a dataset.

    The classes are compared if all `known` ones and most of the `new` ones have one.
    """
    if min(len(known.levels), len(new.levels)) < FEWEST:
        return Drift()
    return Drift(_adjusted([*_tested(known, new)]), _strangest(known, new))


def _tested(known: Appearance, new: Appearance) -> Iterator[Trait]:
    """Yield each test; what is the same in all images is not tested."""
    divisions = Divisions(len(new.levels), len(known.levels))
    yield _similar(known, new, divisions)
    for name, of, shown in MEASURES:
        was, now = of(known), of(new)
        values = np.concatenate([now, was])
        if (values != values[0]).any():
            probability = divisions.probability(permutations.largest_gap(values))
            yield Trait(
                name, shown(float(np.median(was))), shown(float(np.median(now))), probability
            )
    if 2 * new.classes.count("") < len(new.classes) and "" not in known.classes:
        yield from _classes(known, new, divisions)


def _similar(known: Appearance, new: Appearance, divisions: Divisions) -> Trait:
    """Test whether new images are more similar to each other than to those of the dataset."""
    patterns = np.concatenate([new.patterns, known.patterns])
    near = _neighbors(patterns)
    expected = (len(new.levels) - 1) / (len(patterns) - 1)
    found = float((near[: len(new.levels)] < len(new.levels)).mean())
    return Trait(
        "similarity",
        f"{_percent(expected)} expected",
        _percent(found),
        divisions.probability(permutations.near_each_other(near)),
    )


def _neighbors(patterns: Levels) -> Ints:
    """Return the places of the nearest other ones of each of `patterns`.

    Of equally near ones, chance decides, and not which sample comes first.
    """
    mixed = permutations.mixed(len(patterns))
    count, own = min(NEIGHBORS, len(patterns) - 1), np.arange(len(patterns))
    found = averages.nearest(patterns[mixed], patterns[mixed], count, own).places
    near: Ints = mixed[found][np.argsort(mixed)]
    return near


def _classes(known: Appearance, new: Appearance, divisions: Divisions) -> Iterator[Trait]:
    names, numbers = np.unique([*new.classes, *known.classes], return_inverse=True)
    if len(names) == 1:
        return
    was, now = (
        {name: count / len(one.classes) for name, count in Counter(one.classes).items()}
        for one in (known, new)
    )
    most = max(names.tolist(), key=lambda name: abs(now.get(name, 0) - was.get(name, 0)))
    before, after = (f"{most or 'no class'}: {_percent(one.get(most, 0))}" for one in (was, now))
    probability = divisions.probability(permutations.different_shares(numbers))
    yield Trait("class mix", before, after, probability)


def _adjusted(tested: Sequence[Trait]) -> list[Trait]:
    """Return the traits with probabilities that are adjusted for their number, by Holm's method."""
    adjusted, lowest = {}, 0.0
    for rank, trait in enumerate(sorted(tested, key=lambda one: one.probability)):
        lowest = max(lowest, min(1.0, (len(tested) - rank) * trait.probability))
        adjusted[trait.name] = lowest
    return [trait._replace(probability=adjusted[trait.name]) for trait in tested]


def _strangest(known: Appearance, new: Appearance) -> list[Strange]:
    """Return the new images that are farthest from any of the dataset, the farthest first."""
    places = np.arange(len(known.levels))
    usual = np.sort(averages.nearest(known.averages, known.averages, 1, places).squares[:, 0])
    none = np.full(len(new.levels), NONE)
    similar = averages.nearest(new.averages, known.averages, SIMILAR, none)
    squares: Ints = similar.squares[:, 0]
    order = np.argsort(-squares, kind="stable")[:STRANGEST].tolist()
    return [
        Strange(
            place,
            int(np.searchsorted(usual, squares[place])) / len(known.levels),
            [
                Neighbor(near, averages.distance(square))
                for near, square in zip(
                    similar.places[place].tolist(), similar.squares[place].tolist(), strict=True
                )
            ],
        )
        for place in order
    ]


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _steps(sharpness: float) -> str:
    """Return the root mean square of adjacent steps, as a share of the standard deviation."""
    steps = 2 * SIDE * (SIDE - 1)
    return f"{np.sqrt(sharpness / SCALE * SIZE**2 / steps):.2f}"


# The traits that are a number for each image, and how a value is shown.
MEASURES: Sequence[tuple[str, Callable[[Appearance], Ints], Callable[[float], str]]] = (
    ("brightness", lambda images: images.brightness, lambda value: f"{value / SIZE:.1f}"),
    ("contrast", lambda images: images.contrast, lambda value: f"{np.sqrt(value) / SIZE:.1f}"),
    ("sharpness", lambda images: images.sharpness, _steps),
    ("size", lambda images: images.pixels, lambda value: f"{value:,.0f} pixels"),
)
