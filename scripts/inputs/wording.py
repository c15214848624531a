"""Messages for pydantic's validation errors."""

import difflib
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from pydantic import BaseModel, ValidationError

from scripts.errors import one_line
from scripts.inputs.problems import START, Problem
from scripts.inputs.strict_yaml import KEY, UNNAMED, Document, Location, Unquoted, type_name

MAX_SHOWN = 40
# The type of the error for text without the quotes that it needs.
UNQUOTED = "unquoted"
# Names of the branches of unions, which pydantic puts into an error's location.
BRANCHES = {
    "one": "one value",
    "all": "`all`",
    "list": "a list",
    "fraction": "a fraction",
    "by folder": "a mapping by folder",
    "text": "a size such as 64x48",
}
RELEASE = "expected the tag of a release such as v2"
PATTERNS = {
    "source": "not a valid dataset name (letters, digits and _ . , ( ) -)",
    "comparable_since": RELEASE,
    "stable": RELEASE,
    "withdrawn": RELEASE,
    "image_size": "expected a side such as 28, or a width and a height such as 64x48",
}
# What is expected where a value is no number.
NUMBERS = {
    "samples": "expected a whole number or `all`",
    "test_size": "expected a count such as 20 or a fraction such as 0.2",
    "validation_size": "expected a count such as 20 or a fraction such as 0.2",
    "image_size": PATTERNS["image_size"],
}
# What is said of the reason why a release is withdrawn.
REASONS = {
    "string_type": "expected a reason such as 'seven wrong labels'",
    "string_too_short": "the reason must not be empty",
    "dict_type": "expected a reason for each tag, such as {v2: seven wrong labels}",
}
# The keys whose value is the tag of a release.
TAGS = {"comparable_since", "stable"}
# What a value is called that YAML does not take for text.
KINDS = {
    int: "the number",
    float: "the number",
    bool: "the truth value",
    date: "a date",
    datetime: "a date and time",
}
FRACTION = "a fraction must be between 0 and 1 (write a count without a decimal point)"


def problems(error: ValidationError, document: Document, model: type[BaseModel]) -> list[Problem]:
    """Return the errors of validating `document` as `model`, each with its place."""
    return [_problem(dict(detail), document, model) for detail in error.errors()]


def _problem(detail: Mapping[str, Any], document: Document, model: type[BaseModel]) -> Problem:
    at = _location(tuple(str(part) for part in detail["loc"]), model)
    name = one_line(".".join(part for part in at if part != KEY))
    if detail["type"] == "extra_forbidden":
        return document.problem((*at, KEY), _unknown_key(name, model))
    if detail["type"] == "missing" and at not in document.marks:
        message = f"{name} is missing; add a line such as '{_example(name, model)}'"
        return Problem(document.file, START, message)
    if detail["type"] == "invalid_key":
        place = at if at in document.marks else (UNNAMED,)
        return document.problem((*place, KEY), f"{name}: a key must be a name")
    return document.problem(at, f"{name}: {_expectation(detail)}")


def _location(raw: Location, model: type[BaseModel]) -> Location:
    """Return `raw` without the branches of unions: right behind a field or a folder's name."""
    fields = _fields(model)
    return tuple(
        part
        for index, part in enumerate(raw)
        if not (part in BRANCHES and index in (1, 3) and raw[0] in fields)
    )


def _expectation(detail: Mapping[str, Any]) -> str:
    value, context = detail["input"], detail.get("ctx", {})
    kind, key = detail["type"], str(detail["loc"][0])
    if kind == UNQUOTED:
        return _quotes_needed(value)
    expected = {
        "missing": NUMBERS.get(key),
        "int_type": NUMBERS.get(key, "expected a whole number"),
        "float_type": NUMBERS.get(key, "expected a number"),
        "string_type": RELEASE if key in TAGS else "expected a name",
        "string_unicode": "expected text; this is half of a character",
        "literal_error": f"expected {context.get('expected')}",
        "finite_number": "expected a fraction between 0 and 1",
        "greater_than_equal": f"must be at least {context.get('ge')}",
        "greater_than": FRACTION,
        "less_than_equal": f"must be at most {context.get('le')}",
        "less_than": f"must be below {context.get('lt')}",
        "string_pattern_mismatch": PATTERNS.get(key, ""),
        "too_short": "must not be empty",
        "string_too_short": "must not be empty",
        "too_long": "too long for a name",
        "string_too_long": "too long for a name",
        "union_tag_invalid": f"expected {_alternatives(context)}",
        "value_error": str(context.get("error", "")),
    }.get(kind) or detail["msg"]
    if kind == "less_than" and isinstance(value, float):
        expected = FRACTION
    if key == "withdrawn":
        is_tag = detail["loc"][-1] == KEY
        too_long = f"the reason must have at most {context.get('max_length')} characters"
        reasons = {**REASONS, "string_too_long": too_long}
        expected = PATTERNS["withdrawn"] if is_tag else reasons.get(kind, expected)
    return f"{expected}, found {_shown(value)}"


def _quotes_needed(written: Unquoted) -> str:
    value = written.value
    kind = "an invalid date" if isinstance(value, str) else KINDS.get(type(value), "")
    is_short = len(written) <= MAX_SHOWN
    text, quoted = (written, f"'{written}'") if is_short else ("it", "it in quotes")
    meaning = kind if isinstance(value, str | date) else f"{kind} {_shown(value)}".lstrip()
    return f"expected text; without quotes, {text} is read as {meaning}. Write {quoted}"


def _alternatives(context: Mapping[str, Any]) -> str:
    tags = str(context.get("expected_tags", "")).replace("'", "").split(", ")
    return " or ".join(BRANCHES.get(tag, tag) for tag in tags)


def _shown(value: object) -> str:
    if isinstance(value, dict | list):
        return f"a {type_name(value)}" if value else f"an empty {type_name(value)}"
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, date):
        return f"the date {value}"
    text = repr(value)
    return text if len(text) <= MAX_SHOWN else text[:MAX_SHOWN] + "…"


def _fields(model: type[BaseModel]) -> dict[str, Any]:
    return {field.alias or name: field for name, field in model.model_fields.items()}


def _unknown_key(name: str, model: type[BaseModel]) -> str:
    known = list(_fields(model))
    close = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {close[0]}?" if close else f"known keys: {', '.join(known)}"
    return f"unknown key {_shown(name)}; {hint}"


def _example(name: str, model: type[BaseModel]) -> str:
    field = _fields(model)[name]
    return f"{name}: {(field.examples or [field.default])[0]}"
