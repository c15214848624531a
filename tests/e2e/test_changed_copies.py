"""Changed copies of real images: how many are found, and that unchanged ones are not."""

import io
import os
import tarfile
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from scripts.dataset import changed_copies
from scripts.dataset.changed_copies import SIZE, Copies, Side
from scripts.dataset.distances import Levels
from scripts.sources import registry
from scripts.sources.source import Held, SourceRequest

CIFAR = os.environ.get("CIFAR10_TEST_IMAGES")
BICUBIC = Image.Resampling.BICUBIC
ORIGINALS = 100
# In CIFAR-10 there are a few images that are changed copies of another one.
KNOWN_PAIRS = 9

Change = Callable[[Image.Image], Image.Image]


def jpeg(quality: int) -> Change:
    def saved(image: Image.Image) -> Image.Image:
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=quality)
        return Image.open(buffer)

    return saved


def scaled(image: Image.Image, factor: float) -> Image.Image:
    size = int(image.width * factor), int(image.height * factor)
    return image.resize(size, BICUBIC)


# What is done, and how many of 100 images of MNIST and of CIFAR-10 are found at least.
CHANGES: dict[str, tuple[Change, int, int]] = {
    "one level": (lambda image: image.point(lambda level: min(level + 1, 255)), 100, 100),
    "JPEG, quality 75": (jpeg(75), 100, 100),
    "JPEG, quality 50": (jpeg(50), 99, 99),
    "10 levels brighter": (lambda image: image.point(lambda n: min(n + 10, 255)), 100, 100),
    "a fifth more contrast": (lambda image: ImageEnhance.Contrast(image).enhance(1.2), 100, 100),
    "turned by 2 degrees": (lambda image: image.rotate(2, BICUBIC), 75, 98),
    "twice the size": (lambda image: scaled(image, 2), 99, 99),
    "twice the size and back": (lambda image: scaled(scaled(image, 2), 0.5), 98, 99),
    "half the size": (lambda image: scaled(image, 0.5), 90, 97),
    "half the size and back": (lambda image: scaled(scaled(image, 0.5), 2), 55, 97),
    "one pixel cut off on the left": (
        lambda image: image.crop((1, 0, image.width, image.height)),
        5,
        92,
    ),
    "one pixel cut off on each side": (
        lambda image: image.crop((1, 1, image.width - 1, image.height - 1)),
        0,
        60,
    ),
    "mirrored": (lambda image: image.transpose(Image.Transpose.FLIP_LEFT_RIGHT), 100, 100),
}


def levels(images: Sequence[Image.Image]) -> Levels:
    pixels = dict(enumerate(map(np.asarray, images)))
    return changed_copies.levels_of(Held(pixels), range(len(images)))


def find(train: Levels, others: Levels) -> Copies:
    of_train, of_others = (Side(made, np.ones(len(made), np.bool_)) for made in (train, others))
    return changed_copies.find(of_train, of_others, lambda: np.zeros((0, SIZE), np.uint8))


def mnist_images() -> list[Image.Image]:
    source = registry.load(SourceRequest("mnist_784"))
    return [Image.fromarray(source.image(row)) for row in range(len(source.labels))]


def cifar_images() -> list[Image.Image]:
    with tarfile.open(CIFAR or "") as archive:
        contents = [archive.extractfile(one) for one in archive if one.isreg()]
        return [Image.open(io.BytesIO(one.read())).convert("RGB") for one in contents if one]


def check(images: list[Image.Image], place: int, most: int) -> None:
    """Compare a fifth of `images` with the others, and changed images of these."""
    order = np.random.default_rng(0).permutation(len(images))
    every = levels(images)[order]
    train, others = every[len(images) // 5 :], every[: len(images) // 5]

    unchanged = find(train, others)
    assert unchanged.searched
    assert len(unchanged.pairs) <= most

    originals = [images[number] for number in order[len(images) // 5 :][:ORIGINALS]]
    for name, (change, *least) in CHANGES.items():
        found = find(train, levels([change(one) for one in originals]))
        right = [pair for pair in found.pairs if pair.train == pair.other]
        assert len(right) >= least[place], name


def test_changed_digits_are_found_and_different_ones_are_not(mnist: None) -> None:
    check(mnist_images(), 0, most=1)


@pytest.mark.skipif(
    not CIFAR, reason="the CIFAR-10 images are not here: CIFAR10_TEST_IMAGES is not set"
)
def test_changed_photos_are_found_and_different_ones_are_not() -> None:
    check(cifar_images(), 1, most=KNOWN_PAIRS)
