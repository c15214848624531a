"""Which row of the source goes where. Pure functions: no files, no network, no random stream."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Literal

from scripts.config import Config, Location
from scripts.source import Source

Split = Literal["train", "test"]
TRAIN: Split = "train"
TEST: Split = "test"
SPLITS: tuple[Split, ...] = (TRAIN, TEST)
ALL = "all"

# Five digits are enough for 100,000 rows; a larger source gets as many as it needs.
MIN_DIGITS = 5

Folders = dict[str, list[str]]


@dataclass(frozen=True)
class Selection:
    """The chosen rows of the source: for each (split, folder) their numbers, ascending."""

    rows: Mapping[tuple[Split, str], list[int]]
    digits: int

    def counts(self) -> dict[str, dict[str, int]]:
        """Return how many images each split and folder holds."""
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
        """Return the split that each chosen row is in."""
        return {row: split for (split, _), rows in self.rows.items() for row in rows}

    @cached_property
    def sha256(self) -> str:
        """The checksum of all file names: two equal selections have the same."""
        return hashlib.sha256("\n".join(sorted(self.files())).encode()).hexdigest()


class Pool:
    """The rows of one class, ranked; train takes from the front, test from the back.

    Because neither end ever moves, a growing dataset keeps every sample where it is. Identical
    images share a rank, and one rank never gives to both sides.
    """

    def __init__(self, ranked: list[tuple[bytes, int]]) -> None:
        """Hold `ranked`, pairs of rank and row in ascending order."""
        self.ranked = ranked
        self.taken = {TRAIN: 0, TEST: 0}

    def take(self, split: Split) -> bool:
        """Give `split` its next row; False when the pool has none for it."""
        front, back = self.taken[TRAIN], len(self.ranked) - self.taken[TEST] - 1
        if front > back or self._other_side_has(split, front, back):
            return False
        self.taken[split] += 1
        return True

    def rows(self, split: Split) -> list[int]:
        """Return the rows that were given to `split`."""
        count = self.taken[split]
        chosen = self.ranked[:count] if split == TRAIN else self.ranked[len(self.ranked) - count :]
        return [row for _, row in chosen]

    def _other_side_has(self, split: Split, front: int, back: int) -> bool:
        mine, other = (front, back + 1) if split == TRAIN else (back, front - 1)
        return 0 <= other < len(self.ranked) and self.ranked[mine][0] == self.ranked[other][0]


def select(config: Config, source: Source) -> Selection:
    """Return which rows of `source` the `config` asks for.

    A row's rank in its class is the SHA-256 of the seed and its pixels. A folder that several
    classes share (`no3`) draws from them in turn, and passes over those that have run out.

    Raises `ConfigError` with everything that the source cannot give.
    """
    folders = folders_of(config, source)
    ranking = rank(source, config.seed)
    problems: list[tuple[Location, str]] = []
    rows: dict[tuple[Split, str], list[int]] = {}
    for folder, classes in folders.items():
        train, test = config.train_and_test(folder)
        if train < 1:
            message = (
                f"test_size: all {test:,} samples of folder {folder} would be for test and none to"
                " train on; it must be smaller than samples"
            )
            problems.append((("test_size", folder), message))
        pools = [Pool(ranking[label]) for label in classes]
        drawn = _draw(pools, config, folder, train + test)
        if drawn < train + test:
            message = (
                f"samples: {train + test:,} for folder {folder} are more than the"
                f" {drawn:,} that {source.name} can give it"
            )
            problems.append((("samples", folder), message))
        for split in SPLITS:
            rows[split, folder] = sorted(row for pool in pools for row in pool.rows(split))
    if problems:
        raise config.error(*problems)
    return Selection(rows, max(MIN_DIGITS, len(str(len(source.labels) - 1))))


def folders_of(config: Config, source: Source) -> Folders:
    """Return the dataset's folders, each with the classes that fill it.

    Raises `ConfigError` for a class that the source does not have, and for sizes by folder that
    do not name exactly the folders there are.
    """
    known, wanted = source.classes, config.class_
    listed = known if wanted == ALL else [wanted] if isinstance(wanted, str) else wanted
    unknown: list[tuple[Location, str]] = [
        (
            ("class", str(index)),
            f"class: {source.name} has no class {label!r}; it has {_some(known)}",
        )
        for index, label in enumerate(listed)
        if label not in known
    ]
    if unknown:
        raise config.error(*unknown)
    folders = {label: [label] for label in listed}
    if isinstance(wanted, str) and wanted != ALL:
        folders[f"no{wanted}"] = [label for label in known if label != wanted]
    problems = [
        *_wrong_folders(config, "samples", folders),
        *_wrong_folders(config, "test_size", folders),
    ]
    if problems:
        raise config.error(*problems)
    return folders


@lru_cache(maxsize=4)
def rank(source: Source, seed: int) -> dict[str, list[tuple[bytes, int]]]:
    """Return the rows of each class in the order of the hash of (seed, pixels), with that hash.

    An image that the source shows under two labels is an example of neither and left out.
    """
    prefix, pixels = f"{seed}:".encode(), source.pixels.tobytes()
    size = source.pixels[0].size
    digests = [
        hashlib.sha256(prefix + pixels[start : start + size]).digest()
        for start in range(0, len(pixels), size)
    ]
    labels = source.labels.tolist()
    ambiguous = _ambiguous(digests, labels)
    ranking: dict[str, list[tuple[bytes, int]]] = {label: [] for label in source.classes}
    for row, (digest, label) in enumerate(zip(digests, labels, strict=True)):
        if digest not in ambiguous:
            ranking[label].append((digest, row))
    for pairs in ranking.values():
        pairs.sort()
    return ranking


def _ambiguous(digests: list[bytes], labels: list[str]) -> set[bytes]:
    """Return the digests that stand under more than one label."""
    label_of: dict[bytes, str] = {}
    return {
        digest
        for digest, label in zip(digests, labels, strict=True)
        if label_of.setdefault(digest, label) != label
    }


def _draw(pools: list[Pool], config: Config, folder: str, count: int) -> int:
    """Give `count` rows out of `pools`, one at a time; return how many there were.

    One at a time, so that the draws for a larger count begin with those for a smaller one, even
    when some pool has run out by then.
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

    A test count comes first as a block; a test fraction is mixed in at its even pace. Either way
    the order for a larger `count` continues the one for a smaller.
    """
    before = 0
    for drawn in range(1, count + 1):
        test = config.test_count(folder, drawn)
        yield TEST if test > before else TRAIN
        before = test


def _wrong_folders(config: Config, key: str, folders: Folders) -> Iterator[tuple[Location, str]]:
    by_folder = getattr(config, key)
    if not isinstance(by_folder, dict):
        return
    for name in by_folder.keys() - folders.keys():
        yield (
            (key, name, "[key]"),
            f"{key}: there is no folder {name!r}; there are {_some(folders)}",
        )
    if missing := [name for name in folders if name not in by_folder]:
        yield (key,), f"{key}: says nothing for {_some(missing)}"


def _some(names: Iterable[str], most: int = 12) -> str:
    names = list(names)
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
