"""Sentences for pydantic's validation errors, each with its place in the file."""

import difflib
from collections.abc import Mapping
from datetime import date
from typing import Any, get_args

from pydantic import BaseModel, ValidationError, ValidatorFunctionWrapHandler, WrapValidator
from pydantic_core import PydanticCustomError

from scripts.errors import one_line
from scripts.inputs.problems import START, Problem
from scripts.inputs.strict_yaml import KEY, UNNAMED, Document, Location, type_name

MAX_SHOWN = 40
# The type of an error whose message says all, also what was found.
SAYS_ALL = "says all"
# Tags of the branches of unions, which pydantic puts into an error's location.
BRANCHES = {"one", "all", "list", "fraction", "by folder", "text"}
# What is said by the type of the error, unless the field says something else.
EXPECTED = {
    "int_type": "expected a whole number",
    "float_type": "expected a number",
    "list_type": "expected a list",
    "model_type": "expected a mapping",
    "string_type": "expected a name",
    "string_unicode": "expected text; this is an incomplete character",
    "literal_error": "expected {expected}",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "less_than": "must be below {lt}",
    "too_short": "must not be empty",
    "string_too_short": "must not be empty",
    "too_long": "too long for a name",
    "string_too_long": "too long for a name",
}


def says(text: str, *kinds: str) -> WrapValidator:
    """Return an annotation of a value: `text` is said of its errors, or of those `kinds` only."""

    def validate(value: Any, handler: ValidatorFunctionWrapHandler) -> Any:
        try:
            return handler(value)
        except ValidationError as error:
            if kinds and error.errors()[0]["type"] not in kinds:
                raise
            raise PydanticCustomError("expected", "{text}", {"text": text}) from None

    return WrapValidator(validate)


def problems(error: ValidationError, document: Document, model: type[BaseModel]) -> list[Problem]:
    """Return the validation errors of `document`, each with its place."""
    return [_problem(dict(detail), document, model) for detail in error.errors()]


def _problem(detail: Mapping[str, Any], document: Document, model: type[BaseModel]) -> Problem:
    at = _location(tuple(str(part) for part in detail["loc"]), model)
    name = one_line(".".join(part for part in at if part != KEY))
    if detail["type"] == "extra_forbidden":
        return document.problem((*at, KEY), _unknown_key(name, _known_keys(at, model)))
    if detail["type"] == "missing" and at not in document.marks:
        message = f"{name} is missing; add a line such as '{_example(name, model)}'"
        return Problem(document.file, START, message)
    if detail["type"] == "invalid_key":
        place = at if at in document.marks else (UNNAMED,)
        return document.problem((*place, KEY), f"{name}: a key must be a name")
    return document.problem(at, f"{name}: {_expectation(detail)}")


def _location(raw: Location, model: type[BaseModel]) -> Location:
    """Return `raw` without the branches of unions, which follow a field or a folder name."""
    fields = _fields(model)
    return tuple(
        part
        for index, part in enumerate(raw)
        if not (part in BRANCHES and index in (1, 3) and raw[0] in fields)
    )


def _expectation(detail: Mapping[str, Any]) -> str:
    if detail["type"] == SAYS_ALL:
        return str(detail["msg"])
    template = EXPECTED.get(detail["type"])
    expected = template.format_map(detail.get("ctx", {})) if template else detail["msg"]
    return f"{expected}, found {shown(detail['input'])}"


def shown(value: object) -> str:
    """Return a value as a message shows it."""
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


def _known_keys(at: Location, model: type[BaseModel]) -> list[str]:
    """Return the keys that can be at a place: in the file, or in a mapping that is a model too."""
    for key in at[:-1]:
        kinds = get_args(_fields(model)[key].annotation)
        model = next(
            kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)
        )
    return list(_fields(model))


def _unknown_key(name: str, known: list[str]) -> str:
    close = difflib.get_close_matches(name.rpartition(".")[2], known, n=1)
    hint = f"did you mean {close[0]}?" if close else f"known keys: {', '.join(known)}"
    return f"unknown key {shown(name)}; {hint}"


def _example(name: str, model: type[BaseModel]) -> str:
    field = _fields(model)[name]
    return f"{name}: {(field.examples or [field.default])[0]}"
