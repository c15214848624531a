"""The neighbor sheet: a picture of samples, each next to the most similar ones."""

import io
from typing import NamedTuple

from PIL import Image, ImageDraw

from scripts.curation.samples import Samples
from scripts.curation.similar import Similar
from scripts.review import thumbnail
from scripts.review.contact_sheet import BLACK, GAP, GRAY
from scripts.review.thumbnail import SIDE, WHITE, width_of

# With more, the picture would be too large to open.
MAX_ROWS = 100
MAX_NEIGHBORS = 24
HEADING, CAPTION = 20, 12
# Each picture has three lines below it: identifier, label, distance.
LINE = SIDE + 3 * CAPTION + GAP


class _Cell(NamedTuple):
    """A sample, scaled down, because hundreds of large images would not fit into memory."""

    picture: Image.Image
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
    heading = "Each row: a sample, then the most similar samples, with their distance"
    if len(similar) > MAX_ROWS:
        heading += f"; {len(similar) - MAX_ROWS:,} more rows are not shown"
    cells = [cell for row in rows for cell in row]
    widest = max((width_of(text) for cell in cells for text in cell.captions), default=0)
    step = GAP + max(SIDE, widest)
    # The first column stands apart from the others.
    width = max(width_of(heading), 2 * GAP + step * max(map(len, rows), default=0))
    page = Image.new("RGB", (GAP + width + GAP, HEADING + GAP + len(rows) * LINE), WHITE)
    pen = ImageDraw.Draw(page)
    pen.text((GAP, GAP // 2), heading, fill=BLACK)
    for line, row in enumerate(rows):
        top = HEADING + GAP + line * LINE
        for column, cell in enumerate(row):
            _paste(page, pen, cell, GAP + column * step + (2 * GAP if column else 0), top)
        separator = GAP + step
        pen.line((separator, top, separator, top + SIDE), fill=GRAY)
    buffer = io.BytesIO()
    page.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def _cell(samples: Samples, row: int, *more: str) -> _Cell:
    captions = (samples.identifier(row), samples.label(row), *more)
    dataset = samples.dataset
    return _Cell(thumbnail.draw(dataset.images.image(row), dataset.config), captions)


def _paste(page: Image.Image, pen: ImageDraw.ImageDraw, cell: _Cell, x: int, y: int) -> None:
    page.paste(cell.picture, (x, y))
    for line, text in enumerate(cell.captions):
        pen.text((x, y + SIDE + line * CAPTION), text, fill=BLACK if line == 1 else GRAY)
