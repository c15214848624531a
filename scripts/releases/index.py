"""The index of a version: the split and folder of each image, by its pixels.

Indexes allow finding leaks between versions without their files or sources.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from scripts.dataset import added_groups
from scripts.dataset.dataset import Dataset
from scripts.errors import UserError
from scripts.inputs import image_name
from scripts.inputs.config import SPLITS, TEST, TRAIN, VALIDATION
from scripts.inputs.images import decode
from scripts.sources.own import Own
from scripts.sources.view import text
from scripts.storage import records

# A line is a digest in hex, the split and folder of the image, where it was resized the digest of
# what it became, and where it has a group the beginning of the group's digest.
DIGEST = 32
HEX = 2 * DIGEST
GROUP = 16
END = re.compile(r"  ([^/\n]+)/([^/\n]+?)(?:  ([0-9a-f]{64}))?(?:  g:([0-9a-f]{16}))?")

# The bit of each split.
BITS: dict[str, int] = {TRAIN: 1, VALIDATION: 2, TEST: 4}

Place = tuple[str, str]


class IndexArrays(NamedTuple):
    """The images of an index: digests before and after resizing, and the groups.

    A digest has 32 bytes, a group 8, all of which are zero for an image without one. `splits` are
    the bits of the splits.
    """

    digests: npt.NDArray[np.bytes_]
    shown: npt.NDArray[np.bytes_]
    groups: npt.NDArray[np.bytes_]
    splits: npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Index:
    """The (split, folder) of each image, by the SHA-256 of its pixels before any resizing.

    `resized` holds the SHA-256 of the pixels in the dataset, of images that were resized. Records
    from before it was kept know only the pixels in the dataset: there, `places` go by these.
    `groups` names the group of each image that has one, if the version was split by groups.
    """

    places: Mapping[bytes, Place]
    resized: Mapping[bytes, bytes] = field(default_factory=dict)
    groups: Mapping[bytes, str] = field(default_factory=dict)

    def split(self, split: str) -> frozenset[bytes]:
        """Return the images of a split."""
        return self._splits.get(split, frozenset())

    @property
    def evaluation(self) -> frozenset[bytes]:
        """The images of the test and validation sets."""
        return self.split(TEST) | self.split(VALIDATION)

    @cached_property
    def arrays(self) -> "IndexArrays":
        """The images, sorted by their digests, as arrays."""
        images = sorted(self.places)
        digests = _array(images, DIGEST)
        shown, groups = digests, np.zeros(len(images), f"S{GROUP // 2}")
        if self.resized:
            shown = _array([self.resized.get(image, image) for image in images], DIGEST)
        if self.groups:
            groups = _array([bytes.fromhex(self.groups.get(one, "")) for one in images], GROUP // 2)
        splits = np.array([BITS[self.places[image][0]] for image in images], np.uint8)
        return IndexArrays(digests, shown, groups, splits)

    def find(self, original: bytes, shown: bytes) -> bytes | None:
        """Return the image that has the pixels `original` before resizing, or `shown` after it."""
        return self._by_pixels.get(original) or self._by_pixels.get(shown)

    def place(self, original: bytes, shown: bytes) -> Place | None:
        """Return the split and folder of an image, None if it is missing; see `find`."""
        image = self.find(original, shown)
        return None if image is None else self.places[image]

    def shared(self, other: "Index") -> Iterator[tuple[bytes, bytes]]:
        """Yield each image of this version that `other` has too, and the image there.

        Two images are the same if their pixels are, before or after resizing.
        """
        if not (self.resized or other.resized):
            yield from ((image, image) for image in self.places.keys() & other.places.keys())
            return
        for image in self.places:
            there = other.find(image, self.resized.get(image, image))
            if there is not None:
                yield image, there

    def leaks(self, other: "Index") -> tuple[set[bytes], set[bytes]]:
        """Return the images on two sides: of the test set of `other` in the train set of this one,
        and of the train set of `other` in the test set of this one. Test includes validation.

        Where both know groups, an image counts too if another one of its group is there.
        """
        sides = (self.split(TRAIN), other.evaluation), (self.evaluation, other.split(TRAIN))
        from_test, from_train = (
            self._in(mine, other.seen(theirs))
            if self.resized or other.resized
            else {*mine & theirs}
            for mine, theirs in sides
        )
        if self.groups and other.groups:
            from_test |= self._of_groups(self.split(TRAIN), other.groups_of(other.evaluation))
            from_train |= self._of_groups(self.evaluation, other.groups_of(other.split(TRAIN)))
        return from_test, from_train

    def groups_of(self, images: Iterable[bytes]) -> set[str]:
        """Return the groups of `images`."""
        return {self.groups[image] for image in images if image in self.groups}

    def _of_groups(self, images: Iterable[bytes], groups: set[str]) -> set[bytes]:
        return {image for image in images if self.groups.get(image) in groups}

    def seen(self, images: Iterable[bytes]) -> set[bytes]:
        """Return the digests of `images`, before and after resizing."""
        found = {*images}
        return found | {self.resized[image] for image in found if image in self.resized}

    @cached_property
    def as_shown(self) -> "Index":
        """The same index with only the digests after resizing, like older records."""
        if not self.resized:
            return self
        return Index({self.resized.get(image, image): at for image, at in self.places.items()})

    @cached_property
    def content(self) -> bytes:
        """The record of this index: a line for each image, sorted, as `sha256sum` writes them."""
        images = sorted(self.places)
        digests, ends = b"".join(images).hex(), {one: f"  {'/'.join(one)}" for one in self._all}
        starts = range(0, len(digests), HEX)
        lines = (
            f"{digests[start : start + HEX]}{ends[self.places[image]]}{self._after(image)}\n"
            for start, image in zip(starts, images, strict=True)
        )
        return "".join(lines).encode()

    @cached_property
    def sha256(self) -> str:
        """The name of the record."""
        return records.digest(self.content)

    def _in(self, images: Iterable[bytes], digests: set[bytes]) -> set[bytes]:
        return {
            image
            for image in images
            if image in digests or self.resized.get(image, image) in digests
        }

    def _after(self, image: bytes) -> str:
        shown = f"  {self.resized[image].hex()}" if image in self.resized else ""
        return f"{shown}  g:{self.groups[image]}" if image in self.groups else shown

    @cached_property
    def _by_pixels(self) -> dict[bytes, bytes]:
        """The image of each digest; the first one of copies after resizing."""
        found = {shown: image for image, shown in reversed([*self.resized.items()])}
        return found | {image: image for image in self.places}

    @cached_property
    def _splits(self) -> dict[str, frozenset[bytes]]:
        by_split: dict[str, list[bytes]] = {split: [] for split in SPLITS}
        for image, (split, _) in self.places.items():
            by_split.setdefault(split, []).append(image)
        return {split: frozenset(images) for split, images in by_split.items()}

    @cached_property
    def _all(self) -> set[Place]:
        """Each split and folder that has images."""
        return set(self.places.values())


def of_dataset(dataset: Dataset) -> Index:
    """Return the index of `dataset`."""
    originals, shown = dataset.images.keys, dataset.images.digests
    places = dataset.selection.places()
    resized = (
        {originals[row]: shown[row] for row in places if shown[row] != originals[row]}
        if originals is not shown
        else {}
    )
    groups = {
        originals[row]: _group(dataset, value)
        for row, value in groups_by_row(dataset, places).items()
    }
    return Index({originals[row]: place for row, place in places.items()}, resized, groups)


def groups_by_row(dataset: Dataset, rows: Iterable[int]) -> dict[int, str]:
    """Return the group of each of `rows` that has one, if the config names their column."""
    column = dataset.config.group_by
    if column is None or not isinstance(dataset.whole, Own):
        return {}
    values, count = dataset.whole.column(column), len(dataset.whole.labels)
    added = added_groups.groups_of(dataset.inputs.additions, dataset.whole, dataset.config)
    names = {count + number: group.name for number, group in added.items()}
    return {
        row: found
        for row in rows
        if (found := text(values[row]) if row < count else names.get(row, ""))
    }


def _group(dataset: Dataset, value: str) -> str:
    """Return what stands for a group: the same in every version of a source and a column."""
    named = f"{dataset.source.name}:{dataset.config.group_by}:{value}"
    return hashlib.sha256(named.encode()).hexdigest()[:GROUP]


def of_files(files: Iterable[tuple[str, bytes]]) -> Index:
    """Return the index of a version from the name and the content of each of its files."""
    places = {}
    for name, content in files:
        pixels = decode(content)
        places[hashlib.sha256(pixels.tobytes()).digest()] = image_name.parse(name).place
    return Index(places)


def parse(content: bytes) -> Index:
    """Return the index in the record `content`; raises `UserError` if it is not one."""
    lines = content.decode(errors="replace").splitlines()
    try:
        images = _digests("".join([line[:HEX] for line in lines]))
        # Few lines differ after the digest, unless images were resized.
        ends = {end: _parts(end) for end in {line[HEX:] for line in lines}}
        found = [ends[line[HEX:]] for line in lines]
        lines_of = dict(zip(images, found, strict=True))
    except ValueError:
        raise UserError("the record is not the index of a version") from None
    return Index(
        {image: place for image, (place, _, _) in lines_of.items()},
        {image: shown for image, (_, shown, _) in lines_of.items() if shown is not None},
        {image: group for image, (_, _, group) in lines_of.items() if group is not None},
    )


def _array(keys: Sequence[bytes], size: int) -> npt.NDArray[np.bytes_]:
    """Return `keys`, each of `size` bytes or empty, as an array."""
    return np.array(keys, f"S{size}")


def _digests(text: str) -> list[bytes]:
    raw, size = bytes.fromhex(text), HEX // 2
    return [raw[start : start + size] for start in range(0, len(raw), size)]


def _parts(end: str) -> tuple[Place, bytes | None, str | None]:
    """Return the split and folder at the end of a line, the digest after resizing, and the group.

    Raises `ValueError` for anything else.
    """
    if not (found := END.fullmatch(end)):
        raise ValueError(end)
    split, folder, shown, group = found.groups()
    return (split, folder), bytes.fromhex(shown) if shown else None, group
