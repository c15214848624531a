"""Colors of images: what is shown of each mode, as 8-bit gray or RGB in sRGB."""

import hashlib
import io
from functools import lru_cache
from itertools import product
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageCms

Pixels = npt.NDArray[np.uint8]

OPAQUE = WHITE = 255
GRAYS = ("1", "L", "LA", "La")
# Modes with up to 16 bits for each pixel. PGM files with 16 bits are read as the last one.
DEEP = ("I;16", "I;16B", "I;16L", "I;16N", "I")
# Modes that hold nothing but what another one holds as well.
SIMPLER = {"1": "L", "P": "RGB", "RGBX": "RGB", "YCbCr": "RGB"}
NAMES = {"1": "1 bit", "P": "a palette", "PA": "a palette"}
MODES = {*GRAYS, *DEEP, *SIMPLER, "PA", "RGB", "RGBA", "RGBa", "CMYK", "LAB"}
INTENT = ImageCms.Intent.RELATIVE_COLORIMETRIC
FLAGS = ImageCms.Flags.BLACKPOINTCOMPENSATION
# A profile that changes no color by more than this is sRGB, whatever it is called.
MAX_DIFFERENCE = 2
STEPS = range(0, 256, 15)


class Stored(NamedTuple):
    """How a file stores colors, where the decoded image does not say it.

    `bits` are those of each color, of which Pillow gives 8 if there are several colors; `is_gray`
    says that it gives RGB for gray, `is_negative` that its 16 bits are 0 for white.
    """

    bits: int
    is_gray: bool
    is_negative: bool


class Converted(NamedTuple):
    """What is shown of an image, its digest before the conversion, and what was converted."""

    pixels: Pixels
    digest: bytes
    converted: tuple[str, ...]


def show(image: Image.Image, profile: bytes | None, stored: Stored) -> Converted:
    """Return what is shown of a decoded image with this color profile."""
    bits = stored.bits
    if stored.is_gray:
        image = image.convert("LA")
    names = [NAMES[image.mode]] if image.mode in NAMES else []
    names += [f"{bits} bits"] if bits > 8 else []  # noqa: PLR2004 - a byte
    if image.mode in DEEP:
        values = np.asarray(image).astype("<u2")
        values = 2**bits - 1 - values if stored.is_negative else values
        gray = (values >> (bits - 8)).astype(np.uint8)
        is_shown = values != image.info.get("transparency", -1)
        if is_shown.all():
            return Converted(gray, _digest("I;16", values.shape, values.tobytes()), tuple(names))
        layers = (Image.fromarray(gray), Image.fromarray(is_shown.astype(np.uint8) * OPAQUE))
        image = Image.merge("LA", layers)
    image = _simplified(image)
    shown, also = _in_srgb(image, profile)
    if image.mode in ("L", "RGB"):
        # Of a large photo there are as few copies as possible.
        data = image.tobytes()
        digest = hashlib.sha256(data).digest()
    else:
        layered = image.convert("RGBA") if image.mode == "LA" else image
        shape = (image.height, image.width, len(layered.getbands()))
        digest = _digest(layered.mode, shape, layered.tobytes())
    data = data if shown is image else shown.tobytes()
    layers_shown = () if shown.mode == "L" else (3,)
    pixels = np.frombuffer(data, np.uint8).reshape(shown.height, shown.width, *layers_shown)
    return Converted(pixels, digest, (*names, *also))


def _digest(mode: str, shape: tuple[int, ...], data: bytes) -> bytes:
    return hashlib.sha256(mode.encode() + repr(shape).encode() + data).digest()


def _simplified(image: Image.Image) -> Image.Image:
    """Return the image without palette, and without transparency where everything is opaque."""
    if not image.has_transparency_data:
        return image.convert(SIMPLER[image.mode]) if image.mode in SIMPLER else image
    with_alpha, opaque = ("LA", "L") if image.mode in GRAYS else ("RGBA", "RGB")
    layered = image.convert(with_alpha)
    lowest, _ = layered.getchannel("A").getextrema()
    return layered.convert(opaque) if lowest == OPAQUE else layered


def _in_srgb(image: Image.Image, profile: bytes | None) -> tuple[Image.Image, list[str]]:
    """Return the image as gray or RGB in sRGB without transparency, and what was converted."""
    names = []
    if image.mode in ("LA", "RGBA"):
        names.append("transparency")
        opaque = image.convert(image.mode.removesuffix("A"))
        white = Image.new(opaque.mode, image.size, "white")
        image = Image.composite(opaque, white, image.getchannel("A"))
    if image.mode == "L":
        return image, names
    transform = _lab() if image.mode == "LAB" else _transform(profile or b"", image.mode)
    if image.mode != "RGB" or transform:
        names.append({"RGB": "a color profile", "LAB": "CIELAB"}.get(image.mode, image.mode))
    if transform:
        return transform.apply(image), names
    return image.convert("RGB") if image.mode != "RGB" else image, names


def _lab() -> ImageCms.ImageCmsTransform:
    lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    return ImageCms.buildTransform(lab, srgb, "LAB", "RGB", INTENT, FLAGS)


@lru_cache(maxsize=16)
def _transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """Return what converts colors with this profile to sRGB, None if nothing has to be done.

    That is so for sRGB itself and where there is no profile, or a damaged one, or one for colors of
    another mode.
    """
    if not profile:
        return None
    try:
        known = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        srgb = ImageCms.createProfile("sRGB")
        transform = ImageCms.buildTransform(known, srgb, mode, "RGB", INTENT, FLAGS)
    except (ImageCms.PyCMSError, OSError, ValueError):
        return None
    if mode == "RGB":
        before = np.array([[*product(STEPS, repeat=3)]], np.uint8)
        after = np.asarray(transform.apply(Image.fromarray(before)))
        if np.abs(after.astype(int) - before).max() <= MAX_DIFFERENCE:
            return None
    return transform
