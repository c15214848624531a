import math
from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, reject
from hypothesis import strategies as st
from sklearn.model_selection import train_test_split

from scripts.build.dataset import Dataset
from scripts.build.selection import TEST, TRAIN, Selection, select
from scripts.inputs import config
from scripts.inputs.config import Config
from scripts.inputs.problems import InputError
from scripts.sources import registry
from scripts.sources.source import Source
from scripts.sources.table import Table
from scripts.versions import guards, lock
from scripts.versions.releases import Release
from tests.repository import config_text

CLASSES = "abcd"
SINGLE_CLASSES = ("all", ["a", "c"], ["d", "b", "a"])
ANY_CLASS = ("a", "b", *SINGLE_CLASSES)


def asking(**changes: object) -> Config:
    return config.parse(config_text(**{"source": "pool", "class_": "a", **changes}).encode())


def pool(images: list[tuple[str, int]]) -> Table:
    """Return a source with the given (label, number of the drawing) for each row."""
    drawings = np.array([number for _, number in images], dtype=">u4")
    pixels = drawings.view(np.uint8).reshape(-1, 2, 2)
    return Table("pool", pixels, np.array([label for label, _ in images]))


def plenty(count: int, classes: str = CLASSES) -> Table:
    """Return a source with `count` images in each class, all different."""
    return pool([(label, i) for i, label in enumerate(classes * count)])


@st.composite
def pools(draw: st.DrawFn) -> Source:
    """Draw a source with identical images, within a class and across."""
    chance = draw(st.randoms(use_true_random=False))
    drawings = draw(st.sampled_from([40, 1000]))
    shared = draw(st.sampled_from([0, 0.1]))
    images = []
    for _ in range(draw(st.integers(120, 240))):
        label = chance.choice(CLASSES)
        owner = 0 if chance.random() < shared else 1 + CLASSES.index(label)
        images.append((label, 1000 * owner + chance.randrange(drawings)))
    return pool(images)


@st.composite
def requests(
    draw: st.DrawFn, classes: Sequence[object] = ANY_CLASS, *, fractions: bool = True
) -> dict[str, Any]:
    """Draw the values of a config."""
    samples = draw(st.integers(2, 20))
    counts = st.integers(1, samples - 1)
    shares = st.integers(1, 99).map(lambda percent: percent / 100)
    shares = shares.filter(lambda share: math.ceil(share * samples) < samples)
    return {
        "class_": draw(st.sampled_from(classes)),
        "seed": draw(st.integers(0, 3)),
        "samples": samples,
        "test_size": draw(counts | shares if fractions else counts),
    }


MORE = st.integers(0, 10)


def selected(desired: Config, rows: Source) -> Selection:
    """Return the selection, or give up on this example where there is none."""
    try:
        return select(desired, rows)
    except InputError:
        reject()


def released(desired: Config, rows: Source) -> Release:
    made = Dataset(desired, rows)
    return Release("v0", "0" * 40, lock.of(made, made.manifest))


def moved(before: Selection, after: Selection) -> set[int]:
    old, new = before.splits(), after.splits()
    return {row for row in old.keys() & new.keys() if old[row] != new[row]}


def images(selection: Selection, rows: Source, split: str) -> set[bytes]:
    return {rows.image(row).tobytes() for row, side in selection.splits().items() if side == split}


@given(pools(), requests())
def test_counts_are_exact_and_no_two_files_share_a_name(
    rows: Source, asked: dict[str, Any]
) -> None:
    desired = asking(**asked)
    selection = selected(desired, rows)

    folders = list(selection.counts()[TRAIN])
    test = desired.test_count("a", asked["samples"])
    assert selection.counts() == {
        TRAIN: dict.fromkeys(folders, asked["samples"] - test),
        TEST: dict.fromkeys(folders, test),
    }
    files = selection.files()
    assert len(files) == asked["samples"] * len(folders) == len(set(files.values()))


@given(pools(), requests())
def test_every_image_is_in_the_folder_of_its_class(rows: Source, asked: dict[str, Any]) -> None:
    for name, row in selected(asking(**asked), rows).files().items():
        split, folder, file = name.split("/")
        label = rows.labels[row]
        assert split in (TRAIN, TEST)
        assert file == f"{row:05}.png"
        assert folder == label or (folder == f"no{asked['class_']}" and label != asked["class_"])


@given(pools(), requests())
def test_identical_images_are_never_on_both_sides(rows: Source, asked: dict[str, Any]) -> None:
    selection = selected(asking(**asked), rows)

    assert not images(selection, rows, TRAIN) & images(selection, rows, TEST)


@given(pools(), requests(), MORE)
def test_more_samples_at_a_fixed_test_size_only_add_files(
    rows: Source, asked: dict[str, Any], more: int
) -> None:
    before = selected(asking(**asked), rows)
    after = selected(asking(**asked | {"samples": asked["samples"] + more}), rows)

    assert before.files().items() <= after.files().items()


@given(pools(), requests(SINGLE_CLASSES, fractions=False), MORE, MORE)
def test_growing_both_sizes_of_single_classes_never_moves_a_sample(
    rows: Source, asked: dict[str, Any], more: int, more_test: int
) -> None:
    grown = {
        "samples": asked["samples"] + more + more_test,
        "test_size": asked["test_size"] + more_test,
    }

    assert not moved(selected(asking(**asked), rows), selected(asking(**asked | grown), rows))


@given(pools(), requests(), requests())
def test_no_change_of_the_config_moves_a_sample_unless_it_is_refused(
    rows: Source, asked: dict[str, Any], then: dict[str, Any]
) -> None:
    small, large = asking(**asked), asking(**then | {"seed": asked["seed"]})
    before, after = selected(small, rows), selected(large, rows)

    try:
        guards.refuse_moves(Dataset(large, rows), released(small, rows))
        refused = ""
    except InputError as error:
        refused = str(error)

    count = len(moved(before, after))
    assert bool(refused) == bool(count)
    assert f": samples: {count} image" in refused or not count


@given(requests(fractions=False), MORE, MORE)
def test_growing_both_sizes_is_never_refused_while_every_class_has_images_left(
    asked: dict[str, Any], more: int, more_test: int
) -> None:
    grown = {
        "samples": asked["samples"] + more + more_test,
        "test_size": asked["test_size"] + more_test,
    }
    rows = plenty(60)
    small, large = asking(**asked), asking(**asked | grown)
    assert not moved(select(small, rows), select(large, rows))

    guards.refuse_moves(Dataset(large, rows), released(small, rows))


def test_a_move_forced_by_a_class_that_is_used_up_is_refused_with_what_to_do() -> None:
    rows = pool([("a", i) for i in range(40)] + [("b", i) for i in range(50, 60)] + [("c", 99)])
    desired = [asking(samples=s, test_size=t) for s, t in [(9, 1), (10, 9)]]
    assert moved(*(select(one, rows) for one in desired))

    with pytest.raises(InputError, match=r"^dataset_config.yaml:3:10: samples: \d+ images? of v0"):
        guards.refuse_moves(Dataset(desired[1], rows), released(desired[0], rows))


@given(requests())
def test_the_rest_is_drawn_evenly_from_the_other_classes(asked: dict[str, Any]) -> None:
    rows = plenty(60)
    selection = select(asking(**asked | {"class_": "a"}), rows)

    for split in (TRAIN, TEST):
        drawn = Counter(rows.labels[row] for row in selection.rows[split, "noa"])
        counts = [drawn[label] for label in "bcd"]
        assert max(counts) - min(counts) <= 1


def test_when_a_class_is_used_up_the_rest_comes_from_the_others() -> None:
    rows = pool(
        [("a", i) for i in range(30)] + [("b", 50), ("b", 51)] + [("c", i + 60) for i in range(30)]
    )
    selection = select(asking(samples=20, test_size=5), rows)

    labels = Counter(
        rows.labels[row] for split in (TRAIN, TEST) for row in selection.rows[split, "noa"]
    )
    assert labels == {"b": 2, "c": 18}


def test_an_image_under_two_labels_is_left_out() -> None:
    rows = pool([("a", 1), ("b", 1), ("a", 2), ("a", 3), ("b", 4), ("b", 5)])

    selection = select(asking(class_=["a", "b"], samples=2, test_size=1), rows)

    assert sorted(selection.files().values()) == [2, 3, 4, 5]
    with pytest.raises(InputError, match="needs 3 images, but pool has only 2 for it"):
        select(asking(class_=["a", "b"], samples=3, test_size=1), rows)


def test_the_last_image_of_a_class_is_available_and_one_more_is_an_error() -> None:
    digits = registry.load("digits")
    everything = select(asking(class_=[3], samples=183, test_size=40), digits)
    assert everything.counts() == {TRAIN: {"3": 143}, TEST: {"3": 40}}

    with pytest.raises(
        InputError,
        match=r"^dataset_config.yaml:3:10: samples: folder 3 needs 184 images, but digits has only"
        r" 183 for it$",
    ):
        select(asking(class_=[3], samples=184, test_size=40), digits)


@given(pools(), requests())
def test_as_many_as_the_error_names_are_available(rows: Source, asked: dict[str, Any]) -> None:
    asked |= {"test_size": 3}
    with pytest.raises(InputError) as caught:
        select(asking(**asked | {"samples": 200}), rows)

    there = min(
        int(problem.message.split("has only ")[1].split()[0]) for problem in caught.value.problems
    )
    assume(there > asked["test_size"])
    made = select(asking(**asked | {"samples": there}), rows)
    assert set(made.counts()[TRAIN].values()) == {there - asked["test_size"]}


def test_a_test_fraction_is_rounded_as_in_scikit_learn() -> None:
    compared = 0
    for count in (2, 3, 7, 10, 50, 99, 100, 101, 183, 1000, 6313):
        for percent in range(1, 100):
            share = percent / 100
            exact = Fraction(percent, 100) * count
            trouble = -(-exact.numerator // exact.denominator) != int(np.ceil(share * count))
            desired = asking(samples=count, test_size=share)
            if trouble or desired.test_count("a", count) >= count:
                continue
            train, test = train_test_split(range(count), test_size=share, random_state=0)
            assert desired.train_and_test("a") == (len(train), len(test))
            compared += 1
    assert compared > 900


def test_seven_percent_of_a_hundred_are_seven() -> None:
    assert asking(samples=100, test_size=0.07).train_and_test("a") == (93, 7)


@pytest.mark.parametrize(("rows", "digits"), [(100_000, 5), (100_001, 6)])
def test_a_larger_source_gets_wider_names(rows: int, digits: int) -> None:
    large = plenty(-(-rows // 4))
    large = Table("pool", large.pixels[:rows], large.labels[:rows])

    names = select(asking(samples=2, test_size=1), large).files()

    assert {len(name.split("/")[-1]) for name in names} == {digits + len(".png")}


@pytest.mark.parametrize(
    ("desired", "folders"),
    [
        ("b", ["b", "nob"]),
        (["d", "a", "c"], ["d", "a", "c"]),
        ("all", ["a", "b", "c", "d"]),
    ],
)
def test_folders_are_in_the_order_of_the_config(desired: object, folders: list[str]) -> None:
    selection = select(asking(class_=desired), plenty(9))

    assert {split: list(by) for split, by in selection.counts().items()} == {
        TRAIN: folders,
        TEST: folders,
    }


def test_sizes_by_folder_are_kept_for_each() -> None:
    sizes = {"samples": {"a": 10, "noa": 20}, "test_size": {"a": 3, "noa": 0.25}}

    assert select(asking(**sizes), plenty(30)).counts() == {
        TRAIN: {"a": 7, "noa": 15},
        TEST: {"a": 3, "noa": 5},
    }


def test_another_seed_selects_other_images() -> None:
    rows = plenty(60)
    first, second = (select(asking(seed=seed), rows) for seed in (0, 1))
    assert first.files() != second.files()


def test_the_order_of_the_rows_does_not_matter() -> None:
    rows = plenty(30)
    back = Table("pool", rows.pixels[::-1].copy(), rows.labels[::-1].copy())
    forth, reverse = (select(asking(class_="all"), one) for one in (rows, back))
    for split in (TRAIN, TEST):
        assert images(forth, rows, split) == images(reverse, back, split)


MNIST_STEPS = [(100, 20), (200, 40), (6000, 1000)]


@pytest.mark.xdist_group("mnist")
@pytest.mark.usefixtures("mnist")
@pytest.mark.parametrize("desired", [3, "all"])
def test_no_sample_of_mnist_moves_from_100_over_200_to_6000(desired: object) -> None:
    rows = registry.load("mnist_784")
    steps = [
        asking(source="mnist_784", class_=desired, samples=samples, test_size=test)
        for samples, test in MNIST_STEPS
    ]
    selections = [select(step, rows) for step in steps]

    for selection, (samples, test) in zip(selections, MNIST_STEPS, strict=True):
        assert set(selection.counts()[TRAIN].values()) == {samples - test}
        assert set(selection.counts()[TEST].values()) == {test}
        assert not images(selection, rows, TRAIN) & images(selection, rows, TEST)
    for before, after in [*pairwise(selections), (selections[0], selections[2])]:
        assert before.files().items() <= after.files().items()


@pytest.mark.xdist_group("mnist")
@pytest.mark.usefixtures("mnist")
def test_the_first_two_versions_of_mnist_have_the_counts_asked_for() -> None:
    rows = registry.load("mnist_784")
    small, large = (
        select(asking(source="mnist_784", class_=3, samples=s, test_size=t), rows).counts()
        for s, t in MNIST_STEPS[:2]
    )
    assert small == {TRAIN: {"3": 80, "no3": 80}, TEST: {"3": 20, "no3": 20}}
    assert large == {TRAIN: {"3": 160, "no3": 160}, TEST: {"3": 40, "no3": 40}}
