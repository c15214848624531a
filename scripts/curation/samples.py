"""The samples of a source, with their use in the dataset, the curation and the releases."""

from functools import cached_property
from typing import NamedTuple

from scripts.dataset.dataset import Dataset
from scripts.dataset.folders import folders_of
from scripts.dataset.order import Distinct, distinct
from scripts.errors import UserError
from scripts.inputs.config import SOURCE as BY_SOURCE
from scripts.inputs.config import TEST, TRAIN, VALIDATION, Split
from scripts.inputs.curation import RELABEL, Decision
from scripts.inputs.failures import Failure
from scripts.releases import comparison
from scripts.releases.history import History
from scripts.sources.source import Source


class Past(NamedTuple):
    """The oldest comparable release that has an image in its train set, or in its test set.

    By the digests of its pixels, before and after resizing.
    """

    trained: dict[bytes, str]
    tested: dict[bytes, str]


class Samples:
    """All samples of the source of `dataset`, by row.

    `past` is read when it is needed for the first time. Reading it raises `UserError` if a release
    is not available.
    """

    def __init__(self, dataset: Dataset, history: History) -> None:
        """Compare with the releases of `history`."""
        self.dataset, self._history = dataset, history
        self.source: Source = dataset.images.source
        self._folders, _ = folders_of(dataset.config, self.source)
        self.folder_of = {
            label: name for name, one in self._folders.items() for label in one.labels
        }
        self._places = dataset.selection.places()
        self._decisions: dict[int, list[Decision]] = {}
        for decision in dataset.inputs.curation.decisions:
            if (row := self.source.find(decision.sample)) is not None:
                self._decisions.setdefault(row, []).append(decision)

    @property
    def images(self) -> Distinct:
        """The distinct images of the source."""
        return distinct(self.source)

    @cached_property
    def past(self) -> Past:
        """The use of each image in the releases with which the dataset must stay comparable."""
        past = Past({}, {})
        for release in comparison.required(self.dataset.config, self._history):
            try:
                found = self._history.index(release, self.dataset.source)
            except UserError as error:
                raise UserError(
                    f"{release.tag} cannot be read here ({error}), so its train and test images "
                    f"are unknown. Nothing was changed."
                ) from None
            for digest in found.seen(found.split(TRAIN)):
                past.trained.setdefault(digest, release.tag)
            for digest in found.seen(found.evaluation):
                past.tested.setdefault(digest, release.tag)
        return past

    def trained_by(self, row: int) -> str | None:
        """Return the oldest of these releases that has a row in its train set."""
        return self._first(self.past.trained, row)

    def tested_by(self, row: int) -> str | None:
        """Return the oldest of these releases that has a row in its test set."""
        return self._first(self.past.tested, row)

    def _first(self, tags: dict[bytes, str], row: int) -> str | None:
        images = self.dataset.images
        return tags.get(images.keys[row]) or tags.get(images.digests[row])

    def decisions(self, row: int) -> list[Decision]:
        """Return the decisions of the curation about a row."""
        return self._decisions.get(row, [])

    def split(self, row: int) -> Split | None:
        """Return the split that a row is in, None if the dataset does not have it."""
        return self._places[row][0] if row in self._places else None

    def identifier(self, row: int) -> str:
        """Return the identifier of a row."""
        return self.dataset.images.identifier(row)

    def label(self, row: int) -> str:
        """Return the label of a row in the source; of an addition, the one in its path."""
        return str(self.dataset.images.labels[row])

    def labels(self, row: int) -> list[str]:
        """Return the label of a row, and its new label in the curation, if any."""
        new = [one.new_label for one in self.decisions(row) if one.action == RELABEL]
        return [self.label(row), *new]

    @property
    def classes(self) -> list[str]:
        """The folders of the dataset, in the order of their numbers in the files of a release."""
        return list(self._folders)

    def folder(self, name: str) -> str:
        """Return the folder of the class `name`: of the dataset or of the source, or a folder.

        Any other name is returned as it is.
        """
        if name in self._folders:
            return name
        named = (folder for folder, contents in self._folders.items() if contents.name == name)
        return next(named, self.folder_of.get(name, name))

    def known_labels(self, failure: Failure) -> set[str]:
        """Return the labels of a sample, and their folders; none if the source does not have it."""
        row = self.source.find(failure.sample)
        return set() if row is None else self.with_folders(row)

    def with_folders(self, row: int) -> set[str]:
        """Return the labels of a row, and their folders, such as `no3` for a 5."""
        labels = self.labels(row)
        return {*labels, *(self.folder_of[one] for one in labels if one in self.folder_of)}

    def must_be(self, row: int) -> Split | None:
        """Return the split that `split_by: source` requires for a row; None if there is none."""
        own = self.source.own_test
        if self.dataset.config.split_by != BY_SOURCE or own is None:
            return None
        held = self.source.own_validation
        if held is not None and held[row]:
            return VALIDATION
        return TEST if own[row] else TRAIN

    def find(self, identifier: str) -> int:
        """Return the row of a sample or an addition; raises `UserError` if there is none."""
        row = self.source.find(identifier)
        if row is None:
            additions = range(len(self.source.labels), len(self.dataset.images.labels))
            row = next((one for one in additions if self.identifier(one) == identifier), None)
        if row is None:
            raise UserError(f"{self.source.name} has no sample {identifier}")
        return row
