"""How the images of a line are dealt to the splits.

A line holds images by batch and place. Train takes from its front, test from its back, validation
from a place in the middle towards the front. A closed batch is cut where its splits were, and each
split stays on its side of the cut, so that a new batch moves nothing.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import groupby

from scripts.build.order import Image
from scripts.inputs.config import SPLITS, TEST, TRAIN, VALIDATION, Split

# Validation takes the images before this place first.
VALIDATION_END = Fraction(4, 5)

Dealt = dict[Split, list[Image]]
# Returns the split in whose zone an image of a closed batch is; None in the open batch.
Zone = Callable[[Image], Split | None]
# Rows that only one split may take.
Pins = Mapping[int, Split]


@dataclass(frozen=True)
class Wish:
    """How many images of a line each split should get.

    `shares` are fractions of the whole line, in which an image's own place decides; `counts` are
    numbers of images, of what the shares leave to train.
    """

    counts: Mapping[Split, int]
    shares: Mapping[Split, Fraction] = field(default_factory=dict)
    validation_end: Fraction = VALIDATION_END


def deal(line: Sequence[Image], wish: Wish, zone: Zone, pins: Pins) -> Dealt:
    """Return the images of `line` that each split gets, in the order in which it takes them.

    A split gets fewer than the count in `wish` only where there are no more images.
    """
    if not wish.shares:
        return _by_count(line, wish, zone, pins)
    dealt = _by_place(line, wish, zone, pins)
    counted = _by_count(sorted(dealt[TRAIN]), wish, zone, pins)
    return {split: dealt[split] if split in wish.shares else counted[split] for split in SPLITS}


def _by_count(line: Sequence[Image], wish: Wish, zone: Zone, pins: Pins) -> Dealt:
    """Deal the closed batches first, oldest first, where each split takes images of its own zone.

    Then the open batch; then what is left of the closed ones, newest first.
    """
    dealt: Dealt = {split: [] for split in SPLITS}
    still_open = [image for image in line if zone(image) is None]
    cut = (image for image in line if zone(image) is not None)
    closed = [list(batch) for _, batch in groupby(cut, lambda image: image.batch)]
    for batch in closed:
        for split in SPLITS:
            own = [image for image in batch if zone(image) == split]
            _take(dealt, split, wish, own if split == TRAIN else own[::-1], pins)
    for batch in (still_open, *reversed(closed)):
        middle = sum(image.place < float(wish.validation_end) for image in batch)
        _take(dealt, VALIDATION, wish, [*batch[:middle][::-1], *batch[middle:]], pins)
        _take(dealt, TEST, wish, batch[::-1], pins)
        _take(dealt, TRAIN, wish, batch, pins)
    return dealt


def _by_place(line: Sequence[Image], wish: Wish, zone: Zone, pins: Pins) -> Dealt:
    """Deal each image by its own place.

    Splits lie where counts take them from, so that leaving out an image moves no other, and taking
    all images after a part of them moves none.
    """
    dealt: Dealt = {split: [] for split in SPLITS}
    starts, splits = zip(*_segments(wish.shares, wish.validation_end), strict=True)
    for image in line:
        split = zone(image) or splits[bisect_right(starts, image.place) - 1]
        if pins.get(image.row, split) == split:
            dealt[split].append(image)
    # In the order of counts: train from the front, the others from the back.
    return {split: taken if split == TRAIN else taken[::-1] for split, taken in dealt.items()}


def _segments(shares: Mapping[Split, Fraction], end: Fraction) -> list[tuple[float, Split]]:
    """Return where each stretch of places begins, and whose it is."""
    validation, test = shares.get(VALIDATION, Fraction(0)), shares.get(TEST, Fraction(0))
    if not validation:
        return [(0.0, TRAIN), (float(1 - test), TEST)]
    # What does not fit before its end lies behind it.
    end = max(end, validation)
    start, behind = end - validation, 1 - end
    if test <= behind:
        last = (float(1 - test), TEST)
        return [(0.0, TRAIN), (float(start), VALIDATION), (float(end), TRAIN), last]
    # Test reaches past validation towards the front.
    front = (float(start - (test - behind)), TEST)
    return [(0.0, TRAIN), front, (float(start), VALIDATION), (float(end), TEST)]


def _take(dealt: Dealt, split: Split, wish: Wish, images: Iterable[Image], pins: Pins) -> None:
    """Move free images from the beginning of `images` to `split`, up to its count."""
    taken = {image.row for others in dealt.values() for image in others}
    mine = dealt[split]
    for image in images:
        if len(mine) >= wish.counts.get(split, 0):
            break
        if image.row not in taken and pins.get(image.row, split) == split:
            mine.append(image)
