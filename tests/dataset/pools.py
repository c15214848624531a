"""Small sources for tests, with copies and with images under two labels."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st

from scripts.sources.source import Batch
from scripts.sources.table import Table

CLASSES = "abcd"

# The label and the number of the drawing of each row.
Rows = list[tuple[str, int]]


@dataclass(frozen=True, eq=False)
class Grown(Table):
    """A source with batches, and maybe with a test set of its own."""

    parts: tuple[Batch, ...] = ()
    tests: frozenset[int] | None = None

    @property
    def batches(self) -> Sequence[Batch]:
        return self.parts or (Batch(0, len(self.labels)),)

    @property
    def own_test(self) -> npt.NDArray[np.bool_] | None:
        if self.tests is None:
            return None
        return np.array([row in self.tests for row in range(len(self.labels))])


def with_own_test(rows: Sequence[tuple[str, int]], tests: Collection[int]) -> Grown:
    """Return a source whose own test set are some of its rows."""
    return grown(rows, (Batch(0, len(rows)),), tests)


def grown(
    rows: Sequence[tuple[str, int]],
    parts: Sequence[Batch],
    tests: Collection[int] | None = None,
) -> Grown:
    """Return a source of `rows` that came in several batches."""
    made = pool(rows)
    own = None if tests is None else frozenset(tests)
    return Grown(made.name, made.pixels, made.labels, tuple(parts), own)


def pool(rows: Sequence[tuple[str, int]]) -> Table:
    """Return a source in which rows with the same drawing are identical images."""
    drawings = np.array([number for _, number in rows], dtype=">u4")
    pixels = drawings.view(np.uint8).reshape(-1, 2, 2)
    return Table("pool", pixels, np.array([label for label, _ in rows]))


def of_sizes(**sizes: int) -> Table:
    """Return a source with so many images in each class, all different."""
    labels = [label for label, size in sizes.items() for _ in range(size)]
    return pool(list(zip(labels, range(len(labels)), strict=True)))


def usable(rows: Rows) -> dict[str, int]:
    """Return how many different images each class has, without those under two labels."""
    labels: dict[int, set[str]] = {}
    for label, drawing in rows:
        labels.setdefault(drawing, set()).add(label)
    return {
        label: sum(of_image == {label} for of_image in labels.values())
        for label in sorted({label for label, _ in rows})
    }


@st.composite
def pools(draw: st.DrawFn, *, ambiguous: bool = True) -> Rows:
    """Draw the rows of a small source, in which each class has two usable images or more."""
    chance = draw(st.randoms(use_true_random=False))
    # With few drawings nearly every image has copies, in its class or, if shared, in another.
    drawings = draw(st.sampled_from([8, 25, 1000]))
    shared = draw(st.sampled_from([0, 0.2])) if ambiguous else 0
    rows = [(label, 100_000 + 2 * i + j) for i, label in enumerate(CLASSES) for j in (0, 1)]
    for i, label in enumerate(CLASSES):
        for _ in range(draw(st.integers(0, 30))):
            owner = len(CLASSES) if chance.random() < shared else i
            rows.append((label, 1000 * owner + chance.randrange(drawings)))
    chance.shuffle(rows)
    return rows
