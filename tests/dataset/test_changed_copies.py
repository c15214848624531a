"""Changed copies, compared with a plain computation over all pairs, and after everyday changes."""

import io
from collections.abc import Callable
from fractions import Fraction

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageEnhance
from sklearn import datasets

from scripts.dataset import changed_copies
from scripts.dataset.changed_copies import FARTHEST, NEARLY, SIDE, SIZE, TIMES, Copies, Copy, Side
from scripts.dataset.distances import Levels
from scripts.sources import thumbnails
from scripts.sources.source import Held

Change = Callable[[Image.Image], Image.Image]

COUNT = 40
BICUBIC = Image.Resampling.BICUBIC
NONE = np.zeros((0, SIZE), np.uint8)


def pictures(count: int, seed: int, size: int = 48) -> list[Image.Image]:
    """Return images in pale colors with large and small shapes, no two of them alike."""
    random = np.random.default_rng(seed)

    def layer(side: int) -> Image.Image:
        shapes = random.integers(0, 200, (side, side, 1)) + random.integers(0, 50, (side, side, 3))
        return Image.fromarray(shapes.astype(np.uint8)).resize((size, size), BICUBIC)

    return [Image.blend(layer(4), layer(12), 0.15) for _ in range(count)]


def levels(images: list[Image.Image]) -> Levels:
    pixels = dict(enumerate(map(np.asarray, images)))
    return changed_copies.levels_of(Held(pixels), range(len(images)))


def side(made: Levels, is_new: object = True) -> Side:
    return Side(made, np.broadcast_to(np.asarray(is_new, np.bool_), len(made)))


def find(train: Levels, others: Levels, rest: Levels = NONE) -> Copies:
    return changed_copies.find(side(train, is_new=False), side(others), lambda: rest)


def jpeg(image: Image.Image) -> Image.Image:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=50)
    return Image.open(buffer)


def halved(image: Image.Image) -> Image.Image:
    return image.resize((image.width // 2, image.height // 2), BICUBIC)


CHANGES: dict[str, Change] = {
    "same": lambda image: image,
    "jpeg": jpeg,
    "brighter": lambda image: image.point(lambda level: min(level + 10, 255)),
    "contrast": lambda image: ImageEnhance.Contrast(image).enhance(0.8),
    "gray": lambda image: image.convert("L"),
    "turned": lambda image: image.rotate(2, BICUBIC, fillcolor=(110, 110, 110)),
    "small": halved,
    "small and back": lambda image: halved(image).resize(image.size),
    "cropped": lambda image: image.crop((1, 0, image.width, image.height)),
    "wider": lambda image: image.resize((image.width * 2, image.height)),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("mirrored", [False, True])
def test_an_image_is_found_after_an_everyday_change(change: Change, mirrored: bool) -> None:
    originals = pictures(COUNT, 0)
    changed = [change(image) for image in originals]
    if mirrored:
        changed = [image.transpose(Image.Transpose.FLIP_LEFT_RIGHT) for image in changed]

    found = find(levels(originals), levels(changed))

    pairs = {(pair.train, pair.other, pair.mirrored) for pair in found.pairs}
    assert pairs == {(place, place, mirrored) for place in range(COUNT)}
    assert list(found.pairs) == sorted(found.pairs)
    assert found.searched


def test_different_images_are_no_copies() -> None:
    assert find(levels(pictures(200, 1)), levels(pictures(200, 2))) == Copies()


def test_real_digits_of_different_writers_are_no_copies() -> None:
    pixels = (datasets.load_digits().images * 15).astype(np.uint8)
    made = changed_copies.levels_of(Held(dict(enumerate(pixels))), range(len(pixels)))

    assert find(np.delete(made, np.s_[::5], axis=0), made[::5]) == Copies()


def test_only_pairs_with_a_new_image_are_found_the_nearest_first() -> None:
    originals = pictures(4, 0)
    train, others = levels(originals), levels([*map(jpeg, originals)])
    new_train, new_others = [True, False, False, True], [False, True, False, True]

    found = changed_copies.find(side(train, new_train), side(others, new_others), lambda: NONE)

    assert {(pair.train, pair.other) for pair in found.pairs} == {(0, 0), (1, 1), (3, 3)}


def test_uniform_images_are_no_copies() -> None:
    pixels = [np.full((20, 20), level, np.uint8) for level in (0, 100, 100, 255)]
    pixels[2][0, 0] += 1
    made = levels([*map(Image.fromarray, pixels)])

    assert find(made, made) == Copies()


def test_an_image_is_only_a_copy_if_no_other_is_nearly_as_near() -> None:
    [original, *_] = images = pictures(COUNT, 0)
    turned = [original.rotate(degrees, BICUBIC) for degrees in (2, -3)]
    train, query, other = levels(images), levels(turned[:1]), levels(turned[1:])

    [pair] = find(train, query).pairs
    assert (pair.train, pair.other) == (0, 0)
    assert NEARLY < pair.distance < FARTHEST
    # In train, or elsewhere in the source.
    assert find(np.concatenate([train, other]), query) == Copies()
    assert find(train, query, other) == Copies()
    # One that is nearly the same is a copy in any case.
    same = levels([original.point(lambda level: level + 1)])
    assert [one.train for one in find(train, same, query).pairs] == [0]


def test_too_many_images_are_not_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    made = levels(pictures(COUNT, 0))
    few = side(made, np.arange(COUNT) < 2)

    monkeypatch.setattr(changed_copies, "MAX_PAIRS", COUNT * COUNT - 1)
    assert find(made, made) == Copies(searched=False)
    # The cost follows the change.
    found = changed_copies.find(few, few, lambda: NONE)
    assert ([pair.other for pair in found.pairs], found.searched) == ([0, 1], True)
    monkeypatch.setattr(changed_copies, "MAX_EXACT", COUNT)
    found = changed_copies.find(few, few, lambda: NONE)
    assert ([pair.other for pair in found.pairs], found.searched) == ([0], False)


@given(st.data())
def test_the_copies_are_those_of_a_plain_comparison(data: st.DataObject) -> None:
    random = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    shapes = random.integers(0, 256, (data.draw(st.integers(1, 6)), SIDE, SIDE))
    noise = data.draw(st.sampled_from([1, 10, 20, 40]))

    def drawn(most: int) -> Side:
        count = data.draw(st.integers(0, most))
        chosen = shapes[random.integers(len(shapes), size=count)]
        chosen = np.where(random.random((count, 1, 1)) < 0.3, chosen[:, :, ::-1], chosen)
        made = chosen * random.uniform(0, 1, (count, 1, 1)) + random.normal(0, noise, chosen.shape)
        shown = np.clip(made, 0, 255).astype(np.uint8).reshape(count, SIZE)
        return Side(shown, random.random(count) < 0.5)

    train, others, rest = drawn(30), drawn(30), drawn(5).levels
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(changed_copies, "BLOCK", data.draw(st.sampled_from([1, 50, 2**20])))
        patch.setattr(changed_copies, "PARTS", data.draw(st.sampled_from([1, 3, 8])))
        found = changed_copies.find(train, others, lambda: rest)

    assert found.searched
    expected = plainly(train, others, rest)
    assert [one[1:] for one in found.pairs] == [one[1:] for one in expected]
    assert np.allclose([one[0] for one in found.pairs], [one[0] for one in expected], atol=1e-12)


def plainly(train: Side, others: Side, rest: Levels) -> list[Copy]:
    """Return the changed copies, pair by pair."""
    found = []
    known = [has_contrast(one) for one in train.levels]
    for place, level in enumerate(others.levels):
        pairs = []
        for mirrored in (False, True):
            query = level.reshape(SIDE, SIDE)[:, :: -1 if mirrored else 1].reshape(-1)
            if not has_contrast(query):
                continue
            of_train = np.array(
                [
                    distance(query, one) if has else np.inf
                    for one, has in zip(train.levels, known, strict=True)
                ]
            )
            allowed = np.where(train.is_new | others.is_new[place], of_train, np.inf)
            if not len(allowed) or not np.isfinite(allowed.min()):
                continue
            nearest = int(allowed.argmin())
            original = train.levels[nearest]
            following = [
                distance(image, one)
                for image in (query, original)
                for one in (*np.delete(train.levels, nearest, axis=0), *rest)
                if has_contrast(one)
            ]
            near = float(allowed[nearest])
            if near < NEARLY or (
                near < FARTHEST and all(near * TIMES <= other for other in following)
            ):
                pairs.append(Copy(near, nearest, place, mirrored))
        found += pairs[:1]
    return sorted(found)


def has_contrast(level: npt.NDArray[np.uint8]) -> bool:
    return bool(level.std() >= changed_copies.MIN_CONTRAST)


def distance(one: npt.NDArray[np.uint8], other: npt.NDArray[np.uint8]) -> float:
    return float(1 - np.corrcoef(one, other)[0, 1])


def test_averages_are_those_of_the_parts_of_a_thumbnail() -> None:
    random = np.random.default_rng(0)
    image = random.integers(0, 256, (thumbnails.SIDE, thumbnails.SIDE)).astype(np.uint8)

    [made] = levels([Image.fromarray(image)])

    share = Fraction(thumbnails.SIDE, SIDE)
    for place in (0, 1, SIDE, SIZE // 2 + 3, SIZE - 1):
        line, column = divmod(place, SIDE)
        starts: list[Fraction] = [line * share, column * share]
        weights = [
            [
                max(
                    Fraction(0),
                    min(start + share, Fraction(pixel + 1)) - max(start, Fraction(pixel)),
                )
                for pixel in range(thumbnails.SIDE)
            ]
            for start in starts
        ]
        total = sum(
            weights[0][y] * weights[1][x] * int(image[y, x])
            for y in range(thumbnails.SIDE)
            for x in range(thumbnails.SIDE)
        )
        assert made[place] == int(total / share**2 + Fraction(1, 2))
