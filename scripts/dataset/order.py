"""The fixed order of a source's images, on which every selection is based.

It depends only on the source and the seed, not on the rest of the config or on releases.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple, overload

import numpy as np
import numpy.typing as npt
import platformdirs

from scripts import fingerprint
from scripts.sources.copies import FOLDER
from scripts.sources.shards import DIGEST_SIZE
from scripts.sources.source import NO_LABEL, Source, classes
from scripts.storage import kept

Batches = npt.NDArray[np.int32]
Places = npt.NDArray[np.float64]
RowNumbers = npt.NDArray[np.int64]


class Image(NamedTuple):
    """One image of a source: its batch, its place in it, its key, and its first row.

    Images are compared by batch, then by place, then by key.
    """

    batch: int
    place: float
    key: bytes
    row: int


@dataclass(frozen=True)
class Distinct:
    """The distinct images of a source: the first row of each, by digest.

    `ambiguous` are the first rows of images with two labels.
    """

    first: dict[bytes, int]
    ambiguous: frozenset[int]


@lru_cache(maxsize=4)
def distinct(source: Source) -> Distinct:
    """Return the distinct images of `source`."""
    labels, digests = source.labels.tolist(), source.digests
    first = _first_rows(digests)
    rows = (first[digest] for digest in digests)
    ambiguous = {
        row
        for row, label in zip(rows, labels, strict=True)
        if label != labels[row] and NO_LABEL not in {label, labels[row]}
    }
    return Distinct(first, frozenset(ambiguous))


class Line(Sequence[Image]):
    """Images in their order, in arrays, which take a quarter of the memory of tuples."""

    def __init__(self, batches: Batches, places: Places, rows: RowNumbers, keys: bytes) -> None:
        """Keep the parts of each image."""
        self._batches, self._places, self._rows, self.keys = batches, places, rows, keys

    def __len__(self) -> int:
        """The number of images."""
        return len(self._rows)

    @overload
    def __getitem__(self, at: int) -> Image: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Image]: ...
    def __getitem__(self, at: int | slice) -> Image | Sequence[Image]:
        """Return an image, or several."""
        return list(self)[at]

    def __iter__(self) -> Iterator[Image]:
        """Yield all images."""
        starts = range(0, len(self.keys), DIGEST_SIZE)
        keys = (self.keys[start : start + DIGEST_SIZE] for start in starts)
        parts = (self._batches.tolist(), self._places.tolist(), keys, self._rows.tolist())
        yield from map(Image, *parts)

    @property
    def positions(self) -> tuple[RowNumbers, Batches, Places]:
        """The row, the batch and the place of each image."""
        return self._rows, self._batches, self._places


@lru_cache(maxsize=4)
def order(source: Source, seed: int) -> dict[str, Line]:
    """Return the usable images of each label of `source`, in their order.

    An image's key is the SHA-256 of the seed and the digest of its pixels. Its place, between 0 and
    1, is its rank by key among the images of its batch and label. Identical images count as one
    image, with the row, batch and label of the first. An image with two labels has a place, so that
    the order stays the same when a label is corrected, but is not usable. The same is true for an
    image that is a copy only after resizing.
    """
    known = classes(source)
    if not known:
        return {}
    file = _file_of(source, seed)
    if (lines := _read(file, len(known))) is None:
        lines = _lines(source, seed, known)
        kept.write(file, *_rendered(lines))
    return dict(zip(known, lines, strict=True))


def _lines(source: Source, seed: int, known: Sequence[str]) -> list[Line]:
    """Return the images of each label of `known`."""
    found = distinct(source)
    first, unusable = found.first, set(found.ambiguous)
    if source.keys is not source.digests:
        first = _first_rows(source.keys)
        unusable |= set(first.values()).difference(found.first.values())
    rows = np.sort(np.fromiter(first.values(), np.int64, len(first)))
    rows = rows[source.labels[rows] != NO_LABEL]
    numbers = {label: number for number, label in enumerate(known)}
    labels = np.fromiter((numbers[x] for x in source.labels[rows].tolist()), np.int64, len(rows))
    stops = np.searchsorted(rows, [batch.stop for batch in source.batches])
    lines: list[list[Line]] = [[] for _ in known]
    for number, (start, stop) in enumerate(pairwise([0, *stops.tolist()])):
        # All rows of a batch, by label.
        by_label = start + np.argsort(labels[start:stop], kind="stable")
        ends = np.searchsorted(labels[by_label], np.arange(len(known)), side="right")
        for line, part in zip(lines, np.split(rows[by_label], ends)[:-1], strict=True):
            line.append(_line(number, part.tolist(), source.keys, f"{seed}:".encode(), unusable))
    return [_joined(parts) for parts in lines]


def _file_of(source: Source, seed: int) -> Path:
    """Return the file in which the order is kept, named after everything that decides it."""
    total = hashlib.sha256(f"{fingerprint.of('dataset')} {seed} {source.batches}\n".encode())
    for digests in (source.keys, source.digests):
        total.update(b"".join(digests))
    total.update("\n".join(source.labels.tolist()).encode())
    return platformdirs.user_cache_path(FOLDER) / "orders" / total.hexdigest()


def _rendered(lines: Sequence[Line]) -> list[bytes | memoryview]:
    """Return `lines` as bytes: the length of each, then the parts of all."""
    whole = _joined(lines)
    lengths = np.array([*map(len, lines)], np.int64)
    return [*(part.data.cast("B") for part in (lengths, *whole.positions)), whole.keys]


def _read(file: Path, count: int) -> list[Line] | None:
    """Return the `count` lines that `file` keeps, None if it is missing or damaged."""
    if (content := kept.read(file)) is None:
        return None
    lengths = np.frombuffer(content, np.int64, count)
    ends, total, start = np.cumsum(lengths), int(lengths.sum()), lengths.nbytes
    parts = []
    for kind in (np.int64, np.int32, np.float64):
        part = np.frombuffer(content, kind, total, start)
        parts.append(np.split(part, ends)[:count])
        start += part.nbytes
    bounds = pairwise([0, *(ends * DIGEST_SIZE).tolist()])
    keys = [content[start + first : start + end] for first, end in bounds]
    return [
        Line(batches, places, rows, own)
        for rows, batches, places, own in zip(*parts, keys, strict=True)
    ]


def ranked(source: Source) -> list[Counter[str]]:
    """Return the number of images with a place in each batch of `source`, by label.

    Images that are not usable count too.
    """
    keys = np.frombuffer(b"".join(source.keys), f"S{DIGEST_SIZE}")
    rows = np.sort(np.unique(keys, return_index=True)[1])
    stops = np.searchsorted(rows, [batch.stop for batch in source.batches])
    return [Counter(source.labels[part].tolist()) for part in np.split(rows, stops)[:-1]]


def _first_rows(digests: Sequence[bytes]) -> dict[bytes, int]:
    """Return the first row of each digest."""
    return dict(zip(reversed(digests), reversed(range(len(digests))), strict=True))


def _line(
    batch: int, rows: Sequence[int], digests: Sequence[bytes], prefix: bytes, unusable: Set[int]
) -> Line:
    """Return the line of the images of one label in a batch."""
    keys = sorted((hashlib.sha256(prefix + digests[row]).digest(), row) for row in rows)
    usable = [(rank, *one) for rank, one in enumerate(keys) if one[1] not in unusable]
    # Division rounds correctly, so equal fractions are equal numbers on every machine.
    places = [(2 * rank + 1) / (2 * len(keys)) for rank, _, _ in usable]
    return Line(
        np.full(len(usable), batch, np.int32),
        np.array(places, np.float64),
        np.array([row for _, _, row in usable], np.int64),
        b"".join(key for _, key, _ in usable),
    )


def _joined(parts: Sequence[Line]) -> Line:
    rows, batches, places = zip(*(part.positions for part in parts), strict=True)
    keys = b"".join(part.keys for part in parts)
    return Line(np.concatenate(batches), np.concatenate(places), np.concatenate(rows), keys)
