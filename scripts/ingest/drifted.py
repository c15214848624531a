"""Compares the images of a location with those of a dataset."""

from dataclasses import dataclass

import numpy as np

from scripts.dataset.dataset import Dataset
from scripts.dataset.neighbors import Neighbor
from scripts.ingest import location_images
from scripts.ingest.location_images import LocationImages
from scripts.insight import appearance, drift
from scripts.insight.appearance import Appearance
from scripts.insight.drift import FEWEST, MOST, Drift
from scripts.sources.source import Pixels
from scripts.sources.thumbnails import SIZE


@dataclass(frozen=True)
class StrangeImage:
    """An image of the location, and the rows of the most similar images of the dataset.

    `usual` is as in `drift.Strange`.
    """

    path: str
    picture: Pixels
    usual: float
    similar: list[Neighbor]

    @property
    def why(self) -> str:
        """How far it is from the dataset, in words."""
        return (
            f"distance {self.similar[0].distance:.1f}; {100 * self.usual:.1f} % of the images of"
            " the release are nearer to another one"
        )


@dataclass(frozen=True)
class LocationDrift:
    """What was read at `address`, and how it differs from `known` of the `total` dataset images."""

    address: str
    read: LocationImages
    known: int
    total: int
    drift: Drift
    strange: list[StrangeImage]

    def counted(self, tag: str) -> str:
        """Return what was compared, in words."""
        read = self.read
        return (
            f"compared {len(read.images):,} of {read.count:,} images with {self.known:,} of"
            f" {self.total:,} images of {tag}"
        )

    def verdict(self, tag: str) -> str:
        """Return what was found, in words."""
        if not self.drift.traits:
            return f"fewer than {FEWEST} images say nothing"
        if not self.drift.is_different:
            return f"no difference that is more than chance: the images are like those of {tag}"
        names = ", ".join(one.name for one in self.drift.traits if one.is_different)
        return f"the images are not like those of {tag}; what differs by more than chance: {names}"


def compare(dataset: Dataset, address: str) -> LocationDrift:
    """Compare images at the location `address` with those of `dataset`; at most `MOST` of each.

    Raises `UserError` if the location cannot be read or has no images.
    """
    read = location_images.read(address, MOST)
    places = dataset.selection.places()
    rows = appearance.chosen(dataset.images.keys, places, MOST)
    known = appearance.of_rows(dataset.originals, rows, [places[row][1] for row in rows])
    found = drift.find(known, _appearance(read, dataset))
    strange = [
        StrangeImage(
            read.images[one.place].path,
            read.images[one.place].picture,
            one.usual,
            [Neighbor(rows[near], distance) for near, distance in one.similar],
        )
        for one in found.strange
    ]
    return LocationDrift(address, read, len(rows), len(places), found, strange)


def _appearance(read: LocationImages, dataset: Dataset) -> Appearance:
    names = appearance.class_names(dataset)
    levels = np.frombuffer(b"".join(one.levels for one in read.images), np.uint8)
    return Appearance(
        levels.reshape(-1, SIZE),
        np.array([one.size for one in read.images], np.int64),
        # Empty for a folder that is not called like a class.
        [names.get(one.folder, "") for one in read.images],
    )
