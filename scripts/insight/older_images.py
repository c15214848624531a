"""Images that earlier releases have, and a version does not: what they show, and where they were.

Nearly all of them are still in the source of the version, and are found there by their pixels. Only
for the others are the sources of the releases read.
"""

from collections.abc import Iterable, Iterator, Sequence, Set
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple

from scripts.dataset import changed_copies
from scripts.dataset.dataset import Dataset
from scripts.dataset.distances import Levels
from scripts.errors import UserError
from scripts.git.git import Git
from scripts.inputs.config import TRAIN
from scripts.releases import resolve
from scripts.releases.cumulative import EVALUATION
from scripts.releases.history import History
from scripts.releases.index import BITS, Index
from scripts.releases.indexes import name_of

# Releases whose own source is read, newest first.
MAX_READ = 3


@dataclass(frozen=True)
class PlacedImage:
    """A row of a dataset, its split and folder, and the release; None for the version."""

    dataset: Dataset
    row: int
    split: str
    folder: str
    release: str | None = None


class ComparedImages(NamedTuple):
    """Images of one side of the split: rows of a dataset, in ascending order, and averages."""

    dataset: Dataset
    rows: list[int]
    levels: Levels

    @classmethod
    def of(cls, dataset: Dataset, rows: Iterable[int]) -> "ComparedImages":
        """Return `rows` of `dataset`; raises `UserError` if images are not available."""
        ordered = sorted(rows)
        # Not of resized images, because theirs may be stored.
        return cls(dataset, ordered, changed_copies.levels_of(dataset.originals, ordered))


class OlderImages:
    """The images that `comparable` releases have, and the version does not."""

    def __init__(
        self, git: Git, history: History, comparable: Sequence[str], dataset: Dataset
    ) -> None:
        """Find them in the source of `dataset`, and what it lacks in those of the releases."""
        self._git, self._history, self._dataset = git, history, dataset
        self._releases = [one for one in reversed(history.releases) if one.tag in {*comparable}]
        self._together, _ = history.cumulative(dataset.source)
        images, names = dataset.images, {name_of(one) for one in self._releases}
        here = {
            digest
            for row in dataset.selection.places()
            for digest in (images.keys[row], images.digests[row])
        }
        wanted = [
            {*self._together.digests_in(names, bits)} - here for bits in (BITS[TRAIN], EVALUATION)
        ]
        missing = {*chain(*wanted)}
        self.sides: tuple[list[ComparedImages], list[ComparedImages]] = [], []
        for one in self._datasets(missing):
            rows = one.images.rows(missing)
            with suppress(UserError):
                parts = [
                    ComparedImages.of(one, {rows[x] for x in rows.keys() & some}) for some in wanted
                ]
                for side, part in zip(self.sides, parts, strict=True):
                    side.append(part)
                missing -= rows.keys()
        self.missing = len(missing)

    def _datasets(self, missing: Set[bytes]) -> Iterator[Dataset]:
        """Yield the datasets that can have `missing` images, as long as there are any."""
        yield self._dataset
        read = 0
        for release in self._releases:
            if not missing or read == MAX_READ:
                return
            if self._together.known([*missing], {name_of(release)}).any():
                read += 1
                with suppress(UserError):
                    yield resolve.of_release(self._git, release)

    def named(self, dataset: Dataset, row: int, bits: int) -> PlacedImage:
        """Return an image of the version, or of the newest release that has it in `bits`.

        Raises `UserError` if the index of that release is not available.
        """
        if dataset is self._dataset and (here := dataset.selection.places().get(row)):
            return PlacedImage(dataset, row, *here)
        key, shown = dataset.images.keys[row], dataset.images.digests[row]
        there = self._together.splits_of(Index({key: (TRAIN, "")}, {key: shown}), key)
        release = next(one for one in self._releases if there.get(name_of(one), 0) & bits)
        place = self._history.index(release, self._dataset.source).place(key, shown)
        if place is None:
            raise UserError(f"the index of {release.tag} lacks an image")
        return PlacedImage(dataset, row, *place, release.tag)
