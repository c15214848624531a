from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from scripts.curation import proposals, similar
from scripts.curation.proposals import Checked, Proposal
from scripts.curation.samples import Samples
from scripts.dataset.dataset import Dataset
from scripts.git.git import Git
from scripts.inputs import config_file, curation
from scripts.inputs.config import TEST
from scripts.inputs.curation import Decision
from scripts.inputs.problems import InputError
from scripts.inputs.reader import Inputs
from scripts.releases.history import History
from scripts.sources.table import Table
from tests.dataset.pools import pool
from tests.repository import config_text

# Rows 0 to 9 are of class a, 10 to 19 of b, 20 to 24 of c. Row 25 is a copy of row 0, and rows 26
# and 27 are one image under two labels.
ROWS = [(label, 10 * i + number) for i, label in enumerate("ab") for number in range(10)]
ROWS += [("c", number) for number in range(50, 55)] + [("a", 0), ("a", 90), ("b", 90)]
SOURCE = pool(ROWS)


class Owned(Table):
    """A source whose odd rows are its test set."""

    @property
    def own_test(self) -> npt.NDArray[np.bool_]:
        return np.array([row % 2 == 1 for row in range(len(self.labels))])


def samples(
    text: str = "", source: Table = SOURCE, rows: Sequence[str] = (), **changes: object
) -> Samples:
    """Return the samples of a dataset with 4 images for train and 2 for test in each class."""
    values = {"source": "pool", "class_": ["a", "b"], "samples": 6, **changes}
    desired = config_file.parse(f"{config_text(**values)}{text}".encode())
    header = ",".join(curation.COLUMNS)
    curated = curation.parse("\n".join([header, *rows, ""]).encode())
    return Samples(Dataset(Inputs(desired, curated), source), History(Git(Path()), []))


def free(found: Samples, label: str) -> list[int]:
    """Return the rows of a class that the dataset does not have."""
    rows = found.images.first.values()
    return [
        row
        for row in rows
        if found.label(row) == label
        and found.split(row) is None
        and row not in found.images.ambiguous
    ]


def whys(checked: Checked) -> list[str]:
    return [refusal.why for refusal in checked.refusals]


def check(found: Samples, row: int | str, action: str = TEST, **given: Any) -> Checked:
    sample = row if isinstance(row, str) else found.identifier(row)
    return proposals.check(found, [Proposal(sample, action, **given)])


def test_a_failure_becomes_a_row_with_the_label_of_the_source() -> None:
    found = samples()
    row = free(found, "a")[0]

    checked = check(found, str(row), label="a", predicted="b", reason="predicted b")

    assert checked.decisions == [Decision(found.identifier(row), TEST, "a", "", "predicted b")]
    assert (checked.refusals, checked.tested) == ([], [row])


def test_the_class_in_the_dataset_is_a_label_too() -> None:
    found = samples(class_="a")
    row = free(found, "b")[0]

    assert check(found, row, label="noa", predicted="a").decisions
    assert check(found, row, label="b", predicted="a").decisions
    assert whys(check(found, row, label="a")) == ["its label in pool is b, not a"]


@pytest.mark.parametrize("given", [{"label": "noa"}, {"label": "b"}, {}])
def test_a_prediction_that_is_right_is_no_failure(given: dict[str, str]) -> None:
    found = samples(class_="a")
    row = free(found, "b")[0]

    checked = check(found, row, predicted=given.get("label", "noa"), **given)

    assert whys(checked) == [f"the prediction {given.get('label', 'noa')} is correct"]
    assert checked.tested == []


@pytest.mark.parametrize(
    ("sample", "why"),
    [
        ("99", "pool has no such sample"),
        ("s0123456789abcdef", "pool has no such sample"),
        ("x0123456789abcdef", "it is a file below additions/; move or remove the file"),
        ("25", "it is a copy of 00000; use that one instead"),
        ("26", "pool has it with two labels, so it is left out"),
        ("20", "its class c is not in the dataset"),
    ],
)
def test_what_cannot_be_tested_is_refused_with_the_reason(sample: str, why: str) -> None:
    checked = check(samples(), sample)

    assert not checked.decisions
    assert not checked.tested
    assert whys(checked)[0].startswith(why)


def test_a_sample_of_the_test_set_is_not_added_but_gets_neighbors() -> None:
    found = samples()
    row = next(row for row in found.images.first.values() if found.split(row) == TEST)

    checked = check(found, row)

    assert whys(checked) == ["it is in the test set already"]
    assert checked.tested == [row]
    assert check(found, row, label="c").tested == []


@pytest.mark.parametrize("action", ["exclude", "train", "test"])
def test_a_sample_that_is_curated_is_left_alone(action: str) -> None:
    row = free(samples(), "a")[0]
    found = samples(rows=["", f"{row},{action},,,"])

    assert whys(check(found, row)) == [f"it is curated already: {action} on line 3"]


def test_a_sample_with_a_new_label_can_be_tested() -> None:
    row = free(samples(), "a")[0]
    found = samples(rows=[f"{row},relabel,a,b,"])

    assert check(found, row, label="b", predicted="a").decisions
    # Its new class counts.
    elsewhere = samples(rows=[f"{row},relabel,a,c,"])
    assert whys(check(elsewhere, row)) == ["its class c is not in the dataset"]


def test_a_sample_that_is_listed_twice_is_added_once() -> None:
    found = samples()
    name = found.identifier(free(found, "a")[0])

    checked = proposals.check(found, [Proposal(name, TEST), Proposal(name.lstrip("0"), TEST)])

    assert len(checked.decisions) == len(checked.tested) == 1
    assert whys(checked) == ["it is listed more than once"]


def test_the_own_train_set_of_a_source_stays_out_of_the_test_set() -> None:
    source = Owned("pool", SOURCE.pixels, SOURCE.labels)
    found = samples("split_by: source\n", source, samples=4, test_size=2)
    train, test = (next(row for row in free(found, "a") if row % 2 == odd) for odd in (0, 1))

    assert whys(check(found, train)) == [
        "it is in the train set of pool, which split_by: source keeps"
    ]
    assert check(found, test).decisions
    near = similar.nearest(found, [test], 20)[test]
    assert near
    assert {one.row % 2 for one in near} == {0}


def test_a_relabel_is_checked() -> None:
    found = samples()
    row = free(found, "a")[0]

    accepted = check(found, row, action="relabel", new_label="c").decisions
    assert accepted == [Decision(found.identifier(row), "relabel", "a", "c", "")]
    assert whys(check(found, row, action="relabel", new_label="z")) == [
        "pool has no class z; it has a, b, c"
    ]
    assert whys(check(found, row, action="relabel", new_label="a")) == ["a is its label already"]


def test_any_sample_can_be_excluded() -> None:
    found = samples()

    assert check(found, 20, action="exclude").decisions == [
        Decision("00020", "exclude", "c", "", "")
    ]


# Neighbors.


def test_neighbors_are_usable_samples_that_the_dataset_does_not_have() -> None:
    row = free(samples(), "a")[0]
    excluded, pinned, relabeled = free(samples(), "b")[:3]
    found = samples(
        rows=[f"{excluded},exclude,,,", f"{pinned},test,,,", f"{relabeled},relabel,b,a,"]
    )

    near = {one.row for one in similar.nearest(found, [row], 100)[row]}

    assert near == {*free(found, "a"), *free(found, "b")} - {row, excluded, relabeled}
    assert pinned not in near


def test_neighbors_are_added_once_each_with_the_distance() -> None:
    found = samples()
    first, second = free(found, "a")[:2]
    near = similar.nearest(found, [first, second], 1)
    neighbor = near[first][0]

    decisions = similar.to_train(found, near)

    assert len({one.sample for one in decisions}) == len(decisions)
    assert decisions[0] == Decision(
        found.identifier(neighbor.row),
        "train",
        found.label(neighbor.row),
        "",
        f"similar to {found.identifier(first)} (distance {neighbor.distance:.1f})",
    )


def test_once_neighbors_are_pinned_there_is_nothing_more_to_add() -> None:
    row = free(samples(), "a")[0]
    near = similar.nearest(samples(), [row], 3)
    added = similar.to_train(samples(), near)
    assert len(added) == 3

    again = samples(rows=[f"{one.sample},train,,," for one in added])

    assert similar.nearest(again, [row], 3) == near
    assert similar.to_train(again, near) == []


def test_a_curation_with_which_the_dataset_cannot_be_made_is_refused() -> None:
    found = samples()
    decisions = [proposals.decide(found, row, "exclude", "") for row in range(10)]

    with pytest.raises(InputError, match=r"samples: folder a needs 6 images, but pool has only"):
        proposals.extended(found.dataset, None, decisions)
