"""Faults: a message shows some of every kind, and a file has the complete list."""

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
# The parts that differ between messages of one kind: values, quotes, paths, identifiers and
# numbers.
VARIES = re.compile(
    r""", found .*|'[^']*'|"[^"]*"|\S*/\S*|\b[sx]?[0-9a-f]{16,}\b|[0-9][0-9,.]*""", re.DOTALL
)

T = TypeVar("T")


class Fault(NamedTuple):
    """A problem and its place. The default of the kind is that of its message."""

    where: str
    what: str
    kind: str = ""

    @property
    def line(self) -> str:
        """The line in a list of faults."""
        return printable(f"{self.where}: {self.what}").replace("\n", "\\n")


class FaultsError(UserError):
    """An error with a shortened list; `whole` has all lines, or none if all are shown.

    The command line adds the path of the complete list.
    """

    def __init__(self, message: str, whole: Iterable[str] = ()) -> None:
        """Keep both."""
        super().__init__(message)
        self.whole = [*whole]


def kind_of(message: str) -> str:
    """Return `message` without names and numbers, the same for all of its kind."""
    return VARIES.sub("…", message)


def kinds_first(found: Sequence[T], message: Callable[[T], str], most: int) -> list[T]:
    """Return `found` sorted so that the first `most` include every kind, if possible.

    Otherwise their order is kept.
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
    """Return lines with some faults of every kind, and the number of each kind."""
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
    """Write the complete list of `verb`, and return the path; None on failure."""
    return files.keep(root, f"{FOLDER}/{verb}.txt", "".join(f"{line}\n" for line in lines))
