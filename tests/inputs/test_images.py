import struct
import subprocess
import sys
import zlib
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
from scripts.inputs.images import JPEG, MAX_BYTES, PNG, ImageError
from tests.inputs.pictures import encoded, gray, rgb

Pixels = npt.NDArray[np.uint8]
SIDES = st.integers(1, 9)
# The values of the tag for the orientation in a photo's metadata.
ORIENTATION = 0x112


def chunk(kind: bytes, data: bytes) -> bytes:
    """Return a part of a PNG."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_of(width: int, height: int, bits: int, color: int, rows: bytes) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, bits, color, 0, 0, 0)
    data = chunk(b"IDAT", zlib.compress(rows))
    return PNG + chunk(b"IHDR", header) + data + chunk(b"IEND", b"")


def turned(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    return exif


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
    assert reason.startswith("it ")


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
    # The last four bytes of a PNG are the checksum of nothing.
    for end in range(len(PNG), len(content) - 4 if form == "PNG" else len(content)):
        with pytest.raises(ImageError, match=r"^it is damaged \(.+\)$"):
            images.decode(content[:end])


def test_a_changed_byte_in_a_png_is_noticed() -> None:
    content, pixels = bytearray(encoded(gray(9, 12))), gray(9, 12)
    for index in range(len(content)):
        content[index] ^= 0x55
        with suppress(ImageError):
            assert np.array_equal(images.decode(bytes(content)), pixels)
        content[index] ^= 0x55


WIDE = Image.new("L", (4097, 1))
REFUSED = {
    "empty": (b"", r"is empty"),
    "text": (b"not an image", r"is not a PNG or JPEG file"),
    "GIF": (encoded(gray(4, 4), "GIF"), r"is not a PNG or JPEG file"),
    "WebP": (encoded(rgb(4, 4), "WEBP"), r"is not a PNG or JPEG file"),
    "TIFF": (encoded(rgb(4, 4), "TIFF"), r"is not a PNG or JPEG file"),
    "only the beginning": (PNG, r"is damaged \(.+\)"),
    "CMYK": (encoded(Image.new("CMYK", (4, 4)), "JPEG"), r"s colors are CMYK; save it as 8-bit"),
    "palette": (encoded(Image.new("P", (4, 4))), r"s colors are a palette; save"),
    "one bit": (encoded(Image.new("1", (4, 4))), r"s colors are black and white with 1 bit; save"),
    "RGBA": (encoded(Image.new("RGBA", (4, 4))), r"s colors are RGB with transparency; save"),
    "LA": (encoded(Image.new("LA", (4, 4))), r"s colors are gray with transparency; save"),
    "a color is transparent": (
        encoded(rgb(4, 4), transparency=(1, 2, 3)),
        r"s colors are RGB with transparency; save",
    ),
    "a gray is transparent": (
        encoded(gray(4, 4), transparency=7),
        r"s colors are gray with transparency; save",
    ),
    "16 bit gray": (png_of(2, 2, 16, 0, bytes(10)), r"has 16 bits for each color; save it with 8"),
    "16 bit RGB": (png_of(2, 2, 16, 2, bytes(26)), r"has 16 bits for each color; save it with 8"),
    "animation": (
        encoded(gray(4, 4), save_all=True, append_images=[Image.fromarray(255 - gray(4, 4))]),
        r"is an animation; save one picture of it",
    ),
    "400 million pixels": (
        png_of(20_000, 20_000, 8, 0, b""),
        r"has 20,000 x 20,000 pixels; at most 4,096 on a side are allowed",
    ),
    "100 million pixels": (png_of(10_000, 10_000, 8, 0, b""), r"has 10,000 x 10,000 pixels; at"),
    "wide": (encoded(WIDE), r"has 4,097 x 1 pixels; at most 4,096 on a side are allowed"),
    "wide JPEG": (encoded(WIDE, "JPEG"), r"has 4,097 x 1 pixels; at most 4,096"),
    "no pixels": (png_of(0, 4, 8, 0, b""), r"is damaged \(.+\)"),
    "long": (b"x" * (MAX_BYTES + 1), r"has 33,554,433 bytes; at most 33,554,432 are allowed"),
}


@pytest.mark.parametrize(("content", "says"), REFUSED.values(), ids=REFUSED)
@pytest.mark.filterwarnings("error")
def test_other_files_are_refused_with_the_reason(content: bytes, says: str) -> None:
    with pytest.raises(ImageError, match=f"^it{says}" if says[:2] == "s " else f"^it {says}"):
        images.decode(content)


def test_the_largest_side_is_accepted() -> None:
    assert images.decode(encoded(np.zeros((1, 4096), np.uint8))).shape == (1, 4096)


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


@pytest.mark.parametrize("form", ["JPEG", "PNG"])
def test_a_photo_is_turned_upright(form: str) -> None:
    pixels = np.zeros((8, 16, 3), np.uint8)
    pixels[:, 8:] = 200

    as_taken = images.decode(encoded(pixels, form, exif=turned(1)))
    clockwise = images.decode(encoded(pixels, form, exif=turned(6)))

    assert np.array_equal(clockwise, np.rot90(as_taken, -1))
    assert clockwise.shape == (16, 8, 3)


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
