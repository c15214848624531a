"""IDX files, as MNIST and its relatives are published: gray images, and their labels as numbers.

The format is described at http://yann.lecun.com/exdb/mnist/.
"""

import gzip
import re
import struct
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import IO, NamedTuple

import numpy as np

from scripts.dataset import png
from scripts.errors import UserError
from scripts.ingest.arrangement import Arrangement, ExampleImage, Listing, Place, spread
from scripts.ingest.labeled_image import LabeledImage
from scripts.ingest.locations import LocatedFile
from scripts.inputs.config import TEST, TRAIN
from scripts.inputs.images import MAX_BYTES

NAME = re.compile(
    r"(?P<set>.*?)(?P<split>train|t10k|test)[-_.](?P<what>images|labels)[-_.]idx[13][-_.]ubyte"
    r"(?:\.gz)?"
)
SPLITS = {"train": TRAIN, "t10k": TEST, "test": TEST}
# How the files begin: two zero bytes, the type of a value (one byte), and the number of dimensions.
IMAGES, LABELS = 0x00000803, 0x00000801
DAMAGED = (UserError, OSError, EOFError, struct.error, zlib.error)
HEADERS = {IMAGES: ">IIII", LABELS: ">II"}


class IdxPair(NamedTuple):
    """The two files of a set."""

    split: str
    images: LocatedFile
    labels: LocatedFile


def pairs(files: Sequence[LocatedFile]) -> list[IdxPair]:
    """Return the sets among `files`, of which the location has both files.

    Raises `UserError` where there are several for one split.
    """
    found: dict[tuple[str, str, str], dict[str, LocatedFile]] = {}
    for file in files:
        if name := NAME.fullmatch(file.path.name):
            key = (SPLITS[name["split"]], str(file.path.parent), name["set"])
            found.setdefault(key, {})[name["what"]] = file
    made = [
        IdxPair(split, both["images"], both["labels"])
        for (split, _, _), both in sorted(found.items(), reverse=True)
        if len(both) > 1
    ]
    if len({pair.split for pair in made}) < len(made):
        shown = ", ".join(str(pair.images.path) for pair in made)
        raise UserError(
            f"there are several sets of IDX files for one split ({shown}); ingest each of them from"
            " a folder of its own"
        )
    return made


def arrange(listing: Listing, found: Sequence[IdxPair]) -> Arrangement:
    """Return what IDX files hold, and note what is wrong with them."""
    labels: dict[IdxPair, bytes] = {}
    for pair in found:
        try:
            labels[pair] = _labels(listing, pair)
        except DAMAGED as error:
            listing.problems.add(str(pair.labels.path), f"it is damaged ({error})")
    counts: Counter[Place] = Counter(
        (pair.split, str(label)) for pair in labels for label in labels[pair]
    )
    examples = [
        ExampleImage(_where(pair, row), (pair.split, str(label)))
        for pair, values in labels.items()
        for row, label in enumerate(values[:10])
    ]
    used = {file.path for pair in found for file in (pair.images, pair.labels)}
    return Arrangement(
        "IDX files with images and labels",
        counts,
        spread(examples),
        [file.path for file in listing.files if file.path not in used],
        lambda: _read(listing, labels),
    )


def _where(pair: IdxPair, row: int) -> str:
    return f"{pair.images.path} row {row + 1}"


def _labels(listing: Listing, pair: IdxPair) -> bytes:
    """Return the labels, a byte for each."""
    with ExitStack() as stack:
        opened = _opened(stack, listing, pair.labels)
        (count,) = _header(opened, LABELS)
        return _exactly(opened, count)


def _read(listing: Listing, labels: Mapping[IdxPair, bytes]) -> Iterator[LabeledImage]:
    for pair, values in labels.items():
        try:
            yield from _images(listing, pair, values)
        except DAMAGED as error:
            listing.problems.add(str(pair.images.path), f"it is damaged ({error})")


def _images(listing: Listing, pair: IdxPair, labels: bytes) -> Iterator[LabeledImage]:
    with ExitStack() as stack:
        opened = _opened(stack, listing, pair.images)
        count, height, width = _header(opened, IMAGES)
        if count != len(labels):
            raise UserError(f"it has {count:,} images, but there are {len(labels):,} labels")
        if not 0 < height * width <= MAX_BYTES:
            raise UserError(f"it has images of {width:,} x {height:,} pixels")
        for row, label in enumerate(labels):
            values = np.frombuffer(_exactly(opened, height * width), np.uint8)
            content = png.encode(values.reshape(height, width))
            yield LabeledImage(_where(pair, row), pair.split, str(label), content)


def _opened(stack: ExitStack, listing: Listing, file: LocatedFile) -> IO[bytes]:
    opened = stack.enter_context(listing.location.spool(file))
    if file.path.suffix == ".gz":
        unpacked: IO[bytes] = gzip.open(opened)  # type: ignore[assignment] # noqa: SIM115
        stack.callback(unpacked.close)
        return unpacked
    return opened


def _header(opened: IO[bytes], kind: int) -> tuple[int, ...]:
    form = HEADERS[kind]
    found, *sizes = struct.unpack(form, _exactly(opened, struct.calcsize(form)))
    if found != kind:
        raise UserError("it is not an IDX file of bytes")
    return tuple(sizes)


def _exactly(opened: IO[bytes], size: int) -> bytes:
    content = opened.read(size)
    if len(content) < size:
        raise UserError("it ends too early")
    return content
