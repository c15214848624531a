"""Parquet files as Hugging Face writes them: images in `image`, classes in `label`."""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from scripts.errors import UserError
from scripts.ingest.findings import Findings
from scripts.ingest.layout import NO_OTHER_SPLIT, OTHER_SPLITS, OWN_SPLITS
from scripts.ingest.locations import LocatedFile, Location
from scripts.inputs.images import MAX_BYTES

IMAGE, LABEL = "image", "label"
ROWS_AT_ONCE = 256
# `train-00000-of-00002.parquet` or `train.parquet`
SPLIT = re.compile(r"([a-z]+)[-.]")

# Returns the class of a value in the column `label`; raises `UserError` when there is none.
Naming = Callable[[Any], str]


@dataclass(frozen=True)
class LabeledImage:
    """One image: where it is, its split and label, and the bytes of its file."""

    where: str
    split: str | None
    label: str
    content: bytes
    metadata: Mapping[str, Any] = field(default_factory=dict)


def check(files: Sequence[LocatedFile], problems: Findings) -> None:
    """Note files whose name says another split than train or test, or none beside ones that do."""
    named = {file.path: split_of(file) for file in files}
    for path, split in named.items():
        if split in OTHER_SPLITS:
            problems.add(str(path), NO_OTHER_SPLIT)
        elif split is None and any(named.values()):
            problems.add(str(path), "its name does not begin with train- or test-, unlike others")


def split_of(file: LocatedFile) -> str | None:
    """Return the split that the name of a file says, None where it says none."""
    found = SPLIT.match(file.path.name)
    return found[1] if found and found[1] in OWN_SPLITS | OTHER_SPLITS else None


def read(
    location: Location, files: Sequence[LocatedFile], problems: Findings
) -> Iterator[LabeledImage]:
    """Yield the images of all `files`, and note those that cannot be had."""
    for file in files:
        try:
            with location.spool(file) as opened:
                yield from _rows(file, parquet.ParquetFile(opened), problems)
        except UserError as error:
            problems.add(str(file.path), str(error))
        except MemoryError:
            raise  # one of pyarrow's is one of the next kinds too
        except (pa.ArrowException, OSError, ValueError) as error:
            reason = " ".join(str(error).split())
            problems.add(str(file.path), f"it is not a Parquet file, or damaged ({reason})")


def _rows(file: LocatedFile, table: Any, problems: Findings) -> Iterator[LabeledImage]:
    schema = table.schema_arrow
    for column in (IMAGE, LABEL):
        if column not in schema.names:
            raise UserError(f"it has no column {column}; it has {', '.join(schema.names)}")
    if not _holds_bytes(schema.field(IMAGE).type):
        raise UserError(f"the column {IMAGE} must hold bytes, or a struct with bytes and path")
    name_of = _naming(schema.metadata or {}, schema.field(LABEL).type)
    number, split = 0, split_of(file)
    for batch in _batches(table):
        for image, label in zip(batch.column(IMAGE), batch.column(LABEL), strict=True):
            number += 1
            where = f"{file.path} row {number}"
            value = image.as_py()
            content = value.get("bytes") if isinstance(value, dict) else value
            try:
                yield LabeledImage(where, split, name_of(label.as_py()), _checked(content))
            except UserError as error:
                problems.add(where, str(error))


def _batches(table: Any) -> Iterator[Any]:
    """Yield some rows at a time; by groups, because pyarrow keeps what it has read of a file."""
    for group in range(table.num_row_groups):
        yield from table.iter_batches(ROWS_AT_ONCE, row_groups=[group], columns=[IMAGE, LABEL])


def _checked(content: bytes | None) -> bytes:
    if content is None:
        raise UserError("the file holds no image; it may only name the path of one")
    if len(content) > MAX_BYTES:
        raise UserError(f"it has {len(content):,} bytes; at most {MAX_BYTES:,} are allowed")
    return content


def _holds_bytes(kind: Any) -> bool:
    if pa.types.is_struct(kind):
        return kind.get_field_index("bytes") >= 0 and _holds_bytes(kind.field("bytes").type)
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def _naming(metadata: dict[bytes, bytes], kind: Any) -> Naming:
    """Return how values become classes: by the names in the footer, else as they are."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return _given
    if not pa.types.is_integer(kind):
        raise UserError(f"the column {LABEL} must hold numbers or text, not {kind}")
    names = _class_names(metadata)
    if names is None:
        return lambda value: _given(None if value is None or value < 0 else str(value))

    def named(value: int | None) -> str:
        if value is None or not 0 <= value < len(names):
            raise UserError(f"its label {value} is not one of the {len(names)} classes")
        return names[value]

    return named


def _given(value: str | None) -> str:
    if value is None:
        raise UserError("it has no label")
    return value


def _class_names(metadata: dict[bytes, bytes]) -> list[str] | None:
    """Return the names that Hugging Face's key in the footer gives to the numbers."""
    try:
        label = json.loads(metadata[b"huggingface"])["info"]["features"][LABEL]
        names = label["names"]
    except (KeyError, ValueError, TypeError):
        return None
    is_list = isinstance(names, list) and all(isinstance(name, str) for name in names)
    return names if is_list else None
