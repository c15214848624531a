"""The Parquet files of a release: images and labels, in the format of Hugging Face's `datasets`."""

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from scripts.assets.columns import ARROW, MetadataColumn
from scripts.assets.samples import ReleasedSample
from scripts.dataset.parquet import HUGGINGFACE, ROWS_IN_GROUP, TEXT, features, schema

TEXTS = ("source_label", "sample", "file", "curation")
SCHEMA = schema(TEXTS)
# The columns of the tables in an archive. Files are named relative to the table.
KNOWN = ("source_label", "sample", "curation")
FILE_NAME = "file_name"
RESERVED = {*SCHEMA.names, FILE_NAME}
KNOWN_SCHEMA = pa.schema(
    [(FILE_NAME, pa.string()), ("label", pa.int64()), *((name, pa.string()) for name in KNOWN)]
)


def metadata(
    samples: Sequence[ReleasedSample], labels: Sequence[str], columns: Sequence[MetadataColumn]
) -> bytes:
    """Return a table of the samples of one split, as `datasets` reads it next to the images."""
    numbers = {label: number for number, label in enumerate(labels)}
    values = [
        [one.file.partition("/")[2] for one in samples],
        [numbers[one.label] for one in samples],
        [one.source_label for one in samples],
        [one.identifier for one in samples],
        [one.curation for one in samples],
        *([column.value(one) for one in samples] for column in columns),
    ]
    known = pa.schema([*KNOWN_SCHEMA, *(pa.field(one.name, ARROW[one.kind]) for one in columns)])
    sink = pa.BufferOutputStream()
    with pq.ParquetWriter(sink, known, store_schema=False) as writer:
        writer.write_table(pa.table(values, schema=known))
        others = {one.name: one.feature for one in columns}
        described = features(labels, KNOWN, others, first={FILE_NAME: TEXT})
        writer.add_key_value_metadata({HUGGINGFACE: described})
    content: bytes = sink.getvalue().to_pybytes()
    return content


class Writer:
    """Writes the samples of a split to one file, or to several if it would be too large."""

    def __init__(
        self, path: Path, labels: Sequence[str], columns: Sequence[MetadataColumn], limit: int
    ) -> None:
        """Write to `path`, without its ending; no file becomes much larger than `limit` bytes."""
        self._folder, self._split, self._labels, self._limit = path.parent, path.name, labels, limit
        self._columns = columns
        fields = [pa.field(one.name, ARROW[one.kind]) for one in columns]
        self._schema = pa.schema([*SCHEMA, *fields])
        self._numbers = {label: number for number, label in enumerate(labels)}
        self._parts: list[Path] = []
        self._writer: pq.ParquetWriter | None = None
        self._group: list[tuple[ReleasedSample, bytes]] = []
        self._size = 0

    def write(self, sample: ReleasedSample, content: bytes) -> None:
        """Append a sample, with the bytes of its image."""
        self._group.append((sample, content))
        if len(self._group) == ROWS_IN_GROUP:
            self._flush()

    def close(self) -> list[Path]:
        """Finish and return the files: `train.parquet`, or `train-00000-of-00002.parquet`, …"""
        self._flush()
        self._end()
        count = len(self._parts)
        names = [f"{self._split}-{number:05}-of-{count:05}.parquet" for number in range(count)]
        if count == 1:
            names = [f"{self._split}.parquet"]
        return [
            part.replace(self._folder / name) for part, name in zip(self._parts, names, strict=True)
        ]

    def _flush(self) -> None:
        if not self._group:
            return
        size = sum(len(content) for _, content in self._group)
        if self._writer is None or self._size + size > self._limit:
            self._begin()
        assert self._writer is not None  # noqa: S101 - `_begin` has opened it
        self._writer.write_table(self._table(), row_group_size=ROWS_IN_GROUP)
        self._size += size
        self._group = []

    def _begin(self) -> None:
        self._end()
        self._parts.append(self._folder / f"{self._split}-{len(self._parts):05}.parquet.tmp")
        others = {one.name: one.feature for one in self._columns}
        self._writer = pq.ParquetWriter(self._parts[-1], self._schema, store_schema=False)
        self._writer.add_key_value_metadata({HUGGINGFACE: features(self._labels, TEXTS, others)})

    def _end(self) -> None:
        if self._writer is not None:
            self._writer.close()
        self._writer, self._size = None, 0

    def _table(self) -> pa.Table:
        rows = [
            {
                "image": {"bytes": content, "path": Path(sample.file).name},
                "label": self._numbers[sample.label],
                "source_label": sample.source_label,
                "sample": sample.identifier,
                "file": sample.file,
                "curation": sample.curation,
                **{one.name: one.value(sample) for one in self._columns},
            }
            for sample, content in self._group
        ]
        return pa.Table.from_pylist(rows, self._schema)
