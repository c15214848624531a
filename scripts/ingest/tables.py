"""Tables that say what images are: CSV, JSON Lines, JSON or Parquet, read as columns."""

import codecs
import csv
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import IO, Any

import pyarrow as pa
from pyarrow import parquet

from scripts.errors import UserError
from scripts.ingest.findings import Findings
from scripts.ingest.locations import LocatedFile, Location
from scripts.ingest.names import PARQUET
from scripts.inputs import values
from scripts.inputs.strict_csv import EXCEL, SAVE_AS_CSV
from scripts.inputs.values import MetadataValue

CSV, LINES, JSON = {".csv", ".tsv", ".tab"}, {".jsonl", ".ndjson"}, {".json"}
ENDINGS = CSV | LINES | JSON | {PARQUET}
MAX_BYTES = 512 * 1024**2
# What is read of a file to see whether it is a table.
HEAD = 64 * 1024
# Columns of a JSON object that has a value for each file.
FILE, LABEL = "file", "label"
SEPARATORS = ",;\t|"
UTF_8 = "utf-8"
ENCODINGS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}

Row = Mapping[str, Any]


@dataclass(frozen=True)
class TableRows:
    """The rows of one or several files.

    `columns` have the values of all rows as they are in the files, `where` and `folders` say for
    each row where it is. `has_types` is whether values have types; in CSV all are text.
    """

    columns: Mapping[str, Sequence[Any]]
    where: Sequence[str]
    folders: Sequence[PurePosixPath]
    has_types: bool

    def typed(self, column: str) -> Sequence[MetadataValue] | None:
        """Return the values of a column with one type, None where they are neither text nor number.

        Values of CSV are numbers or truth values where all of a column are.
        """
        found = self.columns[column]
        return values.of_json(found) if self.has_types else values.of_text(found)


def read(location: Location, files: Sequence[LocatedFile], problems: Findings) -> TableRows:
    """Read tables of the same kind as one, and note rows that cannot be read.

    Raises `UserError` for a file that is no table.
    """
    columns: dict[str, list[Any]] = {}
    where: list[str] = []
    folders: list[PurePosixPath] = []
    for file in files:
        if file.size > MAX_BYTES:
            raise UserError(
                f"{file.path}: a table with {file.size:,} bytes; at most {MAX_BYTES:,} are allowed"
            )
        with location.spool(file) as opened:
            for place, row in rows(file.path, opened, problems):
                for column in row:
                    if column not in columns:
                        columns[column] = [None] * len(where)
                for column, found in columns.items():
                    found.append(row.get(column))
                where.append(f"{file.path} {place}")
                folders.append(file.path.parent)
    return TableRows(columns, where, folders, not any(is_text(file.path) for file in files))


def is_text(path: PurePosixPath) -> bool:
    """Return whether all values of a table are text."""
    return path.suffix.lower() not in LINES | JSON | {PARQUET}


def rows(path: PurePosixPath, opened: IO[bytes], problems: Findings) -> Iterator[tuple[str, Row]]:
    """Yield each row of a table with its place there, and note those that cannot be read."""
    ending = path.suffix.lower()
    try:
        if ending == PARQUET:
            yield from _of_parquet(opened)
        elif ending in JSON:
            yield from _of_json(_decoded(opened.read()))
        elif ending in LINES:
            yield from _of_lines(path, _decoded(opened.read()), problems)
        else:
            yield from _of_csv(path, _decoded(opened.read()), problems)
    except MemoryError:
        raise  # one of pyarrow's is one of the next kinds too
    except UserError as error:
        raise UserError(f"{path}: {error}") from None
    except (pa.ArrowException, OSError, ValueError, csv.Error, RecursionError) as error:
        reason = " ".join(str(error).split())
        raise UserError(f"{path} cannot be read as a table: {reason}") from None


def readable(head: bytes) -> bytes:
    """Return the beginning of a text with marks in place of what is not UTF-8."""
    return head.decode(errors="replace").encode() if _encoding(head) == UTF_8 else head


def _encoding(content: bytes) -> str:
    return next((name for bom, name in ENCODINGS.items() if content.startswith(bom)), UTF_8)


def _decoded(content: bytes) -> str:
    encoding = _encoding(content)
    if content.startswith(EXCEL):
        raise UserError(f"it is a file of Excel. {SAVE_AS_CSV}")
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        if encoding != UTF_8:
            raise
        line = len(content[: error.start + 1].splitlines())
        byte = content[error.start]
        raise UserError(
            f"it is not UTF-8 text: byte 0x{byte:02x} in line {line:,}. Save it with the encoding"
            " UTF-8"
        ) from None


def _of_csv(path: PurePosixPath, text: str, problems: Findings) -> Iterator[tuple[str, Row]]:
    first = re.split("[\r\n]", text.lstrip("\r\n"), maxsplit=1)[0]
    separator = max(SEPARATORS, key=re.sub('"[^"]*"', "", first).count)
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True)
    filled = (found for found in lines if any(found))
    header = [name.strip() for name in next(filled, [])]
    named = [name for name in header if name]
    if len({*named}) < len(named):
        twice = next(name for name in named if named.count(name) > 1)
        raise UserError(f"it has two columns {twice}; its first line has to name the columns")
    for found in filled:
        place = f"line {lines.line_num}"
        if len(found) != len(header):
            message = f"it has {len(found)} values, but the first line has {len(header)}"
            problems.add(f"{path} {place}", message)
        else:
            yield place, {name: one for name, one in zip(header, found, strict=True) if name}


def _of_lines(path: PurePosixPath, text: str, problems: Findings) -> Iterator[tuple[str, Row]]:
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            found = json.loads(line)
        except ValueError as error:
            problems.add(f"{path} line {number}", f"it is not JSON ({error})")
            continue
        if isinstance(found, dict):
            yield f"line {number}", found
        else:
            problems.add(f"{path} line {number}", "it is not an object of JSON, {...}")


def _of_json(text: str) -> Iterator[tuple[str, Row]]:
    """Yield the objects of a list, or what an object has for each file."""
    found = json.loads(text)
    if isinstance(found, dict):
        found = [
            {FILE: name, **(one if isinstance(one, dict) else {LABEL: one})}
            for name, one in found.items()
        ]
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise UserError("it is neither a list of objects, nor an object with one for each file")
    yield from ((f"row {number}", one) for number, one in enumerate(found, 1))


def _of_parquet(opened: IO[bytes]) -> Iterator[tuple[str, Row]]:
    """Yield the rows; of an image there, its path only."""
    table = parquet.ParquetFile(opened)
    number = 0
    for batch in table.iter_batches(columns=leaves(table)):
        for row in batch.to_pylist():
            number += 1
            yield f"row {number}", {name: _path_of(one) for name, one in row.items()}


def leaves(table: Any) -> list[str]:
    """Return the columns of a Parquet file that are no bytes, by their path."""
    schema = table.schema
    columns = (schema.column(number) for number in range(len(schema)))
    return [one.path for one in columns if one.physical_type != "BYTE_ARRAY" or _is_text(one)]


def _is_text(column: Any) -> bool:
    return str(column.logical_type.type) in {"STRING", "JSON", "ENUM"}


def _path_of(value: Any) -> Any:
    return value["path"] if isinstance(value, dict) and value.keys() == {"path"} else value
