"""Image files that people bring: decoded strictly, within bounds."""

import hashlib
import io
import warnings
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile

from scripts.inputs.stored import is_pointer

MAX_BYTES = 32 * 1024 * 1024
MAX_SIDE = 4096
# The modes that a dataset can hold, and what others are called.
MODES = {"L": "gray", "RGB": "RGB"}
OTHER_MODES = {
    "1": "black and white with 1 bit",
    "LA": "gray with transparency",
    "P": "a palette",
    "PA": "a palette with transparency",
    "RGBA": "RGB with transparency",
}
# How a file of each format begins. Its content decides, not its name: a PNG called photo.jpg is
# read as what it is.
PNG, JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"
# Pillow computes this filter for 8-bit images in whole numbers, so its bytes are the same on every
# machine: https://pillow.readthedocs.io/en/stable/handbook/concepts.html#filters
FILTER = Image.Resampling.BICUBIC

Pixels = npt.NDArray[np.uint8]


class ImageError(Exception):
    """A file is not an image that a dataset can hold; its text says why."""


def decode(content: bytes) -> Pixels:
    """Return the pixels of a PNG or JPEG file: (height, width) if gray, (height, width, 3) if RGB.

    A photo is turned upright as its metadata says. Raises `ImageError` for anything else: other
    formats, colors with transparency, 16 bits, animations, damaged or very large files.
    """
    if not content:
        raise ImageError("it is empty")
    if len(content) > MAX_BYTES:
        raise ImageError(f"it has {len(content):,} bytes; at most {MAX_BYTES:,} are allowed")
    try:
        # Pillow warns of metadata that it does not understand.
        with warnings.catch_warnings(action="ignore"):
            return _pixels(content)
    except (ImageError, MemoryError):
        raise
    except Exception as error:  # noqa: BLE001 - damaged files fail in many ways
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ImageError(f"it is damaged ({reason})") from None


def resize(pixels: Pixels, size: tuple[int, int]) -> Pixels:
    """Return `pixels` resized to `size` (height, width)."""
    if pixels.shape[:2] == size:
        return pixels
    return np.asarray(Image.fromarray(pixels).resize(size[::-1], FILTER))


def described(shape: tuple[int, ...]) -> str:
    """Return the size and mode of pixels of this shape in words, such as `28 x 28 gray`."""
    height, width, *colors = shape
    return f"{width:,} x {height:,} {'RGB' if colors else 'gray'}"


def _pixels(content: bytes) -> Pixels:
    with _opened(content) as image:
        _check(image)
        if isinstance(image, PngImageFile):
            _check_complete(content)
        return np.asarray(ImageOps.exif_transpose(image))


def _opened(content: bytes) -> PngImageFile | JpegImageFile:
    """Return the image of a file, not decoded yet.

    Not by `Image.open`, which takes a photo that comes with a preview for a series of pictures, and
    refuses very large images before their size can be named.
    """
    if content.startswith(PNG):
        return PngImageFile(io.BytesIO(content))
    if content.startswith(JPEG):
        return JpegImageFile(io.BytesIO(content))
    if is_pointer(content):
        raise ImageError("it is a pointer of Git LFS, not an image; fetch it with: git lfs pull")
    raise ImageError("it is not a PNG or JPEG file")


def _check(image: PngImageFile | JpegImageFile) -> None:
    if max(image.size) > MAX_SIDE:
        width, height = image.size
        raise ImageError(
            f"it has {width:,} x {height:,} pixels; at most {MAX_SIDE:,} on a side are allowed"
        )
    if getattr(image, "n_frames", 1) > 1:
        raise ImageError("it is an animation; save one picture of it")
    if any(";16" in str(tile.args) for tile in image.tile):
        # Pillow would drop half of the bits of such colors.
        raise ImageError("it has 16 bits for each color; save it with 8")
    if image.mode not in MODES or "transparency" in image.info:
        known = f"{MODES[image.mode]} with transparency" if image.mode in MODES else None
        found = known or OTHER_MODES.get(image.mode, image.mode)
        raise ImageError(
            f"its colors are {found}; save it as 8-bit gray or RGB without transparency"
        )


def _check_complete(content: bytes) -> None:
    """Raise an error where a PNG ends early, or a checksum in it is wrong."""
    # This leaves an image that cannot be decoded any more.
    with PngImageFile(io.BytesIO(content)) as image:
        image.verify()


class Picture(NamedTuple):
    """An image file, decoded."""

    pixels: Pixels
    digest: bytes
    ending: str
    converted: str


def read(content: bytes) -> Picture:
    """Return the picture in a file."""
    pixels = decode(content)
    ending = ".png" if content.startswith(PNG) else ".jpg"
    return Picture(pixels, hashlib.sha256(pixels.tobytes()).digest(), ending, "")
