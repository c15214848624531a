"""Which row of the source goes into which split and folder.

Pure functions: no files, no network, no random numbers.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from scripts.build.order import Image, order
from scripts.inputs.config import ALL, Config
from scripts.inputs.problems import InputError, Problem
from scripts.inputs.strict_yaml import KEY
from scripts.sources.source import Source, classes

Split = Literal["train", "test"]
TRAIN: Split = "train"
TEST: Split = "test"
SPLITS: tuple[Split, ...] = (TRAIN, TEST)

# The number of the rule below. The lock records it, because another rule gives another split.
RULE = 2
# Five digits are enough for 100,000 rows; a larger source gets as many as it needs.
MIN_DIGITS = 5

Folders = dict[str, list[str]]


@dataclass(frozen=True)
class Selection:
    """The selected rows of the source.

    For each (split, folder) their numbers, in the order in which the split takes them.
    """

    rows: Mapping[tuple[Split, str], list[int]]
    digits: int

    def counts(self) -> dict[str, dict[str, int]]:
        """Return the number of images in each split and folder."""
        counts: dict[str, dict[str, int]] = {split: {} for split in SPLITS}
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
        return f"{row:0{self.digits}}.png"

    def splits(self) -> dict[int, Split]:
        """Return the split of each selected row."""
        return {row: split for (split, _), rows in self.rows.items() for row in rows}

    @cached_property
    def sha256(self) -> str:
        """The checksum of all file names; equal selections have equal checksums."""
        return hashlib.sha256("\n".join(sorted(self.files())).encode()).hexdigest()


def select(config: Config, source: Source) -> Selection:
    """Return which images of `source` the `config` asks for.

    The images of a folder form one line, in the order of their places. Train takes from its front,
    test from its back, so a folder of several classes (`no3`) has each of them in proportion to the
    source, and growing never moves an image while there are others left.

    Raises `InputError` with every problem.
    """
    folders, problems = _folders(config, source)
    rows: dict[tuple[Split, str], list[int]] = {}
    ordered = order(source, config.seed)
    for folder, labels in folders.items():
        line = sorted(image for label in labels for image in ordered[label])
        train, test = _dealt(config, folder, line)
        if train < 1:
            message = (
                f"test_size: all {train + test:,} samples of folder {folder} would be for test and"
                " none for train; it must be smaller than samples"
            )
            problems.append(config.problem(("test_size", folder), message))
        elif test < 1:
            message = (
                f"test_size: none of the {train:,} samples of folder {folder} would be for test; it"
                " must be larger"
            )
            problems.append(config.problem(("test_size", folder), message))
        if train + test > len(line):
            message = (
                f"samples: folder {folder} needs {train + test:,} images, but {source.name} has"
                f" only {len(line):,} for it"
            )
            problems.append(config.problem(("samples", folder), message))
        rows[TRAIN, folder] = [image.row for image in line[: max(train, 0)]]
        # The last image of the line is the first that test takes.
        rows[TEST, folder] = [image.row for image in line[::-1][:test]]
    if problems:
        raise InputError(problems)
    return Selection(rows, max(MIN_DIGITS, len(str(len(source.labels) - 1))))


def _dealt(config: Config, folder: str, line: Sequence[Image]) -> tuple[int, int]:
    """Return how many images of `line` are for train and how many for test.

    With all samples and a test fraction, an image's own place decides, so that leaving out another
    image never moves it.
    """
    if config.takes_all(folder) and (fraction := config.test_fraction(folder)):
        test = sum(image.place >= float(1 - fraction) for image in line)
        return len(line) - test, test
    return config.train_and_test(folder, len(line))


def _folders(config: Config, source: Source) -> tuple[Folders, list[Problem]]:
    """Return the dataset's folders, each with the classes that fill it, and what is wrong.

    Problems are classes that the source does not have, and sizes by folder that do not name exactly
    the folders there are. The folders are those that can be filled in spite of them.
    """
    known, desired = classes(source), config.class_
    listed = known if desired == ALL else [desired] if isinstance(desired, str) else desired
    problems = [
        config.problem(
            ("class", str(index)),
            f"class: {source.name} has no class {label!r}; it has {_some(known)}",
        )
        for index, label in enumerate(listed)
        if label not in known
    ]
    folders = {label: [label] for label in listed if label in known}
    if isinstance(desired, str) and desired != ALL and not problems:
        folders[f"no{desired}"] = [label for label in known if label != desired]
    if not problems:
        # Sizes by folder are compared with the folders that are meant only.
        problems += _wrong_folders(config, "samples", folders)
        problems += _wrong_folders(config, "test_size", folders)
    by_folder = [sizes for sizes in (config.samples, config.test_size) if isinstance(sizes, dict)]
    filled = {
        folder: labels
        for folder, labels in folders.items()
        if all(folder in sizes for sizes in by_folder)
    }
    return filled, problems


def _wrong_folders(config: Config, key: str, folders: Folders) -> Iterator[Problem]:
    by_folder = getattr(config, key)
    if not isinstance(by_folder, dict):
        return
    for name in by_folder.keys() - folders.keys():
        message = f"{key}: unknown folder {name!r}; the folders are {_some(folders)}"
        yield config.problem((key, name, KEY), message)
    if missing := [name for name in folders if name not in by_folder]:
        yield config.problem((key,), f"{key}: no value for {_some(missing)}")


def _some(names: Iterable[str], most: int = 12) -> str:
    names = list(names)
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
