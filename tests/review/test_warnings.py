import json
from typing import Any

import pytest

from scripts.review.report import Bytes, ClassCount, Plan, SampleChange
from scripts.review.warnings import IMBALANCE, MAX_WARNINGS, warnings
from tests.repository import Repository, Run, config_text


def plan(**changes: Any) -> Plan:
    """Return a plan without warnings, with `changes`."""
    values: dict[str, Any] = {
        "version": "v2",
        "against": "v1",
        "changed": True,
        "counts": [
            ClassCount(split=split, folder=folder, before=5, after=6)
            for split in ("train", "test")
            for folder in ("3", "no3")
        ],
        "samples": SampleChange(added=4, removed=0, relabeled=0, to_train=0, to_test=0),
        "bytes": Bytes(before=1, after=2, new=1),
        "md5": "0" * 32 + ".dir",
        "source_changed": False,
        "leaks": {},
    }
    return Plan.model_validate({**values, **changes})


def counts(**images: int) -> list[ClassCount]:
    return [
        ClassCount(split="train", folder=folder, before=1, after=count)
        for folder, count in images.items()
    ]


def shown(run: Run, *options: str) -> list[str]:
    """Return the warnings that `plan` prints."""
    result = run("plan", *options)
    assert result.code == 0, result.err
    return [
        line.removeprefix("warning  ")
        for line in result.out.splitlines()
        if line.startswith("warning")
    ]


@pytest.fixture
def released(repository: Repository, run: Run) -> Repository:
    """A repository with v0, and a work tree that asks for more."""
    run("release")
    repository.configure(config_text(samples=8, test_size=3))
    return repository


def test_an_ordinary_change_has_no_warning(released: Repository, run: Run) -> None:
    assert warnings(plan()) == []
    assert shown(run) == []


@pytest.mark.parametrize(("rest", "is_imbalanced"), [(9, False), (10, True), (25, True)])
def test_a_class_twice_as_large_as_another_is_a_warning(
    released: Repository, run: Run, rest: int, *, is_imbalanced: bool
) -> None:
    released.configure(config_text(samples={"3": 5, "no3": rest}))

    expected = (
        f"The classes are imbalanced: no3 has {rest} images, {rest / 5:.1f} times the 5 of 3."
    )
    assert shown(run) == ([expected] if is_imbalanced else [])


def test_an_imbalance_is_that_of_the_largest_and_the_smallest_class() -> None:
    assert IMBALANCE == 2
    (warning,) = warnings(plan(counts=counts(a=3_000, b=1_200, c=5_000)))

    assert warning == ("The classes are imbalanced: c has 5,000 images, 4.2 times the 1,200 of b.")


def test_train_and_test_of_a_class_are_added_for_the_balance() -> None:
    sizes = {("train", "a"): 9, ("test", "a"): 1, ("train", "b"): 1, ("test", "b"): 9}
    rows = [
        ClassCount.model_validate({"split": split, "class": name, "before": 0, "after": size})
        for (split, name), size in sizes.items()
    ]

    assert warnings(plan(counts=rows)) == []


def test_a_class_that_disappears_is_no_imbalance() -> None:
    assert warnings(plan(counts=counts(a=5, b=6, gone=0))) == []
    assert warnings(plan(counts=counts(gone=0))) == []
    assert warnings(plan(counts=[])) == []


def test_test_samples_of_any_release_in_the_train_set_are_leaks(
    repository: Repository, run: Run
) -> None:
    for seed in (0, 1):
        repository.merge(config_text(class_=[3], samples=100, test_size=50, seed=seed))
        run("release")
    repository.configure(config_text(class_=[3], samples=180, test_size=20, seed=2))

    found = json.loads(run("plan", "--format", "json").out)["leaks"]

    assert found.keys() == {"v0", "v1"}
    for tag, count in found.items():
        assert (
            f"Leak: {count} images of the test set of {tag} would be in the train set, so results"
            f" on {tag} cannot be compared with results on this version."
        ) in shown(run)
    assert any("of v1 would move from test to train" in warning for warning in shown(run))


def test_one_image_is_not_called_images() -> None:
    (warning,) = warnings(plan(leaks={"v0": 1}))

    assert warning.startswith("Leak: 1 image of the test set of v0 would be in the train set")


@pytest.mark.parametrize(
    ("to_train", "to_test", "warning"),
    [
        (3, 1_000, "3 images of v1 would move from test to train, and 1,000 images from train"),
        (1, 0, "1 image of v1 would move from test to train, and 0 images from train to test."),
        (0, 2, "0 images of v1 would move from test to train, and 2 images from train to test."),
    ],
)
def test_samples_that_change_the_split_are_a_warning(
    to_train: int, to_test: int, warning: str
) -> None:
    samples = SampleChange(added=0, removed=0, relabeled=0, to_train=to_train, to_test=to_test)

    (found,) = warnings(plan(samples=samples))

    assert found.startswith(warning)


def test_samples_that_cannot_be_compared_are_a_warning() -> None:
    assert warnings(plan(samples=None)) == [
        "v1 was made by another selection rule, so samples that were added, removed or moved"
        " between train and test cannot be counted."
    ]


def test_a_plan_against_a_version_of_another_rule_has_unknown_samples(
    repository: Repository, run: Run
) -> None:
    run("release")
    repository.git("pull", "--quiet", "--ff-only", "origin", "main")
    text = repository.lock.read_text()
    names = text.rpartition("samples: ")[2].strip()
    repository.merge_file("dataset.dvc", text.replace(names, "a" * 64))
    repository.configure(config_text(samples=8))

    (warning,) = shown(run, "--against", "main")

    assert warning.startswith("main was made by another selection rule, so")
    assert "samples  unknown\n" in run("plan", "--against", "main").out
    found = json.loads(run("plan", "--against", "main", "--format", "json").out)
    assert found["samples"] is None


def test_another_source_is_a_warning(repository: Repository, run: Run) -> None:
    assert run("template-lock").code == 0
    text = repository.lock.read_text()
    sha256 = text.partition("sha256: ")[2].partition("\n")[0]
    other = "".join("0123456789abcdef"[15 - int(digit, 16)] for digit in sha256)
    repository.lock.unlink()
    repository.merge_file("dataset.dvc", text.replace(sha256, other))

    assert shown(run, "--against", "HEAD") == [
        "The source differs from that of HEAD: every sample is replaced."
    ]
    assert "10 added, 10 removed" in run("plan", "--against", "HEAD").out


def test_too_many_warnings_are_cut_with_a_count() -> None:
    leaks = {f"v{number}": 2 for number in range(1_500)}

    found = warnings(plan(leaks=leaks))

    assert len(found) == MAX_WARNINGS + 1
    assert found[-1] == "1,490 more warnings are not shown."
    assert len(warnings(plan(leaks=dict(list(leaks.items())[:MAX_WARNINGS])))) == MAX_WARNINGS


def test_names_in_warnings_can_be_formatted() -> None:
    def quoted(name: str) -> str:
        return f"<{name}>"

    samples = SampleChange(added=0, removed=0, relabeled=0, to_train=1, to_test=0)
    moved = plan(against="a.b", counts=counts(a=1, b=2), samples=samples)

    assert warnings(moved, quoted) == [
        "The classes are imbalanced: <b> has 2 images, 2.0 times the 1 of <a>.",
        "1 image of <a.b> would move from test to train, and 0 images from train to test.",
    ]
    for changes in ({"samples": None}, {"source_changed": True}):
        (warning,) = warnings(plan(against="a.b", **changes), quoted)
        assert "<a.b>" in warning
