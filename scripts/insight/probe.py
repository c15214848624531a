"""The probe: what a change does to a model, without training one.

A nearest-neighbor classifier is trained on the train sets of two versions, and tested on the test
images that both have, with their classes in the newer version.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple

import numpy as np

from scripts.dataset import averages
from scripts.dataset.dataset import Dataset
from scripts.dataset.distances import Ints, Levels
from scripts.errors import UserError
from scripts.inputs.config import TEST, TRAIN
from scripts.insight import accuracy, neighbors_vote
from scripts.insight.accuracy import Accuracy
from scripts.insight.neighbors_vote import NO_CLASS, TrainImages
from scripts.releases.index import Index

# With fewer test images, only a difference of a quarter of them would be more than chance.
FEWEST = 30
# Compared pairs of a test and a train image, at most: about five seconds on two cores.
MAX_PAIRS = 150_000_000
# With more train images, too few test images could be compared, and thumbnails take long to read.
MAX_TRAIN = 300_000

# Why the probe says nothing: the classes differ; there are no shared test images, or too few of
# them; the train set is the same; it is too large; the images of the older version are unavailable.
Silence = Literal["question", "none", "few", "same", "many", "unread"]


class SharedImage(NamedTuple):
    """A test image of two versions: its identifier, and its class and row in the newer one."""

    identifier: str
    folder: str
    row: int


@dataclass(frozen=True)
class Probe:
    """What the probe finds: the number of `shared` test images, and the accuracy on some or all.

    Without `accuracy`, `silence` says why there is none.
    """

    shared: int
    accuracy: Accuracy | None = None
    silence: Silence | None = None


@dataclass(frozen=True)
class Change:
    """Two versions: the index of the older one, and the dataset and index of the newer one.

    `older` returns the dataset of the older one; it raises `UserError` if it is not available. Both
    answer the same question if they take the labels from the same column and have the same classes.
    """

    old: Index
    new: Index
    dataset: Dataset
    older: Callable[[], Dataset]
    label_by: str | None = None

    @property
    def is_other_question(self) -> bool:
        """Whether the versions answer different questions."""
        classes = ({folder for _, folder in one.places.values()} for one in (self.old, self.new))
        return self.label_by != self.dataset.config.label_by or len({*map(frozenset, classes)}) > 1

    @cached_property
    def tests(self) -> list[SharedImage]:
        """The test images that both versions have, in the order of the digests of their pixels."""
        both = sorted(
            image
            for image, was in self.new.shared(self.old)
            if self.new.places[image][0] == TEST == self.old.places[was][0]
        )
        images = self.dataset.images
        rows = images.rows(both)
        return [
            SharedImage(images.identifier(rows[image]), self.new.places[image][1], rows[image])
            for image in both
            if image in rows
        ]


def find(change: Change) -> Probe:
    """Return what the probe says about a change."""
    if change.is_other_question:
        return Probe(0, silence="question")
    shared = len(change.tests)
    if shared < FEWEST:
        return Probe(shared, silence="few" if shared else "none")
    train = _train_sets(change)
    if all(was == now for was, now in train.values()):
        return Probe(shared, silence="same")
    if len(train) > MAX_TRAIN:
        return Probe(shared, silence="many")
    # In the order of the digests, these are no special ones.
    tests = change.tests[: MAX_PAIRS // len(train)]
    try:
        compared = _compared(change, tests, train)
    except UserError:
        return Probe(shared, silence="unread")
    return Probe(shared, compared)


def _train_sets(change: Change) -> dict[bytes, tuple[str, str]]:
    """Return the class of each train image in both versions, empty where it is not in train."""
    old, new = change.old.places, change.new.places
    found = {image: ("", new[image][1]) for image in change.new.split(TRAIN)}
    same = {was: image for image, was in change.new.shared(change.old)}
    for was in change.old.split(TRAIN):
        image = same.get(was, was)
        found[image] = old[was][1], found.get(image, ("", ""))[1]
    return dict(sorted(found.items()))


def _compared(
    change: Change, tests: list[SharedImage], train: Mapping[bytes, tuple[str, str]]
) -> Accuracy:
    names = sorted({folder for folders in train.values() for folder in folders} - {""})
    numbers = {"": NO_CLASS} | {name: number for number, name in enumerate(names)}
    before, after = np.array([[numbers[one] for one in pair] for pair in train.values()]).T
    levels = _levels_of_all(change, [*train])
    queries = _levels(change.dataset, [test.row for test in tests])
    found = neighbors_vote.predictions(queries, TrainImages(levels, before, after))
    was, now = (_named(numbers_of, names) for numbers_of in found)
    return accuracy.compare([test.folder for test in tests], was, now)


def _named(numbers: Ints, names: list[str]) -> list[str]:
    return ["" if number == NO_CLASS else names[number] for number in numbers.tolist()]


def _levels_of_all(change: Change, images: list[bytes]) -> Levels:
    """Return the averages of images of both versions, by the digests of their pixels.

    Raises `UserError` if those that only the older version has are not available.
    """
    made = np.zeros((len(images), averages.SIZE), np.uint8)
    is_missing = np.ones(len(images), np.bool_)
    datasets: tuple[Callable[[], Dataset], ...] = (lambda: change.dataset, change.older)
    # The source of the newer version nearly always has all images.
    for dataset_of in datasets:
        wanted = np.flatnonzero(is_missing)
        if not len(wanted):
            break
        dataset = dataset_of()
        rows = dataset.images.rows(images[place] for place in wanted)
        found = [place for place in wanted if images[place] in rows]
        made[found] = _levels(dataset, [rows[images[place]] for place in found])
        is_missing[found] = False
    if is_missing.any():
        raise UserError("images of the older version are missing")
    return made


def _levels(dataset: Dataset, rows: list[int]) -> Levels:
    """Return the averages of `rows`: not of resized images, because theirs may be stored."""
    ascending = sorted({*rows})
    made = averages.averages_of(dataset.originals, ascending)
    return made[np.searchsorted(ascending, rows)] if rows else made
