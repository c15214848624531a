"""Shards: written as they fill up, so that only a few images are in memory."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from scripts.dataset import png
from scripts.dataset.parquet import column, text
from scripts.sources import own
from scripts.sources.shards import DIGEST_SIZE, SIZE, Rows
from scripts.storage.files import TEMPORARY

# A group is what a reader loads for one image; a shard is an object in the remote.
ROWS_IN_GROUP = 100
BYTES_IN_GROUP = 1024**2
BYTES_IN_SHARD = 64 * 1024**2

_ROW = [
    pa.field("label", pa.string(), nullable=False),
    pa.field("split", pa.string()),
    pa.field("digest", pa.binary(DIGEST_SIZE), nullable=False),
]
SHARD = pa.schema(
    [pa.field("image", pa.struct({"bytes": pa.binary(), "path": pa.string()})), *_ROW]
)
INDEX = pa.schema([*_ROW, *(pa.field(name, pa.uint16(), nullable=False) for name in SIZE)])
# PNGs and digests cannot be compressed; without statistics and compression the bytes of a file
# depend on its rows alone.
OPTIONS: dict[str, Any] = {
    "compression": "none",
    "use_dictionary": ["label", "split", *SIZE],
    "write_statistics": False,
    "store_schema": False,
}


class ShardWriter:
    """Writes rows to temporary files in `folder`, which the caller removes."""

    def __init__(self, folder: Path) -> None:
        """Begin without a shard."""
        self._folder = folder
        self._file: Any = None
        self._group: list[tuple[bytes, str, str | None, bytes]] = []
        self._group_size = self._shard_size = 0
        self.paths: list[Path] = []
        self.sizes: list[int] = []

    def add(self, encoded: bytes, label: str, split: str | None, digest: bytes) -> None:
        """Add one image."""
        self._group.append((encoded, label, split, digest))
        self._group_size += len(encoded)
        if len(self._group) >= ROWS_IN_GROUP or self._group_size >= BYTES_IN_GROUP:
            self._write_group()

    def close(self) -> None:
        """Write what is left."""
        self._write_group()
        self._close_shard()

    def _write_group(self) -> None:
        if not self._group:
            return
        if self._file is None:
            self.paths.append(temporary(self._folder))
            self.sizes.append(0)
            self._file = parquet.ParquetWriter(self.paths[-1], SHARD, **OPTIONS)
        pngs, labels, splits, digests = zip(*self._group, strict=True)
        names = [f"{own.identifier(digest)}{png.ENDING}" for digest in digests]
        images = pa.StructArray.from_arrays(
            [column(pngs, pa.binary()), text(names)], fields=list(SHARD.field("image").type)
        )
        columns = [images, *_row(labels, splits, b"".join(digests))]
        self._file.write_table(pa.Table.from_arrays(columns, schema=SHARD))
        self.sizes[-1] += len(self._group)
        self._shard_size += self._group_size
        self._group, self._group_size = [], 0
        if self._shard_size >= BYTES_IN_SHARD:
            self._close_shard()

    def _close_shard(self) -> None:
        if self._file is not None:
            self._file.close()
        self._file, self._shard_size = None, 0


def write_index(folder: Path, rows: Rows) -> Path:
    """Write the index of a batch to a temporary file in `folder`; return its path."""
    path = temporary(folder)
    splits = [split or None for split in rows.splits.tolist()]
    sizes = (pa.py_buffer(one.tobytes()) for one in rows.sizes.T)
    columns = [
        *_row(rows.labels.tolist(), splits, rows.digests.raw),
        *(pa.Array.from_buffers(pa.uint16(), len(splits), [None, one]) for one in sizes),
    ]
    parquet.write_table(pa.Table.from_arrays(columns, schema=INDEX), path, **OPTIONS)
    return path


def _row(labels: Sequence[str], splits: Sequence[str | None], digests: bytes) -> list[Any]:
    """Return the columns that a shard and an index have in common."""
    given = [split for split in splits if split is not None]
    # Either all images of a source have a split, or none has.
    split = text(given) if len(given) == len(splits) else pa.nulls(len(splits), pa.string())
    raw = [None, pa.py_buffer(digests)]
    digest = pa.Array.from_buffers(pa.binary(DIGEST_SIZE), len(labels), raw)
    return [text(labels), split, digest]


def temporary(folder: Path) -> Path:
    """Return the path of a new temporary file in `folder`."""
    with tempfile.NamedTemporaryFile(dir=folder, suffix=TEMPORARY, delete=False) as file:
        return Path(file.name)
