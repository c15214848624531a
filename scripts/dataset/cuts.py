"""The division of a version in Parquet into shards.

The places of a folder's images are divided into intervals. A shard contains the images of one split
in one interval, in the order in which the split takes them. Places never change. So growing
rewrites only the last shard of each split and folder, and excluding an image only its own shard and
the last one, to which another image is added.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import numpy.typing as npt

from scripts.dataset.encoding import Encoding, Original
from scripts.dataset.groups import MODULUS, Groups
from scripts.dataset.order import order, ranked
from scripts.dataset.selection import Selection
from scripts.sources.own import Own
from scripts.sources.source import Source

# The approximate number of images, and of bytes of pixels, in a shard.
MAX_IMAGES = 2_000
MAX_BYTES = 64 * 1024**2
# The shard of the images that the curation and `additions/` add to a folder.
CURATED = "curated"
# Where the colors of a source differ.
COLORS = 3


@dataclass(frozen=True)
class Cutter:
    """Cuts what is selected from `source` with `seed`; `folders` are the labels of each folder.

    `image_bytes` is how many bytes an image has about. With `groups` the place of an image is that
    of its group.
    """

    source: Source
    seed: int
    folders: Mapping[str, Sequence[str]]
    image_bytes: int
    groups: Groups | None = None

    def cut(self, selection: Selection) -> dict[str, list[int]]:
        """Return the rows of each shard, such as `train/3/00000.parquet`."""
        batches, places = self._positions()
        counts = self._counts()
        shards: dict[str, list[int]] = {}
        for (split, folder), rows in selection.rows.items():
            intervals = counts[folder]

            def interval(row: int, intervals: list[int] = intervals) -> tuple[int, int]:
                batch = int(batches[row])
                return batch, int(places[row] * intervals[batch])

            kept = selection.kept[split, folder]
            for number, (_, part) in enumerate(groupby(rows[:kept], interval)):
                shards[name(split, folder, f"{number:05}")] = list(part)
            if rows[kept:]:
                shards[name(split, folder, CURATED)] = rows[kept:]
        return shards

    def _positions(self) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float64]]:
        """Return the batch and the place of each row; undefined for rows that are not usable."""
        count = len(self.source.labels)
        batches, places = np.zeros(count, np.int32), np.zeros(count)
        for line in order(self.source, self.seed).values():
            rows, of_batch, at = line.positions
            batches[rows], places[rows] = of_batch, at
            if self.groups:
                places[rows] = [self.groups.place(row) / MODULUS for row in rows.tolist()]
        return batches, places

    def _counts(self) -> dict[str, list[int]]:
        """Return into how many intervals each folder divides the places of each batch."""
        in_shard = images_in_shard(self.image_bytes)
        sizes = ranked(self.source)
        return {
            folder: [
                max(1, math.ceil(sum(of_batch[label] for label in labels) / in_shard))
                for of_batch in sizes
            ]
            for folder, labels in self.folders.items()
        }


def name(split: str, folder: str, number: str) -> str:
    """Return the name of a shard."""
    return f"{split}/{folder}/{number}.parquet"


def place_of(file: str) -> tuple[str, str]:
    """Return the split and folder of the shard called `file`."""
    split, folder, _ = file.split("/")
    return split, folder


def images_in_shard(image_bytes: int) -> int:
    """Return how many images of so many bytes a shard has about."""
    return max(1, min(MAX_IMAGES, MAX_BYTES // image_bytes))


def bytes_of_image(source: Source, encoding: Encoding) -> int:
    """Return how many bytes an image has about, which does not change as `source` grows.

    These are the pixels; of original files the mean of the first batch.
    """
    if isinstance(encoding, Original) and isinstance(source, Own):
        sizes = source.rows.files["size"][: source.batches[0].stop]
        return max(1, int(sizes.mean()))
    return math.prod(source.shape or (*(source.size or ()), COLORS))
