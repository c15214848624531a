"""Evaluates the expressions of workflow files, as far as those of this project need it.

See https://docs.github.com/actions/reference/workflows-and-actions/expressions.
"""

import re
from collections.abc import Mapping
from typing import Any

TOKEN = re.compile(r"\s*(&&|\|\||==|!=|[!(),]|'(?:[^']|'')*'|[A-Za-z_][\w.*-]*)")
STATUS = re.compile(r"\b(success|failure|always|cancelled)\(")
PLACEHOLDER = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)

Values = Mapping[str, Any]


def evaluate(expression: str, values: Values) -> Any:
    """Return the value of `expression`; what is not in `values` is empty.

    `values` are contexts by their whole name, such as `github.event_name`. `status` is that of the
    job so far, for `success()` and the like. Names of other functions in `values` give what these
    return.
    """
    return _Parser(expression, values).value()


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


class _Parser:
    def __init__(self, expression: str, values: Values) -> None:
        self._tokens = []
        rest = expression.strip()
        while rest:
            found = TOKEN.match(rest)
            assert found, f"not supported in an expression: {rest}"
            self._tokens.append(found.group(1))
            rest = rest[found.end() :].strip()
        self._values = values

    def value(self) -> Any:
        result = self._or()
        assert not self._tokens, f"not supported in an expression: {self._tokens}"
        return result

    def _takes(self, token: str) -> bool:
        if self._tokens and self._tokens[0] == token:
            self._tokens.pop(0)
            return True
        return False

    def _or(self) -> Any:
        result = self._and()
        while self._takes("||"):
            right = self._and()
            result = result or right
        return result

    def _and(self) -> Any:
        result = self._comparison()
        while self._takes("&&"):
            right = self._comparison()
            result = result and right
        return result

    def _comparison(self) -> Any:
        left = self._term()
        for operator in ("==", "!="):
            if self._takes(operator):
                right = self._term()
                assert isinstance(left, str) and isinstance(right, str)  # noqa: PT018
                return (left.lower() == right.lower()) is (operator == "==")
        return left

    def _term(self) -> Any:
        if self._takes("!"):
            return not self._term()
        if self._takes("("):
            result = self._or()
            assert self._takes(")")
            return result
        token = self._tokens.pop(0)
        if token.startswith("'"):
            return token[1:-1].replace("''", "'")
        if self._takes("("):
            return self._call(token)
        if "*" in token:
            pattern = re.compile(re.escape(token).replace(r"\*", r"[\w-]+"))
            return [value for name, value in self._values.items() if pattern.fullmatch(name)]
        return self._values.get(token, "")

    def _call(self, function: str) -> Any:
        arguments = []
        while not self._takes(")"):
            arguments.append(self._or())
            self._takes(",")
        if function == "contains":
            found, item = arguments
            return item in found
        if function == "startsWith":
            text, start = arguments
            return str(text).lower().startswith(start.lower())
        if function == "always":
            return True
        if function in {"success", "failure", "cancelled"}:
            return self._values["status"] == function
        return self._values[function]
