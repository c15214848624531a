"""A nearest-neighbor classifier, trained on two sets of images at once.

Most images are in both, so each is compared only once.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from scripts.dataset import averages
from scripts.dataset.averages import NONE
from scripts.dataset.distances import Ints, Levels

# On MNIST with few images one neighbor is best, on photos ten. Five are nowhere much worse than the
# best, and one wrong label among them does not decide. docs/probe.md has the numbers.
NEIGHBORS = 5
# No label: the image is not in this set, or there are fewer images than neighbors.
NO_CLASS = -1


class TrainImages(NamedTuple):
    """Images with a label in one train set, or in two.

    `levels` are their averages, `before` and `after` the number of the class of each in both sets,
    `NO_CLASS` if it is not there.
    """

    levels: Levels
    before: Ints
    after: Ints


def predictions(queries: Levels, train: TrainImages) -> tuple[Ints, Ints]:
    """Return the class that the neighbors of each of `queries` vote for, in both train sets.

    It is the class of most neighbors, of two with as many the one with the nearest image. Of two
    images at the same distance, the first of `train` is nearer.
    """
    is_old, is_new = train.before != NO_CLASS, train.after != NO_CLASS
    parts = [
        _nearest(queries, train.levels, np.flatnonzero(chosen))
        for chosen in (is_old & is_new, is_old & ~is_new, is_new & ~is_old)
    ]
    both, only_old, only_new = parts
    return _voted([both, only_old], train.before), _voted([both, only_new], train.after)


class _Neighbors(NamedTuple):
    """The nearest images of each query: their squared distances, and places in all images."""

    squares: Ints
    places: Ints


def _nearest(queries: Levels, levels: Levels, places: npt.NDArray[np.intp]) -> _Neighbors:
    """Return the nearest of the images at `places`."""
    found = averages.nearest(
        queries, levels[places], NEIGHBORS, np.full(len(queries), NONE, np.int64)
    )
    is_missing = found.places == NONE
    where = np.append(places, NONE)[found.places]
    return _Neighbors(np.where(is_missing, np.iinfo(np.int64).max, found.squares), where)


def _voted(parts: Sequence[_Neighbors], classes: Ints) -> Ints:
    """Return the class that the nearest ones of all `parts` vote for."""
    squares = np.concatenate([part.squares for part in parts], axis=1)
    places = np.concatenate([part.places for part in parts], axis=1)
    order = np.lexsort((places, squares), axis=1)[:, :NEIGHBORS]
    near = np.take_along_axis(places, order, axis=1)
    labels = np.append(classes, NO_CLASS)[near]
    votes = (labels[:, :, np.newaxis] == labels[:, np.newaxis, :]).sum(axis=2)
    votes[labels == NO_CLASS] = 0
    chosen: Ints = labels[np.arange(len(labels)), votes.argmax(axis=1)]
    return chosen
