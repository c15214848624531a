"""Deals the images of a line to the splits.

A line contains images by batch and place. Train takes from its front, test from its back,
validation from a place in the middle towards the front. A closed batch is cut between its splits,
and each split stays on its side of the cut, so that a new batch moves no image.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import groupby
from operator import attrgetter

from scripts.dataset.order import Image
from scripts.inputs.config import SPLITS, TEST, TRAIN, VALIDATION, Split
from scripts.sources.source import Zones

# Validation takes the images before this place first.
VALIDATION_END = Fraction(4, 5)

Dealt = dict[Split, list[Image]]
# The split of some rows: by the zone of a row in a closed batch, or by its pin.
BySplit = Mapping[int, Split]


@dataclass(frozen=True)
class Wish:
    """The number of images of a line that each split should get.

    `shares` are fractions of the whole line, for which the place of an image decides; `counts` are
    numbers of the other images.
    """

    counts: Mapping[Split, int]
    shares: Mapping[Split, Fraction] = field(default_factory=dict)
    validation_end: Fraction = VALIDATION_END


def zone(zones: Zones, place: float) -> Split:
    """Return the split whose zone contains a place of a closed batch."""
    # If test reached past validation, test begins before it.
    if zones.validation <= place < float(VALIDATION_END):
        return VALIDATION
    return TEST if place >= zones.test else TRAIN


def zone_of_own_train(zones: Zones, place: float) -> Split:
    """Return the same within the train set of the source."""
    return VALIDATION if place >= zones.own_validation else TRAIN


def deal(line: Sequence[Image], wish: Wish, zones: BySplit, pins: BySplit) -> Dealt:
    """Return the images of `line` that each split gets, in the order in which it takes them.

    A pinned image is taken only by its split. A split gets fewer images than the count in `wish`
    only if there are no more.
    """
    dealt, rest = _by_place(line, wish, zones, pins) if wish.shares else ({}, line)
    return _by_count(rest, wish, zones, pins) | dealt


def _by_place(
    line: Sequence[Image], wish: Wish, zones: BySplit, pins: BySplit
) -> tuple[Dealt, list[Image]]:
    """Deal images to the splits with a share, by their places; return the others too.

    Splits are in the same parts of the line as with counts, so that excluding an image moves no
    other, and neither does taking all images instead of a part.
    """
    dealt: Dealt = {split: [] for split in wish.shares}
    rest: list[Image] = []
    starts, splits = zip(*_segments(wish.shares, wish.validation_end), strict=True)
    for batch in _batches(line):
        taken: Dealt = {split: [] for split in wish.shares}
        for image in batch:
            decided = pins.get(image.row) or zones.get(image.row)
            split = decided or splits[bisect_right(starts, image.place) - 1]
            taken.get(split, rest).append(image)
        for split, images in taken.items():
            # These splits take from the back, as they do by count.
            dealt[split] += reversed(images)
    return dealt, rest


def _segments(shares: Mapping[Split, Fraction], end: Fraction) -> list[tuple[float, Split]]:
    """Return the start and the split of each interval of places."""
    validation, test = shares.get(VALIDATION, Fraction(0)), shares.get(TEST, Fraction(0))
    if not validation:
        return [(0.0, TRAIN), (float(1 - test), TEST)]
    # Images that do not fit before its end are after it.
    end = max(end, validation)
    start, behind = end - validation, 1 - end
    if test <= behind:
        last = (float(1 - test), TEST)
        return [(0.0, TRAIN), (float(start), VALIDATION), (float(end), TRAIN), last]
    # Test reaches past validation towards the front.
    front = (float(start - (test - behind)), TEST)
    return [(0.0, TRAIN), front, (float(start), VALIDATION), (float(end), TEST)]


def _by_count(line: Sequence[Image], wish: Wish, zones: BySplit, pins: BySplit) -> Dealt:
    """Deal the zones of the closed batches, oldest first.

    Then deal from the ends of the open batch, and of the rest of the closed ones, newest first.
    """
    dealing = _Dealing(wish, pins)
    left = [dealing.take_from_zones(batch, zones) for batch in _batches(line)]
    for batch in reversed(left):
        dealing.take_from_ends(batch)
    return dealing.dealt


@dataclass(frozen=True)
class _Dealing:
    """The images dealt so far, up to the counts of `wish`."""

    wish: Wish
    pins: BySplit
    dealt: Dealt = field(default_factory=lambda: {split: [] for split in SPLITS})

    def take_from_zones(self, batch: list[Image], zones: BySplit) -> list[Image]:
        """Deal images to the split of their zone; return the others, in order."""
        if not zones:
            return batch
        own: dict[Split | None, list[Image]] = {split: [] for split in (*SPLITS, None)}
        for image in batch:
            own[zones.get(image.row)].append(image)
        left = own[None] + self._take(TRAIN, own[TRAIN])
        for split in (VALIDATION, TEST):
            left += self._take(split, own[split][::-1])
        return sorted(left)

    def take_from_ends(self, batch: list[Image]) -> None:
        """Deal the front of `batch` to train and the back to test, after validation."""
        if self.wish.counts.get(VALIDATION):
            end = bisect_left(batch, float(self.wish.validation_end), key=attrgetter("place"))
            batch = sorted(self._take(VALIDATION, [*reversed(batch[:end]), *batch[end:]]))
        left = self._take(TEST, batch[::-1])[::-1]
        self._take(TRAIN, left)

    def _take(self, split: Split, images: list[Image]) -> list[Image]:
        """Deal images from the beginning of `images` to `split`, up to its count.

        Return the others.
        """
        missing = max(0, self.wish.counts.get(split, 0) - len(self.dealt[split]))
        allowed = images
        if self.pins:
            allowed = [image for image in images if self.pins.get(image.row, split) == split]
        taken = allowed[:missing]
        self.dealt[split] += taken
        if len(allowed) == len(images):
            return images[len(taken) :]
        rows = {image.row for image in taken}
        return [image for image in images if image.row not in rows]


def _batches(line: Sequence[Image]) -> list[list[Image]]:
    return [list(images) for _, images in groupby(line, attrgetter("batch"))]
