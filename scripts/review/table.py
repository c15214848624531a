"""The table of a plan: one row for each class, with the changes."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from scripts.inputs.config import SPLITS, TEST, TRAIN, Split
from scripts.review.report import ClassCount

TOTAL = "total"


class Cell(NamedTuple):
    """The number of images before and after."""

    before: int
    after: int

    @property
    def difference(self) -> int:
        """The number of added images, or of removed ones if negative."""
        return self.after - self.before


class TableRow(NamedTuple):
    """One class: its images in each split, and in total."""

    name: str
    cells: list[Cell]

    @property
    def changed(self) -> bool:
        """Whether any number differs."""
        return any(cell.difference for cell in self.cells)


class CountTable(NamedTuple):
    """The rows of changed and unchanged classes, and of their total.

    `columns` are the headings: the class, the splits that either version has, and the total.
    """

    columns: list[str]
    changed: list[TableRow]
    unchanged: list[TableRow]
    total: TableRow


def count_table(counts: Sequence[ClassCount]) -> CountTable:
    """Return the table of `counts`."""
    by_name: dict[str, list[ClassCount]] = {}
    for count in counts:
        by_name.setdefault(count.folder, []).append(count)
    there = {TRAIN, TEST, *(count.split for count in counts)}
    splits = [split for split in SPLITS if split in there]
    rows = [_row(name, of_class, splits) for name, of_class in by_name.items()]
    return CountTable(
        columns=["class", *splits, TOTAL],
        changed=[row for row in rows if row.changed],
        unchanged=[row for row in rows if not row.changed],
        total=_row(TOTAL, counts, splits),
    )


def _row(name: str, counts: Sequence[ClassCount], splits: Sequence[Split]) -> TableRow:
    cells = [_sum(count for count in counts if count.split == split) for split in splits]
    return TableRow(name, [*cells, _sum(counts)])


def _sum(counts: Iterable[ClassCount]) -> Cell:
    pairs = [(count.before, count.after) for count in counts]
    return Cell(sum(before for before, _ in pairs), sum(after for _, after in pairs))
