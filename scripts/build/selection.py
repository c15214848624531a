"""Which sample goes into which split and folder.

Pure functions: no files, no network, no random numbers.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property

from scripts.build.deal import VALIDATION_END, Dealt, Wish, Zone, deal
from scripts.build.decisions import Decisions, decisions_of
from scripts.build.folders import folders_of
from scripts.build.order import Image, order
from scripts.inputs.additions import Addition
from scripts.inputs.config import SOURCE as BY_SOURCE
from scripts.inputs.config import SPLITS, TEST, TRAIN, VALIDATION, Config, Sizes, Split
from scripts.inputs.curation import NO_DECISIONS, Curation
from scripts.inputs.problems import InputError, Problem
from scripts.sources.extended import Extended
from scripts.sources.source import Source, Zones

# The number of the rule below. The lock records it, because another rule gives another split.
RULE = 2

Place = tuple[Split, str]


@dataclass(frozen=True)
class Selection:
    """The selected samples.

    `rows` holds, for each split and folder, their rows, in the order in which the split takes them;
    rows from the number of the source's on are additions. `identifiers` names them. `on_top` are
    pinned rows and additions that came in addition to the counts of the config; `left_out` are
    curated rows and additions whose class the dataset does not have.
    """

    rows: Mapping[Place, list[int]]
    identifiers: Mapping[int, str]
    on_top: frozenset[int] = frozenset()
    left_out: frozenset[int] = frozenset()
    splits: tuple[Split, ...] = (TRAIN, TEST)

    def counts(self) -> dict[str, dict[str, int]]:
        """Return the number of images in each split and folder."""
        counts: dict[str, dict[str, int]] = {split: {} for split in self.splits}
        for (split, folder), rows in self.rows.items():
            counts[split][folder] = len(rows)
        return counts

    def files(self) -> dict[str, int]:
        """Return the row behind each file name, such as `train/3/00007.png`."""
        return {
            f"{split}/{folder}/{self.name(row)}": row
            for (split, folder), rows in self.rows.items()
            for row in rows
        }

    def name(self, row: int) -> str:
        """Return the file name of a row, such as `00007.png`."""
        return f"{self.identifiers[row]}.png"

    def places(self) -> dict[int, Place]:
        """Return the split and folder of each selected row."""
        return {row: place for place, rows in self.rows.items() for row in rows}

    @cached_property
    def sha256(self) -> str:
        """The checksum of all file names; equal selections have equal checksums."""
        return hashlib.sha256("\n".join(sorted(self.files())).encode()).hexdigest()


def select(
    config: Config,
    source: Source,
    curation: Curation = NO_DECISIONS,
    additions: Sequence[Addition] = (),
) -> Selection:
    """Return which images of `source`, and which `additions`, belong to the dataset.

    The images of a folder form one line, in the order of their places. Train takes from its front,
    test from its back, so a folder of several classes (`no3`) has each of them in proportion to the
    source, and growing never moves an image while there are others left. Excluded images are not in
    the line. Then images with a new label change their folder; then pinned images that were not
    dealt, and additions, come on top.

    Raises `InputError` with every problem.
    """
    folders, problems = folders_of(config, source)
    decisions, wrong = decisions_of(curation, source, config.splits)
    problems += wrong
    if config.split_by == BY_SOURCE and source.own_test is None:
        message = f"split_by: {source.name} has no train and test sets of its own that are known"
        problems.append(config.problem(("split_by",), message))
    dealt: dict[Place, list[int]] = {}
    for name, labels in folders.items():
        folder = _Folder(config, source, name, labels, decisions)
        for split, images in folder.deal().items():
            if split in config.splits:
                dealt[split, name] = [image.row for image in images]
        problems += folder.problems
    if problems:
        raise InputError(problems)
    folder_of = {label: folder for folder, labels in folders.items() for label in labels}
    collected = _Collection(folder_of, {place: [] for place in dealt})
    collected.put_dealt(dealt, decisions.relabeled)
    collected.put_pinned(source, decisions)
    collected.put_additions(additions, len(source.labels))
    everything = Extended(source, additions)
    return Selection(
        collected.rows,
        {row: everything.identifier(row) for taken in collected.rows.values() for row in taken},
        frozenset(collected.on_top),
        frozenset(collected.left_out),
        config.splits,
    )


@dataclass(frozen=True)
class _Collection:
    """Rows by split and folder, as they are collected; `folder_of` names the folder of a label."""

    folder_of: Mapping[str, str]
    rows: dict[Place, list[int]]
    left_out: set[int] = field(default_factory=set)
    on_top: set[int] = field(default_factory=set)

    def put(self, row: int, split: Split, label: str, *, on_top: bool = False) -> None:
        """Put a row where its label belongs, or leave it out where there is no such folder."""
        if (folder := self.folder_of.get(label)) is None:
            self.left_out.add(row)
            return
        self.rows[split, folder].append(row)
        if on_top:
            self.on_top.add(row)

    def put_dealt(self, dealt: Mapping[Place, list[int]], relabeled: Mapping[int, str]) -> None:
        """Put what was dealt; an image with a new label stays in its split."""
        for place, taken in dealt.items():
            self.rows[place] += [row for row in taken if row not in relabeled]
        for (split, _), taken in dealt.items():
            for row in taken:
                if row in relabeled:
                    self.put(row, split, relabeled[row])

    def put_pinned(self, source: Source, decisions: Decisions) -> None:
        """Put the pinned rows that were not dealt."""
        there = {row for taken in self.rows.values() for row in taken} | self.left_out
        for row in sorted(decisions.pins.keys() - there):
            label = decisions.relabeled.get(row, str(source.labels[row]))
            self.put(row, decisions.pins[row], label, on_top=True)

    def put_additions(self, additions: Sequence[Addition], start: int) -> None:
        """Put the additions, whose rows begin at `start`."""
        for row, addition in enumerate(additions, start):
            self.put(row, addition.split, addition.label, on_top=True)


@dataclass(frozen=True)
class _Folder:
    """What the config asks for in one folder; `problems` is why it cannot be had."""

    config: Config
    source: Source
    name: str
    labels: Sequence[str]
    decisions: Decisions
    problems: list[Problem] = field(default_factory=list)

    def deal(self) -> Dealt:
        """Return the images of each split, and note what is wrong."""
        line = self._line()
        if self.config.split_by != BY_SOURCE:
            return self._from_one(line)
        own = self.source.own_test
        if own is None:
            return {}
        train = [image for image in line if not own[image.row]]
        return self._from_two(train, [image for image in line if own[image.row]])

    def _line(self) -> list[Image]:
        ordered = order(self.source, self.config.seed)
        return sorted(
            image
            for label in self.labels
            for image in ordered[label]
            if image.row not in self.decisions.excluded
        )

    def _from_one(self, line: list[Image]) -> Dealt:
        sizes = self.config.sizes(self.name, len(line))
        if self.config.takes_all(self.name):
            counts = {VALIDATION: sizes.validation, TEST: sizes.test}
            dealt = self._dealt(line, self._wish_for_all(line, counts), self._zone)
            self._check_sizes(_sizes_of(dealt))
            return dealt
        self._check_sizes(sizes)
        self._check_enough(sum(sizes), len(line))
        return self._dealt(line, Wish(dict(zip(SPLITS, sizes, strict=True))), self._zone)

    def _from_two(self, train: list[Image], test: list[Image]) -> Dealt:
        """Deal test from the source's own test set, the others from its train set."""
        sizes = self.config.sizes(self.name, len(train) + len(test))
        if self.config.takes_all(self.name):
            if self.config.fraction(TEST, self.name):
                self._note(
                    "test_size",
                    "with split_by: source and samples: all it must be a count; leave it out to"
                    " take the whole test set of the source",
                )
            sizes = sizes._replace(test=sizes.test or len(test))
            wish = self._wish_for_all(train, {VALIDATION: sizes.validation})
        else:
            wish = Wish({TRAIN: sizes.train, VALIDATION: sizes.validation})
            self._check_enough(sizes.train + sizes.validation, len(train), "the train set of ")
        self._check_enough(sizes.test, len(test), "the test set of ")
        of_train = self._dealt(
            train, replace(wish, validation_end=Fraction(1)), self._zone_of_own_train
        )
        of_test = self._dealt(test, Wish({TEST: sizes.test}), self._zone_of_own_test)
        dealt = {**of_train, TEST: of_test[TEST]}
        self._check_sizes(_sizes_of(dealt) if self.config.takes_all(self.name) else sizes)
        return dealt

    def _wish_for_all(self, line: list[Image], counts: Mapping[Split, int]) -> Wish:
        """Return the wish for all images: train gets what the others leave.

        Those are the splits of `counts`; a split whose size is a fraction is dealt by place.
        """
        fractions = {split: self.config.fraction(split, self.name) for split in counts}
        shares = {split: fraction for split, fraction in fractions.items() if fraction}
        counted = {split: count for split, count in counts.items() if split not in shares}
        return Wish({**counted, TRAIN: len(line)}, shares)

    def _dealt(self, line: list[Image], wish: Wish, zone: Zone) -> Dealt:
        return deal(line, wish, zone, self.decisions.pins)

    def _check_sizes(self, sizes: Sizes) -> None:
        """Note a split that would be empty."""
        total = sum(sizes)
        others = {TEST: sizes.test, VALIDATION: sizes.validation}
        if sizes.train < 1:
            split = TEST if sizes.test >= sizes.validation else VALIDATION
            self._note(
                f"{split}_size",
                f"all {total:,} samples of folder {self.name} would be for"
                f" {' or '.join(s for s in others if others[s])} and none for train; it must be"
                " smaller than samples",
            )
            return
        for split in self.config.splits[1:]:
            if others[split] < 1:
                self._note(
                    f"{split}_size",
                    f"none of the {total:,} samples of folder {self.name} would be for {split}; it"
                    " must be larger",
                )

    def _check_enough(self, wanted: int, available: int, part: str = "") -> None:
        if wanted > available:
            self._note(
                "samples",
                f"folder {self.name} needs {wanted:,} images, but {part}{self.source.name} has only"
                f" {available:,} for it",
            )

    def _note(self, key: str, message: str) -> None:
        self.problems.append(self.config.problem((key, self.name), f"{key}: {message}"))

    def _zone(self, image: Image) -> Split | None:
        if (zones := self._zones(image)) is None:
            return None
        if image.place >= zones.test:
            return TEST
        is_validation = zones.validation <= image.place < float(VALIDATION_END)
        return VALIDATION if is_validation else TRAIN

    def _zone_of_own_train(self, image: Image) -> Split | None:
        if (zones := self._zones(image)) is None:
            return None
        return VALIDATION if image.place >= zones.own_validation else TRAIN

    def _zone_of_own_test(self, image: Image) -> Split | None:
        return None if self._zones(image) is None else TEST

    def _zones(self, image: Image) -> Zones | None:
        """Return the zones of a closed batch, None in the open one."""
        return self.source.batches[image.batch].zones.get(str(self.source.labels[image.row]))


def _sizes_of(dealt: Dealt) -> Sizes:
    return Sizes(*(len(dealt[split]) for split in SPLITS))
