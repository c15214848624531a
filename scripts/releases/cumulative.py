"""The cumulative index: where each image is in many releases, in one record.

A version is compared with all releases by one search of sorted digests, however many there are. The
index of a single release is read only when it is new here, or to show which of its images leak.
"""

import json
import zlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from scripts.errors import UserError
from scripts.inputs.config import TEST, TRAIN, VALIDATION
from scripts.releases.index import BITS, DIGEST, Index, IndexArrays
from scripts.storage import records

EVALUATION = BITS[VALIDATION] | BITS[TEST]
COMBINATIONS = 8
# Bytes of what stands for a group.
GROUP = 8
# Rows of patterns that are in memory at the same time, as numbers for each release.
AT_ONCE = 4_096
FORMAT = "cumulative index 1"

Splits = NDArray[np.uint8]


class Leaking(NamedTuple):
    """How many images leak with a release.

    `from_test` counts images of its test set that are in the train set of the version, `from_train`
    the reverse. Test includes validation.
    """

    from_test: int
    from_train: int


@dataclass(frozen=True)
class Places:
    """Sorted keys, and in which splits of each release they are: `patterns[numbers]`.

    `patterns` has a row for each different history, and a column for each release.
    """

    keys: NDArray[np.bytes_]
    numbers: NDArray[np.uint32]
    patterns: Splits

    @classmethod
    def empty(cls, size: int) -> "Places":
        """Return no keys, of `size` bytes, in no release."""
        keys = np.empty(0, f"S{size}")
        return cls(keys, np.empty(0, np.uint32), np.empty((0, 0), np.uint8))

    def find(self, keys: NDArray[np.bytes_]) -> NDArray[np.int64]:
        """Return the number of the pattern of each of `keys`; the last one, -1, stands for none."""
        if not len(self.keys):
            return np.full(len(keys), -1)
        at = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        return np.where(self.keys[at] == keys, self.numbers[at].astype(np.int64), -1)

    def with_release(self, keys: NDArray[np.bytes_], splits: Splits) -> "Places":
        """Return these places with one more release, which has the sorted `keys` in `splits`."""
        at = np.searchsorted(self.keys, keys)
        known = np.zeros(len(keys), bool)
        if len(self.keys):
            known = self.keys[np.minimum(at, len(self.keys) - 1)] == keys
        added = np.zeros(len(self.keys), np.uint8)
        added[at[known]] = splits[known]
        # A key that is new here was in no release before: its old pattern is the empty row.
        none = len(self.patterns)
        numbers = np.insert(self.numbers.astype(np.int64), at[~known], none)
        splits_of_all = np.insert(added, at[~known], splits[~known])
        found, inverse = np.unique(numbers * COMBINATIONS + splits_of_all, return_inverse=True)
        rows = np.vstack([self.patterns, np.zeros((1, self.patterns.shape[1]), np.uint8)])
        patterns = np.column_stack([rows[found // COMBINATIONS], found % COMBINATIONS])
        return Places(
            np.insert(self.keys, at[~known], keys[~known]),
            inverse.astype(np.uint32).reshape(-1),
            patterns.astype(np.uint8),
        )


@dataclass(frozen=True)
class CumulativeIndex:
    """The images and groups of the indexes called `names`, one column for each."""

    names: tuple[str, ...] = ()
    images: Places = field(default_factory=partial(Places.empty, DIGEST))
    groups: Places = field(default_factory=partial(Places.empty, GROUP))

    def with_index(self, name: str, index: Index) -> "CumulativeIndex":
        """Return these releases with one more, whose index is `index`, unless it is there."""
        if name in self.names:
            return self
        rows = index.arrays
        has_group = rows.groups != b""
        pixels = rows.digests, rows.splits
        if index.resized:
            pixels = np.append(rows.digests, rows.shown), np.tile(rows.splits, 2)
        return CumulativeIndex(
            (*self.names, name),
            self.images.with_release(*_by_key(*pixels)),
            self.groups.with_release(*_by_key(rows.groups[has_group], rows.splits[has_group])),
        )

    def leaks(self, made: Index, without: Collection[bytes] = ()) -> dict[str, Leaking]:
        """Return how many images of `made`, except for those in `without`, leak with each release.

        An image is on both sides if its pixels are, before or after resizing, or its group.
        """
        rows, numbers = made.arrays, self._numbers(made.arrays)
        counts = ~np.isin(rows.digests, list(without)) if without else np.ones(len(numbers), bool)
        is_for_train = rows.splits == BITS[TRAIN]
        train = self._count(numbers[counts & is_for_train], EVALUATION)
        test = self._count(numbers[counts & ~is_for_train], BITS[TRAIN])
        pairs = zip(train.tolist(), test.tolist(), strict=True)
        return {name: Leaking(*both) for name, both in zip(self.names, pairs, strict=True)}

    def splits_of(self, made: Index, image: bytes) -> dict[str, int]:
        """Return the bits of the splits in which each release has an image of `made`, or its group.

        Releases that have neither are left out.
        """
        one = Index({image: made.places[image]}, made.resized, made.groups)
        found = self._patterns(self._numbers(one.arrays))[0].tolist()
        return {name: bits for name, bits in zip(self.names, found, strict=True) if bits}

    def holding(self, made: Index) -> set[str | None]:
        """Return the names of the releases that have each image of `made` in the same split."""
        rows, found = made.as_shown.arrays, np.zeros(len(self.names), np.int64)
        numbers = self._numbers(rows)
        for bit in BITS.values():
            found += self._count(numbers[rows.splits == bit], bit)
        is_held = (found == len(numbers)).tolist()
        return {name for name, held in zip(self.names, is_held, strict=True) if held}

    def digests_in(self, names: Collection[str], bits: int) -> list[bytes]:
        """Return the digests that any of the releases `names` has in a split of `bits`."""
        columns = [at for at, name in enumerate(self.names) if name in names]
        has: NDArray[np.bool_] = np.any(self.images.patterns[:, columns] & bits, axis=1)
        # Not `tolist`, which would cut zeros at the end.
        raw = self.images.keys[has[self.images.numbers]].tobytes()
        return [raw[start : start + DIGEST] for start in range(0, len(raw), DIGEST)]

    def known(self, digests: Sequence[bytes], names: Collection[str]) -> NDArray[np.bool_]:
        """Return whether any of the releases `names` has each of `digests`, in any split."""
        columns = [at for at, name in enumerate(self.names) if name in names]
        has = np.append(self.images.patterns[:, columns].any(axis=1), False)
        found: NDArray[np.bool_] = has[self.images.find(np.array(digests, f"S{DIGEST}"))]
        return found

    @cached_property
    def sha256(self) -> str:
        """The name of the record."""
        return records.digest(self.content)

    @cached_property
    def content(self) -> bytes:
        """The record of this index."""
        patterns = [zlib.compress(part.patterns.tobytes()) for part in (self.images, self.groups)]
        header = {
            "format": FORMAT,
            "releases": self.names,
            "images": [len(self.images.keys), len(self.images.patterns), len(patterns[0])],
            "groups": [len(self.groups.keys), len(self.groups.patterns), len(patterns[1])],
        }
        body = [
            part
            for places, packed in zip((self.images, self.groups), patterns, strict=True)
            for part in (places.keys.tobytes(), places.numbers.astype("<u4").tobytes(), packed)
        ]
        return b"".join([json.dumps(header).encode(), b"\n", *body])

    def _count(self, numbers: NDArray[np.int64], bits: int) -> NDArray[np.int64]:
        """Return how many images with these patterns each release has in a split of `bits`."""
        total = np.zeros(len(self.names), np.int64)
        # Most images have the same patterns as many others, which are counted together.
        distinct, counts = _counted(numbers)
        for start in range(0, len(counts), AT_ONCE):
            part = slice(start, start + AT_ONCE)
            total += counts[part] @ (self._patterns(distinct[part]) & bits).astype(bool)
        return total

    def _numbers(self, rows: IndexArrays) -> NDArray[np.int64]:
        """Return the patterns of each image: of its pixels before and after resizing, its group."""
        original = self.images.find(rows.digests)
        is_resized = rows.shown is not rows.digests
        shown = self.images.find(rows.shown) if is_resized else original
        groups = np.where(rows.groups == b"", -1, self.groups.find(rows.groups))
        return np.column_stack([original, shown, groups])

    def _patterns(self, numbers: NDArray[np.int64]) -> Splits:
        """Return in which splits of each release the images with these patterns are."""
        images, groups = (
            np.vstack([part.patterns, np.zeros((1, len(self.names)), np.uint8)])
            for part in (self.images, self.groups)
        )
        before, after, group = numbers.T
        found: Splits = np.bitwise_or.reduce([images[before], images[after], groups[group]])
        return found


def parse(content: bytes) -> CumulativeIndex:
    """Return the index in the record `content`; raises `UserError` if it is not one."""
    try:
        return _parsed(content)
    except (ValueError, KeyError, TypeError, zlib.error):
        raise UserError("the record is not a cumulative index") from None


def _parsed(content: bytes) -> CumulativeIndex:
    line, _, body = content.partition(b"\n")
    header = json.loads(line)
    names = tuple(map(str, header["releases"]))
    images, start = _read(body, 0, header["images"], DIGEST, len(names))
    groups, end = _read(body, start, header["groups"], GROUP, len(names))
    if header["format"] != FORMAT or end != len(body):
        raise ValueError(line)
    return CumulativeIndex(names, images, groups)


def _read(
    body: bytes, start: int, sizes: list[int], width: int, releases: int
) -> tuple[Places, int]:
    """Return the places at `start` of `body`, and where they end."""
    count, rows, packed = sizes
    keys = np.frombuffer(body, f"S{width}", count, start)
    start += count * width
    numbers = np.frombuffer(body, "<u4", count, start)
    start += count * numbers.itemsize
    raw = zlib.decompress(body[start : start + packed])
    patterns = np.frombuffer(raw, np.uint8).reshape(rows, releases)
    if count and int(numbers.max()) >= rows:
        raise ValueError(rows)
    return Places(keys, numbers, patterns), start + packed


def _counted(numbers: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the distinct rows of `numbers`, and how often each is there."""
    before, after, group = numbers.T
    if (before == after).all() and (group < 0).all():
        # The usual case, in which one column tells: much faster than to compare rows.
        found, counts = np.unique(before, return_counts=True)
        return np.column_stack([found, found, np.full(len(found), -1)]), counts
    return np.unique(numbers, axis=0, return_counts=True)


def _by_key(keys: NDArray[np.bytes_], splits: Splits) -> tuple[NDArray[np.bytes_], Splits]:
    """Return the distinct `keys`, sorted, and all splits of each."""
    found, inverse = np.unique(keys, return_inverse=True)
    bits = np.zeros(len(found), np.uint8)
    np.bitwise_or.at(bits, inverse, splits)
    return found, bits
