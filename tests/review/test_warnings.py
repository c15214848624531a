import json
from typing import Any

import numpy as np
import pytest

from scripts.dataset.near import LIMIT, MAX_FOUND
from scripts.review.warnings import IMBALANCE, MAX_NAMED, warnings
from scripts.sources import digits, registry
from scripts.sources.source import Source, SourceRequest
from scripts.sources.table import Table
from tests.repository import Repository, Run, config_text
from tests.review.plans import copies, counts, curated, leak, near, plan, sample, samples
from tests.sources import stripes


class Reordered:
    """The digits in the opposite order."""

    def provides(self, request: SourceRequest) -> bool:
        return request.name == "reordered"

    def read(self, request: SourceRequest) -> Source:
        source = digits.read(SourceRequest("digits"))
        pixels = np.array([source.image(row) for row in range(len(source.labels))])
        return Table(request.name, pixels[::-1], source.labels[::-1])


@pytest.fixture
def _more_sources(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "KINDS", (stripes, Reordered(), *registry.KINDS))


def planned(run: Run, *options: str) -> tuple[str, list[str], dict[str, Any]]:
    """Return the title, the warnings and the data of the plan."""
    text, data = run("plan", *options), run("plan", *options, "--format", "json")
    assert (text.code, data.code) == (0, 0), text.err
    title, *lines = text.out.splitlines()
    shown = [line.removeprefix("warning     ") for line in lines if line.startswith("warning")]
    return title, shown, json.loads(data.out)


def test_an_ordinary_change_has_no_warning(released: Repository, run: Run) -> None:
    assert warnings(plan()) == []
    assert planned(run)[:2] == ("dataset v1: +6 samples, 2 classes", [])


def test_another_seed_is_a_warning_and_in_the_title(released: Repository, run: Run) -> None:
    released.configure(config_text(seed=1))

    title, shown, found = planned(run)

    assert found["samples"]["removed"] == 10
    assert title == "dataset v1: new split, 10 of 10 samples replaced"
    assert shown == [
        "The seed differs from that of v0, so this is a new split.",
        "Removed: 4 of the 4 test images of v0. Results on the two test sets are not comparable "
        "image by image.",
    ]


def test_another_selection_rule_is_a_warning_and_in_the_title(
    released: Repository, run: Run
) -> None:
    text = released.lock.read_text()
    assert "  selection: 2\n" in text
    released.merge_file("dataset.dvc", text.replace("  selection: 2\n", "  selection: 1\n"))

    title, shown, _ = planned(run, "--against", "main")

    assert title == "dataset v1: new split, +6 samples, 2 classes"
    assert shown == ["main was made by another selection rule, so this is a new split."]


def test_a_removed_class_is_a_warning_and_in_the_title(released: Repository, run: Run) -> None:
    released.configure(config_text(class_=[3, 5]))

    title, shown, found = planned(run)

    assert [count["after"] for count in found["counts"] if count["class"] == "no3"] == [0, 0]
    assert title == (
        "dataset v1: class no3 removed, 3 of 10 samples replaced, 1 of them from the test set,"
        " 2 samples in another class"
    )
    assert shown[0] == "The class no3 of v0 is removed."


def test_test_images_that_leave_are_a_warning_and_in_the_title(
    released: Repository, run: Run
) -> None:
    released.configure(config_text(samples=5, test_size=1))

    title, shown, _ = planned(run)

    assert title.startswith("dataset v1: 2 of 10 samples replaced, 2 of them from the test set")
    assert shown == [
        "Removed: 2 of the 4 test images of v0. Results on the two test sets are not comparable "
        "image by image."
    ]


def test_train_images_that_leave_are_no_loss_of_test_images(released: Repository, run: Run) -> None:
    released.configure(config_text(samples=4, test_size=2))

    title, shown, _ = planned(run)

    assert title == "dataset v1: 2 of 10 samples removed, -2 samples, 2 classes"
    assert shown == []


@pytest.mark.usefixtures("_more_sources")
def test_another_source_is_a_warning_and_in_the_title(released: Repository, run: Run) -> None:
    released.configure(config_text(source="stripes", class_="all"))

    title, shown, _ = planned(run)

    assert title == ("dataset v1: new source, classes 3, no3 removed, 10 of 10 samples replaced")
    assert shown[:2] == [
        "The source differs from that of v0.",
        "The classes 3, no3 of v0 are removed.",
    ]


@pytest.mark.usefixtures("_more_sources")
def test_the_same_images_from_another_source_are_the_same_samples(
    released: Repository, run: Run
) -> None:
    released.configure(config_text(source="reordered"))

    title, shown, found = planned(run)

    assert (found["samples"]["added"], found["samples"]["removed"]) == (0, 0)
    assert title == "dataset v1: new source"
    assert shown == ["The source differs from that of v0."]


def test_an_unchanged_dataset_is_no_new_split() -> None:
    assert warnings(plan(changed=False, rule_changed=True, seed_changed=True)) == []


def test_samples_that_are_replaced_are_a_warning() -> None:
    assert warnings(plan(samples=samples(before=2_000, added=3, removed=1_000))) == [
        "Removed: 1,000 of the 2,000 samples of v1."
    ]
    # A smaller train set is what was asked for.
    assert warnings(plan(samples=samples(removed=3))) == []
    # The test images are the worse loss.
    (warning,) = warnings(plan(samples=samples(added=3, removed=3, test_removed=1)))
    assert warning.startswith("Removed: 1 of the 200 test images of v1. Results")


@pytest.mark.parametrize(
    ("to_train", "to_test", "words"),
    [
        (3, 1_000, "3 images of v1 from test to train, 1,000 images from train to test."),
        (1, 0, "1 image of v1 from test to train, 0 images from train to test."),
        (0, 2, "0 images of v1 from test to train, 2 images from train to test."),
    ],
)
def test_samples_that_change_the_split_are_a_warning(
    to_train: int, to_test: int, words: str
) -> None:
    assert warnings(plan(samples=samples(to_train=to_train, to_test=to_test))) == [
        f"Moved between the splits: {words}"
    ]


def test_samples_that_cannot_be_compared_are_a_warning() -> None:
    assert warnings(plan(samples=None)) == [
        "The images of v1 cannot be read here, so the added, removed and moved samples are unknown."
    ]


def test_a_leak_with_one_release_is_one_warning() -> None:
    assert warnings(plan(leaks=[leak("v0", from_test=1, from_train=1_000)])) == [
        "Leak: 1 image of the test set of v0 would be in the train set, and 1,000 images of the"
        " train set of v0 would be in the test set. Results on these versions would not be "
        "comparable."
    ]


def test_the_same_leak_with_several_releases_is_one_warning() -> None:
    assert warnings(plan(leaks=[leak("v0", "v1", "v2", from_train=7)])) == [
        "Leak: 7 images of the train set of v0 to v2 would be in the test set. Results on these "
        "versions would not be comparable."
    ]


def test_leaks_of_different_sizes_are_one_warning_too() -> None:
    leaks = [leak("v0", "v2", from_test=3), leak("v1", from_test=5, from_train=1)]

    assert warnings(plan(leaks=leaks)) == [
        "Leak: up to 5 images of the test set of v0 to v2 would be in the train set, and 1 image"
        " of the train set of v1 would be in the test set. Results on these versions would not be "
        "comparable."
    ]


def test_releases_that_cannot_be_read_are_a_warning() -> None:
    assert warnings(plan(unknown=["v0", "v1", "v2"])) == [
        "Leaks are unknown, because v0 to v2 cannot be read here. The release checks them."
    ]


def test_only_a_few_releases_are_named() -> None:
    every_other = [f"v{number}" for number in range(0, 20_000, 2)]
    named, cut = every_other[:MAX_NAMED], every_other[: MAX_NAMED + 1]

    assert MAX_NAMED == 5
    for tags, words in (
        (named, "v0, v2, v4, v6 and v8 would"),
        (cut, "v0, v2, v4, v6, v8 and 1 more would"),
        (every_other, "v0, v2, v4, v6, v8 and 9,995 more would"),
        # Neither their order nor how they are grouped matters.
        ([f"v{number}" for number in reversed(range(10_000))], "v0 to v9999 would"),
        (["v9", "v10", "v10"], "v9 and v10 would"),
    ):
        for leaks in ([leak(*tags, from_test=1)], [leak(tag, from_test=1) for tag in tags]):
            (warning,) = warnings(plan(leaks=leaks))
            assert warning.startswith(f"Leak: 1 image of the test set of {words} be in the")
    (warning,) = warnings(plan(unknown=every_other))
    assert "because v0, v2, v4, v6, v8 and 9,995 more cannot be read" in warning


def test_only_a_few_removed_classes_are_named() -> None:
    gone = {f"c{number}": (1, 0) for number in range(1_000 + MAX_NAMED)}

    for number, words in (
        (1, "The class c0 of v1 is"),
        (2, "The classes c0, c1 of v1 are"),
        (MAX_NAMED, "The classes c0, c1, c2, c3, c4 of v1 are"),
        (MAX_NAMED + 1, "The classes c0, c1, c2, c3, c4 and 1 more of v1 are"),
        (MAX_NAMED + 1_000, "The classes c0, c1, c2, c3, c4 and 1,000 more of v1 are"),
    ):
        of_plan = counts(kept=1, never=(0, 0), **dict(list(gone.items())[:number]))
        assert warnings(plan(counts=of_plan)) == [f"{words} removed."]


@pytest.mark.parametrize(("rest", "is_imbalanced"), [(9, False), (10, True), (25, True)])
def test_a_class_twice_as_large_as_another_is_a_warning(
    released: Repository, run: Run, rest: int, *, is_imbalanced: bool
) -> None:
    released.configure(config_text(samples={"3": 5, "no3": rest}))

    expected = (
        f"The classes are imbalanced: no3 has {rest} images, {rest / 5:.1f} times the 5 of 3."
    )
    assert planned(run)[1] == ([expected] if is_imbalanced else [])


def test_an_imbalance_is_that_of_the_largest_and_the_smallest_class() -> None:
    assert IMBALANCE == 2
    (warning,) = warnings(plan(counts=counts(a=3_000, b=1_200, c=5_000)))

    assert warning == ("The classes are imbalanced: c has 5,000 images, 4.2 times the 1,200 of b.")


def test_train_and_test_of_a_class_are_added_for_the_balance() -> None:
    assert warnings(plan(counts=[*counts(a=9, b=1), *counts("test", a=1, b=9)])) == []


def test_a_class_that_disappears_is_no_imbalance() -> None:
    (warning,) = warnings(plan(counts=counts(a=5, b=6, gone=0)))
    assert warning == "The class gone of v1 is removed."
    assert warnings(plan(counts=counts(never=(0, 0)))) == []
    assert warnings(plan(counts=[])) == []


def test_the_build_and_the_release_show_the_warnings_of_the_plan(
    repository: Repository, run: Run
) -> None:
    run("release")
    repository.merge(config_text(class_=[3, 5]))
    expected = planned(run)[1]

    built, released = run("build"), run("release")

    assert len(expected) == 2
    assert built.err.splitlines() == [f"warning: {warning}" for warning in expected]
    assert [line for line in released.err.splitlines() if line.startswith("warning")] == [
        f"warning: v1: {warning}" for warning in expected
    ]


def test_names_in_warnings_can_be_formatted() -> None:
    def quoted(name: str) -> str:
        return f"<{name}>"

    every = plan(
        against="a.b",
        counts=counts(a=1, b=2, gone=0),
        samples=samples(added=1, removed=1, to_train=1),
        rule_changed=True,
        seed_changed=True,
        source_changed=True,
    )

    assert warnings(every, quoted) == [
        "<a.b> was made by another selection rule, so this is a new split.",
        "The seed differs from that of <a.b>, so this is a new split.",
        "The source differs from that of <a.b>.",
        "The class <gone> of <a.b> is removed.",
        "Moved between the splits: 1 image of <a.b> from test to train, 0 images from train to"
        " test.",
        "Removed: 1 of the 400 samples of <a.b>.",
        "The classes are imbalanced: <b> has 2 images, 2.0 times the 1 of <a>.",
    ]
    for changes in ({"samples": None}, {"samples": samples(test_removed=1, removed=1)}):
        (warning,) = warnings(plan(against="a.b", **changes), quoted)
        assert "<a.b>" in warning


@pytest.mark.parametrize(
    ("relabeled", "words"),
    [
        ({"test": 1}, "1 of the 200 test images of v1"),
        ({"validation": 2, "train": 9}, "2 of the 3 validation images of v1"),
        (
            {"test": 200, "validation": 3},
            "200 of the 200 test images and 3 of the 3 validation images of v1",
        ),
    ],
)
def test_relabeled_images_that_results_are_measured_on_are_a_warning(
    relabeled: dict[str, int], words: str
) -> None:
    sizes = [*counts("test", a=(200, 200)), *counts("validation", a=(3, 3))]

    assert warnings(plan(counts=sizes, curated=curated(relabeled=relabeled))) == [
        f"Relabeled: {words}. Scores on v1 are only partly comparable."
    ]


def test_relabeled_train_images_are_no_warning() -> None:
    for fine in (curated(relabeled={"train": 5}), curated(), None):
        assert warnings(plan(curated=fine)) == []


def test_pins_and_additions_that_leak_are_named() -> None:
    named = [sample("00058", "test/3"), sample("x12", "test/no3", "5")]
    made = plan(leaks=[leak("v0", from_train=2)], placed_leaks=named)

    (warning,) = warnings(made)

    assert warning.endswith(
        " would not be comparable. Pinned or added: 00058 (test/3), x12 (test/no3, label 5)."
    )
    (many,) = warnings(
        plan(leaks=[leak("v0", from_train=2)], placed_leaks=named[:1] * (MAX_NAMED + 1))
    )
    assert many.endswith(f"{'00058 (test/3), ' * 4}00058 (test/3) and others.")


def test_near_duplicates_are_a_warning_with_a_few_pairs() -> None:
    pair = sample("00007", "train/no3", "5"), sample("00058", "test/3")
    words = "00007 (train/no3, label 5) and 00058 (test/3)"
    start, end = "Near-duplicates: ", " of images on both sides of the split that differ by less"
    end += " than 5 gray levels: "

    assert LIMIT == 5
    for count, pairs, shown in (
        (1, 1, f"{start}1 pair{end}{words}."),
        (2, 2, f"{start}2 pairs{end}{words}; {words}."),
        (1_000, 20, f"{start}1,000 pairs{end}{'; '.join([words] * 5)} and 995 more."),
        (
            MAX_FOUND,
            20,
            f"{start}10,000 or more pairs{end}{'; '.join([words] * 5)} and 9,995 more.",
        ),
    ):
        assert warnings(plan(near_duplicates=near(count, *[pair] * pairs))) == [shown]
    assert warnings(plan(near_duplicates=near(0))) == []
    [some] = warnings(
        plan(near_duplicates=near(2, pair, pair).model_copy(update={"searched": False}))
    )
    assert some.startswith(f"{start}2 or more pairs{end}")


def test_changed_copies_are_a_warning_with_a_few_pairs() -> None:
    pair = sample("00007", "train/no3", "5"), sample("00058", "test/3")
    words = "00007 (train/no3, label 5, of v1) and 00058 (test/3, mirrored)"
    end = " like a train image that was changed, such as saved again, turned or mirrored: "
    one, some = "1 test or validation image looks", "test or validation images look"

    for count, pairs, shown in (
        (1, 1, f"Changed copies: {one}{end}{words}."),
        (3, 1, f"Changed copies: 3 {some}{end}{words} and 2 more."),
        (30, 20, f"Changed copies: 30 {some}{end}{'; '.join([words] * 3)} and 27 more."),
        (1_000, 0, f"Changed copies: 1,000 or more {some}{end}not named here."),
    ):
        found = copies(count, *[pair] * pairs, release="v1")
        assert warnings(plan(changed_copies=found)) == [shown]
    assert warnings(plan(changed_copies=copies(0))) == []
    [more] = warnings(plan(changed_copies=copies(2, pair).model_copy(update={"searched": False})))
    assert more.startswith(f"Changed copies: 2 or more {some}")


def test_samples_in_warnings_can_be_formatted() -> None:
    def quoted(name: str) -> str:
        return f"<{name}>"

    pair = sample("00007", "train/no3", "5"), sample("00058", "test/3")
    made = plan(
        against="a.b",
        near_duplicates=near(1, pair),
        changed_copies=copies(1, pair),
        curated=curated(relabeled={"test": 1}),
        leaks=[leak("v0", from_train=1)],
        placed_leaks=[pair[0]],
    )

    text = "\n".join(warnings(made, quoted))

    assert text.count("<00007> (<train/no3>, label <5>)") == 3
    assert "<00058> (<test/3>)" in text
    assert text.count("<a.b>") == 2
