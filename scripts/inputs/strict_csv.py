"""Reads CSV files strictly: a row in each line, every value with its place.

Values are separated by commas, semicolons or tabs, whichever the first line has. What a table says
does not depend on that, on its line ends, or on quotes that are not needed.
"""

import codecs
import csv
import io
import re
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from scripts.inputs.problems import START, InputError, Mark, Problem

MAX_SHOWN = 40
MAX_LINE = 16_000
COMMA = ","
# The separators, each with its name and the names of two.
SEPARATORS = {COMMA: ("comma", "commas"), ";": ("semicolon", "semicolons"), "\t": ("tab", "tabs")}
# A value in quotes, in which quotes are doubled, or one that does not begin with a quote.
VALUES = {one: re.compile(rf'"((?:[^"]|"")*+)"|((?!")[^{one}]*)') for one in SEPARATORS}
# What a spreadsheet makes of the digits of an identifier, such as 5.80E+01, 58.0 and 60,947.
AS_NUMBER = re.compile(r"[0-9]+([., '\u00a0\u202f][0-9]+)*([eE][-+]?[0-9]+)?")
# The magic numbers of Excel files: the current format is a zip archive.
EXCEL = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
SAVE_AS_CSV = "Save it as CSV with the encoding UTF-8"
LINE_END = re.compile(rb"\r\n|\n|\r")

Row = tuple[list[str], list[Mark]]
NOTHING: Row = ([], [])


def lines(content: bytes, file: str, max_bytes: int) -> list[str]:
    """Return the lines of the `content` of `file`.

    Raises `InputError` if it has more than `max_bytes`, or is not text.
    """
    if len(content) > max_bytes:
        message = f"the file has {len(content):,} bytes; at most {max_bytes:,} are allowed"
        raise InputError([Problem(file, START, message)])
    if content.startswith(EXCEL):
        raise InputError([Problem(file, START, f"a file of Excel. {SAVE_AS_CSV}")])
    if content.startswith(UTF_16) or b"\0" in content[:2]:
        message = f"UTF-16 text, such as the Unicode text of Excel. {SAVE_AS_CSV}"
        raise InputError([Problem(file, START, message)])
    content = content.removeprefix(codecs.BOM_UTF8)
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        before = content[: error.start].decode()
        place = Mark(before.count("\n") + 1, len(before) - before.rfind("\n"))
        message = f"not UTF-8 text: byte 0x{content[error.start]:02x}. {SAVE_AS_CSV}"
        raise InputError([Problem(file, place, message)]) from None
    text = text.replace("\r\n", "\n")
    # Some programs on macOS end lines with CR only.
    return text.split("\n" if "\n" in text else "\r")


def values(line: str, number: int, file: str, separator: str = COMMA) -> Row:
    """Return the values in line `number` of `file`, and the place of each.

    Raises `InputError` for a line that is too long, or whose quotes are wrong.
    """
    if len(line) > MAX_LINE:
        message = f"the line has {len(line):,} characters; at most {MAX_LINE:,} are allowed"
        raise InputError([Problem(file, Mark(number, 1), message)])
    found: list[str] = []
    marks: list[Mark] = []
    at = 0
    while at <= len(line):
        mark = Mark(number, at + 1)
        value = VALUES[separator].match(line, at)
        if value is None:
            message = "the quote that begins here is not closed; values cannot have line breaks"
            raise InputError([Problem(file, mark, message)])
        quoted, plain = value.groups()
        found.append(plain if quoted is None else quoted.replace('""', '"'))
        marks.append(mark)
        at = value.end() + 1
        if line[value.end() : at] not in {"", separator}:
            name, _ = SEPARATORS[separator]
            message = f"expected a {name} after the closing quote; a quote within a value is"
            raise InputError([Problem(file, Mark(number, at), f"{message} doubled")])
    return found, marks


class CsvTable(NamedTuple):
    """Reads the rows of `file`, which has these columns, separated as in its first line."""

    file: str
    columns: Sequence[str]
    separator: str = COMMA

    def row(self, line: str, number: int, like: str = "as in the first line") -> Row:
        """Return the values of a row, one for each column, and their places.

        Nothing for a row without any value. Raises `InputError` for an invalid one; `like` says
        in words which values were expected.
        """
        found, marks = values(line, number, self.file, self.separator)
        if not any(found):
            return NOTHING
        count = len(self.columns)
        found = trimmed(found, count)
        if len(found) != count:
            message = f"expected {count} values {like}, found {len(found)}"
            problem = Problem(self.file, Mark(number, 1), message + self._likely(line, found))
            raise InputError([problem])
        return found, marks[:count]

    def _likely(self, line: str, found: Sequence[str]) -> str:
        """Return the likely reason for another number of values, empty if unknown."""
        _, mine = SEPARATORS[self.separator]
        if len(found) == 1 and found[0].count(self.separator) >= len(self.columns) - 1 > 0:
            return "; the whole line is in quotes, remove them"
        for separator, (_, theirs) in SEPARATORS.items():
            others = trimmed(_split(line, self.file, separator), len(self.columns))
            if separator != self.separator and len(others) == len(self.columns) > 1:
                return f"; separate them by {mine} as in the first line, not by {theirs}"
        return ""


def separator(header: str, file: str, is_header: Callable[[Sequence[str]], bool]) -> str | None:
    """Return what separates the values of the first line of `file`, None if it is no header.

    `is_header` returns whether these are names of columns as there must be. Raises `InputError`
    if that is so for two separators.
    """
    found = [one for one in SEPARATORS if is_header(trimmed(_split(header, file, one), 0))]
    # Of a single column, it does not matter.
    used = [one for one in found if one in header]
    if len(used) > 1:
        words = " and ".join(SEPARATORS[one][1] for one in used)
        message = f"{words} separate the names of columns; use only one of them"
        raise InputError([Problem(file, START, message)])
    return next(iter([*used, *found]), None)


def _split(line: str, file: str, separated_by: str) -> list[str]:
    """Return the values of a line, none if it is invalid."""
    try:
        return values(line, 1, file, separated_by)[0]
    except InputError:
        return []


def refuse_mixed_ends(header: str, file: str) -> None:
    """Raise `InputError` if the first line has a line end of another kind than the file."""
    if "\r" in header:
        message = "the line endings are mixed, CR and LF; save it with LF only"
        raise InputError([Problem(file, START, message)])


def extended(content: bytes, table: CsvTable, width: int, rows: Iterable[Sequence[str]]) -> bytes:
    """Return `content` with `rows` at its end, in the form that it has.

    The existing bytes are kept. `width` is the number of columns, with empty ones.
    """
    ends = LINE_END.findall(content)
    end = ends[-1].decode() if ends else "\n"
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=table.separator, lineterminator=end)
    writer.writerows([*row, *[""] * (width - len(row))] for row in rows)
    needs_end = not content.endswith(end.encode())
    return content + (end.encode() if needs_end else b"") + text.getvalue().encode()


def from_spreadsheet(value: str) -> str | None:
    """Return in words that a spreadsheet made a number of an identifier, None if it did not."""
    if value.isdecimal() or not AS_NUMBER.fullmatch(value):
        return None
    return (
        f"a spreadsheet has made a number of this identifier, {shown(value)}; write the name of the"
        " file, such as 00058, and format the column as text"
    )


def trimmed(values: list[str], columns: int) -> list[str]:
    """Return `values` without the empty ones after `columns`, which spreadsheets add."""
    end = len(values)
    while end > columns and not values[end - 1]:
        end -= 1
    return values[:end]


def shown(value: str) -> str:
    """Return `value` for a message."""
    text = repr(value[:MAX_SHOWN] + "…" if len(value) > MAX_SHOWN else value)
    return text if value else "nothing"
