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

# A line is a digest in hex, and the split and folder of the image.
HEX = 64
END = re.compile(r"  ([^/\n]+)/([^/\n]+)")


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
        images = sorted(self.places)
        digests, ends = b"".join(images).hex(), {one: f"  {'/'.join(one)}\n" for one in self._all}
        starts = range(0, len(digests), HEX)
        lines = (
            digests[start : start + HEX] + ends[self.places[image]]
            for start, image in zip(starts, images, strict=True)
        )
        return "".join(lines).encode()

    @cached_property
    def sha256(self) -> str:
        """The name of the record."""
        return records.digest(self.content)

    @cached_property
    def _splits(self) -> dict[str, set[bytes]]:
        return {
            split: {image for image, place in self.places.items() if place[0] == split}
            for split, _ in self._all
        }

    @cached_property
    def _all(self) -> set[tuple[str, str]]:
        """Each split and folder that has images."""
        return set(self.places.values())


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
    lines = content.decode(errors="replace").splitlines()
    try:
        ends = {end: _place(end) for end in {line[HEX:] for line in lines}}
        raw = bytes.fromhex("".join([line[:HEX] for line in lines]))
        starts = range(0, len(raw), HEX // 2)
        return Index(
            {
                raw[start : start + HEX // 2]: ends[line[HEX:]]
                for start, line in zip(starts, lines, strict=True)
            }
        )
    except ValueError:
        raise UserError("the record is not the index of a version") from None


def _place(end: str) -> tuple[str, str]:
    """Return the split and folder at the end of a line; raises `ValueError` without them."""
    if not (found := END.fullmatch(end)):
        raise ValueError(end)
    split, folder = found.groups()
    return split, folder
