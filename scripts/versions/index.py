"""The index of a version: which image is in which split and folder, by its pixels.

With the indexes of two versions, leaks between them are found without their files or sources.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from scripts.build import png
from scripts.build.dataset import Dataset
from scripts.errors import UserError
from scripts.inputs.config import TEST, VALIDATION
from scripts.storage import records

LINE = re.compile(r"([0-9a-f]{64})  ([^/\n]+)/([^/\n]+)")


@dataclass(frozen=True)
class Index:
    """The (split, folder) of each image, by the SHA-256 of its pixels."""

    places: Mapping[bytes, tuple[str, str]]

    def split(self, split: str) -> set[bytes]:
        """Return the images of a split."""
        return self._splits.get(split, set())

    @property
    def evaluation(self) -> set[bytes]:
        """The images that results are measured on: those of the test and validation sets."""
        return self.split(TEST) | self.split(VALIDATION)

    @cached_property
    def content(self) -> bytes:
        """The record of this index: a line for each image, sorted, as `sha256sum` writes them."""
        lines = (f"{image.hex()}  {split}/{folder}\n" for image, (split, folder) in self._sorted())
        return "".join(lines).encode()

    @cached_property
    def sha256(self) -> str:
        """The name of the record."""
        return records.digest(self.content)

    @cached_property
    def _splits(self) -> dict[str, set[bytes]]:
        found: dict[str, set[bytes]] = {}
        for image, (split, _) in self.places.items():
            found.setdefault(split, set()).add(image)
        return found

    def _sorted(self) -> list[tuple[bytes, tuple[str, str]]]:
        return sorted(self.places.items())


def of_dataset(dataset: Dataset) -> Index:
    """Return the index of what `dataset` selects."""
    digests = dataset.images.digests
    return Index({digests[row]: place for row, place in dataset.selection.places().items()})


def of_files(files: Iterable[tuple[str, bytes]]) -> Index:
    """Return the index of a version from its files: name, such as `train/3/00007.png`, and PNG."""
    places = {}
    for name, content in files:
        split, folder, _ = name.split("/")
        places[hashlib.sha256(png.decode(content).tobytes()).digest()] = split, folder
    return Index(places)


def parse(content: bytes) -> Index:
    """Return the index in the record `content`; raises `UserError` when it is not one."""
    places = {}
    for line in content.decode(errors="replace").splitlines():
        found = LINE.fullmatch(line)
        if not found:
            raise UserError("the record is not the index of a version")
        image, split, folder = found.groups()
        places[bytes.fromhex(image)] = split, folder
    return Index(places)
