"""Changed copies on both sides of the split: within a version, and between it and releases.

The test and validation images of a version are compared with the train images of each comparable
release, and the other way round. An exact copy would be a leak, and a near-duplicate in the same
version is found by `dataset.near`: neither is named here.
"""

from collections.abc import Sequence, Set
from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from scripts.dataset import changed_copies, near
from scripts.dataset.changed_copies import Copy, Side
from scripts.dataset.dataset import Dataset
from scripts.dataset.distances import Levels
from scripts.errors import UserError
from scripts.git.git import Git
from scripts.inputs.config import TRAIN
from scripts.insight.older_images import ComparedImages, OlderImages, PlacedImage
from scripts.releases import diff
from scripts.releases.cumulative import EVALUATION
from scripts.releases.history import History
from scripts.releases.index import BITS, Index

# The pairs that are named, and counted.
MAX_PAIRS, MAX_FOUND = 20, 1_000
# Unused images of the source that a copy must be nearer than, at most.
MAX_REST = 50_000


@dataclass(frozen=True)
class CopiedPair:
    """An image of train and one of another split; `mirrored` if one is the other's mirror image."""

    train: PlacedImage
    other: PlacedImage
    mirrored: bool


@dataclass(frozen=True)
class CopiedImages:
    """The changed copies that a change brings: the nearest `pairs`, and how many there are.

    At most `MAX_FOUND` are counted. Without `searched` not all pairs were compared. `missing`
    images of releases were not compared, because they are not available.
    """

    pairs: Sequence[CopiedPair] = ()
    count: int = 0
    searched: bool = True
    missing: int = 0


def find(
    git: Git,
    history: History,
    dataset: Dataset,
    old: Index | None,
    comparable: Sequence[str],
    *,
    has_near: bool,
) -> CopiedImages:
    """Return the changed copies of which one image is new in its split in `dataset`.

    `old` is the index of the version before, `comparable` are the releases that are compared too.
    With `has_near` the near-duplicates in the version are named elsewhere, and left out.
    """
    new = diff.new_in_split(dataset, old)
    if not new:
        return CopiedImages()
    older = OlderImages(git, history, comparable, dataset)
    train, others = (
        [ComparedImages.of(dataset, rows), *parts]
        for rows, parts in zip(diff.both_sides(dataset), older.sides, strict=True)
    )
    found = changed_copies.find(
        _side(train, new), _side(others, new), lambda: _rest(dataset, [*train, *others])
    )
    pairs = [*found.pairs[:MAX_FOUND]]
    if has_near:
        pairs = _without_near(dataset, pairs, train[0].rows, others[0].rows)
    named = []
    for copy in pairs[:MAX_PAIRS]:
        # The index of a release that cannot be read does not name its images.
        with suppress(UserError):
            of_train = older.named(*_at(train, copy.train), BITS[TRAIN])
            of_others = older.named(*_at(others, copy.other), EVALUATION)
            named.append(CopiedPair(of_train, of_others, copy.mirrored))
    return CopiedImages(tuple(named), len(pairs), found.searched, older.missing)


def _side(parts: Sequence[ComparedImages], new: Set[int]) -> Side:
    """Return the images of `parts`, of which the first is the version, with its `new` rows."""
    levels = np.concatenate([part.levels for part in parts])
    is_new = np.zeros(len(levels), np.bool_)
    is_new[: len(parts[0].rows)] = [row in new for row in parts[0].rows]
    return Side(levels, is_new)


def _at(parts: Sequence[ComparedImages], place: int) -> tuple[Dataset, int]:
    """Return the image at `place` of all `parts` together."""
    for part in parts:
        if place < len(part.rows):
            return part.dataset, part.rows[place]
        place -= len(part.rows)
    raise IndexError(place)


def _rest(dataset: Dataset, parts: Sequence[ComparedImages]) -> Levels:
    """Return the averages of images of the source that are in none of `parts`."""
    keys = dataset.source.keys
    here = [row for part in parts if part.dataset is dataset for row in part.rows]
    used = {keys[row] for row in here if row < len(keys)}
    rows = [row for row, key in enumerate(keys) if key not in used]
    return changed_copies.levels_of(dataset.originals, rows[:: len(rows) // MAX_REST + 1])


def _without_near(
    dataset: Dataset, copies: Sequence[Copy], train: Sequence[int], others: Sequence[int]
) -> list[Copy]:
    """Return `copies` without the near-duplicates in the version, the rows `train` and `others`."""
    rows = {
        copy: (train[copy.train], others[copy.other])
        for copy in copies
        if copy.train < len(train) and copy.other < len(others) and not copy.mirrored
    }
    known = near.among(dataset.images, {*rows.values()})
    return [copy for copy in copies if rows.get(copy) not in known]
