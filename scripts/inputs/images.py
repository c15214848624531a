"""Image files that people bring: decoded strictly, within bounds."""

import io

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, UnidentifiedImageError

FORMATS = ("PNG", "JPEG")
MAX_BYTES = 32 * 1024 * 1024
MAX_SIDE = 4096
MODES = {"L": "gray", "RGB": "RGB"}


class ImageError(Exception):
    """A file is not an image that a dataset can hold; its text says why."""


def decode(content: bytes) -> npt.NDArray[np.uint8]:
    """Return the pixels of a PNG or JPEG file: (height, width) if gray, (height, width, 3) if RGB.

    A photo is turned upright as its metadata says. Raises `ImageError` for anything else: other
    formats, colors with transparency, 16 bits, animations, damaged or very large files.
    """
    if len(content) > MAX_BYTES:
        raise ImageError(f"it has {len(content):,} bytes; at most {MAX_BYTES:,} are allowed")
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as image:
            _check(image)
            return np.asarray(ImageOps.exif_transpose(image))
    except ImageError:
        raise
    except Image.DecompressionBombError:
        raise ImageError(f"it has more than {MAX_SIDE:,} pixels on a side") from None
    except UnidentifiedImageError:
        raise ImageError("it is not a PNG or JPEG file") from None
    except Exception as error:  # noqa: BLE001 - damaged files fail in many ways
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ImageError(f"it is damaged ({reason})") from None


def _check(image: Image.Image) -> None:
    if max(image.size) > MAX_SIDE:
        width, height = image.size
        raise ImageError(
            f"it has {width:,} x {height:,} pixels; at most {MAX_SIDE:,} on a side are allowed"
        )
    if getattr(image, "n_frames", 1) > 1:
        raise ImageError("it is an animation; save one picture of it")
    if image.mode not in MODES:
        raise ImageError(
            f"it has the color mode {image.mode}; save it as 8-bit gray or RGB without transparency"
        )
