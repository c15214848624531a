"""Computes the geometry of charts, which templates draw as SVG."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from scripts.inputs.config import SPLITS

WIDTH, HEIGHT = 720, 220
# Room for the numbers to the left of the bars, and for the tags below and beside them.
LEFT, RIGHT, BOTTOM, TOP = 80, 16, 28, 14
# With more releases, the first ones are not shown.
MAX_RELEASES = 120
MAX_BAR = 56
# The width of a tag below a bar.
TAG_WIDTH = 34
TICKS = 4
# With more bars, a phone shows a part of the chart at a time.
MAX_NARROW = 6


class Counted(Protocol):
    """A release with its tag, and its number of images by split and class."""

    @property
    def tag(self) -> str:
        """The tag."""

    @property
    def counts(self) -> Mapping[str, Mapping[str, int]]:
        """The counts."""


@dataclass(frozen=True)
class BarPart:
    """A part of a bar: split, number of images, start and length."""

    split: str
    count: int
    start: float
    length: float


@dataclass(frozen=True)
class ChartBar:
    """The bar of one release; `x` is its left side."""

    tag: str
    x: float
    total: int
    parts: Sequence[BarPart]
    has_label: bool


@dataclass(frozen=True)
class Tick:
    """A grid line."""

    count: int
    y: float


@dataclass(frozen=True)
class CountHistory:
    """Counts over time: a bar for each release, of parts by split."""

    bars: Sequence[ChartBar]
    ticks: Sequence[Tick]
    bar_width: float
    omitted: int

    @property
    def is_wide(self) -> bool:
        """Whether the chart is wider than a phone."""
        return len(self.bars) > MAX_NARROW


def history(entries: Sequence[Counted]) -> CountHistory:
    """Return the chart of the number of images of each release, by split."""
    shown = entries[-MAX_RELEASES:]
    by_split = [splits_of(entry.counts) for entry in shown]
    ticks = _ticks(max(sum(counts.values()) for counts in by_split))
    scale = (HEIGHT - BOTTOM - TOP) / ticks[-1]
    step = (WIDTH - LEFT - RIGHT) / len(shown)
    width = min(MAX_BAR, step * 0.8)
    every = math.ceil(TAG_WIDTH / step)
    bars = [
        ChartBar(
            tag=entry.tag,
            x=LEFT + number * step + (step - width) / 2,
            total=sum(counts.values()),
            parts=_stacked(counts, scale),
            # Counted from the newest, which always has its tag.
            has_label=(len(shown) - 1 - number) % every == 0,
        )
        for number, (entry, counts) in enumerate(zip(shown, by_split, strict=True))
    ]
    lines = [Tick(count, HEIGHT - BOTTOM - count * scale) for count in ticks]
    return CountHistory(bars, lines, width, len(entries) - len(shown))


def splits_of(counts: Mapping[str, Mapping[str, int]]) -> dict[str, int]:
    """Return the number of images of each existing split."""
    return {split: sum(counts[split].values()) for split in SPLITS if split in counts}


def shares(counts: Mapping[str, int], most: int) -> list[BarPart]:
    """Return the parts of a bar from left to right, in percent of `most`."""
    parts, start = [], 0.0
    for split, count in counts.items():
        length = 100 * count / max(most, 1)
        parts.append(BarPart(split, count, round(start, 2), round(length, 2)))
        start += length
    return parts


def _stacked(counts: Mapping[str, int], scale: float) -> list[BarPart]:
    """Return the parts of a bar from the bottom to the top."""
    parts, bottom = [], float(HEIGHT - BOTTOM)
    for split, count in counts.items():
        length = count * scale
        bottom -= length
        parts.append(BarPart(split, count, round(bottom, 1), round(length, 1)))
    return parts


def _ticks(most: int) -> list[int]:
    """Return round numbers from 0 up to at least `most`."""
    rough = max(1, most) / TICKS
    power = 10 ** math.floor(math.log10(rough))
    step = max(
        1, math.ceil(next(one * power for one in (1, 2, 2.5, 5, 10) if one * power >= rough))
    )
    return _until(range(0, 10**12, step), most)


def _until(numbers: Iterable[int], most: int) -> list[int]:
    found = []
    for number in numbers:
        found.append(number)
        if number >= max(1, most):
            break
    return found
