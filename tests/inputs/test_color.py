"""What is shown of an image: transparency, palettes, depths, inks and color profiles."""

import hashlib
import io
import struct
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image, ImageCms

from scripts.inputs import images
from scripts.inputs.images import ImageError
from tests.inputs.pictures import Pixels, chunk, encoded, gray, png_of, rgb

SIDES = st.integers(1, 9)
RED_HALF = (255, 0, 0, 128)


def digest(pixels: Pixels) -> bytes:
    return hashlib.sha256(pixels.tobytes()).digest()


def tagged(tag: bytes, values: npt.NDArray[Any]) -> bytes:
    return hashlib.sha256(tag + repr(values.shape).encode() + values.tobytes()).digest()


@given(arrays(np.uint8, st.tuples(SIDES, SIDES, st.just(4))), st.sampled_from(["PNG", "TIFF"]))
def test_transparency_is_composited_on_white(layers: Pixels, form: str) -> None:
    layers[0, 0, 3] = 7
    found = images.read(encoded(Image.fromarray(layers), form))

    alpha = layers[:, :, 3:].astype(float) / 255
    expected = layers[:, :, :3] * alpha + 255 * (1 - alpha)
    assert np.abs(found.pixels - expected).max() <= 1
    assert (found.digest, found.converted) == (tagged(b"RGBA", layers), "transparency")


def test_gray_with_transparency_stays_gray() -> None:
    layers = np.array([[[0, 0], [0, 255], [90, 255]]], np.uint8)
    image = Image.merge("LA", [Image.fromarray(layers[:, :, n]) for n in (0, 1)])

    found = images.read(encoded(image))

    assert found.pixels.tolist() == [[255, 0, 90]]
    shown = np.asarray(image.convert("RGBA"))
    assert (found.digest, found.converted) == (tagged(b"RGBA", shown), "transparency")


@pytest.mark.parametrize("form", ["PNG", "TIFF", "WEBP"])
def test_what_is_opaque_everywhere_is_the_same_as_without_transparency(form: str) -> None:
    options = {"lossless": True} if form == "WEBP" else {}
    found = images.read(encoded(Image.fromarray(rgb(5, 6)).convert("RGBA"), form, **options))
    assert (found.digest, found.converted) == (digest(rgb(5, 6)), "")


def test_opaque_gray_is_gray() -> None:
    found = images.read(encoded(Image.fromarray(gray(5, 6)).convert("LA")))
    assert (found.digest, found.converted) == (digest(gray(5, 6)), "")


@pytest.mark.parametrize("form", ["PNG", "GIF", "BMP", "TIFF"])
def test_a_palette_is_the_colors_that_are_shown(form: str) -> None:
    image = Image.fromarray(rgb(9, 12)).quantize(16)

    found = images.read(encoded(image, form))

    shown = np.asarray(image.convert("RGB"))
    assert np.array_equal(found.pixels, shown)
    assert (found.digest, found.converted) == (digest(shown), "a palette")


def test_a_palette_with_transparency() -> None:
    image = Image.new("P", (2, 1))
    image.putpalette([10, 20, 30, 40, 50, 60])
    image.putpixel((1, 0), 1)

    one = images.read(encoded(image, transparency=0))
    several = images.read(encoded(image, transparency=bytes([128, 255])))
    unused = images.read(encoded(image.crop((1, 0, 2, 1)), transparency=0))

    assert one.pixels.tolist() == [[[255, 255, 255], [40, 50, 60]]]
    assert several.pixels.tolist() == [[[132, 137, 142], [40, 50, 60]]]
    assert one.converted == several.converted == "a palette and transparency"
    assert unused.converted == "a palette"
    assert unused.digest == digest(np.array([[[40, 50, 60]]], np.uint8))


@pytest.mark.parametrize("form", ["PNG", "TIFF", "BMP", "PPM", "GIF"])
def test_one_bit_is_black_and_white(form: str) -> None:
    image = Image.fromarray(gray(9, 12)).convert("1")

    found = images.read(encoded(image, form))

    shown = np.asarray(image.convert("L"))
    assert {*found.pixels.ravel().tolist()} == {0, 255}
    assert found.digest == digest(shown)
    # Pillow reads black and white of a GIF as gray.
    assert found.converted == ("" if form == "GIF" else "1 bit")


@pytest.mark.parametrize(
    ("bits", "rows", "expected"),
    [(1, b"\0\x40", [0, 255]), (2, b"\0\x40", [85, 0]), (4, b"\0\x40", [68, 0])],
)
def test_gray_with_few_bits_and_a_transparent_value(
    bits: int, rows: bytes, expected: list[int]
) -> None:
    shown = images.read(png_of(2, 1, bits, 0, rows))
    assert shown.pixels.tolist() == [expected]
    # The first pixel has the value that is transparent.
    value = chunk(b"tRNS", struct.pack(">H", {1: 0, 2: 1, 4: 4}[bits]))
    found = images.read(png_of(2, 1, bits, 0, rows, value))
    assert found.pixels.tolist() == [[255, expected[1]]]


def test_a_color_that_is_transparent() -> None:
    colors = np.array([[[1, 2, 3], [4, 5, 6]]], np.uint8)

    found = images.read(encoded(colors, transparency=(1, 2, 3)))

    assert found.pixels.tolist() == [[[255, 255, 255], [4, 5, 6]]]
    assert images.read(encoded(colors, transparency=(9, 9, 9))).digest == digest(colors)


DEEP = np.array([[0, 255, 256, 0x1234, 65_535]], np.uint16)


@pytest.mark.parametrize("form", ["PNG", "TIFF", "PPM"])
def test_16_bits_are_scaled_to_8(form: str) -> None:
    found = images.read(encoded(Image.fromarray(DEEP), form))

    assert found.pixels.tolist() == [[0, 0, 1, 0x12, 255]]
    assert (found.digest, found.converted) == (tagged(b"I;16", DEEP), "16 bits")


def tiff_of(
    width: int, height: int, tags: list[tuple[int, int, int, int]], data: bytes, order: str = "<"
) -> bytes:
    """Return an uncompressed TIFF with these tags (number, kind, count, value), and data at 8."""
    tags = [(256, 4, 1, width), (257, 4, 1, height), (259, 3, 1, 1), (273, 4, 1, 8), *tags]
    directory = struct.pack(f"{order}H", len(tags))
    for number, kind, count, value in sorted(tags):
        # A short value is at the beginning of the four bytes.
        form = "HHIHxx" if (kind, count) == (3, 1) else "HHII"
        directory += struct.pack(f"{order}{form}", number, kind, count, value)
    begin = {"<": b"II*\0", ">": b"MM\0*"}[order] + struct.pack(f"{order}I", 8 + len(data))
    return begin + data + directory + bytes(4)


@pytest.mark.parametrize("order", ["<", ">"])
def test_16_bits_can_be_in_either_byte_order(order: str) -> None:
    tags = [(258, 3, 1, 16), (262, 3, 1, 1), (277, 3, 1, 1), (279, 4, 1, 10)]
    rows = DEEP.astype(f"{order}u2").tobytes()
    found = images.read(tiff_of(5, 1, tags, rows, order))
    assert found.digest == tagged(b"I;16", DEEP)


@pytest.mark.parametrize(
    ("bits", "data"),
    [(1, b"\x40"), (8, b"\0\xff"), (16, b"\0\0\xff\xff")],
)
def test_gray_whose_white_is_zero_is_shown_as_meant(bits: int, data: bytes) -> None:
    """As scans of X-rays have it."""
    tags = [(258, 3, 1, bits), (277, 3, 1, 1), (279, 4, 1, len(data))]

    black, white = (
        images.read(tiff_of(2, 1, [*tags, (262, 3, 1, meaning)], data.ljust(4, b"\0")))
        for meaning in (1, 0)
    )

    assert black.pixels.tolist() == [[0, 255]]
    assert white.pixels.tolist() == [[255, 0]]
    assert white.digest != black.digest


def test_colors_that_pillow_does_not_know_are_not_called_damaged() -> None:
    tags = [(258, 3, 1, 12), (262, 3, 1, 0), (277, 3, 1, 1), (279, 4, 1, 3)]
    with pytest.raises(ImageError, match=r"^its colors are stored in a way that is not supported;"):
        images.read(tiff_of(2, 1, tags, bytes(4)))


def test_12_bits_are_scaled_to_8() -> None:
    tags = [(258, 3, 1, 12), (262, 3, 1, 1), (277, 3, 1, 1), (279, 4, 1, 3)]

    found = images.read(tiff_of(2, 1, tags, bytes([0x12, 0x3F, 0xFF, 0])))

    assert (found.pixels.tolist(), found.converted) == ([[0x12, 255]], "12 bits")


def test_16_bits_of_several_colors_are_scaled_to_8() -> None:
    colors = np.array([[[0x1234, 0x00FF, 0xFFFF], [0, 1, 0x8000]]], ">u2")
    png = png_of(2, 1, 16, 2, b"\0" + colors.tobytes())
    rows = colors.astype("<u2").tobytes() + struct.pack("<3H", 16, 16, 16)
    tiff = tiff_of(2, 1, [(258, 3, 3, 20), (262, 3, 1, 2), (277, 3, 1, 3), (279, 4, 1, 12)], rows)

    for content in (png, tiff):
        found = images.read(content)
        assert found.pixels.tolist() == [[[0x12, 0, 255], [0, 0, 0x80]]]
        assert (found.digest, found.converted) == (digest(found.pixels), "16 bits")


def test_16_bits_with_transparency() -> None:
    both = np.array([[[0x1234, 0xFFFF], [0, 0]]], ">u2")
    found = images.read(png_of(2, 1, 16, 4, b"\0" + both.tobytes()))
    assert found.pixels.tolist() == [[0x12, 255]]
    assert found.converted == "16 bits and transparency"

    values = both[:, :, 0].tobytes()
    content = png_of(2, 1, 16, 0, b"\0" + values, chunk(b"tRNS", b"\x12\x34"))
    assert images.read(content).pixels.tolist() == [[255, 0]]


def test_a_portable_map_with_another_largest_value() -> None:
    found = images.read(b"P5 2 1 1023\n\3\xff\0\0")
    assert (found.pixels.tolist(), found.converted) == ([[255, 0]], "16 bits")
    colors = images.read(b"P6 1 1 65535\n\x12\x34\0\0\xff\xff")
    assert (colors.pixels.tolist(), colors.converted) == ([[[0x12, 0, 255]]], "16 bits")
    assert images.read(b"P5 2 1 15\n\x0f\0").pixels.tolist() == [[255, 0]]


@pytest.mark.parametrize("form", ["JPEG", "TIFF"])
def test_inks_are_converted_to_colors(form: str) -> None:
    image = Image.new("CMYK", (8, 8), (255, 0, 0, 0))

    found = images.read(encoded(image, form))

    assert np.abs(found.pixels.astype(int) - [0, 255, 255]).max() <= 2
    assert found.converted == "CMYK"
    inks = np.asarray(image)
    assert form == "JPEG" or found.digest == tagged(b"CMYK", inks)


def test_inks_can_be_stored_as_brightness_and_color() -> None:
    """As Photoshop does: its marker says how the inks are stored."""
    content = bytearray(encoded(Image.new("CMYK", (16, 16), (200, 30, 60, 10)), "JPEG"))
    content[content.index(b"Adobe") + 11] = 2

    found = images.read(bytes(content))

    assert (found.pixels.shape, found.converted) == ((16, 16, 3), "CMYK")
    with Image.open(io.BytesIO(content)) as image:
        assert np.array_equal(found.pixels, np.asarray(image.convert("RGB")))


def test_the_color_space_lab_is_converted_to_colors() -> None:
    srgb, lab = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    to_lab = ImageCms.buildTransform(srgb, lab, "RGB", "LAB")
    image = Image.new("RGB", (4, 4), (200, 100, 50))

    found = images.read(encoded(to_lab.apply(image), "TIFF"))

    assert np.abs(found.pixels.astype(int) - [200, 100, 50]).max() <= 3
    assert found.converted == "CIELAB"


def fixed(value: float) -> bytes:
    return struct.pack(">i", round(value * 65_536))


def profile(
    primaries: list[tuple[float, float, float]], gamma: float, space: bytes = b"RGB "
) -> bytes:
    """Return an ICC profile with these primaries (CIE XYZ) and this gamma."""
    tags = {
        b"wtpt": b"XYZ \0\0\0\0" + b"".join(map(fixed, (0.9642, 1.0, 0.8249))),
        **{
            name: b"XYZ \0\0\0\0" + b"".join(map(fixed, primary))
            for name, primary in zip((b"rXYZ", b"gXYZ", b"bXYZ"), primaries, strict=True)
        },
        **{
            name: b"curv\0\0\0\0\0\0\0\1" + struct.pack(">H", round(gamma * 256)) + b"\0\0"
            for name in (b"rTRC", b"gTRC", b"bTRC")
        },
    }
    table, data = struct.pack(">I", len(tags)), b""
    start = 128 + 4 + 12 * len(tags)
    for name, content in tags.items():
        table += name + struct.pack(">II", start + len(data), len(content))
        data += content
    white = b"".join(map(fixed, (0.9642, 1.0, 0.8249)))
    size = start + len(data)
    header = struct.pack(">I4sI4s4s4s", size, bytes(4), 0x02100000, b"mntr", space, b"XYZ ")
    header += bytes(12) + b"acsp" + bytes(28) + white
    return header.ljust(128, b"\0") + table + data


# Adapted to the white of D50, as profiles have them.
DISPLAY_P3 = [(0.5151, 0.2412, -0.0011), (0.2920, 0.6922, 0.0419), (0.1571, 0.0666, 0.7841)]
SRGB = [(0.4361, 0.2225, 0.0139), (0.3851, 0.7169, 0.0971), (0.1431, 0.0606, 0.7141)]
WIDE = profile(DISPLAY_P3, 2.2)
STANDARD = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


@pytest.mark.parametrize("form", ["PNG", "TIFF", "WEBP", "JPEG"])
def test_colors_with_another_profile_are_converted(form: str) -> None:
    options = {"lossless": True} if form == "WEBP" else {}
    colors = np.full((8, 8, 3), (200, 100, 50), np.uint8)
    colors[4:] = 255

    found = images.read(encoded(colors, form, icc_profile=WIDE, **options))

    # This red is more vivid than sRGB shows it with the same numbers.
    red, green, _ = found.pixels[0, 0].tolist()
    assert red > 206
    assert green < 99
    # A JPEG has only nearly these colors.
    assert found.pixels[-1, -1].min() >= 250
    assert found.converted == "a color profile"
    assert found.digest == images.read(encoded(colors, form, **options)).digest


def test_a_profile_is_applied_after_compositing() -> None:
    image = Image.new("RGBA", (4, 4), (200, 100, 50, 0))
    found = images.read(encoded(image, icc_profile=WIDE))
    assert (found.pixels == 255).all()
    assert found.converted == "transparency and a color profile"


UNTOUCHED = {
    "sRGB": STANDARD,
    "damaged": STANDARD[:200],
    "garbage": b"no profile",
    "of inks": profile(DISPLAY_P3, 2.2, b"CMYK"),
    "of gray": profile(DISPLAY_P3, 2.2, b"GRAY"),
}


@pytest.mark.parametrize("icc", UNTOUCHED.values(), ids=UNTOUCHED)
def test_colors_in_srgb_and_damaged_profiles_change_nothing(icc: bytes) -> None:
    found = images.read(encoded(rgb(9, 12), icc_profile=icc))
    assert np.array_equal(found.pixels, rgb(9, 12))
    assert found.converted == ""


def test_what_a_profile_does_decides_not_its_name() -> None:
    plain_gamma = images.read(encoded(rgb(9, 12), icc_profile=profile(SRGB, 1.0)))
    assert plain_gamma.converted == "a color profile"


def test_gray_with_a_profile_stays_as_it_is() -> None:
    found = images.read(encoded(gray(9, 12), icc_profile=WIDE))
    assert (found.digest, found.converted) == (digest(gray(9, 12)), "")


@pytest.mark.parametrize("icc", [b"no profile", WIDE])
def test_inks_with_a_profile_that_is_not_theirs_are_converted_without_it(icc: bytes) -> None:
    image = Image.new("CMYK", (8, 8), (255, 0, 0, 0))
    with_profile = images.read(encoded(image, "TIFF", icc_profile=icc))
    without = images.read(encoded(image, "TIFF"))
    assert np.array_equal(with_profile.pixels, without.pixels)
