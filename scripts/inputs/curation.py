"""The curation: `curation.csv`, decisions about single samples, one in each row."""

import codecs
import csv
import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from scripts.errors import printable
from scripts.inputs.config import SPLITS
from scripts.inputs.paths import CURATION_FILE
from scripts.inputs.problems import START, InputError, Mark, Problem

COLUMNS = ("sample", "action", "label", "new_label", "reason")
SAMPLE, ACTION, LABEL, NEW_LABEL, REASON = COLUMNS
EXCLUDE, RELABEL = "exclude", "relabel"
# The name of a split pins a sample to it.
ACTIONS = (EXCLUDE, RELABEL, *SPLITS)

MAX_BYTES = 8 * 1024 * 1024
MAX_ROWS = 50_000
MAX_VALUE = 1_000
MAX_SHOWN = 40
IDENTIFIER = re.compile(r"[0-9]{1,12}|s[0-9a-f]{16}")
ADDITION = re.compile(r"x[0-9a-f]{16}")
# One field with what ends it; quotes inside of a quoted one are doubled.
FIELD = re.compile(r'("(?:[^"]|"")*"|[^,]*)(,|$)')
# What spreadsheets run as a formula: https://owasp.org/www-community/attacks/CSV_Injection
FORMULA = ("=", "+", "-", "@")


class Decision(NamedTuple):
    """One row. `marks` has the place of each column; values that are not given are empty."""

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
        return self.sample.lstrip("0") or "0" if self.sample.isdecimal() else self.sample


@dataclass(frozen=True)
class Curation:
    """All decisions, in the order of the file."""

    decisions: tuple[Decision, ...] = ()

    @property
    def sha256(self) -> str | None:
        """The checksum of what the decisions mean, whatever their order and reasons; None for none.

        A version is made again only where it changes.
        """
        if not self.decisions:
            return None
        lines = sorted(f"{one.key},{one.action},{one.new_label}\n" for one in self.decisions)
        return hashlib.sha256("".join(lines).encode()).hexdigest()


NO_DECISIONS = Curation()


def parse(content: bytes) -> Curation:
    """Return the curation that `content` holds.

    Raises `InputError` with every problem in it.
    """
    problems: list[Problem] = []
    decisions = []
    for decision, wrong in _rows(_decoded(content)):
        problems += wrong
        if not wrong:
            decisions.append(decision)
    problems += _contradictions(decisions)
    if problems:
        raise InputError(problems)
    return Curation(tuple(decisions))


def _decoded(content: bytes) -> str:
    if len(content) > MAX_BYTES:
        message = f"the file has {len(content):,} bytes; at most {MAX_BYTES:,} are allowed"
        raise InputError([Problem(CURATION_FILE, START, message)])
    content = content.removeprefix(codecs.BOM_UTF8)
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        before = content[: error.start].decode()
        place = Mark(before.count("\n") + 1, len(before) - before.rfind("\n"))
        message = (
            f"not UTF-8 text: byte 0x{content[error.start]:02x}."
            " Save it as CSV with the encoding UTF-8"
        )
        raise InputError([Problem(CURATION_FILE, place, message)]) from None
    return text.replace("\r\n", "\n")


def _rows(text: str) -> Iterator[tuple[Decision, list[Problem]]]:
    """Yield each row, and what is wrong with it by itself."""
    first, *lines = text.split("\n")
    if first != ",".join(COLUMNS):
        message = f"the first line must be {','.join(COLUMNS)}, found {_shown(first)}"
        raise InputError([Problem(CURATION_FILE, START, message)])
    if (count := sum(bool(line) for line in lines)) > MAX_ROWS:
        message = f"the file has {count:,} rows; at most {MAX_ROWS:,} are allowed"
        raise InputError([Problem(CURATION_FILE, START, message)])
    for number, line in enumerate(lines, start=2):
        if line:
            yield _row(line, number)


def _row(line: str, number: int) -> tuple[Decision, list[Problem]]:
    marks = _marks(line, number)
    empty = Decision("", "", "", "", "", marks)
    try:
        [values] = csv.reader([line], strict=True)
    except csv.Error:
        return empty, [Problem(CURATION_FILE, Mark(number, 1), "a quote is not closed in this row")]
    if len(values) != len(COLUMNS):
        message = f"expected {len(COLUMNS)} values ({', '.join(COLUMNS)}), found {len(values)}"
        return empty, [Problem(CURATION_FILE, Mark(number, 1), message)]
    sample, action, label, new_label, reason = values
    decision = Decision(sample, action, label, new_label, reason, marks)
    return decision, list(_wrong_values(decision))


def _marks(line: str, number: int) -> list[Mark]:
    """Return the place of each value in `line`."""
    marks, at = [], 0
    while found := FIELD.match(line, at):
        marks.append(Mark(number, at + 1))
        at = found.end()
        if not found[2]:
            break
    return marks


def _wrong_values(row: Decision) -> Iterator[Problem]:
    values = (row.sample, row.action, row.label, row.new_label, row.reason)
    for column, value in zip(COLUMNS, values, strict=True):
        if len(value) > MAX_VALUE:
            message = f"{column}: too long; at most {MAX_VALUE:,} characters are allowed"
            yield row.problem(column, message)
        elif not value.isprintable():
            yield row.problem(column, f"{column}: has a character that cannot be printed")
        elif column == REASON and value.startswith(FORMULA):
            message = f"{column}: a spreadsheet would run this as a formula; begin it with a letter"
            yield row.problem(column, f"{message}, found {_shown(value)}")
    if ADDITION.fullmatch(row.sample):
        message = "an image below additions/ is changed by moving or removing its file"
        yield row.problem(SAMPLE, f"sample: {message}")
    elif not IDENTIFIER.fullmatch(row.sample):
        message = "expected the identifier of a sample, which is the name of its file"
        yield row.problem(SAMPLE, f"sample: {message}, found {_shown(row.sample)}")
    if row.action not in ACTIONS:
        message = f"action: expected {', '.join(ACTIONS[:-1])} or {ACTIONS[-1]}"
        yield row.problem(ACTION, f"{message}, found {_shown(row.action)}")
    elif row.action == RELABEL:
        yield from _wrong_relabel(row)
    elif row.new_label:
        message = f"new_label: only a relabel has one, found {_shown(row.new_label)}"
        yield row.problem(NEW_LABEL, message)


def _wrong_relabel(row: Decision) -> Iterator[Problem]:
    for column, value in ((LABEL, row.label), (NEW_LABEL, row.new_label)):
        if not value:
            yield row.problem(column, f"{column}: a relabel needs the label and the new label")
    if row.label and row.label == row.new_label:
        yield row.problem(NEW_LABEL, f"new_label: it is the label already: {_shown(row.label)}")


def _contradictions(decisions: Sequence[Decision]) -> Iterator[Problem]:
    """Yield a problem for each row that repeats or contradicts an earlier one."""
    earlier: dict[str, list[Decision]] = {}
    for row in decisions:
        others = earlier.setdefault(row.key, [])
        for other in others:
            if _go_together({row.action, other.action}):
                continue
            line = other.marks[0].line
            does = "repeats" if row[:4] == other[:4] else "contradicts"
            message = f"sample {row.sample}: this row {does} line {line} ({other.action})"
            yield row.problem(SAMPLE, message)
            break
        others.append(row)


def _go_together(actions: set[str]) -> bool:
    """Return whether a sample may have both actions: a relabel and a pin."""
    return RELABEL in actions and bool(actions & {*SPLITS})


def _shown(value: str) -> str:
    text = printable(value)
    return repr(text if len(text) <= MAX_SHOWN else text[:MAX_SHOWN] + "…") if text else "nothing"
