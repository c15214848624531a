"""Writes the complete list for shortened messages."""

from collections.abc import Callable, Sequence
from operator import attrgetter
from pathlib import Path

from scripts import output
from scripts.github import actions
from scripts.inputs.problems import InputError
from scripts.storage import faults
from scripts.storage.faults import Fault

# https://docs.github.com/actions/reference/limits
MAX_ANNOTATIONS = 10


def show(
    root: Path, verb: str, whole: Sequence[str], say: Callable[[str], None] = output.say
) -> None:
    """Print where the complete list `whole` is; nothing if it is empty.

    The list is printed if it cannot be written to a file, and in a workflow, which keeps only the
    log.
    """
    if not whole:
        return
    kept = None if actions.running() else faults.keep(root, verb, whole)
    lines = [f"the complete list is in {kept}"] if kept else ["the complete list:", *whole]
    say("\n".join(lines))


def print_problems(error: InputError, root: Path, verb: str) -> None:
    """Print the problems of the inputs; in a workflow, also annotate their lines."""
    found = [
        Fault(f"{file}:{mark.line}:{mark.column}", message)
        for file, mark, message in error.problems
    ]
    output.log("\n".join(faults.shortened(found)))
    if len(found) > faults.MOST:
        show(root, verb, [one.line for one in found], output.log)
    # GitHub shows the first few of a step only, so they are of every kind.
    message = attrgetter("message")
    for file, mark, text in faults.kinds_first(error.problems, message, MAX_ANNOTATIONS):
        output.annotate("error", text, file=file, line=mark.line, col=mark.column)
