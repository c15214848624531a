"""A source whose images are resized."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import PIL
import platformdirs

from scripts import workers
from scripts.inputs.images import FILTER, resize
from scripts.sources.copies import FOLDER
from scripts.sources.shards import DIGEST_SIZE
from scripts.sources.source import Batch, ImageReader, OpenObject, Pixels, Source, WithoutFiles
from scripts.storage import kept


@dataclass(frozen=True, eq=False)
class Resized(WithoutFiles):
    """The images of `source`, each resized to `size` (height, width).

    The order of the rows is the same for every size, so images keep their split.
    """

    source: Source
    size: tuple[int, int]

    @property
    def name(self) -> str:
        """The name of the source."""
        return self.source.name

    @property
    def labels(self) -> npt.NDArray[np.str_]:
        """The label of each row."""
        return self.source.labels

    @cached_property
    def digests(self) -> Sequence[bytes]:
        """The SHA-256 of each row's resized pixels.

        An image that is a copy of an earlier one only after resizing is not selected. The digests
        are computed once for each batch, and stored next to the local copies of sources.
        """
        found: list[bytes] = []
        for batch in self.batches:
            rows = range(batch.start, batch.stop)
            file = _file_of(self.keys[batch.start : batch.stop], self.size)
            digests = _read(file, len(rows))
            if digests is None:
                digests = [*workers.results(self._digests, rows)]
                kept.write(file, b"".join(digests))
            found += digests
        return found

    def _digests(self, rows: Sequence[int]) -> list[bytes]:
        return [hashlib.sha256(self.image(row).tobytes()).digest() for row in rows]

    @property
    def keys(self) -> Sequence[bytes]:
        """The keys of the source, which determine the order of the rows."""
        return self.source.keys

    @property
    def batches(self) -> Sequence[Batch]:
        """The batches of the source."""
        return self.source.batches

    @property
    def own_validation(self) -> npt.NDArray[np.bool_] | None:  # type: ignore[override]
        """The source's own validation set."""
        return self.source.own_validation

    @property
    def own_test(self) -> npt.NDArray[np.bool_] | None:
        """The test set of the source."""
        return self.source.own_test

    @cached_property
    def shape(self) -> tuple[int, ...] | None:
        """The shape of every image's pixels; None where some are gray and others are not."""
        if self.source.shape is None and self.has_both_modes:
            return None
        return tuple(self.image(0).shape)

    @property
    def has_both_modes(self) -> bool:
        """Whether some images are gray and others are not."""
        return self.source.has_both_modes

    def is_gray(self, row: int) -> bool:
        """Return whether the pixels of a row are gray."""
        return self.source.is_gray(row)

    @property
    def sha256(self) -> str:
        """The checksum of the source."""
        return self.source.sha256

    def image(self, row: int) -> Pixels:
        """Return the resized pixels of a row."""
        return resize(self.source.image(row), self.size)

    def reader(self, rows: Sequence[int], opened: OpenObject) -> "ResizedReader":
        """Return a reader of `rows` for another machine."""
        return ResizedReader(self.source.reader(rows, opened), self.size)

    def identifier(self, row: int) -> str:
        """Return the identifier of a row in the source."""
        return self.source.identifier(row)

    def find(self, identifier: str) -> int | None:
        """Return the row of a sample of the source."""
        return self.source.find(identifier)


@dataclass(frozen=True)
class ResizedReader(WithoutFiles):
    """Reads rows and resizes them."""

    source: ImageReader
    size: tuple[int, int]

    def image(self, row: int) -> Pixels:
        """Return the resized pixels of a row."""
        return resize(self.source.image(row), self.size)


def _file_of(keys: Sequence[bytes], size: tuple[int, int]) -> Path:
    """Return the file for the digests of the resized images with these `keys`."""
    name = hashlib.sha256(f"{size} {FILTER} {PIL.__version__}".encode())
    name.update(b"".join(keys))
    return platformdirs.user_cache_path(FOLDER) / "resized" / name.hexdigest()


def _read(file: Path, count: int) -> list[bytes] | None:
    """Return the digests in `file`; None if it is missing or damaged."""
    raw = kept.read(file)
    if raw is None or len(raw) != count * DIGEST_SIZE:
        return None
    return [raw[at : at + DIGEST_SIZE] for at in range(0, len(raw), DIGEST_SIZE)]
