"""Finds columns that look like groups: images with the same value are similar.

Without `group_by`, the frames of a video or the images of a patient can be in train and in test.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from scripts.dataset.dataset import Dataset
from scripts.dataset.thumbnails import Thumbnails
from scripts.inputs.config import TRAIN
from scripts.sources.own import Own
from scripts.sources.view import text

# Pairs of images that are compared for each column, and how many say something.
MAX_PAIRS, MIN_PAIRS = 200, 5
# The median distance within groups, as a share of that between them.
ALIKE = 0.6

Levels = Mapping[int, npt.NDArray[np.int16]]
Pairs = Sequence[tuple[int, int]]


class LikelyGroups(NamedTuple):
    """A column that looks like groups, and the number of its values in train and another split."""

    column: str
    on_both_sides: int


def find(dataset: Dataset) -> LikelyGroups | None:
    """Return the column that looks most like groups, None if there is none.

    Only images of the same class are compared, because these are similar anyway.
    """
    source, config = dataset.whole, dataset.config
    if config.group_by is not None or not isinstance(source, Own):
        return None
    places = {row: at for row, at in dataset.selection.places().items() if row < len(source.labels)}
    best: tuple[float, LikelyGroups] | None = None
    for column in source.columns:
        groups = _groups(source.column(column), places)
        split = {value: {places[row][0] for row in rows} for value, rows in groups.items()}
        both = sum(len(splits) > 1 and TRAIN in splits for splits in split.values())
        if both and 1 < len(groups) <= len(places) // 2:
            ratio = _ratio(dataset, groups, places)
            if ratio < (best[0] if best else ALIKE):
                best = ratio, LikelyGroups(column, both)
    return best[1] if best else None


def _groups(
    values: Sequence[object], places: Mapping[int, tuple[str, str]]
) -> dict[str, list[int]]:
    """Return the selected rows with each value, of values that several rows have."""
    found: dict[str, list[int]] = {}
    for row in sorted(places):
        if named := text(values[row]):  # type: ignore[arg-type]
            found.setdefault(named, []).append(row)
    return {value: rows for value, rows in sorted(found.items()) if len(rows) > 1}


def _ratio(
    dataset: Dataset,
    groups: Mapping[str, Sequence[int]],
    places: Mapping[int, tuple[str, str]],
) -> float:
    """Return the median distance of images with one value, as a share of that of others."""
    of_class: dict[str, list[tuple[int, int]]] = {}
    for rows in groups.values():
        first = rows[0]
        again = [row for row in rows[1:] if places[row][1] == places[first][1]]
        if again:
            of_class.setdefault(places[first][1], []).append((first, again[0]))
    within = [pair for pairs in of_class.values() for pair in pairs][:MAX_PAIRS]
    between = [
        (one, other) for pairs in of_class.values() for (one, _), (other, _) in pairwise(pairs)
    ][:MAX_PAIRS]
    if min(len(within), len(between)) < MIN_PAIRS:
        return 1.0
    levels = _levels(dataset, sorted({row for pair in [*within, *between] for row in pair}))
    return _median(levels, within) / max(_median(levels, between), 1e-9)


def _levels(dataset: Dataset, rows: Sequence[int]) -> Levels:
    thumbnails = Thumbnails(dataset.images, rows)
    blocks = thumbnails.blocks(rows)
    return {int(one["row"]): one["levels"].astype(np.int16) for block in blocks for one in block}


def _median(levels: Levels, pairs: Pairs) -> float:
    distances = [np.abs(levels[one] - levels[other]).mean() for one, other in pairs]
    return float(np.median(distances))
