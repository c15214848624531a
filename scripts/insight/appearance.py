"""What images look like, as whole numbers: how drift compares them.

All is taken from the thumbnails, so images of any size and color are compared by one rule.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from scripts.dataset import averages
from scripts.dataset.dataset import Dataset
from scripts.dataset.distances import MIDDLE, Ints, Levels
from scripts.dataset.folders import folders_of
from scripts.dataset.thumbnails import PixelsByRow, Thumbnails
from scripts.sources.thumbnails import SIDE, SIZE

# Whole numbers stand for shares of this.
SCALE = 2**30
# The standard deviation of the levels of a pattern.
DEVIATION = 32


class Appearance(NamedTuple):
    """Some images.

    `levels` are their thumbnails, as (images, SIZE), `pixels` the number of pixels of each, and
    `classes` the class of each, empty where it is unknown.
    """

    levels: Levels
    pixels: Ints
    classes: Sequence[str]

    @property
    def averages(self) -> Levels:
        """The averages of the thumbnails, as (images, averages.SIZE)."""
        return averages.of_thumbnails(self.levels)

    @property
    def patterns(self) -> Levels:
        """The averages, all with one brightness and contrast: what remains is what is shown."""
        levels = self.averages.astype(np.int64)
        centered = averages.SIZE * levels - levels.sum(axis=1, keepdims=True)
        # The root of a whole number and a quotient are rounded in the same way on every machine.
        deviations = np.sqrt((centered**2).sum(axis=1, keepdims=True) / averages.SIZE)
        scaled = np.floor(centered * DEVIATION / np.maximum(deviations, 1) + 0.5)
        patterns: Levels = np.clip(scaled + MIDDLE, 0, 255).astype(np.uint8)
        return patterns

    @property
    def brightness(self) -> Ints:
        """The sum of the levels of each thumbnail."""
        brightness: Ints = self.levels.sum(axis=1, dtype=np.int64)
        return brightness

    @property
    def contrast(self) -> Ints:
        """The variance of the levels of each thumbnail, times `SIZE` squared."""
        squares = np.square(self.levels, dtype=np.int64).sum(axis=1)
        contrast: Ints = SIZE * squares - self.brightness**2
        return contrast

    @property
    def sharpness(self) -> Ints:
        """The squared differences of adjacent levels of each thumbnail, relative to its contrast.

        So it does not depend on brightness and contrast.
        """
        levels = self.levels.reshape(-1, SIDE, SIDE).astype(np.int64)
        steps = [(np.diff(levels, axis=axis) ** 2).sum(axis=(1, 2)) for axis in (1, 2)]
        sharpness: Ints = (steps[0] + steps[1]) * SCALE // np.maximum(self.contrast, 1)
        return sharpness


def of_rows(images: PixelsByRow, rows: Sequence[int], classes: Sequence[str]) -> Appearance:
    """Return the appearance of `rows`, which are in ascending order, with their `classes`."""
    levels = np.zeros((len(rows), SIZE), np.uint8)
    pixels = np.zeros(len(rows), np.int64)
    start = 0
    for block in Thumbnails(images, rows).blocks(rows):
        levels[start : start + len(block)] = block["levels"]
        pixels[start : start + len(block)] = block["shape"][:, :2].astype(np.int64).prod(axis=1)
        start += len(block)
    return Appearance(levels, pixels, classes)


def chosen(digests: Sequence[bytes], rows: Iterable[int], most: int) -> list[int]:
    """Return at most `most` of `rows`, in ascending order.

    They are the first by the digests of their pixels, so these are no special ones.
    """
    return sorted(sorted(rows, key=digests.__getitem__)[:most])


def class_names(dataset: Dataset) -> dict[str, str]:
    """Return the class of the dataset for each name that a folder of images can have.

    It is the name of the class, its folder, or one of its labels in the source.
    """
    folders, _ = folders_of(dataset.config, dataset.source)
    known = {label: folder for folder, one in folders.items() for label in one.labels}
    known |= {one.name: folder for folder, one in folders.items()}
    return known | {folder: folder for folder in folders}
