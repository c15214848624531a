"""The neighbor sheet: a picture of samples, each beside those that are most like it."""

import io
import math
from typing import NamedTuple

from PIL import Image, ImageDraw, ImageFont

from scripts.review.contact_sheet import BLACK, GAP, GRAY, THUMBNAIL, WHITE
from scripts.sources.source import Pixels
from scripts.versions.samples import Samples
from scripts.versions.similar import Similar

# With more, the picture would be too large to open.
MAX_ROWS = 100
MAX_NEIGHBORS = 24
HEADING, CAPTION = 20, 12
# Each picture has three lines below it: identifier, label, distance.
LINE = THUMBNAIL + 3 * CAPTION + GAP


class _Cell(NamedTuple):
    pixels: Pixels
    captions: tuple[str, ...]


def draw(samples: Samples, similar: Similar) -> bytes:
    """Return a PNG with a row for each sample in `similar`: the sample, then its neighbors."""
    rows = [
        [
            _cell(samples, query),
            *(_cell(samples, row, f"{distance:.1f}") for row, distance in found[:MAX_NEIGHBORS]),
        ]
        for query, found in [*similar.items()][:MAX_ROWS]
    ]
    heading = "Each row: a sample, then the samples that are most like it, with their distance"
    if len(similar) > MAX_ROWS:
        heading += f"; {len(similar) - MAX_ROWS:,} more rows are not shown"
    cells = [cell for row in rows for cell in row]
    widest = max((_width(text) for cell in cells for text in cell.captions), default=0)
    step = GAP + max(THUMBNAIL, widest)
    # The first column stands apart from the others.
    width = max(_width(heading), 2 * GAP + step * max(map(len, rows), default=0))
    page = Image.new("RGB", (GAP + width + GAP, HEADING + GAP + len(rows) * LINE), WHITE)
    pen = ImageDraw.Draw(page)
    pen.text((GAP, GAP // 2), heading, fill=BLACK)
    for line, row in enumerate(rows):
        top = HEADING + GAP + line * LINE
        for column, cell in enumerate(row):
            _paste(page, pen, cell, GAP + column * step + (2 * GAP if column else 0), top)
        separator = GAP + step
        pen.line((separator, top, separator, top + THUMBNAIL), fill=GRAY)
    buffer = io.BytesIO()
    page.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def _cell(samples: Samples, row: int, *more: str) -> _Cell:
    captions = (samples.identifier(row), samples.label(row), *more)
    return _Cell(samples.dataset.images.image(row), captions)


def _paste(page: Image.Image, pen: ImageDraw.ImageDraw, cell: _Cell, x: int, y: int) -> None:
    # Gray drawings are shown black on white; colors stay as they are.
    is_gray = cell.pixels.ndim == 2  # noqa: PLR2004 - no colors
    small = Image.fromarray(255 - cell.pixels if is_gray else cell.pixels).convert("RGB")
    page.paste(small.resize((THUMBNAIL, THUMBNAIL), Image.Resampling.NEAREST), (x, y))
    for line, text in enumerate(cell.captions):
        pen.text((x, y + THUMBNAIL + line * CAPTION), text, fill=BLACK if line == 1 else GRAY)


def _width(text: str) -> int:
    """Return how many pixels wide `text` is drawn."""
    return math.ceil(ImageFont.load_default().getlength(text))
