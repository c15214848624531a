"""Problems in what people wrote, each with its place."""

from collections.abc import Iterable
from typing import NamedTuple

from scripts.errors import UserError


class Mark(NamedTuple):
    """A place in a file; both numbers start at 1."""

    line: int
    column: int


START = Mark(1, 1)


class Problem(NamedTuple):
    """One problem and its place."""

    file: str
    mark: Mark
    message: str


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
