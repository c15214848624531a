import hashlib
import struct
import zlib
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from scripts.dataset import png as png_
from scripts.inputs.images import decode
from scripts.sources import registry
from scripts.sources.source import Pixels, SourceRequest

# Released bytes depend on it.
KNOWN_COLOR = "4f3149c17e415b089efc6ffdb3199d73fae66dab262fde7efc67fc264d2d6d68"
SIDES = st.tuples(st.integers(1, 40), st.integers(1, 40))
GRAY = SIDES.flatmap(lambda sides: arrays.arrays(np.uint8, sides))
RGB = SIDES.flatmap(lambda sides: arrays.arrays(np.uint8, (*sides, 3)))
DRAWINGS = GRAY | RGB


def chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 8
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        yield png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        at += 12 + length


@given(DRAWINGS)
def test_a_png_decodes_to_its_pixels(pixels: Pixels) -> None:
    assert np.array_equal(decode(png_.encode(pixels)), pixels)


@given(DRAWINGS)
def test_the_bytes_do_not_depend_on_the_zlib_that_pillow_has(pixels: Pixels) -> None:
    parts = list(chunks(png_.encode(pixels)))
    packed = b"".join(data for kind, data in parts if kind == b"IDAT")
    packer = zlib.compressobj(-1, zlib.DEFLATED, 15, 9, zlib.Z_RLE)

    assert packer.compress(zlib.decompress(packed)) + packer.flush() == packed


@pytest.mark.parametrize("row", range(0, 1797, 200))
def test_a_digit_is_a_plain_gray_png(row: int) -> None:
    pixels = registry.load(SourceRequest("digits")).image(row)
    parts = list(chunks(png_.encode(pixels)))

    assert [kind for kind, _ in parts] == [b"IHDR", b"IDAT", b"IEND"]
    assert parts[0][1] == struct.pack(">IIBBBBB", 8, 8, 8, 0, 0, 0, 0)


def test_a_color_image_is_a_plain_rgb_png() -> None:
    pixels = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)
    parts = list(chunks(png_.encode(pixels)))

    assert [kind for kind, _ in parts] == [b"IHDR", b"IDAT", b"IEND"]
    assert parts[0][1] == struct.pack(">IIBBBBB", 6, 4, 8, 2, 0, 0, 0)
    assert np.array_equal(decode(png_.encode(pixels)), pixels)


def test_the_bytes_of_a_color_image_are_the_known_ones() -> None:
    pixels = (np.arange(32 * 32 * 3) ** 2 % 251).astype(np.uint8).reshape(32, 32, 3)
    pixels[8:24, 8:24] = 200

    assert hashlib.sha256(png_.encode(pixels)).hexdigest() == KNOWN_COLOR
