import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from scripts.dataset import png
from scripts.inputs import images
from scripts.inputs.formats import JPEG, PNG
from scripts.inputs.images import MAX_BYTES, MAX_PIXELS, ImageError
from tests.inputs.pictures import chunk, encoded, gray, png_of, rgb

Pixels = npt.NDArray[np.uint8]
SIDES = st.integers(1, 9)


@given(
    arrays(np.uint8, st.tuples(SIDES, SIDES))
    | arrays(np.uint8, st.tuples(SIDES, SIDES, st.just(3)))
)
def test_a_png_decodes_to_the_pixels_that_were_saved(pixels: Pixels) -> None:
    for content in (encoded(pixels), png.encode(pixels), encoded(pixels, optimize=True)):
        assert np.array_equal(images.decode(content), pixels)


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"quality": 30}])
@pytest.mark.parametrize("pixels", [gray(9, 12), rgb(9, 12)])
def test_a_jpeg_decodes_to_nearly_the_pixels_that_were_saved(
    pixels: Pixels, options: dict[str, Any]
) -> None:
    flat = np.full_like(pixels, 90)

    found = images.decode(encoded(flat, "JPEG", **options))

    assert found.shape == pixels.shape
    assert np.abs(found.astype(int) - 90).max() <= 2
    assert images.decode(encoded(pixels, "JPEG", **options)).shape == pixels.shape


@given(st.binary(max_size=200), st.sampled_from([b"", PNG, JPEG, PNG + chunk(b"IHDR", b"")]))
def test_arbitrary_bytes_are_an_image_or_an_error_that_says_why(
    content: bytes, begin: bytes
) -> None:
    try:
        images.decode(begin + content)
    except ImageError as error:
        reason = str(error)
    else:
        return
    assert reason.startswith(("it ", "its "))


@given(st.data(), st.sampled_from(["PNG", "JPEG"]))
def test_a_damaged_image_is_an_image_or_an_error(data: st.DataObject, form: str) -> None:
    content = bytearray(encoded(rgb(5, 6), form))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    with suppress(ImageError):
        assert images.decode(bytes(content)).dtype == np.uint8


@pytest.mark.parametrize("form", ["PNG", "JPEG"])
@pytest.mark.parametrize("pixels", [gray(9, 12), rgb(9, 12)])
def test_an_image_that_ends_early_is_damaged(pixels: Pixels, form: str) -> None:
    content = encoded(pixels, form)
    for end in range(len(PNG), len(content)):
        with pytest.raises(ImageError, match=r"^it is damaged: its end is missing$"):
            images.decode(content[:end])


def test_a_changed_byte_in_a_png_is_noticed() -> None:
    content, pixels = bytearray(encoded(gray(9, 12))), gray(9, 12)
    for index in range(len(content)):
        content[index] ^= 0x55
        with suppress(ImageError):
            assert np.array_equal(images.decode(bytes(content)), pixels)
        content[index] ^= 0x55


TWO: dict[str, Any] = {"save_all": True, "append_images": [Image.fromarray(255 - gray(4, 4))]}
NOT_SUPPORTED = "which is not supported; save it as JPEG, PNG or TIFF"
NO_RANGE = "its pixels are numbers without a known range; save it with 8 or 16 bits"
ANIMATION = "it is an animation with 2 frames; save one picture of it"
REFUSED = {
    "empty": (b"", "it is empty"),
    "text": (b"not an image", "it is not a JPEG, PNG, WebP, GIF, BMP, TIFF or PPM file"),
    "begins as a BMP": (b"BMW is a car", "it is not a JPEG, PNG, WebP, GIF, BMP, TIFF or PPM file"),
    "PDF": (b"%PDF-1.4\n", "it is a PDF, not an image"),
    "ZIP": (b"PK\x03\x04", "it is a ZIP archive, not an image"),
    "SVG": (b"<svg xmlns='x'>", "it is an SVG drawing, not an image"),
    "SVG with a header": (
        b"<?xml version='1.0'?>\n<!-- Made by hand -->\n<svg>",
        "it is an SVG drawing, not an image",
    ),
    "HTML": (b"\n<!DOCTYPE html>", "it is a web page, not an image"),
    "LFS": (
        b"version https://git-lfs.github.com/spec/v1\n",
        "it is a pointer of Git LFS, not an image; fetch it with: git lfs pull",
    ),
    "HEIC": (b"\0\0\0\x18ftypheic" + bytes(20), f"it is HEIC, {NOT_SUPPORTED}"),
    "AVIF": (encoded(rgb(4, 4), "AVIF"), f"it is AVIF, {NOT_SUPPORTED}"),
    "JPEG 2000": (encoded(rgb(4, 4), "JPEG2000"), f"it is JPEG 2000, {NOT_SUPPORTED}"),
    "icon": (encoded(rgb(16, 16), "ICO"), f"it is an icon, {NOT_SUPPORTED}"),
    "Canon": (
        b"II*\0\x10\0\0\0CR\2\0" + bytes(50),
        f"it is a raw file of a camera, {NOT_SUPPORTED}",
    ),
    "DNG": (
        encoded(rgb(4, 4), "TIFF", tiffinfo={50706: b"\1\4\0\0"}),
        f"it is a raw file of a camera, {NOT_SUPPORTED}",
    ),
    "only the beginning of a PNG": (PNG, "it is damaged: its end is missing"),
    "only the beginning of a JPEG": (JPEG, "it is damaged: its end is missing"),
    "floating-point numbers": (encoded(Image.new("F", (4, 4)), "TIFF"), NO_RANGE),
    "32 bits": (encoded(Image.new("I", (4, 4)), "TIFF"), NO_RANGE),
    "animated PNG": (encoded(gray(4, 4), **TWO), ANIMATION),
    "animated GIF": (encoded(gray(4, 4), "GIF", **TWO), ANIMATION),
    "animated WebP": (encoded(gray(4, 4), "WEBP", **TWO), ANIMATION),
    "pages": (encoded(gray(4, 4), "TIFF", **TWO), "it has 2 pages; save one of them"),
    "400 million pixels": (
        png_of(20_000, 20_000, 8, 0, b""),
        "it has 20,000 x 20,000 pixels; at most 89,478,485 are allowed",
    ),
    "large WebP": (
        b"RIFF\x16\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\x1f\x4e\0\x1f\x4e\0",
        "it has more than 89,478,485 pixels",
    ),
    "large GIF": (
        b"GIF89a\x20\x4e\x20\x4e\0\0\0,\0\0\0\0\x20\x4e\x20\x4e\0\2\0;",
        "it has 20,000 x 20,000 pixels; at most 89,478,485 are allowed",
    ),
    "no pixels": (png_of(0, 4, 8, 0, b""), "it is damaged (not identified by this driver)"),
    "long": (b"x" * (MAX_BYTES + 1), "it has 67,108,865 bytes; at most 67,108,864 are allowed"),
}


@pytest.mark.parametrize(("content", "says"), REFUSED.values(), ids=REFUSED)
@pytest.mark.filterwarnings("error")
def test_other_files_are_refused_with_the_reason(content: bytes, says: str) -> None:
    with pytest.raises(ImageError) as error:
        images.decode(content)
    assert str(error.value) == says


def test_a_picture_can_be_long_and_have_as_many_pixels_as_pillow_takes() -> None:
    assert images.decode(encoded(np.zeros((1, 60_000), np.uint8))).shape == (1, 60_000)
    assert MAX_PIXELS == Image.MAX_IMAGE_PIXELS


def test_the_content_of_very_large_and_damaged_images_is_not_warned_of() -> None:
    """Pillow warns on stderr of large images and of metadata that it does not understand."""
    program = """if True:
        import sys
        from scripts.inputs import images
        for content in eval(sys.stdin.read()):
            try:
                images.decode(content)
            except images.ImageError:
                pass
    """
    exif = b"Exif\0\0II*\0\x08\0\0\0\xff\xff" + b"\x12\x01\x03\0\xff\xff\xff\xff" * 20
    contents = [content for content, _ in REFUSED.values() if len(content) < MAX_BYTES]
    contents += [encoded(rgb(5, 6), "JPEG", exif=exif), encoded(Image.new("L", (10_000, 10_000)))]

    done = subprocess.run(
        [sys.executable, "-W", "always", "-c", program],
        input=repr(contents),
        capture_output=True,
        text=True,
        check=True,
    )

    assert (done.stdout, done.stderr) == ("", "")


def test_a_photo_that_comes_with_a_preview_is_one_picture() -> None:
    photo = encoded(rgb(9, 12), "MPO", save_all=True, append_images=[Image.fromarray(rgb(4, 5))])
    assert images.decode(photo).shape == (9, 12, 3)


@given(st.sampled_from([gray, rgb]), *[SIDES] * 4)
def test_resizing_gives_the_size_and_keeps_the_mode(
    draw: Callable[[int, int], Pixels], height: int, width: int, new_height: int, new_width: int
) -> None:
    pixels = draw(height, width)

    resized = images.resize(pixels, (new_height, new_width))

    assert resized.shape == (new_height, new_width, *pixels.shape[2:])
    assert resized.dtype == np.uint8


def test_resizing_gives_the_known_pixels() -> None:
    """Released bytes depend on these."""
    pixels = np.arange(64, dtype=np.uint8).reshape(8, 8) * 4
    assert images.resize(pixels, (3, 4)).tolist() == [
        [31, 39, 47, 55],
        [114, 122, 130, 138],
        [197, 205, 213, 221],
    ]


def test_a_size_is_described_by_width_height_and_mode() -> None:
    assert images.described((8, 1200)) == "1,200 x 8 gray"
    assert images.described((8, 12, 3)) == "12 x 8 RGB"
