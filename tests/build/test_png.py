import struct
import zlib
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from scripts.build import png as png_
from scripts.sources import registry
from scripts.sources.source import Pixels, SourceRequest

DRAWINGS = st.integers(1, 40).flatmap(lambda side: arrays.arrays(np.uint8, (side, side)))


def chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 8
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        yield png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        at += 12 + length


@given(DRAWINGS)
def test_a_png_decodes_to_its_pixels(pixels: Pixels) -> None:
    assert np.array_equal(png_.decode(png_.encode(pixels)), pixels)


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
