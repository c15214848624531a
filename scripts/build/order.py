"""The fixed order of a source's images, on which every selection is based.

It depends on the source and the seed alone, and never changes: neither the config nor what was
released before has any influence on it.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Sequence, Set
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from scripts.sources.shards import DIGEST_SIZE
from scripts.sources.source import Source, classes


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
    """The distinct images of a source: the first row of each, by the digest of its pixels.

    `ambiguous` are the first rows of images that the source has under two labels.
    """

    first: dict[bytes, int]
    ambiguous: frozenset[int]


@lru_cache(maxsize=4)
def distinct(source: Source) -> Distinct:
    """Return the distinct images of `source`."""
    labels, digests = source.labels.tolist(), source.digests
    first = _first_rows(digests)
    rows = (first[digest] for digest in digests)
    ambiguous = {row for row, label in zip(rows, labels, strict=True) if label != labels[row]}
    return Distinct(first, frozenset(ambiguous))


@lru_cache(maxsize=4)
def order(source: Source, seed: int) -> dict[str, list[Image]]:
    """Return the usable images of each label of `source`, in their order.

    An image's key is the SHA-256 of the seed and the digest of its pixels. Its place, between 0 and
    1, is its rank by key among the images of its batch and label. Identical images are one image,
    whose row, batch and label are those of the first. An image that the source has under two labels
    has a place, so that nothing shifts when a label is corrected, but is not usable. The same holds
    for an image that is a copy only when it is resized.
    """
    prefix, labels, digests = f"{seed}:".encode(), source.labels.tolist(), source.keys
    found = distinct(source)
    first, unusable = found.first, set(found.ambiguous)
    if digests is not source.digests:
        first = _first_rows(digests)
        unusable |= set(first.values()).difference(found.first.values())
    images: dict[str, list[Image]] = {label: [] for label in classes(source)}
    rows = sorted(first.values())
    for number, batch in enumerate(source.batches):
        keys: dict[str, list[tuple[bytes, int]]] = defaultdict(list)
        for row in rows[bisect_left(rows, batch.start) : bisect_left(rows, batch.stop)]:
            keys[labels[row]].append((hashlib.sha256(prefix + digests[row]).digest(), row))
        for label, ranked in keys.items():
            images[label] += _placed(number, sorted(ranked), unusable)
    return images


def ranked(source: Source) -> list[Counter[str]]:
    """Return how many images have a place in each batch of `source`, by label.

    These are the first rows of all images, usable or not: the numbers never change.
    """
    keys = np.frombuffer(b"".join(source.keys), f"S{DIGEST_SIZE}")
    rows = np.sort(np.unique(keys, return_index=True)[1])
    stops = np.searchsorted(rows, [batch.stop for batch in source.batches])
    return [Counter(source.labels[part].tolist()) for part in np.split(rows, stops)[:-1]]


def _first_rows(digests: Sequence[bytes]) -> dict[bytes, int]:
    """Return the first row that has each digest."""
    return dict(zip(reversed(digests), reversed(range(len(digests))), strict=True))


def _placed(batch: int, ranked: Sequence[tuple[bytes, int]], unusable: Set[int]) -> list[Image]:
    count = len(ranked)
    return [
        # Division rounds correctly, so equal fractions are equal numbers on every machine.
        Image(batch, (2 * rank + 1) / (2 * count), key, row)
        for rank, (key, row) in enumerate(ranked)
        if row not in unusable
    ]
