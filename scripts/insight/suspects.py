"""Suspects: samples whose label is contradicted by the images that are most similar.

Each neighbor votes for its label. Samples are ranked by the normalized margin of confident learning
(Northcutt, Jiang and Chuang 2021): the share of the votes for the label of the sample, less that of
the label with the most other votes. All numbers are integers and ties are decided by a rule, so the
result is the same on every machine.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from scripts.dataset import averages
from scripts.dataset.averages import NONE, Nearest
from scripts.dataset.dataset import Dataset
from scripts.dataset.distances import Ints
from scripts.dataset.order import distinct
from scripts.inputs.config import SPLITS, Split
from scripts.inputs.curation import EXCLUDE, RELABEL, Decision
from scripts.sources.source import NO_LABEL

# Of the 15 known wrong labels in the test set of MNIST, 9 are among the first 100 of its 10,000
# images with 10, 15 or 30 neighbors, 8 with 7, 20 or 50. With 15, a class of 8 images can win.
VOTES = 15
# A label with fewer other samples loses every vote, so its samples are not judged.
FEWEST = VOTES // 2 + 1
# The number of samples of each split that are returned.
MOST = 100
# The maximum number of compared pairs, of judged samples, and the number of others that each is
# compared with at least. So many pairs take two or three minutes on two cores.
MAX_PAIRS = 10_000_000_000
MAX_JUDGED, MIN_OTHERS = 100_000, 10_000
# Of so many images of the source, similar ones may contradict this share of the labels. Otherwise
# they say nothing about labels: 3 % of MNIST are contradicted, but 70 % of the photos of CIFAR-10,
# and 35 % of those of two of its classes.
CHECKED, MOST_CONTRADICTED = 500, 0.25

Labels = npt.NDArray[np.str_]
# The split and class of each selected row.
Places = Mapping[int, tuple[Split, str]]


class Similar(NamedTuple):
    """A similar sample: its row, and the squared distance of the averages of both."""

    row: int
    square: int


class Suspect(NamedTuple):
    """A sample, with the votes for its label, and for `suggested`, the other label with the most.

    `neighbors` are those that voted, nearest first.
    """

    row: int
    label: str
    suggested: str
    own: int
    other: int
    neighbors: tuple[Similar, ...]

    @property
    def why(self) -> str:
        """The votes, in words."""
        others = f"{self.other} of the {len(self.neighbors)} most similar images"
        verb = "is" if self.own == 1 else "are"
        return f"{others} are {self.suggested}, {self.own} {verb} {self.label}"


@dataclass(frozen=True)
class Suspects:
    """The samples with the lowest margins, lowest first, at most a number of each split.

    Of the `judged` samples, `count` have a label with fewer votes than another one. They were
    compared with `others` other samples. `small` samples are not judged, because their label has
    fewer than `FEWEST` others. Unless it `is_complete`, there were too many to judge all, or to
    compare with all. `contradicted` is the share of all labels in the source that are contradicted,
    estimated from some of them.
    """

    ranked: Sequence[Suspect] = ()
    count: int = 0
    judged: int = 0
    small: int = 0
    others: int = 0
    is_complete: bool = True
    contradicted: float = 0.0

    @property
    def is_telling(self) -> bool:
        """Whether similar images say something about the labels of this source."""
        return self.contradicted <= MOST_CONTRADICTED

    @property
    def worst(self) -> list[Suspect]:
        """Those whose label has fewer votes than another one."""
        return [one for one in self.ranked if one.own < one.other]

    def worst_by_split(self, places: Places) -> dict[Split, list[Suspect]]:
        """Return `worst` by split, test first, given the split and class of each row."""
        # SPLITS begins with train.
        found: dict[Split, list[Suspect]] = {split: [] for split in SPLITS[::-1]}
        for one in self.worst:
            found[places[one.row][0]].append(one)
        return found

    def worst_of_all(self, most: int) -> list[Suspect]:
        """Return the `most` with the lowest margins, of all splits."""
        return sorted(self.worst, key=lambda one: one.own - one.other)[:most]


def find(
    dataset: Dataset, rows: Iterable[int], limit: int = MAX_PAIRS, most: int = MOST
) -> Suspects:
    """Rank `rows` of `dataset` by how much the most similar images contradict their label.

    They are compared with all samples of the source that have a label and were not excluded, as far
    as `limit` pairs allow. Samples that were relabeled are not judged, because a person has
    decided. `most` samples of each split are returned.
    """
    labels, excluded, relabeled = _curated(dataset)
    wanted = np.array(sorted({*rows} - relabeled), np.int64)
    others = _others(dataset, labels, excluded)
    compared = _thinned(others, max(limit // max(1, len(wanted)), MIN_OTHERS))
    sizes = Counter(labels[compared].tolist())
    judged = _with_others(wanted, labels, sizes)
    if not len(judged):
        return Suspects(small=len(wanted))
    queries = _thinned(judged, min(MAX_JUDGED, max(1, limit // MIN_OTHERS)))
    checked = _thinned(_with_others(others, labels, sizes), CHECKED)
    is_complete = len(compared) == len(others) and len(queries) == len(judged)
    asked = np.union1d(queries, checked)
    # From now on in the order of the source, to read it sequentially.
    compared = np.sort(compared)
    votes = _Votes(asked, compared, labels, _nearest(dataset, asked, compared))
    return Suspects(
        ranked=votes.ranked(dataset.selection.places(), {*queries.tolist()}, most),
        count=votes.contradicted({*queries.tolist()}),
        judged=len(queries),
        small=len(wanted) - len(judged),
        others=len(compared),
        is_complete=is_complete,
        contradicted=votes.contradicted({*checked.tolist()}) / len(checked),
    )


def decision_of(dataset: Dataset, suspect: Suspect) -> Decision | None:
    """Return the row of the curation that relabels `suspect`; None for an addition.

    An addition gets another label when its file is moved.
    """
    if suspect.row >= len(dataset.source.labels):
        return None
    identifier = dataset.images.identifier(suspect.row)
    return Decision(identifier, RELABEL, suspect.label, suspect.suggested, suspect.why)


def in_words(found: Suspects) -> list[str]:
    """Return what was compared, and what was not."""
    lines = [
        f"Judged {found.judged:,} samples by the {VOTES} most similar of {found.others:,}: "
        f"{found.count:,} have a label with fewer votes than another one."
    ]
    if found.small:
        lines.append(
            f"Not judged: {found.small:,} samples whose label has fewer than {FEWEST} others."
        )
    if not found.is_complete:
        lines.append("There are too many samples to judge all, or to compare with all.")
    if not found.is_telling:
        lines.append(
            f"Similar images contradict {found.contradicted:.0%} of all labels of this source, so"
            " they say little about which are wrong. The predictions of a model say more."
        )
    return lines


def _curated(dataset: Dataset) -> tuple[Labels, set[int], set[int]]:
    """Return the label of each row, and the rows that are excluded and relabeled."""
    labels = dataset.images.labels.astype(object)
    excluded, relabeled = set(), set()
    for decision in dataset.inputs.curation.decisions:
        row = dataset.source.find(decision.sample)
        if row is not None and decision.action == EXCLUDE:
            excluded.add(row)
        elif row is not None and decision.action == RELABEL:
            labels[row] = decision.new_label
            relabeled.add(row)
    return labels.astype(np.str_), excluded, relabeled


def _others(dataset: Dataset, labels: Labels, excluded: set[int]) -> Ints:
    """Return the rows that vote, by label and then in the order of the source."""
    found = distinct(dataset.source)
    start = len(dataset.source.labels)
    rows = {*found.first.values(), *range(start, len(labels))} - found.ambiguous - excluded
    ordered = np.array(sorted(rows), np.int64)
    ordered = ordered[labels[ordered] != NO_LABEL]
    by_label: Ints = ordered[np.argsort(labels[ordered], kind="stable")]
    return by_label


def _with_others(rows: Ints, labels: Labels, sizes: Mapping[str, int]) -> Ints:
    """Return those of `rows` whose label has enough others to win a vote."""
    return rows[[sizes[str(label)] > FEWEST for label in labels[rows]]]


def _thinned(rows: Ints, most: int) -> Ints:
    """Return at most `most` of `rows`, at equal distances."""
    return rows if len(rows) <= most else rows[np.arange(most) * len(rows) // most]


def _nearest(dataset: Dataset, queries: Ints, others: Ints) -> Nearest:
    # Not resized ones: averages are the same for all sizes, and those of a source may be stored.
    rows = np.union1d(queries, others)
    levels = averages.averages_of(dataset.originals, rows.tolist())
    own: Ints = np.searchsorted(others, queries)
    own[others[np.minimum(own, len(others) - 1)] != queries] = NONE
    of_queries, of_others = (levels[np.searchsorted(rows, some)] for some in (queries, others))
    return averages.nearest(of_queries, of_others, VOTES, own)


class _Votes:
    """The votes on each query, by the labels of its nearest ones."""

    def __init__(self, queries: Ints, others: Ints, labels: Labels, found: Nearest) -> None:
        self._queries, self._others, self._labels, self._found = queries, others, labels, found
        by_place = labels[others]
        self._votes = [
            self._counted(str(label), by_place[places[places != NONE]].tolist())
            for label, places in zip(labels[queries], found.places, strict=True)
        ]

    def contradicted(self, some: Set[int]) -> int:
        """Return how many of the queries in `some` have a label with fewer votes than another."""
        votes = zip(self._queries.tolist(), self._votes, strict=True)
        return sum(own < other for row, (own, other, _) in votes if row in some)

    def ranked(self, places: Places, some: Set[int], most: int) -> list[Suspect]:
        """Return the `most` queries in `some` of each split that others contradict most."""
        rows, nearest = self._queries.tolist(), self._found.squares[:, 0].tolist()
        # Of equal margins, the one first that is nearest to any other image, and then by row.
        order = sorted(
            (own - other, nearest[at], rows[at], at)
            for at, (own, other, _) in enumerate(self._votes)
            if other and rows[at] in some
        )
        seen: Counter[str] = Counter()
        chosen = []
        for *_, row, at in order:
            split = places[row][0]
            seen[split] += 1
            if seen[split] <= most:
                chosen.append(self._suspect(at))
        return chosen

    def _suspect(self, at: int) -> Suspect:
        row, (own, other, suggested) = int(self._queries[at]), self._votes[at]
        places, squares = (part[at] for part in self._found)
        near = map(
            Similar, self._others[places[places != NONE]].tolist(), squares[places != NONE].tolist()
        )
        return Suspect(row, str(self._labels[row]), suggested, own, other, tuple(near))

    @staticmethod
    def _counted(label: str, names: Sequence[str]) -> tuple[int, int, str]:
        """Return the votes for `label`, and for the other one with the most votes, and that."""
        votes = Counter(names)
        own = votes.pop(label, 0)
        # Of labels with equally many votes, the one of the nearest image, which was counted first.
        suggested, other = votes.most_common(1)[0] if votes else (label, 0)
        return own, other, suggested
