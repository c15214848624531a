"""Failures of a model: a CSV file with a sample in each row."""

import math
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from scripts.inputs import strict_csv
from scripts.inputs.curation import identifier_in
from scripts.inputs.problems import START, InputError, Mark, Problem
from scripts.inputs.strict_csv import shown

FILE, SAMPLE = "file", "sample"
LABEL, PREDICTED, SCORE = "label", "predicted", "score"
# Other columns are ignored.
COLUMNS = (FILE, SAMPLE, LABEL, PREDICTED, SCORE)

MAX_BYTES = 32 * 1024 * 1024
MAX_ROWS = 50_000
MAX_VALUE = 100
# Python parses more as a number, such as 1_0 and digits of other scripts.
NUMBER = re.compile(r"[-+0-9.eE]+")


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
    table = _Table(file, _header(header, file))
    problems: list[Problem] = []
    failures = []
    for number, line in enumerate(lines, start=2):
        if not strict_csv.is_blank(line):
            failure, wrong = table.row(line, number)
            failures += [failure] if failure else []
            problems += wrong
    if problems and not failures:
        raise InputError(problems)
    return failures, problems


def _header(line: str, file: str) -> list[str]:
    """Return the names of the columns."""
    problems = []
    values, marks = strict_csv.values(line, 1, file)
    names = [value.strip() for value in values]
    for mark, name in zip(marks, names, strict=True):
        if name in COLUMNS and names.count(name) > 1:
            problems.append(Problem(file, mark, f"the column {name} is there more than once"))
    named = {FILE, SAMPLE} & {*names}
    if len(named) > 1:
        message = f"the columns {FILE} and {SAMPLE} both name samples; remove one of them"
        problems.append(Problem(file, START, message))
    if not named or "\r" in line:
        problems.append(Problem(file, START, _no_samples(line)))
    if problems:
        raise InputError(problems)
    return names


def _no_samples(header: str) -> str:
    return strict_csv.other_form(header, (FILE, SAMPLE)) or (
        f"expected a first line with the column {FILE} (file names such as 00058.png) or {SAMPLE}"
        f" (identifiers), found {shown(header)}"
    )


class _Table(NamedTuple):
    """Reads the rows of `file`, which has these columns."""

    file: str
    columns: Sequence[str]

    def row(self, line: str, number: int) -> tuple[Failure | None, list[Problem]]:
        """Return the sample of a row, or None and its problems."""
        start = Mark(number, 1)
        try:
            values, marks = strict_csv.values(line, number, self.file)
        except InputError as error:
            return None, error.problems
        values = strict_csv.trimmed(values, len(self.columns))
        if len(values) != len(self.columns):
            message = f"expected {len(self.columns)} values as in the first line"
            return None, [Problem(self.file, start, f"{message}, found {len(values)}")]
        places = dict(zip(self.columns, marks, strict=False))
        given = {
            name: value.strip()
            for name, value in zip(self.columns, values, strict=True)
            if name in COLUMNS
        }
        problems = [
            Problem(self.file, places.get(name, start), f"{name}: {message}")
            for name, message in _wrong_values(given)
        ]
        return (None if problems else _failure(given, number)), problems


def _wrong_values(given: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the columns with invalid values, and the reasons."""
    for name in (FILE, SAMPLE):
        if name in given and identifier_in(given[name]) is None:
            example = "test/3/00058.png" if name == FILE else "00058"
            found = shown(given[name])
            yield name, f"expected a sample of the dataset, such as {example}, found {found}"
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
