"""Failures of a model: a CSV file with a sample in each row."""

import math
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from scripts.inputs import strict_csv
from scripts.inputs.curation import identifier_in
from scripts.inputs.problems import START, InputError, Problem
from scripts.inputs.strict_csv import CsvTable, shown

FILE, SAMPLE = "file", "sample"
LABEL, PREDICTED, SCORE = "label", "predicted", "score"
# Other columns are ignored.
COLUMNS = (FILE, SAMPLE, LABEL, PREDICTED, SCORE)

MAX_BYTES = 32 * 1024 * 1024
MAX_ROWS = 50_000
MAX_VALUE = 100
# Python parses more as a number, such as 1_0 and digits of other scripts.
NUMBER = re.compile(r"[-+0-9.eE]+")
# Where numbers have a decimal comma, spreadsheets separate values by semicolons.
DECIMAL_COMMAS = ";"
DECIMAL = re.compile(r"[-+]?[0-9]*,[0-9]+([eE][-+]?[0-9]+)?")


class Failure(NamedTuple):
    """A sample that a model gets wrong: its label and the prediction.

    Missing values are empty, or None for the score.
    """

    sample: str
    label: str = ""
    predicted: str = ""
    score: float | None = None
    line: int = 0

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


def parse(content: bytes, file: str) -> tuple[list[Failure], list[Problem]]:
    """Return the samples in `content` of `file`, and the problems of invalid rows.

    Raises `InputError` if no row is valid.
    """
    header, *lines = strict_csv.lines(content, file, MAX_BYTES)
    if (count := sum(bool(line) for line in lines)) > MAX_ROWS:
        message = f"the file has {count:,} rows; at most {MAX_ROWS:,} are allowed"
        raise InputError([Problem(file, START, message)])
    table = _table(header, file)
    problems: list[Problem] = []
    failures = []
    for number, line in enumerate(lines, start=2):
        failure, wrong = _row(table, line, number)
        failures += [failure] if failure else []
        problems += wrong
    if problems and not failures:
        raise InputError(problems)
    return failures, problems


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
    if {FILE, SAMPLE} <= {*names}:
        message = f"the columns {FILE} and {SAMPLE} both name samples; remove one of them"
        problems.append(Problem(file, START, message))
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


def _row(table: CsvTable, line: str, number: int) -> tuple[Failure | None, list[Problem]]:
    """Return the sample of a row, or None and its problems; nothing for an empty row."""
    try:
        values, marks = table.row(line, number)
    except InputError as error:
        return None, error.problems
    if not values:
        return None, []
    places = dict(zip(table.columns, marks, strict=True))
    given = {
        name: value.strip()
        for name, value in zip(table.columns, values, strict=True)
        if name in COLUMNS
    }
    if table.separator == DECIMAL_COMMAS and DECIMAL.fullmatch(given.get(SCORE, "")):
        given[SCORE] = given[SCORE].replace(",", ".")
    problems = [
        Problem(table.file, places[name], f"{name}: {message}")
        for name, message in _wrong_values(given)
    ]
    return (None if problems else _failure(given, number)), problems


def _wrong_values(given: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the columns with invalid values, and the reasons."""
    for name in (FILE, SAMPLE):
        if name in given and identifier_in(given[name]) is None:
            example = "test/3/00058.png" if name == FILE else "00058"
            expected = f"expected a sample of the dataset, such as {example}, found"
            message = strict_csv.from_spreadsheet(given[name])
            yield name, message or f"{expected} {shown(given[name])}"
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
    )


def _number(text: str) -> float | None:
    if not NUMBER.fullmatch(text):
        return None
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
