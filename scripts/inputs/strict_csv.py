"""CSV files, read strictly: a row in each line, every value with its place."""

import codecs
import csv
import re

from scripts.errors import printable
from scripts.inputs.problems import START, InputError, Mark, Problem

MAX_SHOWN = 40
# One field with what ends it; quotes inside of a quoted one are doubled.
FIELD = re.compile(r'("(?:[^"]|"")*"|[^,]*)(,|$)')
# How the files of Excel begin: the current format is a zip archive.
EXCEL = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
SAVE_AS_CSV = "Save it as CSV with the encoding UTF-8"


def lines(content: bytes, file: str, max_bytes: int) -> list[str]:
    """Return the lines of `content`, which `file` holds.

    Raises `InputError` for more than `max_bytes`, and for anything but text.
    """
    if len(content) > max_bytes:
        message = f"the file has {len(content):,} bytes; at most {max_bytes:,} are allowed"
        raise InputError([Problem(file, START, message)])
    if content.startswith(EXCEL):
        raise InputError([Problem(file, START, f"a file of Excel. {SAVE_AS_CSV}")])
    content = content.removeprefix(codecs.BOM_UTF8)
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        before = content[: error.start].decode()
        place = Mark(before.count("\n") + 1, len(before) - before.rfind("\n"))
        message = f"not UTF-8 text: byte 0x{content[error.start]:02x}. {SAVE_AS_CSV}"
        raise InputError([Problem(file, place, message)]) from None
    return text.replace("\r\n", "\n").split("\n")


def values(line: str) -> list[str] | None:
    """Return the values in `line`, None where a quote is not closed."""
    try:
        [found] = csv.reader([line], strict=True)
    except csv.Error:
        return None
    return found


def marks(line: str, number: int) -> list[Mark]:
    """Return the place of each value in `line`, which has this number."""
    found, at = [], 0
    while value := FIELD.match(line, at):
        found.append(Mark(number, at + 1))
        at = value.end()
        if not value[2]:
            break
    return found


def shown(value: str) -> str:
    """Return `value` as a message shows it."""
    text = printable(value)
    return repr(text if len(text) <= MAX_SHOWN else text[:MAX_SHOWN] + "…") if text else "nothing"
