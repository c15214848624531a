"""Reads images at a location to compare them with those of a dataset, without labels.

They are read in a separate process, with limits of time and memory, as in an ingest.
"""

import hashlib
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import NamedTuple

import numpy as np
from PIL import Image

from scripts import isolated
from scripts.errors import UserError
from scripts.ingest import decoding, image_files, locations, names
from scripts.ingest.findings import Findings
from scripts.ingest.labeled_image import LabeledImage
from scripts.ingest.locations import LocatedFile, Location
from scripts.ingest.reading import LIMITS, Refused
from scripts.inputs import images
from scripts.inputs.images import ImageError
from scripts.isolated import IsolatedError
from scripts.progress import Bar
from scripts.sources import thumbnails
from scripts.sources.source import Pixels

# The longer side of a picture, in pixels.
SIDE = 56


class LocationImage(NamedTuple):
    """An image: its path below the location, and the innermost folder, empty if there is none.

    `levels` is its thumbnail, `size` the number of its pixels, `picture` a small copy of it, and
    `digest` that of all pixels.
    """

    path: str
    folder: str
    levels: bytes
    size: int
    picture: Pixels
    digest: bytes


@dataclass
class LocationImages:
    """The images that were read, in a fixed order; those with equal pixels count as one.

    `count` is the number of image files at the location, `chosen` that of those that were read.
    """

    count: int
    chosen: int
    images: list[LocationImage] = field(default_factory=list)
    invalid: Findings = field(default_factory=Findings)


def read(address: str, most: int) -> LocationImages:
    """Return at most `most` images of the location `address`.

    They are the first by the SHA-256 of their paths, whatever the order at the location. Raises
    `UserError` if the location cannot be read or has no images, and at a limit.
    """
    try:
        with tempfile.TemporaryDirectory() as folder:
            found = isolated.run(LIMITS, _read_or_refuse, address, most, folder)
    except IsolatedError as error:
        raise UserError(f"{address} cannot be read: {error}") from None
    if isinstance(found, Refused):
        raise UserError(found.message)
    return found


def _read_or_refuse(address: str, most: int, folder: str) -> LocationImages | Refused:
    # Files that are left after a limit are deleted with the folder.
    tempfile.tempdir = folder
    try:
        return _read(address, most)
    except UserError as error:
        return Refused(str(error), [])


def _read(address: str, most: int) -> LocationImages:
    problems = Findings()
    with locations.opened(address) as location:
        listed = locations.listed(location, address, problems)
        files = [file for file in listed if names.is_image(file.path)]
        if not files:
            raise UserError(f"{address}: there are no image files")
        paths = {file.path for file in sorted(files, key=lambda one: _rank(one.path))[:most]}
        chosen = [file for file in files if file.path in paths]
        found = [*_decoded(location, chosen, problems)]
    found.sort(key=lambda one: _rank(PurePosixPath(one.path)))
    distinct: dict[bytes, LocationImage] = {}
    for one in found:
        distinct.setdefault(one.digest, one)
    return LocationImages(len(files), len(chosen), [*distinct.values()], problems)


def _rank(path: PurePosixPath) -> bytes:
    return hashlib.sha256(str(path).encode()).digest()


def _decoded(
    location: Location, files: Sequence[LocatedFile], problems: Findings
) -> Iterator[LocationImage]:
    """Yield the images that can be decoded, and note the others."""
    read = image_files.read(location, files, problems)
    unlabeled = (LabeledImage(str(file.path), None, None, content) for file, content in read)
    outcomes = decoding.on_all_cores(unlabeled, _outcome)
    for image, outcome in Bar(outcomes, total=len(files), desc="Reading images", unit="image"):
        if isinstance(outcome, ImageError):
            problems.add(image.where, str(outcome))
        else:
            yield outcome


def _outcome(image: LabeledImage) -> LocationImage | ImageError:
    try:
        found = images.read(image.content)
    except ImageError as error:
        return error
    height, width, _ = thumbnails.shape_of(found.pixels)
    picture = Image.fromarray(found.pixels)
    picture.thumbnail((SIDE, SIDE), Image.Resampling.BOX)
    return LocationImage(
        path=image.where,
        folder=PurePosixPath(image.where).parent.name,
        levels=thumbnails.thumbnails_of(found.pixels[np.newaxis]).tobytes(),
        size=height * width,
        picture=np.asarray(picture),
        digest=found.digest,
    )
