"""The kinds of values in a config, and what is said of those that are none."""

import re
from collections.abc import Callable
from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    Field,
    Tag,
    ValidationInfo,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

from scripts.inputs.strict_yaml import Unquoted
from scripts.inputs.wording import MAX_SHOWN, SAYS_ALL, says, shown

ALL = "all"
MAX_NAME = 100
MAX_SIDE = 4096
MAX_TITLE = 200
LICENSE_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9.+-]{0,60}$"
SIZE_PATTERN = r"^[1-9][0-9]*x[1-9][0-9]*$"
# A number that names a class as it is written.
NUMBER_AS_NAME = re.compile(r"-?[0-9]+")
# Context of the validation: a number names the class that has its value as name, so 01 means 1.
AS_NUMBERS = "numbers by value"

SOURCE_NAME = "not a valid dataset name (letters, digits and _ . , ( ) -)"
RELEASE = "expected the tag of a release such as v2"
SIDES = "expected a side such as 28, or a width and a height such as 64x48"
COUNT = "expected a whole number or `all`"
SIZE = "expected a count such as 20 or a fraction such as 0.2"
SMALL = "needs samples: all, and fractions such as test_size: 0.2"
FRACTION = "a fraction must be between 0 and 1 (write a count without a decimal point)"
# What a value is called that YAML does not take for text.
KINDS = {
    int: "the number",
    float: "the number",
    bool: "the truth value",
    date: "a date",
    datetime: "a date and time",
}


def _quoted(value: object) -> object:
    if isinstance(value, Unquoted):
        raise PydanticCustomError(SAYS_ALL, "{text}", {"text": _quotes_needed(value)})
    return value


def _quotes_needed(written: Unquoted) -> str:
    value = written.value
    kind = "an invalid date" if isinstance(value, str) else KINDS.get(type(value), "")
    is_short = len(written) <= MAX_SHOWN
    text, quoted = (written, f"'{written}'") if is_short else ("it", "it in quotes")
    meaning = kind if isinstance(value, str | date) else f"{kind} {shown(value)}".lstrip()
    return f"expected text; without quotes, {text} is read as {meaning}. Write {quoted}"


def _label(value: object, info: ValidationInfo) -> object:
    # A class called 3 or 01 needs no quotes. True is an int to Python, but not a class.
    if type(value) is int:
        return str(value)
    if isinstance(value, Unquoted):
        if info.context == AS_NUMBERS and type(value.value) is int:
            return str(value.value)
        if NUMBER_AS_NAME.fullmatch(value):
            return str(value)
    return _quoted(value)


def _value(value: object) -> object:
    """Return a value of a column as it is written: numbers and truth values need no quotes."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return str(value)
    return str(value) if isinstance(value, Unquoted) else value


def shape(value: object) -> str:
    """Return whether `value` is one, a list, or by folder."""
    return "by folder" if isinstance(value, dict) else "list" if isinstance(value, list) else "one"


def _shape_or_all(value: object) -> str:
    return ALL if value == ALL else shape(value)


def _shape_or_fraction(value: object) -> str:
    return "fraction" if isinstance(value, float) else shape(value)


def _shape_of_validation(value: object) -> str:
    return ALL if value == ALL else _shape_or_fraction(value)


def _shape_or_text(value: object) -> str:
    return "text" if isinstance(value, str) else shape(value)


def by_shape(find: Callable[[Any], str], text: str) -> Discriminator:
    """Return what chooses between kinds of values by their shape; of others `text` is said."""
    return Discriminator(find, custom_error_type="shape", custom_error_message=text)


def _bounded_size(size: str) -> str:
    if max(map(int, size.split("x"))) > MAX_SIDE:
        raise PydanticCustomError("side", f"a side must be at most {MAX_SIDE}")
    return size


def _of_fractions(value: str | None, info: ValidationInfo) -> str | None:
    sizes = [info.data.get(key) for key in ("test_size", "validation_size")]
    is_of_all = info.data.get("samples", ALL) == ALL
    if value and not (is_of_all and all(isinstance(size, float | None) for size in sizes)):
        raise PydanticCustomError(SAYS_ALL, SMALL)
    return value


def _unique(labels: list[str]) -> list[str]:
    repeated = sorted({label for label in labels if labels.count(label) > 1})
    if repeated:
        raise PydanticCustomError(
            "repeated", "listed more than once: {labels}", {"labels": ", ".join(repeated)}
        )
    return labels


QUOTED = BeforeValidator(_quoted)
SourceName = Annotated[
    str,
    Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.,()-]*$", max_length=MAX_NAME),
    says(SOURCE_NAME, "string_pattern_mismatch"),
    QUOTED,
]
Title = Annotated[str, Field(min_length=1, max_length=MAX_TITLE), QUOTED]
Text = Annotated[str, Field(min_length=1), QUOTED]
License = Annotated[str, Field(pattern=LICENSE_PATTERN), QUOTED]
Label = Annotated[
    str,
    BeforeValidator(_label),
    Field(min_length=1, max_length=MAX_NAME),
    WithJsonSchema({"type": ["integer", "string"], "minLength": 1, "maxLength": MAX_NAME}),
]
# The name of a column of metadata, and the values of it that are wanted.
Column = Annotated[str, BeforeValidator(_label), Field(min_length=1, max_length=MAX_NAME)]
_Value = Annotated[
    str,
    BeforeValidator(_value),
    Field(max_length=MAX_NAME),
    WithJsonSchema({"type": ["string", "number", "boolean"]}),
]
Values = Annotated[
    Annotated[_Value, Tag("one")] | Annotated[list[_Value], Field(min_length=1), Tag("list")],
    by_shape(shape, "expected one value or a list of values"),
]
Conditions = Annotated[dict[Column, Values], Field(min_length=1)]
Labels = Annotated[list[Label], Field(min_length=1), AfterValidator(_unique)]
ReleaseTag = Annotated[str, Field(pattern=r"^v(0|[1-9][0-9]{0,8})$"), says(RELEASE)]
ImageSize = Annotated[
    Annotated[int, Field(ge=1, le=MAX_SIDE), says(SIDES, "int_type"), Tag("one")]
    | Annotated[
        str,
        Field(pattern=SIZE_PATTERN),
        says(SIDES),
        AfterValidator(_bounded_size),
        Tag("text"),
    ],
    by_shape(_shape_or_text, "expected one value or a size such as 64x48"),
]

_Number = Annotated[int, Field(ge=1, le=10**9)]
_Samples = Annotated[
    Annotated[_Number, says(COUNT, "int_type"), Tag("one")] | Annotated[Literal["all"], Tag(ALL)],
    by_shape(_shape_or_all, "expected one value or `all`"),
]
# The images of each folder: a count, all, or one of them for each folder.
SampleCounts = Annotated[
    Annotated[_Number, says(COUNT, "int_type"), Tag("one")]
    | Annotated[Literal["all"], Tag(ALL)]
    | Annotated[dict[Label, _Samples], Field(min_length=1), Tag("by folder")],
    by_shape(_shape_or_all, "expected one value or `all` or a mapping by folder"),
]
_Count = Annotated[_Number, says(SIZE, "int_type"), Tag("one")]
_Fraction = Annotated[
    float, Field(gt=0, lt=1, allow_inf_nan=False), says(FRACTION), Tag("fraction")
]
_Size = Annotated[
    _Count | _Fraction, by_shape(_shape_or_fraction, "expected one value or a fraction")
]
# The images of a split: a count, a fraction, or one of them for each folder. Validation can have
# `all` of the source's own validation set.
SplitSize = Annotated[
    _Count | _Fraction | Annotated[dict[Label, _Size], Field(min_length=1), Tag("by folder")],
    by_shape(_shape_or_fraction, "expected one value or a fraction or a mapping by folder"),
]
ValidationSize = Annotated[
    _Count
    | _Fraction
    | Annotated[dict[Label, _Size], Field(min_length=1), Tag("by folder")]
    | Annotated[Literal["all"], Tag(ALL)],
    by_shape(
        _shape_of_validation, "expected one value or a fraction or a mapping by folder or `all`"
    ),
]
# What becomes of classes with too few images for a split.
SmallClasses = Annotated[Literal["train"], AfterValidator(_of_fractions)]
