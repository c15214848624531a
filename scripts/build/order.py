"""The fixed order of a source's images, on which every selection is based.

It depends on the source and the seed alone, and never changes: neither the config nor what was
released before has any influence on it.
"""

import hashlib
from collections import defaultdict
from functools import lru_cache
from typing import NamedTuple

from scripts.sources.source import Source, classes


class Image(NamedTuple):
    """One image of a source: its place among those of its label, its key, and its first row.

    Images are compared by place, then by key.
    """

    place: float
    key: bytes
    row: int


@lru_cache(maxsize=4)
def order(source: Source, seed: int) -> dict[str, list[Image]]:
    """Return the usable images of each label of `source`, in their order.

    An image's key is the SHA-256 of the seed and the digest of its pixels. Its place, between 0 and
    1, is its rank by key among the images of its label. Identical images are one image, whose row
    and label are those of the first. An image that the source has under two labels has a place, so
    that nothing shifts when a label is corrected, but is not usable.
    """
    prefix, labels = f"{seed}:".encode(), source.labels.tolist()
    first: dict[bytes, int] = {}
    ambiguous: set[bytes] = set()
    for row, digest in enumerate(source.digests):
        if labels[first.setdefault(digest, row)] != labels[row]:
            ambiguous.add(digest)
    keys: dict[str, list[tuple[bytes, int]]] = defaultdict(list)
    unusable: set[int] = set()
    for digest, row in first.items():
        keys[labels[row]].append((hashlib.sha256(prefix + digest).digest(), row))
        if digest in ambiguous:
            unusable.add(row)
    return {label: _placed(sorted(keys[label]), unusable) for label in classes(source)}


def _placed(ranked: list[tuple[bytes, int]], unusable: set[int]) -> list[Image]:
    count = len(ranked)
    return [
        # Division rounds correctly, so equal fractions are equal numbers on every machine.
        Image((2 * rank + 1) / (2 * count), key, row)
        for rank, (key, row) in enumerate(ranked)
        if row not in unusable
    ]
