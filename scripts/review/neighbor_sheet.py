"""The neighbor sheet: a picture of samples, each next to the most similar ones."""

import io
from collections.abc import Sequence
from typing import NamedTuple

from PIL import Image, ImageDraw

from scripts.curation.samples import Samples
from scripts.curation.similar import Similar
from scripts.dataset.dataset import Dataset
from scripts.dataset.neighbors import Neighbor
from scripts.review import thumbnail
from scripts.review.contact_sheet import BLACK, GAP, GRAY
from scripts.review.thumbnail import SIDE, WHITE, width_of

# With more, the picture would be too large to open.
MAX_ROWS = 100
MAX_NEIGHBORS = 24
HEADING, CAPTION = 20, 12
# Each picture has three lines below it: identifier, label, distance.
LINE = SIDE + 3 * CAPTION + GAP


class SheetCell(NamedTuple):
    """An image, scaled down, because hundreds of large ones would not fit into memory."""

    picture: Image.Image
    captions: tuple[str, ...]


def draw(samples: Samples, similar: Similar) -> bytes:
    """Return a PNG with a row for each sample in `similar`: the sample, then its neighbors."""
    rows = [
        [
            cell(samples.dataset, query),
            *cells(samples.dataset, found[:MAX_NEIGHBORS]),
        ]
        for query, found in [*similar.items()][:MAX_ROWS]
    ]
    heading = "Each row: a sample, then the most similar samples, with their distance"
    if len(similar) > MAX_ROWS:
        heading += f"; {len(similar) - MAX_ROWS:,} more rows are not shown"
    return page(heading, rows)


def page(heading: str, rows: Sequence[Sequence[SheetCell]]) -> bytes:
    """Return a PNG with `rows` of images; the first of each row stands apart from the others."""
    widest = max(
        (width_of(text) for row in rows for one in row for text in one.captions), default=0
    )
    step = GAP + max(SIDE, widest)
    width = max(width_of(heading), 2 * GAP + step * max(map(len, rows), default=0))
    made = Image.new("RGB", (GAP + width + GAP, HEADING + GAP + len(rows) * LINE), WHITE)
    pen = ImageDraw.Draw(made)
    pen.text((GAP, GAP // 2), heading, fill=BLACK)
    for line, row in enumerate(rows):
        top = HEADING + GAP + line * LINE
        for column, one in enumerate(row):
            _paste(made, pen, one, GAP + column * step + (2 * GAP if column else 0), top)
        separator = GAP + step
        pen.line((separator, top, separator, top + SIDE), fill=GRAY)
    buffer = io.BytesIO()
    made.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def cells(dataset: Dataset, similar: Sequence[Neighbor]) -> list[SheetCell]:
    """Return the images of a dataset that are similar to another one, with their distance to it."""
    return [cell(dataset, row, f"{distance:.1f}") for row, distance in similar]


def cell(dataset: Dataset, row: int, *more: str) -> SheetCell:
    """Return an image of a dataset, with its identifier and label, and `more` captions."""
    images = dataset.images
    captions = (images.identifier(row), images.label(row), *more)
    return SheetCell(thumbnail.draw(images.image(row), dataset.config), captions)


def _paste(made: Image.Image, pen: ImageDraw.ImageDraw, one: SheetCell, x: int, y: int) -> None:
    made.paste(one.picture, (x, y))
    for line, text in enumerate(one.captions):
        pen.text((x, y + SIDE + line * CAPTION), text, fill=BLACK if line == 1 else GRAY)
