"""The shards of a version in Parquet, in the format of Hugging Face's `datasets`."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import IO, Any, NamedTuple

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from scripts.inputs.image_name import split_file

# A reader of HTTP ranges fetches few rows at once.
ROWS_IN_GROUP = 100
# The key in the footer of a file that says how `datasets` reads its columns.
HUGGINGFACE = "huggingface"
TEXTS = ("source_label", "sample")
# Columns as `datasets` describes them.
IMAGE = {"image": {"_type": "Image"}}
NOTHING: Mapping[str, Any] = {}
TEXT = {"dtype": "string", "_type": "Value"}
# Images cannot be compressed; without statistics and compression the bytes of a file depend on its
# rows alone.
OPTIONS: dict[str, Any] = {
    "compression": "none",
    "use_dictionary": ["label", "source_label"],
    "write_statistics": False,
    "store_schema": False,
}


class ParquetRow(NamedTuple):
    """One image: the name of its file, the label that the source gives it, and the file."""

    file: str
    source_label: str
    content: bytes

    @property
    def sample(self) -> str:
        """The identifier, which is the name of the file without its ending."""
        return split_file(self.file)[0]


def schema(texts: Sequence[str]) -> pa.Schema:
    """Return the columns of a file: image and label, as `datasets` reads them, and `texts`."""
    return pa.schema(
        [
            ("image", pa.struct([("bytes", pa.binary()), ("path", pa.string())])),
            ("label", pa.int64()),
            *((name, pa.string()) for name in texts),
        ]
    )


SCHEMA = schema(TEXTS)


def encode(rows: Sequence[ParquetRow], label: int, labels: Sequence[str]) -> bytes:
    """Return a shard of `rows`, all of the class that has the number `label` in `labels`."""
    paths, source_labels, contents = zip(*rows, strict=True)
    samples = [row.sample for row in rows]
    images = pa.StructArray.from_arrays(
        [column(contents, pa.binary()), text(paths)], fields=list(SCHEMA.field("image").type)
    )
    numbers = pa.array(np.full(len(rows), label, np.int64))
    columns = [images, numbers, text(source_labels), text(samples)]
    sink = pa.BufferOutputStream()
    with parquet.ParquetWriter(sink, SCHEMA, **OPTIONS) as writer:
        writer.write_table(pa.Table.from_arrays(columns, schema=SCHEMA), ROWS_IN_GROUP)
        writer.add_key_value_metadata({HUGGINGFACE: features(labels, TEXTS)})
    content: bytes = sink.getvalue().to_pybytes()
    return content


def read(file: IO[bytes]) -> Iterator[ParquetRow]:
    """Yield the rows of a shard."""
    opened = parquet.ParquetFile(file)
    for number in range(opened.num_row_groups):
        group = opened.read_row_group(number)
        images = group["image"].combine_chunks()
        columns = images.field("path"), group["source_label"], images.field("bytes")
        for row in zip(*(of_column.to_pylist() for of_column in columns), strict=True):
            yield ParquetRow(*row)


def features(
    labels: Sequence[str],
    texts: Sequence[str],
    others: Mapping[str, Any] = NOTHING,
    first: Mapping[str, object] = IMAGE,
) -> str:
    """Return the columns in the format of `datasets`, with `labels` as the names of classes.

    They are the `first` one, the label, `texts` and `others`.
    See https://huggingface.co/docs/datasets/about_dataset_features.
    """
    described = {
        **first,
        "label": {"names": list(labels), "_type": "ClassLabel"},
        **dict.fromkeys(texts, TEXT),
        **others,
    }
    return json.dumps({"info": {"features": described}})


def text(values: Sequence[str]) -> Any:
    """Return a column of texts."""
    return column([value.encode() for value in values], pa.string())


def column(values: Sequence[bytes], kind: Any) -> Any:
    """Return a column, made from its buffers, because pyarrow's own method imports pandas."""
    ends = np.cumsum([0, *map(len, values)], dtype=np.int32)
    buffers = [None, pa.py_buffer(ends.tobytes()), pa.py_buffer(b"".join(values))]
    return pa.Array.from_buffers(kind, len(values), buffers)
