"""What differs between two releases, as pictures by kind of change."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import NamedTuple, TypeVar

from scripts.inputs.config import SPLITS
from scripts.site.changes import Moved, Placed, ShownChange
from scripts.site.entries import CatalogueEntry, EarlierRelease

# More pictures of one kind of change are counted only.
MAX_SHOWN = 60
# They come from so many sheets at most.
MAX_SHEETS = 12

AnyRelease = CatalogueEntry | EarlierRelease
Found = TypeVar("Found", Placed, Moved)


class Shown(NamedTuple):
    """A picture of a sample, with words below it, and the label that the source gives it."""

    placed: Placed
    words: str
    label: str


@dataclass(frozen=True)
class Section:
    """Pictures of one kind of change."""

    title: str
    count: int
    shown: Sequence[Shown]


def of(before: EarlierRelease, after: CatalogueEntry, change: ShownChange | None) -> list[Section]:
    """Return what differs as pictures."""
    if change is None:
        return []

    def place(entry: AnyRelease, one: Placed) -> Shown:
        return Shown(one, f"{one.split}/{one.label}", source_label(entry, one))

    def move(one: Moved) -> Shown:
        old, new = one
        words = f"{old.split}/{old.label} → {new.split}/{new.label}"
        return Shown(new, words, source_label(after, new))

    moves = {"Relabeled": change.relabeled, "Moved between splits": change.moved}
    singles: dict[str, tuple[AnyRelease, list[Placed]]]
    singles = {"Added": (after, change.added), "Removed": (before, change.removed)}
    found = [
        *(
            Section(title, len(moved), [*map(move, _few(moved, lambda one: one.after))])
            for title, moved in moves.items()
        ),
        *(
            Section(
                title, len(placed), [place(entry, one) for one in _few(placed, lambda one: one)]
            )
            for title, (entry, placed) in singles.items()
        ),
    ]
    return [section for section in found if section.count]


def source_label(entry: AnyRelease, placed: Placed) -> str:
    """Return the label that the source gives a sample, empty where it is not known."""
    return entry.known.label(placed.identifier) or ""


def _few(found: Sequence[Found], placed: Callable[[Found], Placed]) -> list[Found]:
    """Return some of `found`, from a few sheets that have most of them: a page loads each whole."""
    by_sheet: dict[str, list[Found]] = {}
    for one in found:
        by_sheet.setdefault(placed(one).sheet.key, []).append(one)
    largest = sorted(by_sheet.values(), key=len, reverse=True)[:MAX_SHEETS]
    turns = zip_longest(*largest)
    shown = [one for turn in turns for one in turn if one is not None][:MAX_SHOWN]
    return sorted(shown, key=lambda one: _place_of(placed(one)))


def _place_of(placed: Placed) -> tuple[int, str, str]:
    return SPLITS.index(placed.split), placed.label, placed.identifier
