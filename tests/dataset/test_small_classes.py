"""Classes with too few images for a split."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.dataset.selection import Selection, select
from scripts.inputs import config_file
from scripts.inputs.config import TEST, TRAIN, VALIDATION
from scripts.inputs.config_file import InvalidConfigError
from scripts.inputs.problems import InputError
from tests.dataset.pools import of_sizes, with_own_test
from tests.dataset.test_selection import asking
from tests.ingest.pictures import picture, write
from tests.repository import Repository, Run

KEEP = "or add small_classes: train, which keeps small classes in train"
SIZES = {"a": 30, "b": 1, "c": 2, "d": 1}


def all_of(sizes: dict[str, int], **changes: Any) -> Selection:
    wish = {"class_": "all", "samples": "all", "test_size": 0.2, **changes}
    return select(asking(**wish), of_sizes(**sizes))


def problems(sizes: dict[str, int], **changes: Any) -> list[str]:
    with pytest.raises(InputError) as caught:
        all_of(sizes, **changes)
    return [problem.message for problem in caught.value.problems]


def test_all_classes_that_are_too_small_are_named_at_once_with_the_way_out() -> None:
    assert problems(SIZES) == [
        f"test_size: no samples of 3 folders would be for test; it must be larger, {KEEP}. These"
        " are b (1), c (2), d (1)"
    ]
    assert problems({"a": 30, "b": 1}) == [
        f"test_size: none of the 1 samples of folder b would be for test; it must be larger, {KEEP}"
    ]
    assert problems(SIZES, test_size=1)[0] == (
        "test_size: all 1 samples of folder b would be for test and none for train; it must be"
        " smaller than samples"
    )


def test_with_the_key_they_are_in_train() -> None:
    found = all_of(SIZES, small_classes="train")

    assert found.counts() == {
        TRAIN: {"a": 24, "b": 1, "c": 2, "d": 1},
        TEST: {"a": 6, "b": 0, "c": 0, "d": 0},
    }


def test_an_image_that_would_be_for_test_only_is_in_train() -> None:
    shares = {"test_size": 0.3, "validation_size": 0.2}
    found = all_of({"a": 30, "b": 1}, small_classes="train", **shares)

    assert found.counts()[TRAIN]["b"] == 1
    assert found.counts()[TEST]["b"] == found.counts()[VALIDATION]["b"] == 0


@given(st.lists(st.integers(2, 40), min_size=1, max_size=4), st.sampled_from([0.1, 0.2, 0.5]))
def test_a_dataset_that_is_valid_without_the_key_is_the_same_with_it(
    sizes: list[int], test: float
) -> None:
    named = dict(zip("abcd", sizes, strict=False))
    try:
        without = all_of(named, test_size=test)
    except InputError:
        with_key = all_of(named, test_size=test, small_classes="train")
        assert all(with_key.counts()[TRAIN].values())
        return
    assert all_of(named, test_size=test, small_classes="train") == without


def test_a_class_that_the_test_set_of_the_source_lacks_is_in_train() -> None:
    source = with_own_test([*(("a", n) for n in range(10)), ("b", 10), ("b", 11)], {0, 1, 2})
    wish: dict[str, Any] = {"class_": "all", "samples": "all", "test_size": None}
    wish["split_by"] = "source"

    with pytest.raises(InputError, match=r"the test set of .* has no images for folder b"):
        select(asking(**wish), source)
    found = select(asking(**wish, small_classes="train"), source)

    assert found.counts() == {TRAIN: {"a": 7, "b": 2}, TEST: {"a": 3, "b": 0}}


@pytest.mark.parametrize(
    "lines",
    [
        "samples: 5\ntest_size: 0.2",
        "samples: all\ntest_size: 1",
        "samples: all\ntest_size: 0.2\nvalidation_size: {a: 0.1}",
    ],
)
def test_it_needs_fractions_of_all(lines: str) -> None:
    text = f"source: digits\nclass: all\n{lines}\nsmall_classes: train\n"

    with pytest.raises(InputError, match="small_classes: needs samples: all, and fractions such"):
        config_file.parse(text.encode())


def test_a_wrong_size_does_not_hide_other_problems() -> None:
    text = "source: digits\nclass: all\nsamples: all\ntest_size: 2.0\nsmall_classes: train\n"

    with pytest.raises(InvalidConfigError) as caught:
        config_file.parse(text.encode())
    assert len(caught.value.problems) == 1
    assert caught.value.valid_part is not None


def test_they_are_planned_released_and_packaged(
    repository: Repository, run: Run, tmp_path: Path
) -> None:
    names = [f"cat/{n}.png" for n in range(10)] + [f"dog/{n}.png" for n in range(9)]
    names += ["eel/1.png", "fox/1.png", "fox/2.png"]
    write(tmp_path / "in", {name: picture(at) for at, name in enumerate(names)})
    assert run("ingest", "pets", str(tmp_path / "in")).code == 0
    repository.git("add", "sources")
    text = "source: pets\nclass: all\nsamples: all\ntest_size: 0.2\nsmall_classes: train\n"
    repository.configure(text)

    assert (
        "\nsmall       2 classes are too small for test: eel, fox; all of their images are in"
        " train\n"
    ) in run("plan").out
    for form in ("", "format: parquet\n"):
        repository.merge(text + form)
        assert run("release").code == 0
    for tag in ("v0", "v1"):
        assert run("verify", tag).code == 0
        assert run("package", tag, "--out", str(tmp_path / tag)).code == 0
    assert run("site", "--out", str(tmp_path / "site")).code == 0


def test_a_class_that_grows_keeps_its_first_image_in_train(
    repository: Repository, run: Run, tmp_path: Path
) -> None:
    names = [f"{label}/{n}.png" for label in ("cat", "dog") for n in range(12)] + ["eel/1.png"]
    write(tmp_path / "in", {name: picture(at) for at, name in enumerate(names)})
    assert run("ingest", "pets", str(tmp_path / "in")).code == 0
    repository.git("add", "sources")
    # By its place, the only image of a class would be for test.
    text = "source: pets\nclass: all\nsamples: all\ntest_size: 0.3\nvalidation_size: 0.2\n"
    repository.merge(f"{text}small_classes: train\n")
    assert run("release").code == 0
    repository.git("pull", "--quiet", "--ff-only", "origin", "main")

    write(tmp_path / "more", {f"eel/{n}.png": picture(100 + n) for n in range(20)})
    assert run("ingest", "pets", str(tmp_path / "more")).code == 0
    result = run("plan")

    assert result.code == 0, result.err
    assert "comparable  with v0\n" in result.out
    assert "moved between" not in result.out


def test_with_groups_the_groups_of_a_class_decide(
    repository: Repository, run: Run, tmp_path: Path
) -> None:
    names = [f"{label}{n}.png" for label in ("cat", "dog") for n in range(30)] + ["eel0.png"]
    rows = [f"{name},{name[:3]},{number}" for number, name in enumerate(names)]
    table = "\n".join(["file_name,label,patient", *rows])
    files = {name: picture(at) for at, name in enumerate(names)}
    write(tmp_path / "in", {**files, "metadata.csv": table.encode()})
    assert run("ingest", "pets", str(tmp_path / "in")).code == 0
    text = "source: pets\nclass: all\nsamples: all\ntest_size: 0.2\ngroup_by: patient\n"
    repository.configure(text)
    for seed in range(3):
        repository.configure(f"{text}seed: {seed}\n")
        result = run("validate")
        assert result.code == 1
        if "is for test; add groups, " in result.err:
            break
    else:
        pytest.fail("no seed leaves the group in train")

    none = "none of the groups of the 1 samples of folder eel is for test; add groups"
    assert f"test_size: {none}, {KEEP}" in result.err
    repository.configure(f"{text}seed: {seed}\nsmall_classes: train\n")
    assert run("validate").code == 0
