"""Decodes untrusted image files strictly, with limits."""

import io
import warnings
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import ExifTags, Image, PngImagePlugin
from PIL.ImageFile import ImageFile

from scripts.inputs import color, damage, formats

MAX_BYTES = 64 * 1024 * 1024
# Pillow's limit: https://pillow.readthedocs.io/en/stable/reference/limits.html
MAX_PIXELS = 89_478_485
# The modes of pixels, and what they are called.
MODES = {"L": "gray", "RGB": "RGB"}
# Pillow computes this filter for 8-bit images in whole numbers, so its bytes are the same on every
# machine: https://pillow.readthedocs.io/en/stable/handbook/concepts.html#filters
FILTER = Image.Resampling.BICUBIC
# Pillow reads 64 MiB of metadata in a PNG, but only 1 MiB of one kind by default.
PngImagePlugin.MAX_TEXT_CHUNK = PngImagePlugin.MAX_TEXT_MEMORY
DAMAGE: Mapping[str, Callable[[bytes], str]] = {
    ".jpg": damage.of_jpeg,
    ".png": damage.of_png,
    ".webp": damage.of_webp,
}
# How a picture is turned upright, by what its metadata says.
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

Pixels = npt.NDArray[np.uint8]


class ImageError(Exception):
    """A file is not a supported image; the text is the reason."""


class Picture(NamedTuple):
    """An image file, decoded.

    `pixels` are upright 8-bit sRGB: (height, width) if gray, (height, width, 3) if RGB. `digest` is
    the SHA-256 of the pixels as they are shown, before that conversion; `converted` says what had
    to be converted, such as "a palette and transparency", "" for nothing. `ending` is that of the
    format, such as ".jpg".
    """

    pixels: Pixels
    digest: bytes
    ending: str
    converted: str


def read(content: bytes, *, in_srgb: bool = True) -> Picture:
    """Return the picture in an image file.

    Without `in_srgb`, the colors of an 8-bit RGB image stay as they are, whatever its profile.
    Raises `ImageError` for other files, for those with several pictures, and for damaged or very
    large ones.
    """
    if not content:
        raise ImageError("it is empty")
    if len(content) > MAX_BYTES:
        raise ImageError(f"it has {len(content):,} bytes; at most {MAX_BYTES:,} are allowed")
    known = formats.recognize(content)
    if known is None:
        raise ImageError(formats.instead(content))
    try:
        # Pillow warns about unknown metadata.
        with warnings.catch_warnings(action="ignore"):
            return _read(content, known, in_srgb=in_srgb)
    except (ImageError, MemoryError):
        raise
    except Image.DecompressionBombError:
        raise ImageError(f"it has more than {MAX_PIXELS:,} pixels") from None
    except Exception as error:  # noqa: BLE001 - damaged files fail in many ways
        _refuse_damage(content, known.ending)
        reason = " ".join(str(error).split()) or type(error).__name__
        if reason == formats.UNKNOWN_COLORS:
            raise ImageError(formats.SAVE_COLORS) from None
        if reason.startswith(damage.TRUNCATED):
            raise ImageError(f"it is damaged: {damage.NO_END}") from None
        raise ImageError(f"it is damaged ({reason})") from None


def decode(content: bytes) -> Pixels:
    """Return the pixels of an image file; raises `ImageError` as `read` does."""
    return read(content).pixels


def resize(pixels: Pixels, size: tuple[int, int]) -> Pixels:
    """Return `pixels` resized to `size` (height, width)."""
    if pixels.shape[:2] == size:
        return pixels
    return np.asarray(Image.fromarray(pixels).resize(size[::-1], FILTER))


def described(shape: tuple[int, ...]) -> str:
    """Return the size and mode of pixels of this shape in words, such as `28 x 28 gray`."""
    height, width, *colors = shape
    return f"{width:,} x {height:,} {'RGB' if colors else 'gray'}"


def _read(content: bytes, known: formats.Format, *, in_srgb: bool) -> Picture:
    with known.file(io.BytesIO(content)) as image:
        width, height = image.size
        if width * height > MAX_PIXELS:
            raise ImageError(
                f"it has {width:,} x {height:,} pixels; at most {MAX_PIXELS:,} are allowed"
            )
        if message := formats.problem(image, len(content)):
            raise ImageError(message)
        _refuse_damage(content, known.ending)
        stored = formats.stored(image)
        formats.scale_transparency(image)
        image.load()
        # Of some formats, only decoding finds the profile.
        profile = image.info.get("icc_profile")
        if image.mode == "RGB" and not in_srgb:
            profile = None
        pixels, digest, converted = color.show(_upright(image), profile, stored)
        return Picture(pixels, digest, known.ending, " and ".join(converted))


def _refuse_damage(content: bytes, ending: str) -> None:
    find = DAMAGE.get(ending)
    if find and (reason := find(content)):
        raise ImageError(f"it is damaged: {reason}")


def _upright(image: ImageFile) -> Image.Image:
    """Return the image turned upright; damaged metadata turns nothing."""
    try:
        turn = TURNS.get(image.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:  # noqa: BLE001 - damaged metadata fails in many ways
        return image
    return image if turn is None else image.transpose(turn)
