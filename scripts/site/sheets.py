"""Sheets: pages of a few hundred images of a split and class, in an order that grows.

A sheet is a page of the catalogue and has one atlas, a PNG of all its images. New images come after
existing ones, so that the other sheets, and their atlases, are the same as in the previous release.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from scripts.assets.samples import ReleasedSample

# The images in a row of an atlas; a sheet has at most this many rows.
COLUMNS, ROWS = 20, 20
# About as many bytes of images are on a sheet, so that a page opens at once on a phone.
BUDGET = 1_500_000
# The characters of a SHA-256 that name an atlas.
KEY_LENGTH = 32


class SheetPicture(NamedTuple):
    """A sample on a sheet: its identifier, and the MD5 of its PNG."""

    identifier: str
    md5: str


@dataclass(frozen=True)
class PictureSheet:
    """Samples of one split and class, in the order of their images in the atlas."""

    pictures: tuple[SheetPicture, ...]

    @cached_property
    def key(self) -> str:
        """The name of the atlas, which depends only on its images."""
        names = "\n".join(picture.md5 for picture in self.pictures)
        return hashlib.sha256(names.encode()).hexdigest()[:KEY_LENGTH]


Place = tuple[str, str]
# The sheets of each (split, class) of a version.
Sheets = Mapping[Place, Sequence[PictureSheet]]


def of_version(before: Sheets, samples: Iterable[ReleasedSample], mean_size: float) -> Sheets:
    """Return the sheets of a version, given those of the one `before` it.

    `mean_size` is the mean size of the files of its images, in bytes.
    """
    by_place: dict[Place, list[SheetPicture]] = {}
    for sample in samples:
        # Its parts are parsed each time.
        name = sample.name
        pictures = by_place.setdefault(name.place, [])
        pictures.append(SheetPicture(name.identifier, sample.md5))
    most = capacity(mean_size)
    return {
        place: extended(before.get(place, ()), pictures, most)
        for place, pictures in by_place.items()
    }


def capacity(mean_size: float) -> int:
    """Return the number of images of this size on a sheet, in complete rows."""
    rows = int(BUDGET / max(mean_size, 1)) // COLUMNS
    return COLUMNS * min(ROWS, max(1, rows))


def extended(
    before: Sequence[PictureSheet], pictures: Sequence[SheetPicture], most: int
) -> Sequence[PictureSheet]:
    """Return sheets of `pictures`: those of `before` if possible, then new ones.

    A sheet without its removed images has no gaps; empty sheets are removed. New images fill the
    last sheet, up to `most`, and start new ones.
    """
    new = dict.fromkeys(sorted(pictures))
    kept = [_without(sheet, new) for sheet in before]
    for sheet in kept:
        for picture in sheet.pictures:
            del new[picture]
    sheets = [sheet for sheet in kept if sheet.pictures]
    rest = [*new]
    if rest and sheets and (free := most - len(sheets[-1].pictures)) > 0:
        sheets[-1] = PictureSheet(sheets[-1].pictures + tuple(rest[:free]))
        rest = rest[free:]
    return [*sheets, *_filled(rest, most)]


def _without(sheet: PictureSheet, there: Mapping[SheetPicture, None]) -> PictureSheet:
    """Return `sheet` with those of its images that are `there`; the same where all are."""
    kept = tuple(picture for picture in sheet.pictures if picture in there)
    return sheet if len(kept) == len(sheet.pictures) else PictureSheet(kept)


def _filled(pictures: Sequence[SheetPicture], most: int) -> Iterator[PictureSheet]:
    for start in range(0, len(pictures), most):
        yield PictureSheet(tuple(pictures[start : start + most]))
