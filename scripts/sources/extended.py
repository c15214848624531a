"""A source, followed by the additions of the dataset."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
import numpy.typing as npt

from scripts.inputs.additions import Addition
from scripts.sources.source import ImageReader, OpenObject, Pixels, Source


class Images(Protocol):
    """Images by row, from which files are made."""

    def image(self, row: int) -> Pixels:
        """Return the pixels of a row."""

    def file(self, row: int) -> bytes:
        """Return the file of a row as it came."""

    def ending(self, row: int) -> str:
        """Return how the name of a row's own file ends."""

    def identifier(self, row: int) -> str:
        """Return the identifier of a row, the name of its file."""

    def label(self, row: int) -> str:
        """Return the label of a row."""


@dataclass(frozen=True, eq=False)
class Extended:
    """The rows of `source`, then one for each of `additions`."""

    source: Source
    additions: Sequence[Addition]

    @cached_property
    def labels(self) -> npt.NDArray[np.str_]:
        """The label of each row; that of an addition is the one in its path."""
        return np.array([*self.source.labels.tolist(), *(one.label for one in self.additions)])

    @cached_property
    def digests(self) -> Sequence[bytes]:
        """The SHA-256 of each row's pixels."""
        if not self.additions:
            return self.source.digests
        return [*self.source.digests, *(one.digest for one in self.additions)]

    @cached_property
    def keys(self) -> Sequence[bytes]:
        """The SHA-256 of each row's pixels before resizing; `digests` without resizing."""
        if not self.additions:
            return self.source.keys
        return [*self.source.keys, *(one.original for one in self.additions)]

    def rows(self, images: Iterable[bytes]) -> dict[bytes, int]:
        """Return the first row of each of `images`, digests before or after resizing.

        Those that are not here are left out. Older indexes know only the pixels after resizing.
        """
        wanted, rows = {*images}, dict[bytes, int]()
        for digests in (self.keys, self.digests) if self.keys is not self.digests else (self.keys,):
            for row, digest in enumerate(digests):
                if digest in wanted:
                    rows.setdefault(digest, row)
        return rows

    def image(self, row: int) -> Pixels:
        """Return the pixels of a row."""
        number = row - len(self.source.labels)
        return self.source.image(row) if number < 0 else self.additions[number].pixels

    def is_gray(self, row: int) -> bool:
        """Return whether the pixels of a row are gray."""
        number = row - len(self.source.labels)
        if number < 0:
            return self.source.is_gray(row)
        return self.additions[number].pixels.ndim == 2  # noqa: PLR2004 - height and width

    def file(self, row: int) -> bytes:
        """Return the file of a row as it came; raises `UserError` when it is not available."""
        number = row - len(self.source.labels)
        return self.source.file(row) if number < 0 else self.additions[number].content

    def ending(self, row: int) -> str:
        """Return how the name of a row's own file ends."""
        number = row - len(self.source.labels)
        return self.source.ending(row) if number < 0 else self.additions[number].ending

    def label(self, row: int) -> str:
        """Return the label of a row."""
        number = row - len(self.source.labels)
        return str(self.source.labels[row]) if number < 0 else self.additions[number].label

    def part(self, rows: Sequence[int], opened: OpenObject) -> "ImagesPart":
        """Return the images of `rows` for another machine, where `opened` opens objects."""
        start = len(self.source.labels)
        return ImagesPart(
            self.source.reader([row for row in rows if row < start], opened),
            {row: self.additions[row - start] for row in rows if row >= start},
            {row: self._names(row) for row in rows},
        )

    def _names(self, row: int) -> tuple[str, str, str]:
        """Return the identifier, label and ending of a row."""
        has_file = self.source.has_files or row >= len(self.source.labels)
        # Equal texts are pickled once.
        return (
            self.identifier(row),
            sys.intern(self.label(row)),
            sys.intern(self.ending(row)) if has_file else "",
        )

    def identifier(self, row: int) -> str:
        """Return the identifier of a row, the name of its file."""
        number = row - len(self.source.labels)
        return self.source.identifier(row) if number < 0 else self.additions[number].identifier


@dataclass(frozen=True)
class ImagesPart:
    """Some rows, on another machine; `names` are their identifiers, labels and endings."""

    source: ImageReader
    additions: Mapping[int, Addition]
    names: Mapping[int, tuple[str, str, str]]

    def image(self, row: int) -> Pixels:
        """Return the pixels of a row."""
        addition = self.additions.get(row)
        return addition.pixels if addition else self.source.image(row)

    def file(self, row: int) -> bytes:
        """Return the file of a row as it came."""
        addition = self.additions.get(row)
        return addition.content if addition else self.source.file(row)

    def ending(self, row: int) -> str:
        """Return how the name of a row's own file ends."""
        return self.names[row][2]

    def identifier(self, row: int) -> str:
        """Return the identifier of a row, the name of its file."""
        return self.names[row][0]

    def label(self, row: int) -> str:
        """Return the label of a row."""
        return self.names[row][1]
