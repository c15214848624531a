"""Values of metadata: text, numbers, truth values or lists of texts, one type in a column."""

import datetime
import decimal
import re
from collections.abc import Callable, Sequence
from typing import Any

MetadataValue = str | int | float | bool | list[str] | None
# Numbers with leading zeros are text: they are identifiers.
WHOLE = re.compile("-?(0|[1-9][0-9]{0,17})")
NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,17})?(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?")
TRUE, FALSE = {"true", "True", "TRUE"}, {"false", "False", "FALSE"}
MAX_WHOLE = 2**63


def text_of(value: Any) -> str | None:
    """Return a value as the text of a label, a split or a file name; None where there is none."""
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)


def is_one(value: Any) -> bool:
    """Return whether a value says yes: 1 or true."""
    return str(value).strip().lower() in {"1", "1.0", "true"}


def is_flag(value: Any) -> bool:
    """Return whether a value is 0 or 1, or false or true."""
    return is_one(value) or str(value).strip().lower() in {"0", "0.0", "false"}


def of_text(column: Sequence[str | None]) -> list[MetadataValue]:
    """Return the values of a column of texts, of the narrowest type that all of them have."""
    given = [text for text in column if text]
    convert: Callable[[str], MetadataValue] = str
    if given and all(WHOLE.fullmatch(text) for text in given):
        convert = int
    elif given and all(NUMBER.fullmatch(text) and text[-1].isdigit() for text in given):
        convert = float
    elif given and all(text in TRUE | FALSE for text in given):
        convert = TRUE.__contains__
    return [convert(text) if text else None for text in column]


def of_json(column: Sequence[Any]) -> list[MetadataValue] | None:
    """Return the values of a column of any types as one of ours; None where that is impossible.

    Times and decimal numbers become text, and so does a column of several types.
    """
    simple = [written(value) for value in column]
    given = [value for value in simple if value is not None]
    if any(isinstance(value, dict) for value in given):
        return None
    kinds = {type(value) for value in given}
    if kinds <= {list}:
        is_text = all(isinstance(one, str) for value in given for one in value)
        return simple if is_text else None
    if list in kinds:
        return None
    if kinds == {int, float}:
        return [None if value is None else float(value) for value in simple]
    is_large = kinds == {int} and any(not -MAX_WHOLE <= value < MAX_WHOLE for value in given)
    if len(kinds) == 1 and not is_large:
        return simple
    return [text_of(value) for value in simple]


def written(value: Any) -> Any:
    """Return times and decimal numbers as text, and what has no type of ours as an empty dict."""
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, decimal.Decimal | datetime.timedelta):
        return str(value)
    return value if isinstance(value, bool | int | float | str | list | None) else {}
