"""The contact sheet: a picture of some samples of each split and class, and what changes."""

import io
import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from PIL import Image, ImageDraw, ImageFont

from scripts.build.dataset import Dataset
from scripts.inputs.config import SPLITS
from scripts.sources.source import Pixels
from scripts.versions.diff import Diff

MAX_IMAGES = 24
# With more classes the picture would be too large to open.
MAX_LINES = 100
THUMBNAIL = 56
# The frame of an image, and the space between two.
FRAME, GAP = 2, 8
SIDE = THUMBNAIL + 2 * FRAME
LEGEND, HEADING, CAPTION = 24, 18, 12
LEGEND_WIDTH = 260
LINE = HEADING + SIDE + CAPTION + GAP
WHITE, BLACK, GRAY = (255, 255, 255), (0, 0, 0), (110, 110, 110)
# Told apart also by people who do not see red and green: https://jfly.uni-koeln.de/color/
NEW, REMOVED = (0, 114, 178), (213, 94, 0)


class _Sample(NamedTuple):
    caption: str
    pixels: Pixels
    color: tuple[int, int, int]


class _Row(NamedTuple):
    heading: str
    samples: list[_Sample]


def draw(dataset: Dataset, difference: Diff) -> bytes:
    """Return a PNG with a row of samples for each split and class, black on white, enlarged.

    Each has its file name below it, without `.png`. New samples come first, framed in blue; a last
    row for each split shows removed ones, framed in orange, as far as the source still has them.
    """
    rows = _within_bounds([*_selected(dataset, difference)], [*_removed(dataset, difference)])
    # Wide enough that no caption meets the next, and no heading is cut off.
    step = GAP + max(SIDE, *(_width(sample.caption) for row in rows for sample in row.samples))
    width = max(LEGEND_WIDTH, *(max(_width(row.heading), len(row.samples) * step) for row in rows))
    page = Image.new("RGB", (GAP + width + GAP, LEGEND + len(rows) * LINE), WHITE)
    pen = ImageDraw.Draw(page)
    if difference.before:
        pen.text((GAP, GAP // 2), "blue frame: new", fill=NEW)
        pen.text((LEGEND_WIDTH // 2, GAP // 2), "orange frame: removed", fill=REMOVED)
    for index, row in enumerate(rows):
        top = LEGEND + index * LINE
        pen.text((GAP, top), row.heading, fill=BLACK)
        for column, sample in enumerate(row.samples):
            _paste(page, pen, sample, GAP + column * step, top + HEADING)
    buffer = io.BytesIO()
    page.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def _selected(dataset: Dataset, difference: Diff) -> Iterator[_Row]:
    digests, selection = dataset.images.digests, dataset.selection
    # In the first version everything is new; frames would say nothing.
    added = difference.added if difference.before else frozenset()
    for (split, folder), rows in selection.rows.items():
        new = [row for row in rows if digests[row] in added]
        shown = [*new, *(row for row in rows if digests[row] not in added)][:MAX_IMAGES]
        news = f", {len(new):,} new" if added else ""
        yield _Row(
            f"{split}/{folder}: {len(shown)} of {len(rows):,}{news}",
            [
                _Sample(
                    selection.identifiers[row],
                    dataset.images.image(row),
                    NEW if digests[row] in added else WHITE,
                )
                for row in shown
            ],
        )


def _removed(dataset: Dataset, difference: Diff) -> Iterator[_Row]:
    old, digests = difference.old, dataset.images.digests
    if not difference.removed or old is None:
        return
    row_of = {digest: row for row, digest in reversed(list(enumerate(digests)))}
    for split in SPLITS:
        gone = difference.removed & old.split(split)
        here = [row_of[digest] for digest in sorted(gone) if digest in row_of][:MAX_IMAGES]
        if gone:
            where = "" if here else ", which the source does not have any more"
            yield _Row(
                f"removed from {split}: {len(here)} of {len(gone):,}{where}",
                [
                    _Sample(dataset.images.identifier(row), dataset.images.image(row), REMOVED)
                    for row in here
                ],
            )


def _within_bounds(selected: Sequence[_Row], removed: Sequence[_Row]) -> list[_Row]:
    """Return the rows to draw, with a last heading in place of those that are left out."""
    space = MAX_LINES - len(removed)
    more = len(selected) - space
    rest = [_Row(f"{more:,} more rows are not shown", [])] if more > 0 else []
    return [*selected[:space], *removed, *rest]


def _paste(page: Image.Image, pen: ImageDraw.ImageDraw, sample: _Sample, x: int, y: int) -> None:
    pen.rectangle((x, y, x + SIDE - 1, y + SIDE - 1), fill=sample.color)
    large = Image.fromarray(_on_white(sample.pixels)).resize(
        (THUMBNAIL, THUMBNAIL), Image.Resampling.NEAREST
    )
    page.paste(large.convert("RGB"), (x + FRAME, y + FRAME))
    pen.text((x + FRAME, y + SIDE), sample.caption, fill=GRAY)


def _on_white(pixels: Pixels) -> Pixels:
    """Return gray drawings black on white; colors stay as they are."""
    return 255 - pixels if pixels.ndim == 2 else pixels  # noqa: PLR2004 - no colors


def _width(text: str) -> int:
    """Return how many pixels wide `text` is drawn."""
    return math.ceil(ImageFont.load_default().getlength(text))
