"""The outcome of a verb: its exit code, and its error as one message."""

from collections.abc import Callable
from pathlib import Path

from scripts import output
from scripts.errors import UserError
from scripts.git import git
from scripts.github import whole_list
from scripts.inputs.problems import InputError
from scripts.storage.faults import FaultsError


def of(verb: str, work: Callable[[], int | None]) -> int:
    """Run `work`, the verb called `verb`; return its exit code.

    An error that the user can fix is printed, and is 1. Any other error is raised.
    """
    try:
        return int(work() or 0)
    except InputError as error:
        whole_list.print_problems(error, git.find(Path.cwd()).root, verb)
    except UserError as error:
        output.log(f"error: {error}")
        if isinstance(error, FaultsError):
            whole_list.show(git.find(Path.cwd()).root, verb, error.whole, output.log)
    return 1
