from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from scripts.dataset.dataset import Dataset
from scripts.errors import UserError
from scripts.inputs import config_file
from scripts.inputs.curation import NO_DECISIONS, Curation, Decision
from scripts.inputs.reader import Inputs
from scripts.insight import probe, team_model
from scripts.insight.predictions import Prediction
from scripts.insight.probe import Change, Probe
from scripts.releases import index
from scripts.sources.table import Table
from tests.repository import config_text

# Noisy squares, bright on the left for class a, and on the right for class b.
COUNT, SIDE = 400, 8


def source(seed: int = 0, count: int = COUNT) -> Table:
    chance = np.random.default_rng(seed)
    labels = np.array(["a", "b"] * (count // 2))
    pixels = chance.integers(0, 256, (count, SIDE, SIDE)).astype(np.uint8)
    pixels[labels == "a", :, 0] //= 2
    pixels[labels == "b", :, 1] //= 2
    return Table("noise", pixels, labels)


SOURCE = source()


def dataset(
    samples: int = 60,
    test_size: int = 40,
    decisions: Sequence[Decision] = (),
    images: Table = SOURCE,
    class_: object = ("a", "b"),
) -> Dataset:
    config = config_text(source="noise", class_=class_, samples=samples, test_size=test_size)
    desired = config_file.parse(config.encode())
    curation = Curation(tuple(decisions)) if decisions else NO_DECISIONS
    return Dataset(Inputs(desired, curation), images)


def change(old: Dataset, new: Dataset, label_by: str | None = None) -> Change:
    return Change(index.of_dataset(old), index.of_dataset(new), new, lambda: old, label_by)


def find(old: Dataset, new: Dataset) -> Probe:
    return probe.find(change(old, new))


def test_more_train_images_make_the_probe_better() -> None:
    found = find(dataset(42), dataset(180))

    assert found.shared == 80
    assert found.accuracy
    assert found.accuracy.samples == 80
    assert found.accuracy.after > found.accuracy.before
    assert [one.folder for one in found.accuracy.classes] in (["a", "b"], ["b", "a"])


def test_the_way_back_is_the_opposite() -> None:
    there, back = find(dataset(42), dataset(180)).accuracy, find(dataset(180), dataset(42)).accuracy

    assert there
    assert back
    assert (there.before, there.after, there.gained) == (back.after, back.before, back.lost)


def test_only_test_images_of_both_versions_are_tested() -> None:
    found = find(dataset(60, 40), dataset(100, 60))

    assert found.shared == 80


def test_corrected_labels_in_train_count() -> None:
    new = dataset(100)
    wrong = [
        Decision(new.images.identifier(row), "relabel", label, "ab".replace(label, ""), "")
        for (split, label), rows in new.selection.rows.items()
        if split == "train"
        for row in rows[:40]
    ]
    found = find(dataset(100, decisions=wrong), new)

    assert found.accuracy
    assert found.accuracy.gained > found.accuracy.lost


def test_a_relabeled_test_image_has_its_new_class_for_both_versions() -> None:
    old = dataset()
    row = old.selection.rows["test", "a"][0]
    decision = Decision(old.images.identifier(row), "relabel", "a", "b", "")
    new = dataset(62, 40, [decision])

    tested = {test.row: test.folder for test in change(old, new).tests}
    assert tested[row] == "b"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (dataset(), dataset(), Probe(80, silence="same")),
        (dataset(30, 10), dataset(60, 10), Probe(20, silence="few")),
        (dataset(), dataset(images=source(1)), Probe(0, silence="none")),
        (dataset(), dataset(class_="a"), Probe(0, silence="question")),
    ],
    ids=["the same train set", "few test images", "other images", "other classes"],
)
def test_the_probe_says_where_it_says_nothing(old: Dataset, new: Dataset, expected: Probe) -> None:
    assert find(old, new) == expected


def test_labels_from_another_column_are_another_question() -> None:
    made = change(dataset(), dataset(70), label_by="view")

    assert probe.find(made).silence == "question"


def test_images_that_the_source_has_no_more_are_read_from_the_older_version() -> None:
    old, new = dataset(60), dataset(150)
    train = {
        row for place, rows in old.selection.rows.items() if place[0] == "train" for row in rows
    }
    # The newer source lacks 20 of the older train images.
    gone = sorted(train)[:20]
    kept = [row for row in range(COUNT) if row not in gone]
    smaller = Table("noise", SOURCE.pixels[kept], SOURCE.labels[kept])
    new_index = index.of_dataset(new)
    places = {
        image: place
        for image, place in new_index.places.items()
        if image not in {SOURCE.keys[row] for row in gone}
    }
    without = Change(
        index.of_dataset(old), replace(new_index, places=places), dataset(150, images=smaller),
        lambda: old,
    )  # fmt: skip
    alike = replace(without, dataset=new)

    assert probe.find(without) == probe.find(alike)
    assert probe.find(without).accuracy

    def unavailable() -> Dataset:
        raise UserError("the remote is not available")

    assert probe.find(replace(without, older=unavailable)) == Probe(80, silence="unread")
    # Where nothing is missing, the older version is not read.
    assert probe.find(replace(alike, older=unavailable)) == probe.find(alike)


def test_the_work_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = dataset(60), dataset(100)
    train = 2 * (100 - 40)
    monkeypatch.setattr(probe, "MAX_PAIRS", 50 * train)

    some = find(old, new)
    assert (some.shared, some.accuracy and some.accuracy.samples) == (80, 50)

    monkeypatch.setattr(probe, "MAX_TRAIN", train - 1)
    assert find(old, new) == Probe(80, silence="many")


def test_the_order_of_the_source_does_not_matter() -> None:
    order = np.random.default_rng(0).permutation(COUNT)
    mixed = Table("noise", SOURCE.pixels[order], SOURCE.labels[order])

    assert find(dataset(60, images=mixed), dataset(100, images=mixed)) == find(
        dataset(60), dataset(100)
    )


# A team's own model.


def predicted(made: Change, wrong: int) -> dict[str, Prediction]:
    """Return predictions that are right but for the first ones."""
    return {
        test.identifier.lstrip("0") or "0": Prediction("b" if at < wrong else test.folder)
        for at, test in enumerate(sorted(made.tests, key=lambda test: test.folder))
    }


def test_predictions_of_two_models_are_compared_like_the_probe() -> None:
    made = change(dataset(), dataset(80))

    found = team_model.of_change(made, predicted(made, 12), predicted(made, 4))

    assert found.shared == 80
    assert found.accuracy
    assert (found.accuracy.before, found.accuracy.after) == (68, 76)
    assert (found.accuracy.gained, found.accuracy.lost) == (8, 0)


def test_only_images_with_both_predictions_count() -> None:
    made = change(dataset(), dataset(80))
    before, after = predicted(made, 0), predicted(made, 0)
    some = dict([*before.items()][:50])

    found = team_model.of_change(made, some, after)
    assert (found.shared, found.accuracy and found.accuracy.samples) == (80, 50)
    few = dict([*before.items()][:29])
    assert team_model.of_change(made, few, after) == Probe(29, silence="few")
    assert team_model.of_change(made, {}, after) == Probe(0, silence="none")
    other = change(dataset(), dataset(class_="a"))
    assert team_model.of_change(other, before, after) == Probe(0, silence="question")
