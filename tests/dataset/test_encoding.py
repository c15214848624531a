"""What the files of a dataset are."""

from types import SimpleNamespace

import numpy as np
import pytest

from scripts.dataset import codecs
from scripts.dataset.encoding import FromPixels
from scripts.inputs.images import decode
from scripts.sources import registry
from scripts.sources.extended import Extended
from scripts.sources.source import SourceRequest

DIGITS = Extended(registry.load(SourceRequest("digits")), ())


def test_another_codec_is_a_line_in_the_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    made = SimpleNamespace(
        ENDING=".raw", encode=lambda pixels: pixels.tobytes(), fingerprint=lambda: b"raw 1"
    )
    monkeypatch.setitem(codecs.CODECS, "raw", made)
    raw = FromPixels("raw", in_color=False)

    assert raw.ending(DIGITS, 7) == ".raw"
    assert raw.content(DIGITS, 7) == DIGITS.image(7).tobytes()
    assert raw.fingerprint() == b"raw 1"


def test_where_some_images_are_in_color_gray_ones_are_rgb() -> None:
    gray, color = FromPixels("png", in_color=False), FromPixels("png", in_color=True)

    assert decode(gray.content(DIGITS, 7)).shape == (8, 8)
    pixels = decode(color.content(DIGITS, 7))
    assert np.array_equal(pixels, np.stack([DIGITS.image(7)] * 3, axis=-1))
    assert gray.fingerprint() != color.fingerprint()
