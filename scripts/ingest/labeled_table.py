"""Labels, splits and metadata from a table: each row is joined with its image file."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import NoReturn

from scripts.errors import UserError
from scripts.ingest import folders, image_files, locations, names, tables
from scripts.ingest.arrangement import Arrangement, Listing
from scripts.ingest.file_index import FileIndex
from scripts.ingest.findings import Findings
from scripts.ingest.folders import FolderLayout, Labeling
from scripts.ingest.image_files import PlacedFile
from scripts.ingest.locations import LocatedFile, Location
from scripts.ingest.options import IN_WORDS, PARENT, IngestOptions
from scripts.ingest.tables import TableRows
from scripts.inputs import values

# Hugging Face's ImageFolder: one such file at the root, or one in each folder.
METADATA = "metadata"
FILE_NAME, LABEL, SPLIT = "file_name", "label", "split"
# Rows whose values are compared with the names of files to find the column that has them.
TRIED = 1_000
# Names for the columns of a table without any, beside that of the files.
MADE_NAMES = (LABEL, "second", "third", "fourth")
# Tables that a message names.
MAX_NAMED = 10


@dataclass(frozen=True)
class TableColumns:
    """Which columns of a table have files, labels and splits, None where no column does.

    With several columns for labels, each is a class, and has 1 in the rows of this class.
    """

    file: str
    labels: Sequence[str]
    split: str | None


@contextmanager
def named(listing: Listing) -> Iterator[tuple[Location, list[LocatedFile]]]:
    """Open the tables that `--table` names.

    It is a path at the location, a file name that several folders there have, or a file elsewhere.
    Raises `UserError` where there is none.
    """
    table, address = listing.request.options.table or "", listing.request.address
    wanted = PurePosixPath(table.removeprefix(f"{address.rstrip('/')}/"))
    found = [file for file in listing.files if file.path == wanted]
    found = found or [file for file in listing.files if file.path.name == str(wanted)]
    if found:
        yield listing.location, found
        return
    if "://" not in table and not Path(table).is_file():
        known = (
            str(one.path) for one in listing.files if one.path.suffix.lower() in tables.ENDINGS
        )
        shown = ", ".join(islice(known, MAX_NAMED))
        raise UserError(
            f"there is no table {wanted} in {address}{shown and f'; there are {shown}'}, nor a file"
            f" {table}"
        )
    with locations.opened(table) as elsewhere:
        yield elsewhere, list(elsewhere.files(listing.problems))


def conventional(listing: Listing) -> list[LocatedFile]:
    """Return the files `metadata.csv` and the like, if they have a column `file_name`."""
    found = [
        file
        for file in listing.files
        if file.path.stem == METADATA and file.path.suffix.lower() in tables.ENDINGS - tables.JSON
    ]
    if not found or not listing.images:
        return []
    with suppress(UserError), listing.location.spool(found[0]) as opened:
        for _, row in tables.rows(found[0].path, opened, Findings()):
            return found if FILE_NAME in row else []
    return []


def arrange(listing: Listing, location: Location, files: Sequence[LocatedFile]) -> Arrangement:
    """Return what the tables `files` at `location` say; note rows and images without the other.

    Raises `UserError` where it is not known which columns say it.
    """
    options = listing.request.options
    table, index = tables.read(location, files, listing.problems), FileIndex(listing.images)
    if not table.where:
        raise UserError(f"{files[0].path} has no rows")
    if not table.has_types and (file := row_in_header(table.columns, index)):
        raise UserError(f"{files[0].path} {without_header(table.columns, file)}")
    _check(table, options.columns, files[0].path)
    chosen = _columns(listing, table, index)
    paths = [file.path for file in listing.images]
    how = options.label_from_path if not chosen.labels else None
    layout = folders.layout_of(paths, folders.labels_needed(how) if how else 0)
    by_path, form = folders.labeling(layout, how) if how else (None, "FILE")
    placed = _joined(listing, _Joining(table, chosen, index, layout, by_path))
    taken = {chosen.file, *chosen.labels, chosen.split} - {options.group}
    found = {name: table.typed(name) for name in table.columns if name not in taken}
    kept = {name: column for name, column in found.items() if column is not None}
    tables_in_words = f"{files[0].path.name} ({_in_words(chosen)})"
    return image_files.arrangement(
        listing,
        f"{layout.described(form) if not chosen.split else form} with {tables_in_words}",
        placed,
        metadata=lambda one: {name: column[one.row] for name, column in kept.items()},
        used=[file.path for file in files],
        notes=notes(kept, [name for name in found if name not in kept], options),
    )


def notes(kept: Iterable[str], dropped: Sequence[str], options: IngestOptions) -> list[str]:
    """Return what is said of the other columns."""
    lines = [f"metadata: {', '.join(kept)}"] if kept else []
    lines += [f"groups: {options.group}"] if options.group else []
    return lines + ([f"columns passed over: {', '.join(dropped)}"] if dropped else [])


def _in_words(chosen: TableColumns) -> str:
    label = " or ".join(chosen.labels)
    given = {"file": chosen.file, "label": label, "split": chosen.split}
    return ", ".join(f"{what}: {column}" for what, column in given.items() if column)


def _check(table: TableRows, given: Mapping[str, str], path: PurePosixPath) -> None:
    """Raise `UserError` for a column that is not in the table."""
    for option, column in given.items():
        is_known = column in table.columns or (option == "label" and _label_columns(column, table))
        if not is_known:
            raise UserError(f"--{option} {column}: {path} has {_listed(table)}")


def _listed(table: TableRows) -> str:
    return f"the columns {', '.join(table.columns)}"


def _columns(listing: Listing, table: TableRows, index: FileIndex) -> TableColumns:
    options = listing.request.options
    labels = _label_columns(options.label or "", table)
    if not labels and not options.label_from_path:
        labels = [LABEL] if LABEL in table.columns else _ask_label(listing, table)
    file = options.file or _file_column(listing, table, index)
    split = options.split
    if split is None and SPLIT in table.columns and SPLIT not in {*labels, file}:
        column = {values.text_of(value) for value in table.columns[SPLIT]}
        split = SPLIT if all(text and names.split_of(text) for text in column) else None
    return TableColumns(file, labels, split)


def _label_columns(label: str, table: TableRows) -> list[str]:
    """Return the columns that `--label` names: one, or several with commas between them."""
    if label in table.columns:
        return [label]
    several = [name.strip() for name in label.split(",")]
    return several if all(name in table.columns for name in several) else []


def _ask_label(listing: Listing, table: TableRows) -> NoReturn:
    columns = ", ".join(column for column in table.columns if column != FILE_NAME)
    raise UserError(
        f"no column of the table is called label, so say what the label is: a column ({columns}),"
        f" or what a path says ({IN_WORDS}), as in{listing.request.command(label='COLUMN')}"
        f"{listing.request.command(label=PARENT)}"
    )


def _file_column(listing: Listing, table: TableRows, index: FileIndex) -> str:
    """Return the column with the names of files: `file_name`, or the only one that fits."""
    if FILE_NAME in table.columns:
        return FILE_NAME
    fitting = [name for name, column in table.columns.items() if names_files(column, index)]
    if len(fitting) == 1:
        return fitting[0]
    found = f"several columns name files ({', '.join(fitting)})" if fitting else "no column names"
    raise UserError(
        f"{found if fitting else f'{found} images of the location'}, so say which one does, as in"
        f"{listing.request.command(file=fitting[0] if fitting else 'COLUMN')}\n"
        f"The table has {_listed(table)}"
    )


def names_files(column: Sequence[object], index: FileIndex, least: float = 1) -> bool:
    """Return whether most of the values of a column are names of files, `least` or more of them."""
    texts = [text for value in column[:TRIED] if (text := values.text_of(value))]
    fitting = {text for text in texts if index.has(text)}
    return len(fitting) >= least and 2 * len(fitting) > len(texts)


def row_in_header(columns: Mapping[str, Sequence[object]], index: FileIndex) -> str | None:
    """Return the name of an image that is where the name of a column should be, if there is one.

    It has an ending, or another name is a value of its column too: images can be called `name.png`.
    """
    for file in filter(index.has, columns):
        others = (name in column for name, column in columns.items() if name != file)
        if names.is_image(PurePosixPath(file)) or any(others):
            return file
    return None


def without_header(columns: Collection[str], file: str) -> str:
    """Return what to say of a table whose first line is a row; `file` is its image."""
    made = dict(zip((name for name in columns if name != file), MADE_NAMES, strict=False))
    header = ",".join("file" if name == file else made.get(name, name) for name in columns)
    return (
        f"has no names of columns: its first line is a row, {','.join(columns)}. Write a line with"
        f" names before it, such as {header}"
    )


@dataclass(frozen=True)
class _Joining:
    """What is needed to find the image of each row, its split and its label."""

    table: TableRows
    chosen: TableColumns
    index: FileIndex
    layout: FolderLayout
    by_path: Labeling | None

    def file(self, row: int) -> LocatedFile:
        """Return the file that a row names."""
        text = values.text_of(self.table.columns[self.chosen.file][row])
        if text is None:
            raise UserError(f"its {self.chosen.file} is empty")
        return self.index.find(text, self.table.folders[row])

    def placed(self, file: LocatedFile, row: int) -> PlacedFile:
        """Return what a row says of its file."""
        label = self.by_path(file.path) if self.by_path else self._label(row)
        return PlacedFile(file, self._split(file, row), label, row)

    def _split(self, file: LocatedFile, row: int) -> str | None:
        if self.chosen.split is None:
            return self.layout.split(file.path)
        text = values.text_of(self.table.columns[self.chosen.split][row])
        return names.valid_split(self.chosen.split, text)

    def _label(self, row: int) -> str | None:
        if len(self.chosen.labels) > 1:
            return names.label(self._only_one(row))
        text = values.text_of(self.table.columns[self.chosen.labels[0]][row])
        return names.label(text) if text and text.strip() else None

    def _only_one(self, row: int) -> str:
        columns = ((name, self.table.columns[name][row]) for name in self.chosen.labels)
        found = [name for name, value in columns if values.is_one(value)]
        if len(found) == 1:
            return found[0]
        said = (
            f"several of its labels are 1: {', '.join(found)}" if found else "no label of it is 1"
        )
        raise UserError(said)


def _joined(listing: Listing, joining: _Joining) -> list[PlacedFile]:
    """Return the file of each row, in the order of the location, and note what has none."""
    rows: dict[PurePosixPath, int] = {}
    placed: dict[PurePosixPath, PlacedFile] = {}
    where = joining.table.where
    for row, place in enumerate(where):
        try:
            file = joining.file(row)
            first = rows.setdefault(file.path, row)
            if first == row:
                placed[file.path] = joining.placed(file, row)
            else:
                message = f"it names {str(file.path)!r} again, as {where[first]!r} does"
                listing.problems.add(place, message)
        except UserError as error:
            listing.problems.add(place, str(error))
    for file in listing.images:
        if file.path not in rows:
            listing.problems.add(str(file.path), "no row of the table names it")
    return [placed[file.path] for file in listing.images if file.path in placed]
