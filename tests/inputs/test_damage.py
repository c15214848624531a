"""Damage that Pillow accepts is found, and harmless oddities are not taken for it."""

import random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from scripts.inputs import images
from scripts.inputs.images import ImageError
from tests.inputs.pictures import chunk, encoded, gray, png_of, rgb

SCAN, END = b"\xff\xda", b"\xff\xd9"
KINDS: dict[str, dict[str, Any]] = {
    "plain": {},
    "best": {"quality": 95, "subsampling": 0},
    "progressive": {"progressive": True},
    "optimized": {"optimize": True},
    "restart markers": {"restart_marker_blocks": 8},
}


def photo(mode: str = "RGB", seed: int = 0) -> Image.Image:
    """A picture with areas, shades and noise."""
    areas = Image.fromarray(rgb(12, 16, seed)).resize((256, 192), Image.Resampling.BICUBIC)
    noise = np.random.default_rng(seed).normal(0, 6, (192, 256, 3))
    return Image.fromarray((np.asarray(areas) + noise).clip(0, 255).astype(np.uint8)).convert(mode)


FILES = {name: encoded(photo(), "JPEG", **options) for name, options in KINDS.items()} | {
    mode: encoded(photo(mode), "JPEG") for mode in ("L", "CMYK")
}
every_file = pytest.mark.parametrize("content", FILES.values(), ids=FILES)


def refused(content: bytes) -> str:
    with pytest.raises(ImageError, match=r"^it is damaged") as error:
        images.read(content)
    return str(error.value)


@every_file
@pytest.mark.parametrize("share", [0.3, 0.6, 0.95, 0.99])
def test_a_photo_whose_end_is_missing_is_damaged(content: bytes, share: float) -> None:
    cut = content[: int(len(content) * share)]
    assert refused(cut) == "it is damaged: its end is missing"
    assert refused(cut + END) == "it is damaged: premature end of data segment"


@given(st.sampled_from([*FILES.values()]), st.data())
def test_every_beginning_of_a_photo_is_damaged(content: bytes, data: st.DataObject) -> None:
    cut = content[: data.draw(st.integers(3, len(content) - 1))]
    assert refused(cut) == "it is damaged: its end is missing"


@every_file
@pytest.mark.parametrize("share", [0.5, 0.9])
def test_a_photo_whose_end_is_zeros_is_damaged(content: bytes, share: float) -> None:
    kept = int(len(content) * share)
    refused(content[:kept] + bytes(len(content) - kept))


@pytest.mark.parametrize("kind", ["plain", "best", "optimized", "restart markers"])
@pytest.mark.parametrize("share", [0.5, 0.9])
def test_so_is_one_whose_data_ends_with_zeros(kind: str, share: float) -> None:
    content = FILES[kind]
    kept = int(len(content) * share)
    refused(content[:kept] + bytes(len(content) - kept - 2) + END)


@pytest.mark.parametrize("kind", ["plain", "best", "progressive", "restart markers"])
def test_most_photos_with_changed_bytes_are_damaged(kind: str) -> None:
    """Where all data can still be decoded, nobody can tell."""
    found = 0
    for seed in range(20):
        content, draw = bytearray(FILES[kind]), random.Random(seed)
        for _ in range(16):
            content[draw.randrange(len(content) // 3, len(content) * 2 // 3)] = draw.randrange(256)
        try:
            images.read(bytes(content))
        except ImageError:
            found += 1
    assert found >= 12


@every_file
@pytest.mark.parametrize(
    "more", [b"\0" * 500, b"garbage", END * 3, random.Random(0).randbytes(999)]
)
def test_bytes_after_the_end_do_not_matter(content: bytes, more: bytes) -> None:
    assert images.read(content + more).digest == images.read(content).digest


@every_file
@pytest.mark.parametrize("filling", [b"\0", b"\x12\x34\x56", b"\0" * 300, b"\x55" * 2_000])
def test_a_camera_can_fill_the_end_of_the_data(content: bytes, filling: bytes) -> None:
    filled = content.removesuffix(END) + filling + END
    assert images.read(filled).digest == images.read(content).digest


@every_file
def test_a_phone_can_write_bytes_between_the_segments(content: bytes) -> None:
    first = content.index(b"\xff\xdb")
    for filling in (b"\0\0", b"\xff\xff\xff", b"\x12\x34\x56\x78"):
        filled = content[:first] + filling + content[first:]
        assert images.read(filled).digest == images.read(content).digest
        cut = filled[: len(filled) * 2 // 3]
        assert refused(cut) == "it is damaged: its end is missing"
        assert "premature end" in refused(cut + END)


def test_metadata_is_not_taken_for_the_picture() -> None:
    """A preview in it has an end of its own."""
    preview = encoded(photo(seed=1).resize((16, 12)), "JPEG")
    content = encoded(photo(), "JPEG", exif=b"Exif\0\0" + preview, comment=b"\xff\xda\xff\xd9")
    assert images.read(content).digest == images.read(FILES["plain"]).digest
    refused(content[: len(content) // 2])


def test_of_a_photo_with_a_preview_the_first_picture_counts() -> None:
    preview = photo(seed=1).resize((64, 48))
    content = encoded(photo(), "MPO", save_all=True, append_images=[preview])
    assert images.read(content).digest == images.read(FILES["plain"]).digest
    # Without its end, the data would go on with the next picture.
    first = content.index(END)
    refused(content[: first - 500] + content[first + 2 :])


def test_a_photo_of_one_color_is_not_damaged() -> None:
    """Its data can be zeros."""
    flat = np.zeros((640, 480), np.uint8)
    for pixels in (flat, flat + 128, flat + 255):
        for options in KINDS.values():
            assert np.array_equal(images.decode(encoded(pixels, "JPEG", **options)), pixels)


def test_a_jpeg_without_a_picture_is_damaged() -> None:
    assert refused(b"\xff\xd8\xff\xd9" + bytes(9)) == "it is damaged: it holds no picture"
    assert refused(b"\xff\xd8\xff\xe0") == "it is damaged: its end is missing"


def test_a_png_with_a_wrong_checksum_is_damaged() -> None:
    content = bytearray(encoded(gray(9, 12)))
    content[-15] ^= 1
    assert refused(bytes(content)) == "it is damaged: a checksum in it is wrong"


def test_a_png_with_a_part_that_nobody_knows_is_not_damaged() -> None:
    content = png_of(4, 1, 8, 0, b"\0abcd", chunk(b"abCd", b"unknown"))
    assert images.read(content).pixels.tobytes() == b"abcd"
    assert images.read(content + b"garbage").pixels.tobytes() == b"abcd"
