"""The thumbnail of each row, so that images are compared without reading them.

Those of custom sources come with the batch. Others are made from the images once, on all cores, and
stored next to the local copies of sources, like the encodings: for each batch, under a name that
depends on the pixels, in a file with a checksum. Images that are no larger than a thumbnail are
read each time instead.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
import PIL
import platformdirs

from scripts import workers
from scripts.dataset.distances import Levels
from scripts.progress import Bar
from scripts.sources import summaries, thumbnails
from scripts.sources.copies import FOLDER
from scripts.sources.extended import Extended
from scripts.sources.own import Own
from scripts.sources.source import Pixels, Source
from scripts.sources.summaries import THUMBNAIL, SummaryRows
from scripts.storage import kept

# Increase this version if thumbnails are made differently, so that stored ones are not used.
VERSION = f"thumbnails 1, Pillow {PIL.__version__}"
# Images that are read together, and their values.
TOGETHER = 1024
MAX_VALUES = 2**22
# Rows for one process at a time, and the minimum number for several processes.
PART, LEAST = 50, 200


class PixelsByRow(Protocol):
    """Images by row."""

    def image(self, row: int) -> Pixels:
        """Return the pixels of a row."""


class Thumbnails:
    """The thumbnails of `images`."""

    def __init__(self, images: PixelsByRow, rows: Sequence[int]) -> None:
        """Make the missing thumbnails of `rows`, which are in ascending order."""
        self._images = images
        self._kept = _kept(images, rows)

    def blocks(self, rows: Sequence[int]) -> Iterator[SummaryRows]:
        """Yield the thumbnails of `rows`, which are in ascending order, as `THUMBNAIL`."""
        for start in range(0, len(rows), TOGETHER):
            block = np.zeros(len(rows[start : start + TOGETHER]), THUMBNAIL)
            block["row"] = rows[start : start + TOGETHER]
            places, is_kept = _places(self._kept, block["row"])
            block[is_kept] = self._kept[places[is_kept]]
            block[~is_kept] = _made(self._images, block["row"][~is_kept].tolist())
            yield block


def reduced(
    images: PixelsByRow, rows: Sequence[int], size: int, reduce: Callable[[Levels], Levels]
) -> Levels:
    """Return what `reduce` makes of the thumbnails of `rows`: `size` levels of each image.

    `rows` are in ascending order. Thumbnails are given and returned as (images, levels).
    """
    made = np.zeros((len(rows), size), np.uint8)
    start = 0
    for block in Thumbnails(images, rows).blocks(rows):
        made[start : start + len(block)] = reduce(block["levels"])
        start += len(block)
    return made


def _kept(images: PixelsByRow, rows: Sequence[int]) -> SummaryRows:
    """Return the stored thumbnails of `rows`, after storing missing ones."""
    found = [np.zeros(0, THUMBNAIL)]
    if not isinstance(images, Extended):
        return found[0]
    source = images.source
    if source.shape is not None and not summaries.has_thumbnail(source.shape):
        return found[0]
    wanted = np.array(rows, np.int64)
    for number, batch in enumerate(source.batches):
        inside = wanted[(wanted >= batch.start) & (wanted < batch.stop)]
        if len(inside):
            found.append(_of_batch(source, number, inside))
    return np.concatenate(found)


def _of_batch(source: Source, number: int, rows: npt.NDArray[np.int64]) -> SummaryRows:
    """Return the thumbnails of `rows`, all in one batch."""
    batch = source.batches[number]
    if isinstance(source, Own) and (summary := source.summary(number)):
        known = summaries.read_thumbnails(summary, batch.stop - batch.start)
        if known is not None:
            known["row"] += batch.start
            return known[np.isin(known["row"], rows)]
    file = _file_of(source, batch.start, batch.stop)
    known = _read(file)
    new = rows[~np.isin(rows, known["row"])].tolist()
    if new:
        made = workers.results(partial(_records, source), new, PART, LEAST)
        shown = Bar(made, total=len(new), desc="Making thumbnails", unit="image")
        known = np.concatenate([known, np.array([*shown], THUMBNAIL)])
        known = known[np.argsort(known["row"])]
        kept.write(file, known.tobytes())
    return known[np.isin(known["row"], rows)]


def _file_of(source: Source, start: int, stop: int) -> Path:
    name = hashlib.sha256(f"{VERSION} {source.shape} {start}".encode())
    name.update(b"".join(source.keys[start:stop]))
    return platformdirs.user_cache_path(FOLDER) / "thumbnails" / name.hexdigest()


def _read(file: Path) -> SummaryRows:
    """Return the thumbnails in `file`, none if it is missing or damaged."""
    rows = kept.read(file)
    if rows is not None and len(rows) % THUMBNAIL.itemsize == 0:
        return np.frombuffer(rows, THUMBNAIL)
    return np.zeros(0, THUMBNAIL)


def _places(
    known: SummaryRows, rows: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.bool_]]:
    """Return where each of `rows` is in `known`, and whether it is there."""
    places = np.searchsorted(known["row"], rows)
    is_inside = places < len(known)
    is_inside[is_inside] = known["row"][places[is_inside]] == rows[is_inside]
    return places, is_inside


def _records(source: Source, rows: Sequence[int]) -> list[np.void]:
    return [*_made(source, rows)]


def _made(images: PixelsByRow, rows: Sequence[int]) -> SummaryRows:
    """Return the thumbnails of `rows`, made from their images."""
    made, start = np.zeros(len(rows), THUMBNAIL), 0
    made["row"] = rows
    for same in _runs(map(images.image, rows)):
        part = made[start : start + len(same)]
        part["levels"] = thumbnails.thumbnails_of(np.stack(same))
        part["shape"] = thumbnails.shape_of(same[0])
        start += len(same)
    return made


def _runs(images: Iterable[Pixels]) -> Iterator[list[Pixels]]:
    """Yield runs of consecutive images of one shape, of limited size."""
    same: list[Pixels] = []
    for pixels in images:
        if same and (pixels.shape != same[0].shape or len(same) * pixels.size >= MAX_VALUES):
            yield same
            same = []
        same.append(pixels)
    if same:
        yield same
