"""The selection of samples for each split and folder.

Pure functions: no files, no network, no random numbers.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Self

from scripts.dataset import added_groups, empty, png
from scripts.dataset.additions import problems_of
from scripts.dataset.decisions import Decisions, decisions_of
from scripts.dataset.empty import Empty
from scripts.dataset.encoding import encoding_of
from scripts.dataset.folder import DatasetFolder
from scripts.dataset.folders import Folders, folders_of, with_classes
from scripts.dataset.groups import Groups, groups_of
from scripts.dataset.groups import problems_of as pins_against_groups
from scripts.inputs.additions import Addition
from scripts.inputs.config import SOURCE as BY_SOURCE
from scripts.inputs.config import TEST, TRAIN, Config, Split
from scripts.inputs.curation import NO_DECISIONS, Curation
from scripts.inputs.image_name import ImageName
from scripts.inputs.problems import InputError, Problem
from scripts.sources.extended import Extended
from scripts.sources.source import Source

# The number of the selection rule. The lock records it, because another rule gives another split.
RULE = 2

Place = tuple[Split, str]


@dataclass(frozen=True, eq=False)
class Identifiers(Mapping[int, str]):
    """The identifiers of `rows`, created on access, because there can be millions."""

    rows: Mapping[Place, Sequence[int]]
    identifier: Callable[[int], str]

    def __getitem__(self, row: int) -> str:
        """Return the identifier of a row."""
        return self.identifier(row)

    def __iter__(self) -> Iterator[int]:
        """Yield all rows."""
        return (row for taken in self.rows.values() for row in taken)

    def __len__(self) -> int:
        """The number of rows."""
        return sum(map(len, self.rows.values()))


@dataclass(frozen=True)
class Selection:
    """The selected samples.

    `rows` holds, for each split and folder, their rows, in the order in which the split takes them;
    rows from the number of the source's on are additions. `identifiers` and `ending` name their
    files. `on_top` are pinned rows and additions that came in addition to the counts of the config;
    `left_out` are curated rows and additions whose class the dataset does not have. `dealt` is how
    many images each split and folder got before relabels changed that; `kept` is how many of these,
    which come first, have their label still. What follows them is there because people said so.
    """

    rows: Mapping[Place, list[int]]
    identifiers: Mapping[int, str]
    ending: Callable[[int], str] = field(default=lambda _: png.ENDING, compare=False)
    on_top: frozenset[int] = frozenset()
    left_out: frozenset[int] = frozenset()
    splits: tuple[Split, ...] = (TRAIN, TEST)
    dealt: Mapping[Place, int] = field(default_factory=dict)
    kept: Mapping[Place, int] = field(default_factory=dict)

    def counts(self) -> dict[str, dict[str, int]]:
        """Return the number of images in each split and folder."""
        counts: dict[str, dict[str, int]] = {split: {} for split in self.splits}
        for (split, folder), rows in self.rows.items():
            counts[split][folder] = len(rows)
        return counts

    def files(self) -> Mapping[str, int]:
        """Return the row behind each file name, such as `train/3/00007.png`."""
        return self._files

    @cached_property
    def _files(self) -> dict[str, int]:
        return {
            str(ImageName(*place, self.identifiers[row], self.ending(row))): row
            for place, rows in self.rows.items()
            for row in rows
        }

    def places(self) -> dict[int, Place]:
        """Return the split and folder of each selected row."""
        return {row: place for place, rows in self.rows.items() for row in rows}

    @property
    def listing(self) -> bytes:
        """All file names, sorted; a version in Parquet has it as a record."""
        return "\n".join(sorted(self._files)).encode()

    @cached_property
    def sha256(self) -> str:
        """The checksum of all file names; equal selections have equal checksums."""
        return hashlib.sha256(self.listing).hexdigest()


def select(
    config: Config,
    source: Source,
    curation: Curation = NO_DECISIONS,
    additions: Sequence[Addition] = (),
) -> Selection:
    """Select images of `source` and add `additions`.

    The images of a folder form one line, in the order of their places. Train takes from its front,
    test from its back, so a folder of several classes (`no3`) has them in the proportions of the
    source, and growing never moves an image while there are unused ones. Excluded images are not in
    the line. Then relabels change folders; pinned images that were not dealt and additions follow.
    Raises `InputError` with every problem.
    """
    folders, problems = folders_of(config, source)
    additions = with_classes(additions, source)
    decisions, wrong = decisions_of(curation, source, config.splits)
    problems += [*wrong, *problems_of(additions, source, config)]
    groups = groups_of(source, config) if config.group_by else None
    if groups:
        problems += pins_against_groups(curation, source, groups)
        problems += added_groups.problems_of(additions, source, config, groups)
    dealt, wrong = _dealt(config, source, folders, decisions, groups)
    if problems := problems + wrong:
        raise InputError(problems)
    collected = _Collection.of(folders, dealt)
    kept = collected.put_dealt(dealt, decisions.relabeled)
    collected.put_pinned(source, decisions)
    images = Extended(source, additions)
    collected.put_additions(images)
    return Selection(
        collected.rows,
        Identifiers(collected.rows, images.identifier),
        partial(encoding_of(config).ending, images),
        frozenset(collected.on_top),
        frozenset(collected.left_out),
        config.splits,
        {place: len(rows) for place, rows in dealt.items()},
        kept,
    )


def _dealt(
    config: Config,
    source: Source,
    folders: Folders,
    decisions: Decisions,
    groups: Groups | None,
) -> tuple[dict[Place, list[int]], list[Problem]]:
    """Return the rows that each split and folder is dealt, and what is wrong with that."""
    problems: list[Problem] = []
    empties: list[Empty] = []
    if config.split_by == BY_SOURCE and source.own_test is None:
        message = f"split_by: {source.name} has no known train and test sets"
        problems.append(config.problem(("split_by",), message))
    dealt: dict[Place, list[int]] = {}
    for name, contents in folders.items():
        folder = DatasetFolder(config, source, *contents, decisions, groups)
        for split, images in folder.deal().items():
            if split in config.splits:
                dealt[split, name] = [image.row for image in images]
        problems += folder.problems
        empties += folder.empty
    return dealt, [*problems, *empty.problems_of(empties, config)]


@dataclass(frozen=True)
class _Collection:
    """Collects rows by split and folder; `folder_of` is the folder of each label."""

    folder_of: Mapping[str, str]
    rows: dict[Place, list[int]]
    left_out: set[int] = field(default_factory=set)
    on_top: set[int] = field(default_factory=set)

    @classmethod
    def of(cls, folders: Folders, places: Iterable[Place]) -> Self:
        """Return an empty collection for `places` in `folders`."""
        folder_of = {label: folder for folder, one in folders.items() for label in one.labels}
        return cls(folder_of, {place: [] for place in places})

    def put(self, row: int, split: Split, label: str, *, on_top: bool = False) -> None:
        """Add a row to the folder of its label, or leave it out if there is none."""
        if (folder := self.folder_of.get(label)) is None:
            self.left_out.add(row)
            return
        self.rows[split, folder].append(row)
        if on_top:
            self.on_top.add(row)

    def put_dealt(
        self, dealt: Mapping[Place, list[int]], relabeled: Mapping[int, str]
    ) -> dict[Place, int]:
        """Add the dealt rows; an image with a new label stays in its split.

        Returns the number of rows without a new label.
        """
        for place, taken in dealt.items():
            self.rows[place] += [row for row in taken if row not in relabeled]
        kept = {place: len(rows) for place, rows in self.rows.items()}
        for (split, _), taken in dealt.items():
            for row in taken:
                if row in relabeled:
                    self.put(row, split, relabeled[row])
        return kept

    def put_pinned(self, source: Source, decisions: Decisions) -> None:
        """Add the pinned rows that were not dealt."""
        there = {row for taken in self.rows.values() for row in taken} | self.left_out
        for row in sorted(decisions.pins.keys() - there):
            label = decisions.relabeled.get(row, str(source.labels[row]))
            self.put(row, decisions.pins[row], label, on_top=True)

    def put_additions(self, images: Extended) -> None:
        """Add the additions, whose rows follow those of the source."""
        for row, addition in enumerate(images.additions, len(images.source.labels)):
            self.put(row, addition.split, addition.label, on_top=True)
