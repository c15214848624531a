"""The table of the additions: `additions/metadata.csv`, with the metadata of a file in each row."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from scripts.inputs import strict_csv, values
from scripts.inputs.config_values import MAX_NAME
from scripts.inputs.paths import ADDITIONS_FOLDER, ADDITIONS_TABLE
from scripts.inputs.problems import START, InputError, Mark, Problem
from scripts.inputs.strict_csv import CsvTable, shown
from scripts.inputs.values import MetadataValue

# The column with the path of a file below `additions/`.
FILE_NAME = "file_name"
EXAMPLE = "train/cat/one.jpg"

MAX_BYTES = 8 * 1024 * 1024
MAX_VALUE = 1_000


@dataclass(frozen=True)
class AdditionsTable:
    """The columns of metadata, each with its place, and the values of each file by its path."""

    columns: Mapping[str, Mark] = field(default_factory=dict)
    metadata: Mapping[str, Mapping[str, MetadataValue]] = field(default_factory=dict)


NO_TABLE = AdditionsTable()


def parse(content: bytes, paths: Collection[str]) -> tuple[AdditionsTable, list[Problem]]:
    """Return the table in `content`, and every problem; `paths` are those of the additions.

    Values are numbers or truth values where all of a column are. Raises `InputError` if the first
    line is invalid.
    """
    first, *lines = strict_csv.lines(content, ADDITIONS_TABLE, MAX_BYTES)
    table, columns = _table(first)
    problems: list[Problem] = []
    rows: dict[str, dict[str, str]] = {}
    lines_of: dict[str, int] = {}
    for number, line in enumerate(lines, start=2):
        try:
            found, marks = table.row(line, number)
        except InputError as error:
            problems += error.problems
            continue
        if not found:
            continue
        row = dict(zip(table.columns, found, strict=True))
        places = dict(zip(table.columns, marks, strict=True))
        path = f"{ADDITIONS_FOLDER}/{row.pop(FILE_NAME)}"
        wrong = [*_wrong_file(path, paths, lines_of), *_wrong_values(row)]
        problems += (
            Problem(ADDITIONS_TABLE, places[column], f"{column}: {message}")
            for column, message in wrong
        )
        lines_of.setdefault(path, number)
        rows.setdefault(path, row)
    return AdditionsTable(columns, _typed([*columns], rows)), problems


def _table(first: str) -> tuple[CsvTable, dict[str, Mark]]:
    """Return what reads the rows, and the place of each column of metadata."""
    strict_csv.refuse_mixed_ends(first, ADDITIONS_TABLE)
    separator = strict_csv.separator(first, ADDITIONS_TABLE, lambda names: FILE_NAME in names)
    if separator is None:
        message = (
            f"expected a first line with the column {FILE_NAME} (paths below {ADDITIONS_FOLDER}/"
            f" such as {EXAMPLE}), found {shown(first)}"
        )
        raise InputError([Problem(ADDITIONS_TABLE, START, message)])
    found, marks = strict_csv.values(first, 1, ADDITIONS_TABLE, separator)
    names = strict_csv.trimmed(found, 0)
    columns = dict(zip(names, marks, strict=False))
    problems = [
        Problem(ADDITIONS_TABLE, mark, wrong)
        for name, mark in zip(names, marks, strict=False)
        if (wrong := _wrong_name(name, names)) is not None
    ]
    if problems:
        raise InputError(problems)
    del columns[FILE_NAME]
    return CsvTable(ADDITIONS_TABLE, names, separator), columns


def _wrong_name(name: str, names: Sequence[str]) -> str | None:
    """Return what is wrong with the name of a column, None if it is right."""
    if not name.strip():
        return "a column needs a name"
    if len(name) > MAX_NAME or not name.isprintable():
        return f"the name of a column has at most {MAX_NAME} characters, which can be printed"
    return f"the column {name} is there more than once" if names.count(name) > 1 else None


def _wrong_file(
    path: str, paths: Collection[str], lines: Mapping[str, int]
) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with the file that a row names."""
    if path in lines:
        yield FILE_NAME, f"line {lines[path]} has this file already"
    if path in lines or path in paths:
        return
    name = path.rpartition("/")[2]
    alike = [one for one in paths if one.endswith(f"/{name}")]
    hint = f"; the file of this name is {_below(alike[0])}" if len(alike) == 1 else ""
    expected = f"expected the path of a file below {ADDITIONS_FOLDER}/, such as {EXAMPLE}"
    yield FILE_NAME, f"{expected}, found {shown(_below(path))}{hint}"


def _below(path: str) -> str:
    return path.removeprefix(f"{ADDITIONS_FOLDER}/")


def _wrong_values(row: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the columns with invalid values, and the reasons."""
    for column, value in row.items():
        if len(value) > MAX_VALUE:
            yield column, f"too long; at most {MAX_VALUE:,} characters are allowed"
        elif wrong := [character for character in value if not character.isprintable()]:
            yield column, f"the character U+{ord(wrong[0]):04X} cannot be printed; remove it"


def _typed(
    columns: Sequence[str], rows: Mapping[str, Mapping[str, str]]
) -> dict[str, dict[str, MetadataValue]]:
    """Return the values of each file, without missing ones."""
    found: dict[str, dict[str, MetadataValue]] = {path: {} for path in rows}
    for column in columns:
        typed = values.of_text([row[column] for row in rows.values()])
        for metadata, value in zip(found.values(), typed, strict=True):
            if value is not None:
                metadata[column] = value
    return found
