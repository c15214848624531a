"""Images are decoded on all cores, in their order; of each, only what is kept stays in memory."""

import hashlib
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple, TypeVar

import numpy as np
from threadpoolctl import threadpool_limits

from scripts.ingest.labeled_image import LabeledImage
from scripts.inputs import images
from scripts.inputs.images import ImageError
from scripts.sources import thumbnails
from scripts.sources.pointer import Mode
from scripts.sources.summaries import has_thumbnail
from scripts.storage import manifest

GRAY: Mode = "gray"
RGB: Mode = "RGB"
# Files that wait for a core have at most so many bytes together.
WAITING = 64 * 1024**2

Result = TypeVar("Result")


class DecodedImage(NamedTuple):
    """What is known of an image once it was decoded.

    `shape` is (height, width, colors) of its pixels, `levels` its thumbnail, empty for small
    images. `checksum` and `md5` are those of its file. `converted` says what its pixels were.
    """

    digest: bytes
    checksum: bytes
    md5: bytes
    ending: str
    shape: tuple[int, int, int]
    levels: bytes
    converted: str

    @property
    def mode(self) -> Mode:
        """The mode of its pixels."""
        return GRAY if self.shape[2] == 1 else RGB

    @property
    def size(self) -> tuple[int, int]:
        """The (height, width) of its pixels."""
        return self.shape[:2]


# What became of an image: the digest of one whose file is known, or why it cannot be read.
Outcome = DecodedImage | bytes | ImageError


def decoded(
    labeled: Iterator[LabeledImage], known: Mapping[bytes, bytes]
) -> Iterator[tuple[LabeledImage, Outcome]]:
    """Yield each image with what became of it.

    `known` are the digests of known images by the SHA-256 of their files; these are not decoded.
    """
    return on_all_cores(labeled, lambda image: outcome(image.content, known.get))


def on_all_cores(
    labeled: Iterable[LabeledImage], work: Callable[[LabeledImage], Result]
) -> Iterator[tuple[LabeledImage, Result]]:
    """Yield each image with the result of `work`, in their order."""
    waiting: deque[tuple[LabeledImage, Future[Result]]] = deque()
    size, cores = 0, os.cpu_count() or 1
    # Pillow and hashlib release the lock of the interpreter while they work. Threads of linear
    # algebra within these threads would only wait for each other.
    with threadpool_limits(1), ThreadPoolExecutor(cores) as pool:
        for image in labeled:
            waiting.append((image, pool.submit(work, image)))
            size += len(image.content)
            while waiting and (size > WAITING or len(waiting) > 2 * cores):
                yield _next(waiting)
                size = sum(len(one.content) for one, _ in waiting)
        while waiting:
            yield _next(waiting)


def _next(
    waiting: deque[tuple[LabeledImage, Future[Result]]],
) -> tuple[LabeledImage, Result]:
    image, future = waiting.popleft()
    return image, future.result()


def outcome(content: bytes, known: Callable[[bytes], bytes | None] = lambda _: None) -> Outcome:
    """Return what becomes of the image in a file; `known` are as in `decoded`."""
    checksum = hashlib.sha256(content).digest()
    if digest := known(checksum):
        return digest
    try:
        picture = images.read(content)
    except ImageError as error:
        return error
    pixels = picture.pixels
    is_large = has_thumbnail(pixels.shape)
    return DecodedImage(
        picture.digest,
        checksum,
        bytes.fromhex(manifest.md5_of(content)),
        picture.ending,
        thumbnails.shape_of(pixels),
        thumbnails.thumbnails_of(pixels[np.newaxis]).tobytes() if is_large else b"",
        picture.converted,
    )
