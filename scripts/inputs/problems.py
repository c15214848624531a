"""Problems of the inputs, each with its place."""

from collections.abc import Iterable
from typing import NamedTuple, Self

from scripts.errors import UserError, one_line


class Mark(NamedTuple):
    """A place in a file; both numbers start at 1."""

    line: int
    column: int


START = Mark(1, 1)


class _Problem(NamedTuple):
    file: str
    mark: Mark
    message: str


class Problem(_Problem):
    """One problem and its place, always in one line."""

    __slots__ = ()

    def __new__(cls, file: str, mark: Mark, message: str) -> Self:
        """Escape control characters in the file name and the message."""
        return super().__new__(cls, one_line(file), mark, one_line(message))


class InputError(UserError):
    """The inputs are invalid; `problems` are all problems, in the order of the files."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        """Keep `problems`."""
        self.problems = sorted(set(problems))
        super().__init__(
            "\n".join(
                f"{file}:{mark.line}:{mark.column}: {message}"
                for file, mark, message in self.problems
            )
        )
