"""Problems in what people wrote, each with its place."""

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
    """One problem and its place: a line, whatever the names and values that it quotes."""

    __slots__ = ()

    def __new__(cls, file: str, mark: Mark, message: str) -> Self:
        """Write out the control characters of the file's name and of the message."""
        return super().__new__(cls, one_line(file), mark, one_line(message))


class InputError(UserError):
    """What people wrote is invalid; holds every problem found, in the order of the files."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        """Keep `problems`."""
        self.problems = sorted(set(problems))
        super().__init__(
            "\n".join(
                f"{file}:{mark.line}:{mark.column}: {message}"
                for file, mark, message in self.problems
            )
        )
