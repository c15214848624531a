"""Where the whole list is of what a message shortens."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from scripts.github import actions
from scripts.inputs.problems import InputError
from scripts.storage import faults
from scripts.storage.faults import Fault


def show(root: Path, verb: str, whole: Sequence[str], to: TextIO | None = None) -> None:
    """Say where the lines `whole` are, of which `verb` has shown some; nothing without lines.

    They are printed where no file can have them, and in a workflow, of which the log is left.
    """
    if not whole:
        return
    kept = None if actions.running() else faults.keep(root, verb, whole)
    lines = [f"the whole list is in {kept}"] if kept else ["the whole list:", *whole]
    print("\n".join(lines), file=to)


def print_problems(error: InputError, root: Path, verb: str) -> None:
    """Print the problems in what people wrote, in a workflow on their lines of the file too."""
    found = [
        Fault(f"{file}:{mark.line}:{mark.column}", message)
        for file, mark, message in error.problems
    ]
    print("\n".join(faults.shortened(found)), file=sys.stderr)
    if len(found) > faults.MOST:
        show(root, verb, [one.line for one in found], sys.stderr)
    if actions.running():
        print(actions.annotations(error))
