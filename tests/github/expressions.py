"""Evaluates the expressions of workflow files, as far as those of this project need it.

An expression is written as one of Python, whose operators do the same. See
https://docs.github.com/actions/reference/workflows-and-actions/expressions.
"""

import re
from collections.abc import Mapping
from functools import cache
from types import CodeType
from typing import Any

# No `!` before a comparison: the `not` of Python would negate all of it, not its left side.
PART = re.compile(
    r"'(?P<text>(?:[^']|'')*)'|(?P<name>[A-Za-z_][\w.*-]*)(?P<is_call>\()?"
    r"|(?P<sign>&&|\|\||==|!=|!(?![^()&|]*[=!]=)|[(),])|\s+"
)
SIGNS = {"&&": " and ", "||": " or ", "!": " not "}
STATUS = re.compile(r"\b(success|failure|always|cancelled)\(")
PLACEHOLDER = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)

Values = Mapping[str, Any]


class _Text(str):
    """A text of an expression, equal to another one in upper or lower case."""

    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        assert isinstance(other, str)
        return self.lower() == other.lower()

    def __ne__(self, other: object) -> bool:
        return not self == other


def evaluate(expression: str, values: Values) -> Any:
    """Return the value of `expression`; what is not in `values` is empty.

    `values` are contexts by their whole name, such as `github.event_name`. `status` is that of the
    job so far, for `success()` and the like. Names of other functions in `values` give what these
    return.
    """

    def named(name: str) -> Any:
        if "*" not in name:
            return values.get(name, "")
        pattern = re.compile(re.escape(name).replace(r"\*", r"[\w-]+"))
        return [value for key, value in values.items() if pattern.fullmatch(key)]

    def called(name: str, *arguments: Any) -> Any:
        match name, arguments:
            case "contains", (found, item):
                return item in found
            case "startsWith", (text, start):
                return text.lower().startswith(start.lower())
            case "success" | "failure" | "cancelled", ():
                return values["status"] == name
        return name == "always" or values[name]

    names = {"text": _Text, "named": named, "called": called}
    result = eval(_compiled(expression), names)  # noqa: S307 - of this project's files
    return str(result) if isinstance(result, str) else result


@cache
def _compiled(expression: str) -> CodeType:
    assert not PART.sub("", expression), f"not supported in an expression: {expression}"

    def written(part: re.Match[str]) -> str:
        if part["text"] is not None:
            shown = part["text"].replace("''", "'")
            return f"text({shown!r})"
        if part["name"]:
            return f"called({part['name']!r}, " if part["is_call"] else f"named({part['name']!r})"
        return SIGNS.get(part["sign"], part["sign"] or " ")

    return compile(PART.sub(written, expression).strip(), expression, "eval")


def interpolate(text: str, values: Values) -> str:
    """Return `text` with the value of each `${{ }}` in it."""

    def replace(found: re.Match[str]) -> str:
        value = evaluate(found.group(1), values)
        return str(value).lower() if isinstance(value, bool) else str(value)

    return PLACEHOLDER.sub(replace, text)


def runs(item: Mapping[str, Any], values: Values) -> bool:
    """Return whether a job or a step runs, given its `if`."""
    condition = str(item.get("if", ""))
    if not STATUS.search(condition):
        condition = f"success() && ({condition})" if condition else "success()"
    return bool(evaluate(condition, values))
