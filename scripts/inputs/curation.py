"""The curation: `curation.csv`, with a decision about a single sample in each row."""

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from scripts.inputs import image_name, strict_csv
from scripts.inputs.config import SPLITS
from scripts.inputs.paths import CURATION_FILE
from scripts.inputs.problems import START, InputError, Mark, Problem
from scripts.inputs.strict_csv import CsvTable, shown

COLUMNS = ("sample", "action", "label", "new_label", "reason")
SAMPLE, ACTION, LABEL, NEW_LABEL, REASON = COLUMNS
EXCLUDE, RELABEL = "exclude", "relabel"
# The name of a split pins a sample to it.
ACTIONS = (EXCLUDE, RELABEL, *SPLITS)

MAX_BYTES = 8 * 1024 * 1024
MAX_ROWS = 50_000
MAX_VALUE = 1_000
IDENTIFIER = re.compile(r"[0-9]{1,12}|s[0-9a-f]{16}")
ADDITION = re.compile(r"x[0-9a-f]{16}")
# Prefixes of formulas in spreadsheets: https://owasp.org/www-community/attacks/CSV_Injection
FORMULA = ("=", "+", "-", "@")


class Decision(NamedTuple):
    """One row. `marks` has the place of each column; missing values are empty."""

    sample: str
    action: str
    label: str
    new_label: str
    reason: str
    marks: Sequence[Mark] = ()

    def problem(self, column: str, message: str) -> Problem:
        """Return a problem with one value of this row."""
        index = COLUMNS.index(column)
        mark = self.marks[index] if index < len(self.marks) else START
        return Problem(CURATION_FILE, mark, message)

    @property
    def key(self) -> str:
        """The sample, without the leading zeros of a row number."""
        return without_zeros(self.sample)


@dataclass(frozen=True)
class Curation:
    """All decisions, in the order of the file."""

    decisions: tuple[Decision, ...] = ()

    @property
    def sha256(self) -> str | None:
        """The checksum of the decisions, without order and reasons; None if there are none.

        A new version is made only if it changes.
        """
        if not self.decisions:
            return None
        lines = sorted(f"{one.key},{one.action},{one.new_label}\n" for one in self.decisions)
        return hashlib.sha256("".join(lines).encode()).hexdigest()


NO_DECISION = Decision("", "", "", "", "")
NO_DECISIONS = Curation()


def identifier_in(text: str) -> str | None:
    """Return the identifier in `text`, which is one or the path of a file; None without one."""
    name, ending = image_name.split_file(text.replace("\\", "/").rpartition("/")[2])
    if ending and not ending[1:].isalpha():
        return None
    return name if IDENTIFIER.fullmatch(name) or ADDITION.fullmatch(name) else None


def without_zeros(identifier: str) -> str:
    """Return an identifier without the leading zeros of a row number."""
    return identifier.lstrip("0") or "0" if identifier.isdecimal() else identifier


def go_together(action: str, other: str) -> bool:
    """Return whether a sample may have both actions: a relabel and a pin."""
    return RELABEL in {action, other} and bool({action, other} & {*SPLITS})


def extended(content: bytes | None, decisions: Iterable[Decision]) -> bytes:
    """Return the content of the file with `decisions` appended, in the form that it has.

    The existing bytes are kept; `content` is None if there is no file. Raises `InputError` if it is
    not a curation.
    """
    before = ",".join(COLUMNS).encode() if content is None else content
    first, *_ = strict_csv.lines(before, CURATION_FILE, MAX_BYTES)
    table = _table(first)
    names, _ = strict_csv.values(first, 1, CURATION_FILE, table.separator)
    rows = ((row.sample, row.action, row.label, row.new_label, row.reason) for row in decisions)
    return strict_csv.extended(before, table, len(names), rows)


class InvalidCurationError(InputError):
    """The curation is invalid.

    `valid_part` are the valid decisions, so that they can be checked too.
    """

    def __init__(self, problems: Iterable[Problem], valid_part: Curation) -> None:
        """Keep both."""
        super().__init__(problems)
        self.valid_part = valid_part


def parse(content: bytes) -> Curation:
    """Return the curation in `content`.

    Raises `InputError` with every problem, if possible as `InvalidCurationError`.
    """
    problems: list[Problem] = []
    decisions = []
    earlier: dict[str, list[Decision]] = {}
    for decision, of_values in _rows(strict_csv.lines(content, CURATION_FILE, MAX_BYTES)):
        others = earlier.setdefault(decision.key, [])
        if wrong := of_values or list(_contradictions(decision, others)):
            problems += wrong
            continue
        others.append(decision)
        decisions.append(decision)
    curation = Curation(tuple(decisions))
    if problems:
        raise InvalidCurationError(problems, curation)
    return curation


def _rows(lines: Sequence[str]) -> Iterator[tuple[Decision, list[Problem]]]:
    """Yield each row and its problems."""
    first, *lines = lines
    table = _table(first)
    if (count := sum(bool(line) for line in lines)) > MAX_ROWS:
        message = f"the file has {count:,} rows; at most {MAX_ROWS:,} are allowed"
        raise InputError([Problem(CURATION_FILE, START, message)])
    for number, line in enumerate(lines, start=2):
        try:
            values, marks = table.row(line, number, f"({', '.join(COLUMNS)})")
        except InputError as error:
            yield NO_DECISION, error.problems
            continue
        if values:
            sample, action, label, new_label, reason = values
            decision = Decision(sample, action, label, new_label, reason, marks)
            yield decision, list(_wrong_values(decision))


def _table(first: str) -> CsvTable:
    """Return what reads the rows, given the first line."""
    strict_csv.refuse_mixed_ends(first, CURATION_FILE)
    separator = strict_csv.separator(first, CURATION_FILE, lambda names: [*names] == [*COLUMNS])
    if separator is None:
        message = f"the first line must be {','.join(COLUMNS)}, found {shown(first)}"
        raise InputError([Problem(CURATION_FILE, START, message)])
    return CsvTable(CURATION_FILE, COLUMNS, separator)


def _wrong_values(row: Decision) -> Iterator[Problem]:
    values = (row.sample, row.action, row.label, row.new_label, row.reason)
    for column, value in zip(COLUMNS, values, strict=True):
        if len(value) > MAX_VALUE:
            message = f"{column}: too long; at most {MAX_VALUE:,} characters are allowed"
            yield row.problem(column, message)
        elif wrong := [character for character in value if not character.isprintable()]:
            message = f"{column}: the character U+{ord(wrong[0]):04X} cannot be printed; remove it"
            yield row.problem(column, message)
        elif column == REASON and value.startswith(FORMULA):
            message = f"{column}: a spreadsheet would run this as a formula; start it with a letter"
            yield row.problem(column, f"{message}, found {shown(value)}")
    if ADDITION.fullmatch(row.sample):
        message = "to change an image below additions/, move or remove its file"
        yield row.problem(SAMPLE, f"sample: {message}")
    elif not IDENTIFIER.fullmatch(row.sample):
        expected = "expected the identifier of a sample, which is the name of its file, found"
        message = strict_csv.from_spreadsheet(row.sample) or f"{expected} {shown(row.sample)}"
        yield row.problem(SAMPLE, f"sample: {message}")
    if row.action not in ACTIONS:
        message = f"action: expected {', '.join(ACTIONS[:-1])} or {ACTIONS[-1]}"
        yield row.problem(ACTION, f"{message}, found {shown(row.action)}")
    elif row.action == RELABEL:
        yield from _wrong_relabel(row)
    elif row.new_label:
        message = f"new_label: only a relabel has one, found {shown(row.new_label)}"
        yield row.problem(NEW_LABEL, message)


def _wrong_relabel(row: Decision) -> Iterator[Problem]:
    for column, value in ((LABEL, row.label), (NEW_LABEL, row.new_label)):
        if not value:
            yield row.problem(column, f"{column}: a relabel needs the label and the new label")
    if row.label and row.label == row.new_label:
        yield row.problem(NEW_LABEL, f"new_label: it is the label already: {shown(row.label)}")


def _contradictions(row: Decision, earlier: Iterable[Decision]) -> Iterator[Problem]:
    """Yield a problem if a row repeats or contradicts an earlier one about the same sample."""
    for other in earlier:
        if go_together(row.action, other.action):
            continue
        same = (row.action, row.new_label) == (other.action, other.new_label)
        does = "repeats" if same else "contradicts"
        message = f"sample {row.sample}: this row {does} line {other.marks[0].line}"
        yield row.problem(SAMPLE, f"{message} ({other.action})")
        return
