import hashlib
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import numpy.typing as npt
import platformdirs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.dataset import order as order_module
from scripts.dataset.order import Image
from scripts.dataset.order import order as lines
from scripts.sources import registry
from scripts.sources.copies import FOLDER
from scripts.sources.source import (
    Batch,
    Held,
    OpenObject,
    Pixels,
    Source,
    SourceRequest,
    WithoutFiles,
)
from scripts.sources.table import Table
from tests.dataset.pools import Rows, of_sizes, pool, pools, usable

SEEDS = st.integers(0, 3)

# The SHA-256 of the lines of `written`. Every released split depends on the order: it never
# changes, whatever else does.
KNOWN_ORDERS = {
    0: "c57a89cfa71f29c67c5c106eab66d07d4c1407be49a43e8de14b1cbf65817c17",
    7: "5172fde7682d389c58dbf19b5e511df39453071f996befb46311f26d7aa10034",
}


@dataclass(frozen=True, eq=False)
class Described(WithoutFiles):
    """A source of which only labels and digests are known."""

    labels: npt.NDArray[np.str_]
    digests: Sequence[bytes]
    name = "described"
    sha256 = "0" * 64
    own_test = None
    shape = None
    size = None
    has_files = has_both_modes = False

    def is_gray(self, row: int) -> bool:
        raise AssertionError(f"the mode of row {row} is not needed")

    @property
    def keys(self) -> Sequence[bytes]:
        return self.digests

    @property
    def batches(self) -> Sequence[Batch]:
        return (Batch(0, len(self.labels)),)

    def identifier(self, row: int) -> str:
        raise AssertionError(f"the name of row {row} is not needed")

    def find(self, identifier: str) -> int | None:
        raise AssertionError(f"{identifier} is not looked for")

    def reader(self, rows: Sequence[int], _: OpenObject) -> Held:
        raise AssertionError(f"the pixels of rows {rows} are not needed")

    def image(self, row: int) -> Pixels:
        raise AssertionError(f"the pixels of row {row} are not needed")


def order(source: Source, seed: int) -> dict[str, list[Image]]:
    """Return the images of each label."""
    return {label: list(line) for label, line in lines(source, seed).items()}


def written(orders: dict[str, list[Image]]) -> str:
    """Return an order as text, places in all their digits."""
    return "".join(
        f"{label} {image.place.hex()} {image.key.hex()} {image.row}\n"
        for label, images in orders.items()
        for image in images
    )


def by_the_rule(rows: Rows, seed: int) -> dict[str, list[tuple[Fraction, bytes, int]]]:
    """Return place, key and row of each usable image, worked out step by step."""
    digests = [hashlib.sha256(drawing.to_bytes(4)).digest() for _, drawing in rows]
    expected = {}
    for label in sorted({label for label, _ in rows}):
        ranked = sorted(
            (hashlib.sha256(str(seed).encode() + b":" + digest).digest(), row)
            for row, digest in enumerate(digests)
            if rows[row][0] == label and digests.index(digest) == row
        )
        expected[label] = [
            (Fraction(2 * rank + 1, 2 * len(ranked)), key, row)
            for rank, (key, row) in enumerate(ranked)
            if {other for other, drawing in rows if drawing == rows[row][1]} == {label}
        ]
    return expected


@given(pools(), SEEDS)
def test_the_order_is_that_of_the_rule(rows: Rows, seed: int) -> None:
    expected = by_the_rule(rows, seed)

    assert order(pool(rows), seed) == {
        label: [Image(0, float(place), key, row) for place, key, row in images]
        for label, images in expected.items()
    }


@pytest.mark.parametrize("seed", KNOWN_ORDERS)
def test_the_order_of_the_digits_is_the_known_one(seed: int) -> None:
    found = written(order(registry.load(SourceRequest("digits")), seed))

    assert hashlib.sha256(found.encode()).hexdigest() == KNOWN_ORDERS[seed]


def test_the_first_and_the_last_digits_are_the_known_ones() -> None:
    threes = order(registry.load(SourceRequest("digits")), 0)["3"]

    assert [image.row for image in threes[:4]] == [60, 1712, 1086, 918]
    assert [image.row for image in threes[-4:]] == [708, 13, 1217, 614]
    assert [image.place for image in threes[:2]] == [1 / 366, 3 / 366]


@given(pools(), SEEDS)
def test_every_usable_image_has_one_place_and_copies_none(rows: Rows, seed: int) -> None:
    found = order(pool(rows), seed)

    assert {label: len(images) for label, images in found.items()} == usable(rows)
    for images in found.values():
        drawings = [rows[image.row][1] for image in images]
        assert len(set(drawings)) == len(drawings)
        places = [image.place for image in images]
        assert places == sorted(set(places))
        assert all(0 < place < 1 for place in places)


def test_a_copy_is_known_by_its_first_row() -> None:
    rows = [("a", 1), ("a", 2), ("a", 1), ("a", 2), ("a", 1)]

    assert {image.row for image in order(pool(rows), 0)["a"]} == {0, 1}


@given(pools(), SEEDS, st.data())
def test_a_second_label_makes_an_image_unusable_and_moves_no_other(
    rows: Rows, seed: int, data: st.DataObject
) -> None:
    before = order(pool(rows), seed)
    label = data.draw(st.sampled_from(sorted(before)))
    image = data.draw(st.sampled_from(before[label]))
    other = data.draw(st.sampled_from([name for name in sorted(before) if name != label]))

    after = order(pool([*rows, (other, rows[image.row][1])]), seed)

    without = [one for one in before[label] if one != image]
    assert after == before | {label: without}


def test_an_image_under_two_labels_counts_where_its_first_row_is() -> None:
    found = order(pool([("b", 1), ("a", 1), ("a", 2), ("b", 3)]), 0)

    assert [image.place for image in found["a"]] == [0.5]
    assert [image.place for image in found["b"]] in ([0.25], [0.75])


def test_a_class_of_copies_of_other_classes_has_no_images() -> None:
    assert order(pool([("a", 1), ("a", 2), ("b", 1)]), 0)["b"] == []


@given(pools(ambiguous=False), SEEDS, st.randoms(use_true_random=False))
def test_the_order_of_the_rows_does_not_matter(
    rows: Rows, seed: int, chance: random.Random
) -> None:
    shuffled = chance.sample(rows, len(rows))

    one, other = (
        {
            label: [(image.place, image.key, source[image.row][1]) for image in images]
            for label, images in order(pool(source), seed).items()
        }
        for source in (rows, shuffled)
    )

    assert one == other


def test_another_seed_gives_another_order() -> None:
    rows = of_sizes(a=30)

    found = {tuple(image.row for image in order(rows, seed)["a"]) for seed in range(5)}

    assert len(found) == 5
    assert {frozenset(one) for one in found} == {frozenset(range(30))}


def test_a_class_does_not_depend_on_the_others() -> None:
    alone, together = of_sizes(a=20), of_sizes(a=20, b=7, c=90)

    assert order(alone, 0)["a"] == order(together, 0)["a"]


def test_the_order_needs_digests_and_no_pixels() -> None:
    # Digests that end in zero bytes are as long as others.
    digests = [bytes([number]).ljust(32, b"\0") for number in range(1, 9)]
    source = Described(np.array(["a"] * 8), digests)

    found = order(source, 12)["a"]

    assert [image.key for image in found] == sorted(
        hashlib.sha256(b"12:" + digest).digest() for digest in digests
    )


def test_images_are_compared_by_batch_then_by_place_and_then_by_key() -> None:
    images = [
        Image(1, 0.1, b"d", 4),
        Image(0, 0.5, b"b", 1),
        Image(0, 0.5, b"a", 3),
        Image(0, 0.25, b"c", 2),
    ]

    assert [image.row for image in sorted(images)] == [2, 3, 1, 4]


def digits() -> Table:
    source = registry.load(SourceRequest("digits"))
    assert isinstance(source, Table)
    return source


@pytest.fixture
def kept_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder in which orders are kept."""
    monkeypatch.setattr(platformdirs, "user_cache_path", lambda name: tmp_path / name)
    lines.cache_clear()
    return tmp_path / FOLDER / "orders"


def test_the_order_is_kept_and_read_again(
    kept_order: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = order(digits(), 7)
    assert len(list(kept_order.iterdir())) == 1

    lines.cache_clear()
    monkeypatch.setattr(order_module, "_lines", None)

    assert order(digits(), 7) == first


@pytest.mark.parametrize(
    "damage", [lambda _: b"", lambda found: found[:-1], lambda found: b"x" + found]
)
def test_a_damaged_order_is_made_again(kept_order: Path, damage: Callable[[bytes], bytes]) -> None:
    first = order(digits(), 7)
    [file] = kept_order.iterdir()
    content = file.read_bytes()
    file.write_bytes(damage(content))
    lines.cache_clear()

    assert order(digits(), 7) == first
    assert file.read_bytes() == content


def test_the_order_of_another_source_or_seed_is_another_file(kept_order: Path) -> None:
    one = digits()
    other_labels = replace(one, labels=one.labels[::-1].copy())
    other_digests = replace(one, pixels=one.pixels[::-1].copy())

    for source, seed in ((one, 7), (one, 8), (other_labels, 7), (other_digests, 7)):
        lines(source, seed)

    assert len(list(kept_order.iterdir())) == 4
