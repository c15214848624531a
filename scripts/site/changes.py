"""Finds the changed samples between two versions, by their sheets.

Equal sheets in the same place are skipped, so the cost depends on the change.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from scripts.inputs.config import TEST, TRAIN
from scripts.review.report import SampleChange
from scripts.site.sheets import PictureSheet, Place, Sheets


class Placed(NamedTuple):
    """A sample in a version: identifier, split, class, sheet and number on it."""

    identifier: str
    split: str
    label: str
    sheet: PictureSheet
    number: int


class Moved(NamedTuple):
    """A sample in different places of two versions."""

    before: Placed
    after: Placed


@dataclass(frozen=True)
class ShownChange:
    """The changed samples.

    `relabeled` samples keep their split and change their class, `moved` ones change their split.
    `before` is the earlier number of samples.
    """

    before: int = 0
    added: list[Placed] = field(default_factory=list)
    removed: list[Placed] = field(default_factory=list)
    relabeled: list[Moved] = field(default_factory=list)
    moved: list[Moved] = field(default_factory=list)

    @property
    def counts(self) -> SampleChange:
        """The numbers of changed samples, in the format of a plan."""
        splits = [(one.before.split, one.after.split) for one in self.moved]
        return SampleChange(
            before=self.before,
            added=len(self.added),
            removed=len(self.removed),
            test_removed=sum(one.split == TEST for one in self.removed),
            relabeled=len(self.relabeled),
            to_train=splits.count((TEST, TRAIN)),
            to_test=splits.count((TRAIN, TEST)),
        )


def between(old: Sheets, new: Sheets, *, same_rows: bool = False) -> ShownChange:
    """Return the changes between two versions.

    Samples are the same if their PNGs are equal, or if they have the same identifier in a custom
    source. With `same_rows` both versions are of the same table, so equal row numbers are the same
    samples too.
    """
    gone, come = _only_in(old, new), _only_in(new, old)
    change = ShownChange(
        sum(len(sheet.pictures) for of_place in old.values() for sheet in of_place)
    )
    # Resized images have another PNG and the same identifier.
    named = {
        placed.identifier: md5
        for md5, placed in gone.items()
        if md5 not in come and (same_rows or not placed.identifier.isdecimal())
    }
    for md5, after in come.items():
        before = gone.pop(md5, None) or gone.pop(named.pop(after.identifier, ""), None)
        if before is None:
            change.added.append(after)
        elif before.split != after.split:
            change.moved.append(Moved(before, after))
        elif before.label != after.label:
            change.relabeled.append(Moved(before, after))
    change.removed.extend(gone.values())
    return change


def _only_in(one: Sheets, other: Sheets) -> dict[str, Placed]:
    """Return the samples on sheets of `one` that `other` does not have, by the MD5 of their PNG."""
    return {
        picture.md5: Placed(picture.identifier, *place, sheet, number)
        for place, sheet in _differing(one, other)
        for number, picture in enumerate(sheet.pictures)
    }


def _differing(one: Sheets, other: Sheets) -> Iterator[tuple[Place, PictureSheet]]:
    for place, sheets in one.items():
        there = {sheet.key for sheet in other.get(place, ())}
        yield from ((place, sheet) for sheet in sheets if sheet.key not in there)
