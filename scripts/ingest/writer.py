"""Writes shards as they fill up, so that only a few images are in memory."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from scripts.dataset.parquet import column, text
from scripts.sources import identity
from scripts.sources.shards import DIGEST_SIZE, SIZE, Details, Rows
from scripts.sources.summaries import MD5_SIZE
from scripts.storage.files import TEMPORARY

# A reader loads a row group for one image; a shard is an object in the remote.
ROWS_IN_GROUP = 100
BYTES_IN_GROUP = 1024**2
BYTES_IN_SHARD = 64 * 1024**2

_ROW = [
    pa.field("label", pa.string(), nullable=False),
    pa.field("split", pa.string()),
    pa.field("digest", pa.binary(DIGEST_SIZE), nullable=False),
]
_DETAILS = [
    pa.field("name", pa.string(), nullable=False),
    pa.field("checksum", pa.binary(DIGEST_SIZE), nullable=False),
    pa.field("metadata", pa.string(), nullable=False),
]
_FILE = [
    pa.field("md5", pa.binary(MD5_SIZE), nullable=False),
    pa.field("bytes", pa.int64(), nullable=False),
    pa.field("ending", pa.string(), nullable=False),
    pa.field("mode", pa.string(), nullable=False),
    *(pa.field(name, pa.int32(), nullable=False) for name in SIZE),
]
IMAGE = pa.struct({"bytes": pa.binary(), "path": pa.string()})
SHARD = pa.schema([pa.field("image", IMAGE), *_ROW, *_DETAILS])
INDEX = pa.schema([*_ROW, *_DETAILS, *_FILE])
# Images and digests cannot be compressed; without statistics and compression the bytes of a file
# depend on its rows alone.
OPTIONS: dict[str, Any] = {
    "compression": "none",
    "use_dictionary": ["label", "split", "ending", "mode", "metadata", *SIZE],
    "write_statistics": False,
    "store_schema": False,
}


class ShardRow(NamedTuple):
    """One image: its file, its label, its own split if it has one, its digest, and its details.

    `metadata` is JSON. `ending` is that of the file, by its content.
    """

    content: bytes
    label: str
    split: str | None
    digest: bytes
    name: str
    checksum: bytes
    metadata: str
    ending: str


class ShardWriter:
    """Writes rows to temporary files in `folder`, which the caller removes."""

    def __init__(self, folder: Path) -> None:
        """Begin without a shard."""
        self._folder = folder
        self._file: Any = None
        self._group: list[ShardRow] = []
        self._group_size = self._shard_size = 0
        self.paths: list[Path] = []
        self.sizes: list[int] = []

    def add(self, row: ShardRow) -> None:
        """Add one image."""
        self._group.append(row)
        self._group_size += len(row.content)
        if len(self._group) >= ROWS_IN_GROUP or self._group_size >= BYTES_IN_GROUP:
            self._write_group()

    def close(self) -> None:
        """Write the remaining rows."""
        self._write_group()
        self._close_shard()

    def _write_group(self) -> None:
        if not self._group:
            return
        if self._file is None:
            self.paths.append(temporary(self._folder))
            self.sizes.append(0)
            self._file = parquet.ParquetWriter(self.paths[-1], SHARD, **OPTIONS)
        group = self._group
        contents = column([row.content for row in group], pa.binary())
        paths = text([f"{identity.identifier(row.digest)}{row.ending}" for row in group])
        columns = [
            pa.StructArray.from_arrays([contents, paths], fields=list(IMAGE)),
            *_row(
                [row.label for row in group],
                [row.split for row in group],
                b"".join(row.digest for row in group),
            ),
            *_details(
                [row.name for row in group],
                [row.checksum for row in group],
                [row.metadata for row in group],
            ),
        ]
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


def write_index(folder: Path, rows: Rows, details: Details) -> Path:
    """Write the index of a batch to a temporary file in `folder`; return its path."""
    path = temporary(folder)
    splits = [split or None for split in rows.splits.tolist()]
    md5s = pa.py_buffer(np.ascontiguousarray(rows.files["md5"]).tobytes())
    columns = [
        *_row(rows.labels.tolist(), splits, rows.digests.raw),
        *_details(details.names, details.checksums, details.metadata),
        pa.Array.from_buffers(pa.binary(MD5_SIZE), len(splits), [None, md5s]),
        pa.array(rows.files["size"].astype(np.int64)),
        text(rows.endings.tolist()),
        text(rows.modes.tolist()),
        *(pa.array(np.ascontiguousarray(one)) for one in rows.sizes.T),
    ]
    with parquet.ParquetWriter(path, INDEX, **OPTIONS) as writer:
        writer.write_table(pa.Table.from_arrays(columns, schema=INDEX))
        writer.add_key_value_metadata({"details": details.sha256})
    return path


def _details(
    names: Sequence[str], checksums: Sequence[bytes], metadata: Sequence[str]
) -> list[Any]:
    raw = [None, pa.py_buffer(b"".join(checksums))]
    of_checksums = pa.Array.from_buffers(pa.binary(DIGEST_SIZE), len(names), raw)
    return [text(names), of_checksums, text(metadata)]


def _row(labels: Sequence[str], splits: Sequence[str | None], digests: bytes) -> list[Any]:
    """Return the columns that a shard and an index have in common."""
    is_given = np.packbits([split is not None for split in splits], bitorder="little")
    _, ends, chars = text([split or "" for split in splits]).buffers()
    of_splits = [pa.py_buffer(is_given.tobytes()), ends, chars]
    split = pa.Array.from_buffers(pa.string(), len(splits), of_splits)
    raw = [None, pa.py_buffer(digests)]
    digest = pa.Array.from_buffers(pa.binary(DIGEST_SIZE), len(labels), raw)
    return [text(labels), split, digest]


def temporary(folder: Path) -> Path:
    """Return the path of a new temporary file in `folder`."""
    with tempfile.NamedTemporaryFile(dir=folder, suffix=TEMPORARY, delete=False) as file:
        return Path(file.name)
