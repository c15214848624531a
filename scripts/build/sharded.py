"""The files of a version in Parquet."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from scripts.build import cuts, parquet, png
from scripts.build.parquet import Row
from scripts.sources.extended import Extended

# Images are read in the order of the source, for as many shards at a time as have so many bytes of
# pixels: an image of a source lies with others, which are read along with it.
AT_ONCE = 128 * 1024**2

# The name of a shard and its rows.
Shard = tuple[str, Sequence[int]]


@dataclass(frozen=True)
class Sharded:
    """Makes shards of `images`; `labels` are the names of the dataset's classes, in order."""

    images: Extended
    labels: Sequence[str]

    def contents(self, shards: Sequence[Shard]) -> Iterator[bytes]:
        """Yield the content of each of `shards`, which are in memory together."""
        ordered = sorted(row for _, rows in shards for row in rows)
        pngs = {row: png.encode(self.images.image(row)) for row in ordered}
        for name, rows in shards:
            _, folder = cuts.place_of(name)
            made = [self._row(row, pngs.pop(row)) for row in rows]
            yield parquet.encode(made, self.labels.index(folder), self.labels)

    def _row(self, row: int, content: bytes) -> Row:
        return Row(self.images.identifier(row), str(self.images.labels[row]), content)


def parts(shards: Mapping[str, Sequence[int]], shape: Sequence[int]) -> Iterator[list[Shard]]:
    """Yield `shards` of images with this shape, as many at a time as are made together."""
    size, most = 0, AT_ONCE // math.prod(shape)
    part: list[Shard] = []
    for shard in shards.items():
        if part and size + len(shard[1]) > most:
            yield part
            part, size = [], 0
        part.append(shard)
        size += len(shard[1])
    if part:
        yield part
