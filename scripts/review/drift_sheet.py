"""The drift sheet: a picture of new images, each next to the most similar ones of a release."""

from collections.abc import Sequence
from typing import NamedTuple

from scripts.dataset.dataset import Dataset
from scripts.dataset.neighbors import Neighbor
from scripts.review import neighbor_sheet, thumbnail
from scripts.review.neighbor_sheet import SheetCell
from scripts.sources.source import Pixels

# The end of a path says more than its beginning.
MAX_PATH = 24
HEADING = "Each row: a new image, then the most similar images of the release, with their distance"


class NewImage(NamedTuple):
    """An image that the dataset does not have, and the most similar ones of it."""

    path: str
    pixels: Pixels
    similar: Sequence[Neighbor]


def draw(dataset: Dataset, images: Sequence[NewImage]) -> bytes:
    """Return a PNG with a row for each of `images`: its number and path, then the similar ones."""
    return neighbor_sheet.page(
        HEADING,
        [
            [
                SheetCell(
                    thumbnail.draw(one.pixels, dataset.config), (str(number), _end(one.path))
                ),
                *neighbor_sheet.cells(dataset, one.similar),
            ]
            for number, one in enumerate(images, 1)
        ],
    )


def _end(path: str) -> str:
    return path if len(path) <= MAX_PATH else f"...{path[-MAX_PATH:]}"
