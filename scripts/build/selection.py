"""Which row of the source goes into which split and folder.

Pure functions: no files, no network, no random numbers.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Literal

from scripts.inputs.config import ALL, Config
from scripts.inputs.problems import InputError, Problem
from scripts.inputs.strict_yaml import KEY
from scripts.sources.source import Source, classes

Split = Literal["train", "test"]
TRAIN: Split = "train"
TEST: Split = "test"
SPLITS: tuple[Split, ...] = (TRAIN, TEST)

# Five digits are enough for 100,000 rows; a larger source gets as many as it needs.
MIN_DIGITS = 5

Folders = dict[str, list[str]]


@dataclass(frozen=True)
class Selection:
    """The selected rows of the source: for each (split, folder) their numbers, ascending."""

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
            f"{split}/{folder}/{row:0{self.digits}}.png": row
            for (split, folder), rows in self.rows.items()
            for row in rows
        }

    def splits(self) -> dict[int, Split]:
        """Return the split of each selected row."""
        return {row: split for (split, _), rows in self.rows.items() for row in rows}

    @cached_property
    def sha256(self) -> str:
        """The checksum of all file names; equal selections have equal checksums."""
        return hashlib.sha256("\n".join(sorted(self.files())).encode()).hexdigest()


class Pool:
    """The ranked rows of one class; train takes from the front, test from the back.

    Neither end ever moves, so a growing dataset keeps every sample in its split. Identical images
    share a rank, and a rank is never used on both sides.
    """

    def __init__(self, ranked: list[tuple[bytes, int]]) -> None:
        """Use `ranked`, pairs of rank and row in ascending order."""
        self.ranked = ranked
        self.taken = {TRAIN: 0, TEST: 0}

    def take(self, split: Split) -> bool:
        """Give `split` its next row; return False when the pool has none left for it."""
        front, back = self.taken[TRAIN], len(self.ranked) - self.taken[TEST] - 1
        if front > back or self._other_side_has(split, front, back):
            return False
        self.taken[split] += 1
        return True

    def rows(self, split: Split) -> list[int]:
        """Return the rows given to `split`."""
        count = self.taken[split]
        part = self.ranked[:count] if split == TRAIN else self.ranked[len(self.ranked) - count :]
        return [row for _, row in part]

    def _other_side_has(self, split: Split, front: int, back: int) -> bool:
        mine, other = (front, back + 1) if split == TRAIN else (back, front - 1)
        return 0 <= other < len(self.ranked) and self.ranked[mine][0] == self.ranked[other][0]


def select(config: Config, source: Source) -> Selection:
    """Return which rows of `source` the `config` asks for.

    A row's rank in its class is the SHA-256 of the seed and its pixels. A folder of several classes
    (`no3`) draws from them in turn and skips those that have no images left.

    Raises `InputError` with every problem.
    """
    folders = folders_of(config, source)
    ranking = rank(source, config.seed)
    problems: list[Problem] = []
    rows: dict[tuple[Split, str], list[int]] = {}
    for folder, labels in folders.items():
        train, test = config.train_and_test(folder)
        if train < 1:
            message = (
                f"test_size: all {test:,} samples of folder {folder} would be for test and none for"
                " train; it must be smaller than samples"
            )
            problems.append(config.problem(("test_size", folder), message))
        pools = [Pool(ranking[label]) for label in labels]
        drawn = _draw(pools, config, folder, train + test)
        if drawn < train + test:
            message = (
                f"samples: folder {folder} needs {train + test:,} images, but {source.name} has"
                f" only {drawn:,} for it"
            )
            problems.append(config.problem(("samples", folder), message))
        for split in SPLITS:
            rows[split, folder] = sorted(row for pool in pools for row in pool.rows(split))
    if problems:
        raise InputError(problems)
    return Selection(rows, max(MIN_DIGITS, len(str(len(source.labels) - 1))))


def folders_of(config: Config, source: Source) -> Folders:
    """Return the dataset's folders, each with the classes that fill it.

    Raises `InputError` for a class that the source does not have, and for sizes by folder that do
    not name exactly the folders there are.
    """
    known, desired = classes(source), config.class_
    listed = known if desired == ALL else [desired] if isinstance(desired, str) else desired
    unknown = [
        config.problem(
            ("class", str(index)),
            f"class: {source.name} has no class {label!r}; it has {_some(known)}",
        )
        for index, label in enumerate(listed)
        if label not in known
    ]
    if unknown:
        raise InputError(unknown)
    folders = {label: [label] for label in listed}
    if isinstance(desired, str) and desired != ALL:
        folders[f"no{desired}"] = [label for label in known if label != desired]
    problems = [
        *_wrong_folders(config, "samples", folders),
        *_wrong_folders(config, "test_size", folders),
    ]
    if problems:
        raise InputError(problems)
    return folders


@lru_cache(maxsize=4)
def rank(source: Source, seed: int) -> dict[str, list[tuple[bytes, int]]]:
    """Return the rows of each class in the order of the hash of (seed, pixels), with that hash.

    An image that the source has under two labels is left out of both.
    """
    prefix, labels = f"{seed}:".encode(), source.labels.tolist()
    keys = [
        hashlib.sha256(prefix + source.image(row).tobytes()).digest() for row in range(len(labels))
    ]
    ambiguous = _ambiguous(keys, labels)
    ranking: dict[str, list[tuple[bytes, int]]] = {label: [] for label in classes(source)}
    for row, (key, label) in enumerate(zip(keys, labels, strict=True)):
        if key not in ambiguous:
            ranking[label].append((key, row))
    for pairs in ranking.values():
        pairs.sort()
    return ranking


def _ambiguous(digests: list[bytes], labels: list[str]) -> set[bytes]:
    """Return the digests that have more than one label."""
    label_of: dict[bytes, str] = {}
    return {
        digest
        for digest, label in zip(digests, labels, strict=True)
        if label_of.setdefault(digest, label) != label
    }


def _draw(pools: list[Pool], config: Config, folder: str, count: int) -> int:
    """Take `count` rows from `pools`, one at a time; return how many there were.

    One at a time, so that the draws for a larger count begin with those for a smaller one, even
    when a pool is used up.
    """
    turns = dict.fromkeys(SPLITS, 0)
    for drawn, split in enumerate(_order(config, folder, count)):
        for _ in pools:
            pool = pools[turns[split] % len(pools)]
            turns[split] += 1
            if pool.take(split):
                break
        else:
            return drawn
    return count


def _order(config: Config, folder: str, count: int) -> Iterator[Split]:
    """Yield the split of each of `folder`'s draws.

    A test count comes first, as a block; a test fraction is spread evenly. Either way the order
    for a larger `count` continues the one for a smaller.
    """
    before = 0
    for drawn in range(1, count + 1):
        test = config.test_count(folder, drawn)
        yield TEST if test > before else TRAIN
        before = test


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
