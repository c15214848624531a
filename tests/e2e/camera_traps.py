"""Photos of animals for tests: cameras in a forest, and a table of what they saw.

All photos of a camera have the same background, size and format. At night they are gray.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw

COLUMNS = ("file_name", "animal", "camera", "light", "age")
SIZES = ((160, 120), (120, 160), (144, 96), (128, 128), (200, 120))
FORMATS = ("jpg", "jpg", "webp", "jpg", "png")
ANIMALS = ("fox", "deer")
FOX, DEER = (208, 92, 28), (84, 54, 30)
GROUNDS = ((150, 170, 110), (190, 175, 130), (225, 225, 230), (120, 150, 100))


class Photo(NamedTuple):
    """A photo, with its row in the table."""

    name: str
    content: bytes
    animal: str
    camera: str
    light: str
    age: str

    @property
    def row(self) -> Sequence[str]:
        return (self.name, self.animal, self.camera, self.light, self.age)


def photos(cameras: Sequence[int], numbers: Sequence[int]) -> Iterator[Photo]:
    """Yield the photos with these numbers of each camera."""
    for camera in cameras:
        for number in numbers:
            yield _photo(camera, number)


def write(folder: Path, made: Sequence[Photo]) -> Path:
    """Write photos in folders by camera, and their table; return the folder."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(COLUMNS)
    for photo in made:
        (folder / photo.name).parent.mkdir(parents=True, exist_ok=True)
        (folder / photo.name).write_bytes(photo.content)
        rows.writerow(photo.row)
    (folder / "metadata.csv").write_text(text.getvalue())
    return folder


def _photo(camera: int, number: int) -> Photo:
    chance = np.random.default_rng((camera, number))
    animal = ANIMALS[int(chance.integers(2))]
    light = "night" if chance.integers(4) == 0 else "day"
    age = ("adult", "adult", "young", "")[int(chance.integers(4))]
    image = _background(camera)
    _animal(image, animal, chance, small=age == "young")
    if light == "night":
        image = image.convert("L").point([value // 2 for value in range(256)])
    ending = FORMATS[camera % len(FORMATS)]
    if (camera, number) == (4, 0):
        # A cutout from a screen.
        image.putalpha(Image.new("L", image.size, 255))
        image.paste((0, 0, 0, 0), (0, 0, image.width, 12))
    name = f"camera {camera:02}/IMG_{number:04}.{ending}"
    content = _encoded(image, ending)
    return Photo(name, content, animal, f"C{camera:02}", light, age)


def _background(camera: int) -> Image.Image:
    chance = np.random.default_rng(camera)
    width, height = SIZES[camera % len(SIZES)]
    sky = (*chance.integers(150, 225, 2).tolist(), 230)
    ground = GROUNDS[int(chance.integers(len(GROUNDS)))]
    image = Image.new("RGB", (width, height), sky)
    pen = ImageDraw.Draw(image)
    horizon = height * int(chance.integers(35, 60)) // 100
    pen.rectangle((0, horizon, width, height), fill=ground)
    for x in chance.integers(0, width, 5).tolist():
        top, wide = horizon - int(chance.integers(15, 40)), int(chance.integers(6, 12))
        leaves = (30, int(chance.integers(70, 120)), 40)
        pen.polygon([(x - wide, horizon), (x, top), (x + wide, horizon)], fill=leaves)
    return image


def _animal(image: Image.Image, animal: str, chance: np.random.Generator, *, small: bool) -> None:
    pen = ImageDraw.Draw(image)
    # The length of the body; everything else is a part of it.
    size = int(chance.integers(22, 28) if small else chance.integers(40, 50))
    x = int(chance.integers(size, image.width - size))
    y = image.height - int(chance.integers(size - 8, size + 14))
    color = FOX if animal == "fox" else DEER
    half, tall = size // 2, size // (8 if animal == "fox" else 6)
    leg = size // (4 if animal == "fox" else 2)
    for step in (-half + 2, -half // 2, half // 2, half - 4):
        pen.rectangle((x + step, y, x + step + 2, y + leg), fill=color)
    pen.ellipse((x - half, y - tall, x + half, y + tall), fill=color)
    top = y - 2 * tall - (0 if animal == "fox" else size // 3)
    if animal == "fox":
        pen.ellipse((x - half - size // 2, y - tall, x - half + 2, y), fill=color)
        pen.ellipse((x - half - size // 2, y - tall, x - half - size // 3, y), fill="white")
        pen.polygon([(x + half - 4, top), (x + half, top - 6), (x + half + 4, top)], fill=color)
    else:
        pen.polygon([(x + half - 6, y), (x + half - 2, top), (x + half + 3, y)], fill=color)
        for side in (-5, 5):
            pen.line([(x + half, top), (x + half + side, top - size // 3)], fill=color, width=2)
    pen.ellipse((x + half - 5, top - 2, x + half + 8, top + tall + 3), fill=color)


def _encoded(image: Image.Image, ending: str) -> bytes:
    buffer = io.BytesIO()
    kind, options = {
        "jpg": ("JPEG", {"quality": 90}),
        "webp": ("WebP", {"quality": 85}),
        "png": ("PNG", {}),
    }[ending]
    image.save(buffer, kind, **options)
    return buffer.getvalue()
