"""Which columns of a Parquet file hold images, labels, splits and metadata."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from scripts.errors import UserError
from scripts.ingest import names
from scripts.ingest.options import IngestRequest
from scripts.inputs import values
from scripts.inputs.values import MetadataValue

IMAGE, LABEL = "image", "label"
# What the only column with images is made of, where it is not called `image`.
PARTS = {"bytes", "path"}

ReadLabel = Callable[[Any], str | None]
ReadValue = Callable[[Any], MetadataValue]


class ColumnsError(Exception):
    """A file has no columns with images and labels, while others may have them."""


@dataclass(frozen=True)
class ImageColumns:
    """The columns of a file.

    `label_of` returns the label of a value, `metadata` has for each other column what reads its
    values, `dropped` are columns that are neither text nor numbers.
    """

    image: str
    label: str
    label_of: ReadLabel
    split: str | None
    metadata: Mapping[str, ReadValue]
    dropped: Sequence[str]

    @property
    def places(self) -> list[str]:
        """The columns that say label and split."""
        return [self.label, *([self.split] if self.split else [])]

    @property
    def all(self) -> list[str]:
        """The columns that are read."""
        return list(dict.fromkeys([self.image, *self.places, *self.metadata]))


def image_column(schema: Any) -> str | None:
    """Return the column with images: `image`, or the only one with bytes and a path."""
    if IMAGE in schema.names and _holds_bytes(schema.field(IMAGE).type):
        return IMAGE
    found = [field.name for field in schema if _is_image(field.type)]
    return found[0] if len(found) == 1 else None


def columns_of(table: Any, request: IngestRequest) -> ImageColumns:
    """Return the columns of a Parquet file.

    Raises `ColumnsError` for a file without images, `UserError` where it is not known which column
    is the label.
    """
    schema, options = table.schema_arrow, request.options
    image = image_column(schema)
    if image is None or _has_paths_only(table, image):
        raise ColumnsError(_without_images(schema, image))
    classes = _class_names(schema.metadata or {})
    for option, column in options.columns.items():
        if column not in schema.names:
            raise ColumnsError(f"--{option} {column}: it has {', '.join(schema.names)}")
    label = options.label or LABEL
    if label not in schema.names:
        raise UserError(_ask_label(schema, image, classes, request))
    taken = {image, label, options.split} - {options.group}
    others = [name for name in schema.names if name not in taken]
    readers = {name: _reader(schema.field(name).type, classes.get(name)) for name in others}
    return ImageColumns(
        image,
        label,
        _labeling(label, schema.field(label).type, classes.get(label)),
        options.split,
        {name: read for name, read in readers.items() if read},
        [name for name, read in readers.items() if not read],
    )


def _is_image(kind: Any) -> bool:
    is_struct = pa.types.is_struct(kind) and {field.name for field in kind} == PARTS
    return is_struct and _holds_bytes(kind)


def _holds_bytes(kind: Any) -> bool:
    if pa.types.is_struct(kind):
        return kind.get_field_index("bytes") >= 0 and _holds_bytes(kind.field("bytes").type)
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def _has_paths_only(table: Any, image: str) -> bool:
    """Return whether no row has bytes of an image, as far as the footer of the file says it."""
    footer = table.metadata
    chunks = [
        footer.row_group(group).column(number)
        for group in range(footer.num_row_groups)
        for number in range(footer.num_columns)
        if footer.row_group(group).column(number).path_in_schema == f"{image}.bytes"
    ]
    return bool(chunks) and all(
        one.statistics is not None
        and one.statistics.has_null_count
        and one.statistics.null_count == one.num_values > 0
        for one in chunks
    )


def _without_images(schema: Any, image: str | None) -> str:
    if image or (IMAGE in schema.names and _is_text(schema.field(IMAGE).type)):
        return (
            f"its column {image or IMAGE} holds the paths of images only, not the images. Ingest a"
            " location that has the files too, with --table FILE --file COLUMN"
        )
    return (
        "it has no column with images: neither one called image with bytes, nor a single one with"
        f" bytes and path; it has {', '.join(schema.names)}"
    )


def _ask_label(
    schema: Any, image: str, classes: Mapping[str, Sequence[str]], request: IngestRequest
) -> str:
    others = [name for name in schema.names if name != image]
    likely = [name for name in others if name in classes or LABEL in name.lower()]
    commands = [request.command(label=name) for name in likely or others[:1]]
    return (
        f"no column of the Parquet files is called {request.options.label or LABEL}; they have"
        f" {', '.join(schema.names)}. Say which column is the label, as in{''.join(commands)}"
    )


def _is_text(kind: Any) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _labeling(column: str, kind: Any, classes: Sequence[str] | None) -> ReadLabel:
    """Return how values become labels: by the names in the footer, else as they are."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    is_simple = pa.types.is_integer(kind) or pa.types.is_boolean(kind) or _is_text(kind)
    if not is_simple:
        raise ColumnsError(f"the column {column} must hold numbers or text, not {kind}")

    def read(value: Any) -> str | None:
        if pa.types.is_integer(kind):
            value = _named(value, classes)
        text = values.text_of(value)
        return None if text is None else names.label(text)

    return read


def _named(value: int | None, classes: Sequence[str] | None) -> str | None:
    """Return the class of a number; -1 is what Hugging Face writes where there is none."""
    if value is None or (value == -1):
        return None
    if classes is None:
        return str(value)
    if not 0 <= value < len(classes):
        raise UserError(f"its label {value} is not one of the {len(classes)} classes")
    return classes[value]


def _reader(kind: Any, classes: Sequence[str] | None) -> ReadValue | None:
    """Return how values of a column become metadata, None where they cannot."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return _texts if _is_text(kind.value_type) else None
    if pa.types.is_integer(kind) and classes:
        return lambda value: _class(value, classes)
    is_kept = (pa.types.is_integer, pa.types.is_floating, pa.types.is_boolean, _is_text)
    if any(is_of(kind) for is_of in is_kept):
        return _as_it_is
    is_written = (pa.types.is_temporal, pa.types.is_decimal)
    return _written if any(is_of(kind) for is_of in is_written) else None


def _as_it_is(value: Any) -> MetadataValue:
    found: MetadataValue = value
    return found


def _texts(value: Any) -> MetadataValue:
    return None if value is None else [one for one in value if one is not None]


def _class(value: int | None, classes: Sequence[str]) -> MetadataValue:
    is_one = value is not None and 0 <= value < len(classes)
    return classes[value] if is_one and value is not None else None


def _written(value: Any) -> MetadataValue:
    text: MetadataValue = values.written(value)
    return text


def _class_names(metadata: Mapping[bytes, bytes]) -> dict[str, list[str]]:
    """Return the names that Hugging Face's key in the footer gives to numbers, by column."""
    try:
        features = json.loads(metadata[b"huggingface"])["info"]["features"]
        found = {name: feature.get("names") for name, feature in features.items()}
    except (AttributeError, KeyError, ValueError, TypeError):
        return {}
    return {
        name: texts
        for name, texts in found.items()
        if isinstance(texts, list) and all(isinstance(text, str) for text in texts)
    }
