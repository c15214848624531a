"""Formats of image files, recognized by their content: a PNG called photo.jpg is a PNG."""

import re
from collections.abc import Callable
from typing import NamedTuple

from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.PpmImagePlugin import PpmImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

from scripts.inputs.color import MODES, Stored
from scripts.inputs.damage import NO_END
from scripts.inputs.stored import is_pointer

PNG, JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"
NAMES = "JPEG, PNG, WebP, GIF, BMP, TIFF or PPM"
# Tags of TIFF: what a page is, what its numbers mean, and a mark of Adobe's raw format.
KIND_OF_PAGE, MEANING, DNG_VERSION = 254, 262, 50706
IS_PREVIEW, WHITE_IS_ZERO = 1, 0
# The tags of where strips or tiles begin, and of how long they are.
STRIPS_AND_TILES = ((273, 279), (324, 325))
NO_RANGE = "its pixels are numbers without a known range; save it with 8 or 16 bits"
# What Pillow says of them.
UNKNOWN_COLORS = "unknown pixel mode"
SAVE_COLORS = "its colors are stored in a way that is not supported; save it as 8-bit gray or RGB"
MAX_BYTE = 255
# How many times larger than their samples Pillow makes the pixels of a PNG with 2 or 4 bits.
SCALES = {"L;2": 85, "L;4": 17}


class Format(NamedTuple):
    """A format: how a file of it begins, its ending, and what opens it with Pillow.

    Not `Image.open`, which takes a photo that comes with a preview for a series of pictures.
    """

    begin: re.Pattern[bytes]
    ending: str
    file: Callable[..., ImageFile]


FORMATS = (
    Format(re.compile(re.escape(JPEG)), ".jpg", JpegImageFile),
    Format(re.compile(re.escape(PNG)), ".png", PngImageFile),
    Format(re.compile(rb"RIFF....WEBPVP8", re.DOTALL), ".webp", WebPImageFile),
    Format(re.compile(rb"GIF8[79]a"), ".gif", GifImageFile),
    # The size of the header that follows the first 14 bytes is that of a known version.
    Format(
        re.compile(rb"BM.{12}[\x0c\x28\x34\x38\x40\x6c\x7c]\0\0\0", re.DOTALL), ".bmp", BmpImageFile
    ),
    # Beyond the usual version 42, Canon's raw files are TIFF too.
    Format(
        re.compile(rb"(?:II[\x2a\x2b]\0|MM\0[\x2a\x2b])(?!.{4}CR)", re.DOTALL),
        ".tif",
        TiffImageFile,
    ),
    Format(re.compile(rb"P[14][\s#]"), ".pbm", PpmImageFile),
    Format(re.compile(rb"P[25][\s#]"), ".pgm", PpmImageFile),
    Format(re.compile(rb"P[36][\s#]"), ".ppm", PpmImageFile),
)
RAW = "a raw file of a camera"
# Other files that people take for images.
OTHERS = (
    (re.compile(rb"%PDF-"), "a PDF"),
    (re.compile(rb"PK\x03\x04"), "a ZIP archive"),
    (re.compile(rb"\s*(?:<\?xml.*)?(?:<!.*)?<svg\b", re.DOTALL), "an SVG drawing"),
    (re.compile(rb"\s*<(?:!doctype html|html)\b", re.IGNORECASE), "a web page"),
)
# Formats that the project does not read.
UNSUPPORTED = (
    (re.compile(rb"....ftypavi[fs]", re.DOTALL), "AVIF"),
    (re.compile(rb"....ftyp(?:hei[cxms]|hev[cxms]|mif1|msf1)", re.DOTALL), "HEIC"),
    (
        re.compile(
            rb"(?:II\*\0|MM\0\*).{4}CR|....ftypcrx|FUJIFILMCCD-RAW|II(?:RO|RS|U\0)|MMOR|FOVb",
            re.DOTALL,
        ),
        RAW,
    ),
    (re.compile(rb"\0\0\0\x0cjP {2}|\xff\x4f\xff\x51"), "JPEG 2000"),
    (re.compile(rb"\0\0\0\x0cJXL |\xff\x0a"), "JPEG XL"),
    (re.compile(rb"8BPS"), "a Photoshop file"),
    (re.compile(rb"\0\0[\x01\x02]\0"), "an icon"),
    (re.compile(rb"v/1\x01"), "OpenEXR"),
    (re.compile(rb".{128}DICM", re.DOTALL), "DICOM"),
)
# How much of a file is looked at.
BEGIN = 1_024


def recognize(content: bytes) -> Format | None:
    """Return the format of a file, None for one that the project does not read."""
    begin = content[:BEGIN]
    return next((known for known in FORMATS if known.begin.match(begin)), None)


def instead(content: bytes) -> str:
    """Return what a file is whose format the project does not read."""
    begin = content[:BEGIN]
    if is_pointer(content):
        return "it is a pointer of Git LFS, not an image; fetch it with: git lfs pull"
    for pattern, name in OTHERS:
        if pattern.match(begin):
            return f"it is {name}, not an image"
    for pattern, name in UNSUPPORTED:
        if pattern.match(begin):
            return unsupported(name)
    return f"it is not a {NAMES} file"


def unsupported(name: str) -> str:
    """Return what is said of a file in a format called `name`."""
    return f"it is {name}, which is not supported; save it as JPEG, PNG or TIFF"


def problem(image: ImageFile, size: int) -> str:
    """Return why the project does not read an image of a known format, "" if it does.

    `size` is that of the file in bytes.
    """
    if isinstance(image, TiffImageFile):
        return _problem_of_tiff(image, size)
    if image.mode not in MODES:
        return NO_RANGE
    frames = getattr(image, "n_frames", 1)
    if frames > 1:
        return f"it is an animation with {frames:,} frames; save one picture of it"
    return ""


def stored(image: ImageFile) -> Stored:
    """Return how a file stores colors.

    To be called before the image is decoded, as `scale_transparency`.
    """
    is_gray = any(tile.args == "LA;16B" for tile in image.tile)
    # Pillow inverts pixels with up to 8 bits only.
    is_negative = isinstance(image, TiffImageFile) and image.tag_v2.get(MEANING) == WHITE_IS_ZERO
    return Stored(_bits(image), is_gray, is_negative)


def scale_transparency(image: ImageFile) -> None:
    """Scale the transparent color of a PNG to 8 bits, as Pillow scales the others."""
    rawmode, value = str(image.tile[0].args) if image.tile else "", image.info.get("transparency")
    if isinstance(value, int) and rawmode in SCALES:
        image.info["transparency"] = value * SCALES[rawmode]
    if isinstance(value, tuple) and rawmode == "RGB;16B":
        image.info["transparency"] = tuple(one >> 8 for one in value)


def _bits(image: ImageFile) -> int:
    """Return how many bits a file has for each color; 8 where it has fewer."""
    arguments = [str(tile.args) for tile in image.tile]
    if isinstance(image, PpmImageFile):
        # It scales all other ranges to 8 or 16 bits; after the mode it names the largest value.
        values = [tile.args[1] for tile in image.tile if isinstance(tile.args, tuple)]
        return 16 if image.mode == "I" or max(values, default=0) > MAX_BYTE else 8
    if any(";12" in one for one in arguments):
        return 12
    return 16 if any(";16" in one for one in arguments) else 8


def _problem_of_tiff(image: TiffImageFile, size: int) -> str:
    # A camera's raw file is a TIFF that begins with a preview.
    if DNG_VERSION in image.tag_v2 or _is_preview(image):
        return unsupported(RAW)
    if image.mode not in MODES or image.mode == "I":
        return NO_RANGE
    if _end(image) > size:
        return f"it is damaged: {NO_END}"
    pages = 0
    for page in range(image.n_frames):
        image.seek(page)
        pages += not _is_preview(image)
    image.seek(0)
    return f"it has {pages:,} pages; save one of them" if pages > 1 else ""


def _end(image: TiffImageFile) -> int:
    """Return where the last strip or tile of a TIFF ends, 0 where it does not say that."""
    ends = [0]
    for starts, sizes in STRIPS_AND_TILES:
        found = (image.tag_v2.get(starts, ()), image.tag_v2.get(sizes, ()))
        ends += [start + size for start, size in zip(*found, strict=False)]
    return max(ends)


def _is_preview(image: TiffImageFile) -> bool:
    kind = image.tag_v2.get(KIND_OF_PAGE, 0)
    return isinstance(kind, int) and bool(kind & IS_PREVIEW)
