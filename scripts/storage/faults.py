"""Faults: a message shows some of every kind, and a file has the whole list."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

from scripts.errors import UserError, printable
from scripts.storage import files

# Below `.dvc/tmp`, which git ignores: a file for each verb, written again by each run.
FOLDER = "problems"
# Faults that a message names, and kinds that it tells apart.
MOST = 20
MAX_KINDS = 50
# What differs between messages of one kind: what was found, what is quoted, paths, identifiers and
# other numbers.
VARIES = re.compile(
    r""", found .*|'[^']*'|"[^"]*"|\S*/\S*|\b[sx]?[0-9a-f]{16,}\b|[0-9][0-9,.]*""", re.DOTALL
)

T = TypeVar("T")


class Fault(NamedTuple):
    """What is wrong, and where. The kind is that of its message if it is not given."""

    where: str
    what: str
    kind: str = ""

    @property
    def line(self) -> str:
        """What a list of faults says of it."""
        return printable(f"{self.where}: {self.what}").replace("\n", "\\n")


class FaultsError(UserError):
    """An error whose message shortens a list; `whole` has all its lines, or none if all are shown.

    The command line adds where it keeps the whole list.
    """

    def __init__(self, message: str, whole: Iterable[str] = ()) -> None:
        """Keep both."""
        super().__init__(message)
        self.whole = [*whole]


def kind_of(message: str) -> str:
    """Return what `message` has in common with others of its kind."""
    return VARIES.sub("…", message)


def kinds_first(found: Sequence[T], message: Callable[[T], str], most: int) -> list[T]:
    """Return `found` in an order in which the first `most` show every kind, as far as they can.

    Those are as they were among each other.
    """
    seen: Counter[str] = Counter()
    ranked = []
    for index, one in enumerate(found):
        kind = kind_of(message(one))
        ranked.append((seen[kind], index))
        seen[kind] += 1
    order = [index for _, index in sorted(ranked)] if len(found) > most else [*range(len(found))]
    return [found[index] for index in sorted(order[:most]) + order[most:]]


def shortened(found: Sequence[Fault]) -> list[str]:
    """Return lines that show faults of every kind, and how many there are of each."""
    if len(found) <= MOST:
        return [one.line for one in found]
    kinds: dict[str, list[Fault]] = {}
    for one in found:
        kinds.setdefault(one.kind or kind_of(one.what), []).append(one)
    named = list(kinds.values())[:MAX_KINDS]
    each = max(1, MOST // len(named))
    lines = []
    for alike in named:
        lines += [one.line for one in alike[:each]]
        if more := len(alike) - each:
            of_kind = f" of this kind, {len(alike):,} in all" if len(kinds) > 1 else ""
            lines += [f"and {more:,} more{of_kind}"] if more > 0 else []
    if more := len(kinds) - len(named):
        lines.append(f"and {more:,} more kinds")
    return lines


def keep(root: Path, verb: str, lines: Iterable[str]) -> str | None:
    """Write the whole list of what `verb` found, and return the path; None where it cannot be."""
    return files.keep(root, f"{FOLDER}/{verb}.txt", "".join(f"{line}\n" for line in lines))
