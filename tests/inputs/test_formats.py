"""Every usual format and mode is read."""

import hashlib
import io
import struct
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from scripts.inputs import images
from scripts.inputs.images import ImageError
from scripts.inputs.paths import IMAGE_SUFFIXES, is_image_name
from tests.inputs.pictures import ORIENTATION, Pixels, chunk, encoded, gray, png_of, rgb, turned

SIDES = st.integers(1, 9)
LOSSLESS: dict[str, tuple[str, dict[str, Any]]] = {
    "PNG": ("PNG", {}),
    "BMP": ("BMP", {}),
    "PPM": ("PPM", {}),
    "TIFF": ("TIFF", {}),
    "TIFF with LZW": ("TIFF", {"compression": "tiff_lzw"}),
    "TIFF with Deflate": ("TIFF", {"compression": "tiff_adobe_deflate"}),
    "TIFF with PackBits": ("TIFF", {"compression": "packbits"}),
}
WEBP: tuple[str, dict[str, Any]] = ("WEBP", {"lossless": True, "exact": True})
ENDINGS = {"JPEG": ".jpg", "MPO": ".jpg", "PNG": ".png", "WEBP": ".webp", "GIF": ".gif"} | {
    "BMP": ".bmp",
    "TIFF": ".tif",
}


def digest(pixels: npt.NDArray[Any]) -> bytes:
    return hashlib.sha256(pixels.tobytes()).digest()


@given(
    arrays(np.uint8, st.tuples(SIDES, SIDES))
    | arrays(np.uint8, st.tuples(SIDES, SIDES, st.just(3))),
    st.data(),
)
def test_the_digest_is_that_of_the_pixels_whatever_the_format(
    pixels: Pixels, data: st.DataObject
) -> None:
    forms = [*LOSSLESS.values(), *([WEBP] if pixels.ndim == 3 else [])]
    form, options = data.draw(st.sampled_from(forms))

    found = images.read(encoded(pixels, form, **options))

    assert np.array_equal(found.pixels, pixels)
    assert found.pixels.dtype == np.uint8
    assert (found.digest, found.converted) == (digest(pixels), "")


@pytest.mark.parametrize(("form", "ending"), ENDINGS.items())
def test_the_ending_is_that_of_the_content(form: str, ending: str) -> None:
    assert images.read(encoded(rgb(4, 5), form)).ending == ending
    assert is_image_name(f"a{ending}")


@pytest.mark.parametrize(
    ("mode", "ending"), [("1", ".pbm"), ("L", ".pgm"), ("I", ".pgm"), ("RGB", ".ppm")]
)
def test_portable_maps_have_the_ending_of_what_they_hold(mode: str, ending: str) -> None:
    assert images.read(encoded(Image.new(mode, (4, 5)), "PPM")).ending == ending
    assert is_image_name(f"a{ending}")


@pytest.mark.parametrize("name", ["a.jpg", "B.JPEG", "x/c.d.TIF", "😀.webp", ".png"])
def test_names_of_images(name: str) -> None:
    assert is_image_name(name)
    assert not is_image_name(f"{name}.txt")
    assert not is_image_name(f"{name}~")
    assert len(IMAGE_SUFFIXES) == len({*IMAGE_SUFFIXES})


def test_text_can_be_a_portable_map() -> None:
    found = images.read(b"P3\n# by hand\n2 1\n255\n1 2 3  4 5 6\n")
    assert found.pixels.tolist() == [[[1, 2, 3], [4, 5, 6]]]
    assert images.read(b"P1\n2 1\n1 0\n").pixels.tolist() == [[0, 255]]


def tiled_tiff(pixels: Pixels) -> bytes:
    """A TIFF with tiles of 16 x 16, uncompressed."""
    height, width = pixels.shape
    padded = np.zeros((-(-height // 16) * 16, -(-width // 16) * 16), np.uint8)
    padded[:height, :width] = pixels
    tiles = [
        padded[y : y + 16, x : x + 16].tobytes()
        for y in range(0, padded.shape[0], 16)
        for x in range(0, padded.shape[1], 16)
    ]
    count, start = len(tiles), 8
    starts_at = start + 256 * count
    tags = [
        *((256, 4, 1, width), (257, 4, 1, height), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1)),
        *((277, 3, 1, 1), (322, 3, 1, 16), (323, 3, 1, 16)),
        (324, 4, count, starts_at),
        (325, 4, count, starts_at + 4 * count),
    ]
    content = b"".join(tiles)
    content += struct.pack(f"<{count}I", *(start + 256 * n for n in range(count)))
    content += struct.pack(f"<{count}I", *[256] * count)
    directory = struct.pack("<H", len(tags))
    directory += b"".join(struct.pack("<HHII", *tag) for tag in tags) + bytes(4)
    return b"II*\0" + struct.pack("<I", start + len(content)) + content + directory


def test_a_tiff_with_tiles_is_read() -> None:
    pixels = gray(40, 50)
    content = tiled_tiff(pixels)

    assert np.array_equal(images.read(content).pixels, pixels)
    with pytest.raises(ImageError, match="its end is missing"):
        images.read(content.replace(struct.pack("<I", 8 + 256), struct.pack("<I", 10**6)))


def test_a_preview_beside_the_picture_is_no_second_page() -> None:
    # Pillow writes the tag to both pages, so it is changed in the first one.
    content = encoded(
        rgb(40, 50),
        "TIFF",
        save_all=True,
        tiffinfo={254: 1},
        append_images=[Image.fromarray(rgb(4, 5))],
    )
    tag = struct.pack("<HHII", 254, 4, 1, 1)
    assert content.count(tag) == 2
    photo = content.replace(tag, struct.pack("<HHII", 254, 4, 1, 0), 1)

    assert images.read(photo).pixels.shape == (40, 50, 3)
    with pytest.raises(ImageError, match="it is a raw file of a camera"):
        images.read(content)


TURNED: dict[int, Callable[[Pixels], Pixels]] = {
    1: lambda pixels: pixels,
    2: lambda pixels: pixels[:, ::-1],
    3: lambda pixels: pixels[::-1, ::-1],
    4: lambda pixels: pixels[::-1],
    5: lambda pixels: pixels.swapaxes(0, 1),
    6: lambda pixels: np.rot90(pixels, -1),
    7: lambda pixels: pixels[::-1, ::-1].swapaxes(0, 1),
    8: np.rot90,
}


@pytest.mark.parametrize("form", ["JPEG", "PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("orientation", TURNED)
def test_a_picture_is_turned_upright(form: str, orientation: int) -> None:
    options: dict[str, Any] = {"lossless": True} if form == "WEBP" else {}
    as_taken = images.read(encoded(rgb(8, 16), form, **options)).pixels

    found = images.read(encoded(rgb(8, 16), form, exif=turned(orientation), **options))

    expected = TURNED[orientation](as_taken)
    assert np.array_equal(found.pixels, expected)
    assert found.digest == digest(np.ascontiguousarray(expected))


def exif(order: str, kind: int, value: bytes) -> bytes:
    """Return metadata with the orientation in this byte order, as a value of this kind."""
    begin = {"<": b"II*\0", ">": b"MM\0*"}[order]
    tag = struct.pack(f"{order}HHI", ORIENTATION, kind, 1) + value
    return b"Exif\0\0" + begin + struct.pack(f"{order}IH", 8, 1) + tag + bytes(4)


def test_metadata_can_be_in_the_byte_order_of_motorola() -> None:
    photo = encoded(rgb(8, 16), "JPEG", exif=exif(">", 3, b"\0\6\0\0"))
    assert images.read(photo).pixels.shape == (16, 8, 3)


BROKEN_EXIF = {
    "garbage": b"Exif\0\0garbage",
    "cut": b"Exif\0\0II*\0\x08\0\0\0\xff\xff" + b"\x12\x01\x03\0\xff\xff\xff\xff" * 3,
    "beyond the end": exif(">", 2, b"\xff\xff\xff\xff"),
    "unknown kind": exif("<", 99, b"\6\0\0\0"),
    "no direction": exif("<", 3, b"\x2a\0\0\0"),
}


@pytest.mark.parametrize("form", ["JPEG", "PNG"])
@pytest.mark.parametrize("metadata", BROKEN_EXIF.values(), ids=BROKEN_EXIF)
def test_damaged_metadata_turns_nothing(form: str, metadata: bytes) -> None:
    found = images.read(encoded(rgb(8, 16), form, exif=metadata))
    assert found.digest == images.read(encoded(rgb(8, 16), form)).digest


@pytest.mark.parametrize("compressed", [False, True])
def test_a_png_can_have_megabytes_of_metadata(compressed: bool) -> None:
    words = b"word " * 500_000
    parts = [
        chunk(b"tEXt", b"Comment\0" + words),
        chunk(b"zTXt", b"Comment\0\0" + zlib.compress(words)),
    ]

    content = png_of(2, 1, 8, 0, b"\0\5\6", parts[compressed])

    assert images.read(content).pixels.tolist() == [[5, 6]]


def test_an_interlaced_png_is_read() -> None:
    # Of 3 x 2 pixels, pass 1 has the first, pass 4 the third, pass 6 the second, pass 7 row two.
    rows = b"\0\x01" + b"\0\x03" + b"\0\x02" + b"\0\x04\x05\x06"
    content = png_of(3, 2, 8, 0, rows, interlaced=1)
    assert images.read(content).pixels.tolist() == [[1, 2, 3], [4, 5, 6]]


def test_a_gif_is_one_picture_if_it_has_one_frame() -> None:
    image = Image.fromarray(rgb(20, 30)).quantize(64)
    buffer = io.BytesIO()
    image.save(buffer, "GIF", save_all=True, loop=0)

    found = images.read(buffer.getvalue())

    assert found.digest == digest(np.asarray(image.convert("RGB")))


@given(st.data(), st.sampled_from(["BMP", "GIF", "TIFF", "PPM", "WEBP"]), st.booleans())
def test_the_beginning_of_a_file_is_refused(data: st.DataObject, form: str, is_rgb: bool) -> None:
    content = encoded(rgb(20, 29) if is_rgb else gray(20, 29), form)
    # The last bytes of a GIF or BMP hold no pixels.
    cut = content[: data.draw(st.integers(0, len(content) - 4))]
    with pytest.raises(ImageError, match=r"^it (is empty|is damaged|is not a JPEG)"):
        images.read(cut)
