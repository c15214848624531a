"""Files beside images that say more about them than folders do: annotations and tables."""

import io
import re
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any, NamedTuple

from scripts.errors import UserError
from scripts.ingest import annotations, names, patterns, tables
from scripts.ingest.annotations import Annotations
from scripts.ingest.arrangement import Listing
from scripts.ingest.file_index import FileIndex
from scripts.ingest.findings import Findings
from scripts.ingest.labeled_table import LABEL, names_files, row_in_header, without_header
from scripts.ingest.locations import LocatedFile
from scripts.ingest.options import PARENT
from scripts.inputs import values

MAX_TABLES = 20
# A whole table that names fewer of the images is probably about something else.
LEAST = 0.05
# Names of images in a JSON file that is no table.
MIN_QUOTED = 3
QUOTED = re.compile(r'"([^"\\]{1,300})"')
LABELS = {"label", "class", "category", "target"}


class NamingTable(NamedTuple):
    """A table that names images, and its columns, that of the files first.

    There are no columns where it is JSON of another form. `flags` is whether each of the others is
    a class, with 0 or 1. `row` is its first line where that names no columns.
    """

    path: PurePosixPath
    columns: Sequence[str] = ()
    flags: bool = False
    row: Sequence[str] = ()


def check(listing: Listing) -> None:
    """Raise `UserError` for annotations, or a table that names the images."""
    if found := annotations.find(listing):
        raise UserError(_annotated(listing, found))
    if table := _table(listing):
        raise UserError(_named_by(listing, table))


def _annotated(listing: Listing, found: Sequence[Annotations]) -> str:
    request = listing.request
    paths = [file.path for file in listing.images]
    return (
        f"{request.address} has annotations of boxes or masks, which are not supported yet:"
        f" {', '.join(map(str, found))}. To ingest the images without them, with their folders as"
        f" labels:{request.command(label=PARENT)}{patterns.advice(request, paths)}\nWith labels"
        f" from a table:{request.command(table='FILE', file='COLUMN', label='COLUMN')}"
    )


def _named_by(listing: Listing, found: NamingTable) -> str:
    """Return what to say of a table."""
    request, path, columns = listing.request, found.path, found.columns
    tables_alike = [file for file in listing.files if file.path.name == path.name]
    # One in each folder is named by its name alone.
    table = str(path) if len(tables_alike) == 1 else path.name
    file, label = "COLUMN", "COLUMN"
    if columns:
        file, *others = columns
        likely = [name for name in others if name.lower() in LABELS]
        label = next(iter(likely or (others if len(others) == 1 else [])), label)
        label = ",".join(others) if found.flags else label
    known = f" It has the columns {', '.join(columns)}." if columns else ""
    use = "To use it:"
    if found.row:
        known = f" But it {without_header(found.row, columns[0])}."
        use, file, label = "Then use it:", "file", LABEL
    return (
        f"{path} in {request.address} names the images, so it may have their labels.{known} {use}"
        f"{request.command(table=table, file=file, label=label)}\nTo take the folders as labels"
        f" all the same:{request.command(label=PARENT)}"
    )


def _table(listing: Listing) -> NamingTable | None:
    """Return the first table that names the images."""
    found = [file for file in listing.files if file.path.suffix.lower() in tables.ENDINGS]
    found = found[:MAX_TABLES]
    if not found:
        return None
    index, images = FileIndex(listing.images), len(listing.images)
    read = [file for file in found if not names.is_parquet(file.path)]
    content = annotations.heads(listing, read)
    for file in found:
        head = content.get(file.path, b"")
        columns = _columns(listing, file, head)
        least = LEAST * images if file.size <= tables.HEAD else 1
        naming = [name for name, column in columns.items() if names_files(column, index, least)]
        if naming:
            others = [name for name in columns if name != naming[0]]
            flags = len(others) > 1 and all(
                values.is_flag(value) for name in others for value in columns[name]
            )
            row = row_in_header(columns, index) if tables.is_text(file.path) else None
            first = row or naming[0]
            ordered = [first, *(name for name in columns if name != first)]
            return NamingTable(file.path, ordered, flags, tuple(columns) if row else ())
        if file.path.suffix.lower() in tables.JSON | tables.LINES:
            quoted = {*QUOTED.findall(head.decode(errors="replace"))}
            if sum(map(index.has, quoted)) >= min(MIN_QUOTED, images):
                return NamingTable(file.path)
    return None


def _columns(listing: Listing, file: LocatedFile, head: bytes) -> Mapping[str, Sequence[Any]]:
    """Return the columns of a table, of a long text only the first values."""
    try:
        if names.is_parquet(file.path):
            return tables.read(listing.location, [file], Findings()).columns
        if file.size > len(head):
            head = head[: head.rfind(b"\n") + 1]
        opened = io.BytesIO(tables.readable(head))
        rows = [row for _, row in tables.rows(file.path, opened, Findings())]
    except UserError:
        return {}
    return {name: [row.get(name) for row in rows] for name in (rows[0] if rows else {})}
