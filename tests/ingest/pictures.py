"""Small pictures for tests: each number is a picture of its own."""

import io
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
from PIL import Image


def picture(
    number: int, size: tuple[int, int] = (8, 8), mode: str = "L", kind: str = "PNG"
) -> bytes:
    """Return a file with a picture; `size` is (width, height)."""
    values = np.random.default_rng(number).integers(0, 256, (*size[::-1], 3), np.uint8)
    image = Image.fromarray(values if mode == "RGB" else values[:, :, 0])
    buffer = io.BytesIO()
    image.convert(mode).save(buffer, kind)
    return buffer.getvalue()


def write(folder: Path, files: Mapping[str, bytes]) -> Path:
    """Write `files` below `folder`; return it."""
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def labeled(numbers: Iterable[int], *labels: str) -> dict[str, bytes]:
    """Return pictures with these numbers in class folders, in turn."""
    return {f"{labels[n % len(labels)]}/{n:04}.png": picture(n) for n in numbers}
