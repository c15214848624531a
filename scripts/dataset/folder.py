"""One folder of the dataset: the division of its images into splits."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

from scripts.dataset.deal import Dealt, Wish, deal, zone, zone_of_own_train
from scripts.dataset.decisions import Decisions
from scripts.dataset.empty import Empty
from scripts.dataset.groups import Groups
from scripts.dataset.groups import deal as deal_groups
from scripts.dataset.order import Image, order
from scripts.inputs.config import SOURCE as BY_SOURCE
from scripts.inputs.config import SPLITS, TEST, TRAIN, VALIDATION, Config, Sizes, Split
from scripts.inputs.paths import CURATION_FILE
from scripts.inputs.problems import Problem
from scripts.sources.source import Source, Zones

Line = Sequence[Image]


@dataclass(frozen=True)
class DatasetFolder:
    """One folder of the config, which calls it `name`.

    `problems` are its errors, `empty` are splits without images.
    """

    config: Config
    source: Source
    name: str
    labels: Sequence[str]
    decisions: Decisions
    groups: Groups | None = None
    problems: list[Problem] = field(default_factory=list)
    empty: list[Empty] = field(default_factory=list)

    def deal(self) -> Dealt:
        """Return the images of each split, and add problems."""
        line = self._line()
        if self.groups is not None:
            return self._from_groups(line, self.groups)
        if self.config.split_by != BY_SOURCE:
            return self._from_one(line)
        own = self.source.own_test
        if own is None:
            return {}
        held = self.source.own_validation
        others = [image for image in line if not own[image.row]]
        test = [image for image in line if own[image.row]]
        if held is None:
            return self._from_two(others, test)
        train = [image for image in others if not held[image.row]]
        return self._from_three(train, [one for one in others if held[one.row]], test)

    @property
    def _takes_all(self) -> bool:
        return self.config.takes_all(self.name)

    @property
    def _may_be_small(self) -> bool:
        return self.config.small_classes is not None

    def _line(self) -> Line:
        ordered = order(self.source, self.config.seed)
        line = sorted(image for label in self.labels for image in ordered[label])
        if excluded := self.decisions.excluded:
            return [image for image in line if image.row not in excluded]
        return line

    def _from_one(self, line: Line) -> Dealt:
        sizes = self.config.sizes(self.name, len(line))
        if self._takes_all:
            wish = self._wish_for_all(line, {VALIDATION: sizes.validation, TEST: sizes.test})
        else:
            wish = Wish(dict(zip(SPLITS, sizes, strict=True)))
            self._check_enough("samples", sum(sizes), len(line))
        dealt = self._dealt(line, wish, zone)
        if self._may_be_small and not dealt[TRAIN]:
            dealt = self._dealt(line, Wish({TRAIN: len(line)}), lambda *_: TRAIN)
        self._check_sizes(sizes, dealt)
        return dealt

    def _from_two(self, train: Line, test: Line) -> Dealt:
        """Deal test from the test set of the source, the others from its train set."""
        for part, images in ((TRAIN, train), (TEST, test)):
            if not images and not (part == TEST and self._may_be_small):
                message = f"the {part} set of {self.source.name} has no images for folder"
                self._note("split_by", f"{message} {self.name}")
                return {}
        sizes = self.config.sizes(self.name, len(train) + len(test))
        if self._takes_all:
            if self.config.fraction(TEST, self.name):
                self._note(
                    "test_size",
                    "with split_by: source and samples: all it must be a count; leave it out to"
                    " take the whole test set of the source",
                )
                return {}
            wish = self._wish_for_all(train, {VALIDATION: sizes.validation})
        else:
            wish = Wish({TRAIN: sizes.train, VALIDATION: sizes.validation})
            of_train = sizes.train + sizes.validation
            self._check_enough("samples", of_train, len(train), "the train set of ")
        self._check_enough("test_size", sizes.test, len(test), "the test set of ")
        # No images follow validation here.
        wish = replace(wish, validation_end=Fraction(1))
        of_test = Wish({TEST: sizes.test or len(test)})
        dealt = self._dealt(train, wish, zone_of_own_train)
        dealt[TEST] = self._dealt(test, of_test, lambda *_: TEST)[TEST]
        self._check_sizes(sizes, dealt)
        return dealt

    def _from_three(self, train: Line, validation: Line, test: Line) -> Dealt:
        """Deal each split from the source's own set: the count in the config, or all of it."""
        sets = {TRAIN: train, VALIDATION: validation, TEST: test}
        sizes = self.config.sizes(self.name, sum(map(len, sets.values())))._asdict()
        dealt: Dealt = {}
        for split, images in sets.items():
            if split not in self.config.splits:
                continue
            key = "samples" if split == TRAIN else f"{split}_size"
            if split != TRAIN and self.config.fraction(split, self.name):
                self._note(key, f"the source has a {split} set; take a count or all of it")
            takes_all = self._takes_all if split == TRAIN else not sizes[split]
            size = len(images) if takes_all else sizes[split]
            self._check_enough(key, max(size, 1), len(images), f"the {split} set of ")
            own = self._dealt(images, Wish({split: size}), lambda *_, of=split: of)
            dealt[split] = own[split]
        return dealt

    def _from_groups(self, line: Line, groups: Groups) -> Dealt:
        """Deal each image to the split of its group."""
        sizes = self.config.sizes(self.name, len(line))
        counts = Sizes(*[len(line)] * len(SPLITS)) if self._takes_all else sizes
        dealt = deal_groups(groups.line(line), groups, dict(zip(SPLITS, counts, strict=True)))
        found = Sizes(*(len(dealt[split]) for split in SPLITS))
        for split, size, count in zip(SPLITS, sizes, found, strict=True):
            if split not in self.config.splits or (self._may_be_small and split != TRAIN):
                continue
            if not count:
                self._note_empty_of_groups(split, len(line))
            elif count < size and not self._takes_all:
                self._note(
                    "samples" if split == TRAIN else f"{split}_size",
                    f"folder {self.name} needs {max(size, 1):,} images for {split}, but the groups"
                    f" for {split} have {count:,}; ask for fewer samples, or add groups",
                )
        return dealt

    def _wish_for_all(self, line: Line, counts: Mapping[Split, int]) -> Wish:
        """Return the wish for all images: train gets the rest.

        Those are the splits of `counts`; a split whose size is a fraction is dealt by place.
        """
        fractions = {split: self.config.fraction(split, self.name) for split in counts}
        shares = {split: fraction for split, fraction in fractions.items() if fraction}
        counted = {split: count for split, count in counts.items() if split not in shares}
        return Wish({TRAIN: len(line), **counted}, shares)

    def _dealt(self, line: Line, wish: Wish, zone_of: Callable[[Zones, float], Split]) -> Dealt:
        """Deal `line`; `zone_of` returns the split in whose zone a place of a closed batch is."""
        labels, batches = self.source.labels, self.source.batches
        closed = [batch.zones for batch in batches]
        zones = {
            image.row: zone_of(found, image.place)
            for image in (line if any(closed) else ())
            if (found := closed[image.batch].get(str(labels[image.row])))
        }
        return deal(line, wish, zones, self.decisions.pins)

    def _check_sizes(self, asked: Sizes, dealt: Dealt) -> None:
        """Add a problem for a split that would be empty or too small."""
        found = Sizes(*(len(dealt[split]) for split in SPLITS))
        self._check_not_empty(found if self._takes_all else asked)
        if self.problems or self.empty:
            return
        for split, size, count in zip(SPLITS, asked, found, strict=True):
            is_rest = split == TRAIN or self.config.fraction(split, self.name)
            if count < size and not (self._takes_all and is_rest):
                # There are enough images: `_check_enough` has added no problem.
                self._note(
                    "samples" if split == TRAIN else f"{split}_size",
                    f"folder {self.name} needs {size:,} images for {split}, but only {count:,} are "
                    f"left for it, because others are pinned to another split",
                )

    def _check_not_empty(self, sizes: Sizes) -> None:
        total = sum(sizes)
        others = {TEST: sizes.test, VALIDATION: sizes.validation}
        if not total:
            self._note("samples", f"{self.source.name} has no images for folder {self.name}")
            return
        if sizes.train < 1:
            split = TEST if sizes.test >= sizes.validation else VALIDATION
            end = (
                f"would be for {' or '.join(s for s in others if others[s])} and none for train; it"
                " must be smaller than samples"
            )
            one, many = f"all {total:,} samples of folder {self.name}", "all samples of {} folders"
            self._note_empty(split, total, f"{one} {end}", f"{many} {end}")
            return
        for split in () if self._may_be_small else self.config.splits[1:]:
            if others[split] < 1:
                end = f"would be for {split}; it must be larger"
                one = f"none of the {total:,} samples of folder {self.name}"
                self._note_empty(split, total, f"{one} {end}", f"no samples of {{}} folders {end}")

    def _note_empty_of_groups(self, split: Split, total: int) -> None:
        one = f"none of the groups of the {total:,} samples of folder {self.name}"
        end = f"is for {split}; add groups"
        self._note_empty(split, total, f"{one} {end}", f"none of the groups of {{}} folders {end}")

    def _note_empty(self, split: Split, total: int, one: str, many: str) -> None:
        key = "samples" if split == TRAIN else f"{split}_size"
        self.empty.append(Empty(key, self.name, total, one, many))

    def _check_enough(self, key: str, wanted: int, available: int, part: str = "") -> None:
        if wanted > available:
            self._note(
                key,
                f"folder {self.name} needs {wanted:,} images, but {part}{self.source.name} has only"
                f" {available:,} for it{self._excluded()}",
            )

    def _excluded(self) -> str:
        """Return in words how many images of the folder are excluded."""
        labels = self.source.labels
        count = sum(str(labels[row]) in self.labels for row in self.decisions.excluded)
        return f" (without {count:,} that {CURATION_FILE} excludes)" if count else ""

    def _note(self, key: str, message: str) -> None:
        self.problems.append(self.config.problem((key, self.name), f"{key}: {message}"))
