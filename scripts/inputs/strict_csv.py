"""Reads CSV files strictly: a row in each line, every value with its place."""

import codecs
import re
from collections.abc import Collection

from scripts.inputs.problems import START, InputError, Mark, Problem

MAX_SHOWN = 40
MAX_LINE = 16_000
MAX_COLUMNS = 1_000
# A value in quotes, in which quotes are doubled, or one that does not begin with a quote.
VALUE = re.compile(r'"((?:[^"]|"")*+)"|((?!")[^,]*)')
# The magic numbers of Excel files: the current format is a zip archive.
EXCEL = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
SAVE_AS_CSV = "Save it as CSV with the encoding UTF-8"
SEPARATORS = {";": "semicolons", "\t": "tabs"}


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


def values(line: str, number: int, file: str) -> tuple[list[str], list[Mark]]:
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
        value = VALUE.match(line, at)
        if value is None:
            message = "the quote that begins here is not closed; values cannot have line breaks"
            raise InputError([Problem(file, mark, message)])
        quoted, plain = value.groups()
        found.append(plain if quoted is None else quoted.replace('""', '"'))
        marks.append(mark)
        at = value.end() + 1
        if line[value.end() : at] not in {"", ","}:
            message = "expected a comma after the closing quote; a quote within a value is doubled"
            raise InputError([Problem(file, Mark(number, at), message)])
    return found, marks


def is_blank(line: str) -> bool:
    """Return whether a line is empty or has only commas."""
    return len(line) <= MAX_LINE and not line.strip(",")


def trimmed(values: list[str], columns: int) -> list[str]:
    """Return `values` without the empty ones after `columns`, which spreadsheets add."""
    end = len(values)
    while end > columns and not values[end - 1]:
        end -= 1
    return values[:end]


def other_form(header: str, names: Collection[str]) -> str | None:
    """Return the likely reason why the columns `names` are missing, None if unknown."""
    if "\r" in header:
        return "the line endings are mixed, CR and LF; save it with LF only"
    for separator, word in SEPARATORS.items():
        found = header.split(separator)[:MAX_COLUMNS]
        if found[1:] and {*names} & {name.strip('" ') for name in found}:
            return f"the values are separated by {word}; save it as CSV with commas"
    return None


def shown(value: str) -> str:
    """Return `value` for a message."""
    text = repr(value[:MAX_SHOWN] + "…" if len(value) > MAX_SHOWN else value)
    return text if value else "nothing"
