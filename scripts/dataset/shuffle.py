"""Shards are made in two passes, so that the source is read once.

The images of a shard are anywhere in the source. The first pass reads the source in pieces, each
once and in its order, and encodes the images. The second one puts the shards together, a group of
them at a time. A cluster does the same as one machine, see `cluster_shuffle`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from scripts import workers
from scripts.dataset import cuts, parquet
from scripts.dataset.encoding import Encoding
from scripts.dataset.parquet import ParquetRow
from scripts.dataset.spool import Part, Spool
from scripts.errors import UserError
from scripts.progress import Bar
from scripts.sources.extended import Extended, Images
from scripts.sources.source import OpenObject

# The name of a shard and its rows.
Shard = tuple[str, Sequence[int]]
# Bytes of images that are put together at a time, and that are read and encoded at a time.
BYTES_IN_GROUP = 64 * 1024**2
BYTES_IN_PIECE = 16 * 1024**2
# What an image takes besides its pixels.
BYTES_BESIDE = 1024
# The images between the two passes: the number of their shard, their place in it, and the rest.
SCHEMA = pa.schema(
    [
        ("shard", pa.int64()),
        ("place", pa.int64()),
        ("file", pa.string()),
        ("source_label", pa.string()),
        ("content", pa.binary()),
    ]
)


class Located(NamedTuple):
    """Rows of the source, and for each the number of its shard and its place in it."""

    rows: npt.NDArray[np.int64]
    shards: npt.NDArray[np.int64]
    places: npt.NDArray[np.int64]


@dataclass(frozen=True)
class Piece:
    """Some rows of `images`, in the order of the source. It can be pickled."""

    images: Images
    encoding: Encoding
    located: Located

    def table(self) -> pa.Table:
        """Return the encoded images, sorted by shard and place."""
        rows, shards, places = self.located
        contents = [self.encoding.content(self.images, row) for row in rows.tolist()]
        order = np.lexsort((places, shards))
        of_rows = rows[order].tolist()
        columns = [
            pa.array(shards[order]),
            pa.array(places[order]),
            parquet.text([self._file(row) for row in of_rows]),
            parquet.text([self.images.label(row) for row in of_rows]),
            parquet.column([contents[at] for at in order.tolist()], pa.binary()),
        ]
        return pa.Table.from_arrays(columns, schema=SCHEMA)

    def _file(self, row: int) -> str:
        return f"{self.images.identifier(row)}{self.encoding.ending(self.images, row)}"


@dataclass(frozen=True)
class Group:
    """Shards that are put together at a time; the first one has the number `first`.

    `shards` has the number of the class of each, and its number of images. `labels` are the names
    of the version's classes. It can be pickled.
    """

    first: int
    shards: Sequence[tuple[int, int]]
    labels: Sequence[str]

    def contents(self, images: pa.Table) -> Iterator[bytes]:
        """Yield the content of each shard, made of `images`, which are in any order.

        Raises `UserError` where some were lost on the way.
        """
        shards, places = (images[name].to_numpy() for name in ("shard", "place"))
        order = np.lexsort((places, shards))
        images = images.take(order)
        bounds = np.searchsorted(
            shards[order], np.arange(self.first, self.first + len(self.shards) + 1)
        ).tolist()
        for (label, count), start, stop in zip(self.shards, bounds[:-1], bounds[1:], strict=True):
            if stop - start != count:
                raise UserError(
                    f"{stop - start:,} of {count:,} images of a shard were read. Run it again."
                )
            rows = images.slice(start, count).select(["file", "source_label", "content"])
            columns = (one.to_pylist() for one in rows.columns)
            made = [ParquetRow(*row) for row in zip(*columns, strict=True)]
            yield parquet.encode(made, label, self.labels)


@dataclass(frozen=True)
class Shuffle:
    """Makes `shards` of `images`, of a version whose classes are `labels`."""

    images: Extended
    encoding: Encoding
    labels: Sequence[str]
    shards: Sequence[Shard]

    def results(self, work: Callable[[bytes], workers.Result]) -> Iterator[workers.Result]:
        """Yield the result of `work` for the content of each shard, in order, on all cores."""
        pieces = [Piece(self.images, self.encoding, located) for located in self._pieces]
        if len(pieces) <= 1:
            for images in (piece.table() for piece in pieces):
                for group in self.groups:
                    yield from map(work, group.contents(images))
            return
        # Forked processes have all of this already; only numbers are sent to them.
        with Spool() as spool:
            spans: dict[int, list[Part]] = {}
            read = partial(_spooled, spool, pieces, self.divisions)
            written = workers.results(read, range(len(pieces)), part=1, least=2)
            for parts in Bar(written, total=len(pieces), desc="Reading the source", unit="piece"):
                for number, span in parts:
                    spans.setdefault(number, []).append(span)
            put_together = partial(_put_together, spool, self.groups, spans, work)
            for made in workers.results(put_together, range(len(self.groups)), part=1, least=2):
                yield from made

    def pieces(self, opened: OpenObject) -> Iterator[Piece]:
        """Yield the pieces for other machines, where `opened` opens objects."""
        for located in self._pieces:
            yield Piece(self.images.part(located.rows.tolist(), opened), self.encoding, located)

    @property
    def empty(self) -> pa.Table:
        """What a piece without images would be."""
        return SCHEMA.empty_table()

    @cached_property
    def groups(self) -> list[Group]:
        """All shards in groups."""
        classes = [self.labels.index(cuts.place_of(name)[1]) for name, _ in self.shards]
        sizes = [len(rows) for _, rows in self.shards]
        return [
            Group(
                start, list(zip(classes[start:stop], sizes[start:stop], strict=True)), self.labels
            )
            for start, stop in self._bounds
        ]

    @property
    def divisions(self) -> list[int]:
        """The numbers of the first shards of all groups, and the number after the last shard."""
        return [*(start for start, _ in self._bounds), len(self.shards)]

    @property
    def _bounds(self) -> list[tuple[int, int]]:
        size = cuts.bytes_of_image(self.images.source, self.encoding)
        together = cuts.images_in_shard(size) * (size + BYTES_BESIDE)
        step = max(1, BYTES_IN_GROUP // together)
        starts = range(0, len(self.shards), step)
        return [(start, min(start + step, len(self.shards))) for start in starts]

    @property
    def _pieces(self) -> list[Located]:
        """All rows in the order of the source, in pieces."""
        rows = np.array([row for _, of_shard in self.shards for row in of_shard], np.int64)
        sizes = [len(of_shard) for _, of_shard in self.shards]
        shards = np.repeat(np.arange(len(sizes)), sizes)
        places = np.concatenate([np.arange(size) for size in [0, *sizes]])
        order = np.argsort(rows)
        size = cuts.bytes_of_image(self.images.source, self.encoding)
        step = max(1, BYTES_IN_PIECE // (size + BYTES_BESIDE))
        parts = (order[start : start + step] for start in range(0, len(order), step))
        return [Located(rows[part], shards[part], places[part]) for part in parts]


def _spooled(
    spool: Spool, pieces: Sequence[Piece], divisions: Sequence[int], numbers: Sequence[int]
) -> list[list[tuple[int, Part]]]:
    """Encode pieces into `spool`; return for each where the part of each group is."""
    return [_spool(spool, pieces[number].table(), divisions) for number in numbers]


def _spool(spool: Spool, images: pa.Table, divisions: Sequence[int]) -> list[tuple[int, Part]]:
    bounds = np.searchsorted(images["shard"].to_numpy(), divisions).tolist()
    return [
        (number, spool.append(_serialized(images.slice(start, stop - start))))
        for number, (start, stop) in enumerate(pairwise(bounds))
        if start < stop
    ]


def _put_together(
    spool: Spool,
    groups: Sequence[Group],
    spans: Mapping[int, Sequence[Part]],
    work: Callable[[bytes], workers.Result],
    numbers: Sequence[int],
) -> list[list[workers.Result]]:
    """Return the result of `work` for each shard of some groups."""
    return [[*map(work, groups[n].contents(_read(spool, spans[n])))] for n in numbers]


def _read(spool: Spool, spans: Sequence[Part]) -> pa.Table:
    return pa.concat_tables(pa.ipc.open_stream(spool.read(span)).read_all() for span in spans)


def _serialized(images: pa.Table) -> memoryview:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, SCHEMA) as writer:
        writer.write_table(images)
    return memoryview(sink.getvalue())
