"""Groups are in one split, and no later batch moves one."""

from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from scripts.dataset import groups
from scripts.dataset.groups import MODULUS, Groups
from scripts.dataset.order import Image
from scripts.inputs import config_file
from scripts.inputs.config import TEST, TRAIN, VALIDATION, Config
from scripts.sources.own import Own
from scripts.sources.source import Batch
from tests.repository import config_text

FRACTIONS = st.sampled_from(["0.05", "0.1", "0.2", "0.35", "0.5"])


def asking(test: str = "0.2", validation: str | None = None, seed: int = 0) -> Config:
    lines = f"group_by: patient\nseed: {seed}\n"
    if validation:
        lines += f"validation_size: {validation}\n"
    text = config_text(class_="all", samples="all", test_size=None, seed=None)
    return config_file.parse(f"{text}test_size: {test}\n{lines}".encode())


def source(*batches: Sequence[str | None]) -> Own:
    """Return a source of which only the groups of its batches are known."""
    made = Own.__new__(Own)
    values = [value for batch in batches for value in batch]
    starts = np.cumsum([0, *map(len, batches)]).tolist()
    known: dict[str, Any] = {
        "metadata": [{} if value is None else {"patient": value} for value in values],
        "batches": [Batch(*span) for span in pairwise(starts)],
        "rows": type("Rows", (), {"digests": [b"%032d" % row for row in range(len(values))]})(),
    }
    vars(made).update(known)
    return made


def splits(found: Groups, values: list[str]) -> dict[str, str]:
    by_value: dict[str, set[str]] = {}
    for row, value in enumerate(values):
        by_value.setdefault(value, set()).add(found.split(row))
    assert all(len(one) == 1 for one in by_value.values())
    return {value: next(iter(one)) for value, one in by_value.items()}


VALUES = st.lists(st.sampled_from("abcdefghijklmnopqrstuvwxyz"), min_size=1, max_size=30)


@given(st.lists(VALUES, min_size=1, max_size=5), FRACTIONS, st.integers(0, 3))
def test_no_later_batch_moves_a_group(batches: list[list[str]], test: str, seed: int) -> None:
    wish, known = asking(test, seed=seed), dict[str, str]()
    for count in range(1, len(batches) + 1):
        values = [value for batch in batches[:count] for value in batch]
        found = splits(groups.groups_of(source(*batches[:count]), wish), values)
        assert known.items() <= found.items()
        known = found


@given(VALUES, st.randoms())
def test_the_order_within_a_batch_decides_nothing(values: list[str], random: Any) -> None:
    shuffled = random.sample(values, len(values))
    wish = asking()
    one = splits(groups.groups_of(source(values), wish), values)
    other = splits(groups.groups_of(source(shuffled), wish), shuffled)
    assert one == other


@given(st.integers(1, 3000), FRACTIONS, st.integers(0, 9))
def test_each_split_has_its_share_of_the_groups_up_to_a_few(
    count: int, test: str, seed: int
) -> None:
    values = [str(number) for number in range(count)]
    found = groups.groups_of(source(values), asking(test, "0.1", seed))
    sizes = Counter(found.split(row) for row in range(count))
    assert abs(sizes[TEST] - count * Fraction(test)) <= 4
    assert abs(sizes[VALIDATION] - count * Fraction("0.1")) <= 4
    assert sizes.total() == count


def test_batches_of_one_group_each_have_their_share_too() -> None:
    batches = [[str(number)] for number in range(200)]
    found = groups.groups_of(source(*batches), asking())
    assert abs(sum(found.split(row) == TEST for row in range(200)) - 40) <= 4


def test_a_sample_without_a_value_is_a_group_of_its_own() -> None:
    found = groups.groups_of(source(["a", None, None, "a"]), asking())
    assert len(set(found.numbers)) == 3
    assert found.numbers[0] == found.numbers[3]
    assert found.values == ["a", "", "", "a"]


def test_each_split_takes_from_the_front_of_the_images_of_its_groups() -> None:
    values = [str(row // 3) for row in range(90)]
    found = groups.groups_of(source(values), asking())
    line = found.line([Image(0, 0.0, b"%03d" % row, row) for row in range(90)])
    assert [found.place(one.row) / MODULUS for one in line] == sorted(
        found.place(row) / MODULUS for row in range(90)
    )
    few = groups.deal(line, found, {TRAIN: 10, VALIDATION: 0, TEST: 5})
    more = groups.deal(line, found, {TRAIN: 20, VALIDATION: 0, TEST: 9})
    assert (len(few[TRAIN]), len(few[TEST])) == (10, 5)
    for split in (TRAIN, TEST):
        assert more[split][: len(few[split])] == few[split]
        assert {found.split(one.row) for one in more[split]} == {split}
