"""Failures of a model, or all of its predictions: a table with a sample in each row.

It is a CSV file, or a Parquet file, such as that of a release with a column added.
"""

import math
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple

from scripts.errors import UserError
from scripts.inputs import prediction_columns, strict_csv
from scripts.inputs.config import SPLITS
from scripts.inputs.curation import identifier_in, without_zeros
from scripts.inputs.problems import START, InputError, Mark, Problem
from scripts.inputs.strict_csv import CsvTable, shown
from scripts.inputs.tree import WorkTree

FILE, SAMPLE = "file", "sample"
LABEL, PREDICTED, SCORE = "label", "predicted", "score"
# Other columns are ignored.
COLUMNS = (FILE, SAMPLE, LABEL, PREDICTED, SCORE)

MAX_BYTES = 32 * 1024 * 1024
MAX_ROWS = 500_000
MAX_VALUE = 100
# Python parses more as a number, such as 1_0 and digits of other scripts.
NUMBER = re.compile(r"[-+0-9.eE]+")
# Where numbers have a decimal comma, spreadsheets separate values by semicolons.
DECIMAL_COMMAS = ";"
DECIMAL = re.compile(r"[-+]?[0-9]*,[0-9]+([eE][-+]?[0-9]+)?")


class Failure(NamedTuple):
    """A sample that a model gets wrong: its label and the prediction.

    Missing values are empty, or None for the score. `folder` is the class in the path of its file.
    """

    sample: str
    label: str = ""
    predicted: str = ""
    score: float | None = None
    line: int = 0
    folder: str = ""

    @property
    def key(self) -> str:
        """The sample, without the leading zeros of a row number."""
        return without_zeros(self.sample)

    @property
    def reason(self) -> str:
        """The wrong prediction, in words."""
        parts = []
        if self.predicted:
            instead = f" instead of {self.label}" if self.label else ""
            parts.append(f"predicted {self.predicted}{instead}")
        if self.score is not None:
            parts.append(f"score {round(self.score, 3):g}")
        return ", ".join(parts) or "wrong prediction"


# One row, or what is wrong with it.
_Read = tuple[Failure | None, list[Problem]]


def read(path: Path) -> tuple[list[Failure], list[Problem]]:
    """Return the samples in the file at `path`, as `parse` does.

    Of a Parquet file, only the columns with samples and predictions are read, however large it is.
    Raises `UserError` if there is no such file.
    """
    # The file can be a link to a file.
    file = Path(os.path.realpath(path))
    if file.is_file():
        with file.open("rb") as opened:
            if prediction_columns.is_parquet(opened):
                return _collected(_rows_of_parquet(opened, str(path)))
        if (size := file.stat().st_size) > MAX_BYTES:
            raise UserError(
                f"{path}: the file has {size:,} bytes; at most {MAX_BYTES:,} are allowed"
            )
    content = WorkTree(file.parent).read(file.name)
    if content is None:
        raise UserError(f"{path}: there is no such file")
    return parse(content, str(path))


def parse(content: bytes, file: str) -> tuple[list[Failure], list[Problem]]:
    """Return the samples in `content` of the CSV file `file`, and the problems of invalid rows.

    Raises `InputError` if no row is valid.
    """
    return _collected(_rows_of_csv(content, file))


def _collected(rows: Iterator[_Read]) -> tuple[list[Failure], list[Problem]]:
    problems: list[Problem] = []
    failures = []
    for failure, wrong in rows:
        failures += [failure] if failure else []
        problems += wrong
    if problems and not failures:
        raise InputError(problems)
    return failures, problems


def _rows_of_csv(content: bytes, file: str) -> Iterator[_Read]:
    header, *lines = strict_csv.lines(content, file, MAX_BYTES)
    _refuse_long(sum(bool(line) for line in lines), file)
    table = _table(header, file)
    yield from (_row(table, line, number) for number, line in enumerate(lines, start=2))


def _rows_of_parquet(opened: BinaryIO, file: str) -> Iterator[_Read]:
    table = prediction_columns.open_table(opened, file)
    _refuse_long(table.count, file)
    if not _names_samples(table.names):
        message = f"expected a column {FILE} or {SAMPLE}, found {', '.join(table.names) or 'none'}"
        raise InputError([Problem(file, START, message)])
    for number, given in enumerate(table.rows(COLUMNS), start=1):
        yield _checked(given, file, number, dict.fromkeys(COLUMNS, Mark(number, 1)))


def _refuse_long(count: int, file: str) -> None:
    if count > MAX_ROWS:
        message = f"the file has {count:,} rows; at most {MAX_ROWS:,} are allowed"
        raise InputError([Problem(file, START, message)])


def _table(line: str, file: str) -> CsvTable:
    """Return what reads the rows, given the first line."""
    strict_csv.refuse_mixed_ends(line, file)
    separator = strict_csv.separator(line, file, _names_samples) or strict_csv.COMMA
    problems = []
    values, marks = strict_csv.values(line, 1, file, separator)
    names = [value.strip() for value in values]
    for mark, name in zip(marks, names, strict=True):
        if name in COLUMNS and names.count(name) > 1:
            problems.append(Problem(file, mark, f"the column {name} is there more than once"))
    if not _names_samples(names):
        message = (
            f"expected a first line with the column {FILE} (file names such as 00058.png) or"
            f" {SAMPLE} (identifiers), found {shown(line)}"
        )
        problems.append(Problem(file, START, message))
    if problems:
        raise InputError(problems)
    return CsvTable(file, names, separator)


def _names_samples(names: Sequence[str]) -> bool:
    return not {FILE, SAMPLE}.isdisjoint(name.strip() for name in names)


def _row(table: CsvTable, line: str, number: int) -> _Read:
    """Return the sample of a row, or None and its problems; nothing for an empty row."""
    try:
        values, marks = table.row(line, number)
    except InputError as error:
        return None, error.problems
    if not values:
        return None, []
    given = {
        name: value.strip()
        for name, value in zip(table.columns, values, strict=True)
        if name in COLUMNS
    }
    if table.separator == DECIMAL_COMMAS and DECIMAL.fullmatch(given.get(SCORE, "")):
        given[SCORE] = given[SCORE].replace(",", ".")
    return _checked(given, table.file, number, dict(zip(table.columns, marks, strict=True)))


def _checked(given: dict[str, str], file: str, line: int, places: Mapping[str, Mark]) -> _Read:
    """Return the sample with the values `given`, or None and what is wrong at their `places`."""
    problems = [
        Problem(file, places[name], f"{name}: {message}") for name, message in _wrong_values(given)
    ]
    return (None if problems else _failure(given, line)), problems


def _wrong_values(given: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the columns with invalid values, and the reasons."""
    for name in (FILE, SAMPLE):
        if name in given and identifier_in(given[name]) is None:
            example = "test/3/00058.png" if name == FILE else "00058"
            expected = f"expected a sample of the dataset, such as {example}, found"
            message = strict_csv.from_spreadsheet(given[name])
            yield name, message or f"{expected} {shown(given[name])}"
    named = {
        without_zeros(found)
        for name in (FILE, SAMPLE)
        if (found := identifier_in(given.get(name, "")))
    }
    if len(named) > 1:
        yield SAMPLE, f"another sample than that of the column {FILE}, {shown(given[FILE])}"
    for name in (LABEL, PREDICTED):
        value = given.get(name, "")
        if len(value) > MAX_VALUE:
            yield name, f"too long; at most {MAX_VALUE} characters are allowed"
        elif not value.isprintable():
            yield name, "has a character that cannot be printed"
    if (score := given.get(SCORE)) and _number(score) is None:
        yield SCORE, f"expected a number, found {shown(score)}"


def _failure(given: dict[str, str], line: int) -> Failure:
    return Failure(
        identifier_in(given.get(FILE) or given.get(SAMPLE, "")) or "",
        given.get(LABEL, ""),
        given.get(PREDICTED, ""),
        _number(given.get(SCORE, "")),
        line,
        folder_in(given.get(FILE, "")),
    )


def folder_in(path: str) -> str:
    """Return the class in the path of a file of the dataset, empty if it has none."""
    *_, split, folder, _ = ["", "", *path.replace("\\", "/").split("/")]
    return folder if split in SPLITS else ""


def _number(text: str) -> float | None:
    if not NUMBER.fullmatch(text):
        return None
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
