from collections import Counter
from dataclasses import replace
from unittest.mock import patch

import numpy as np
import pytest

from scripts.dataset.averages import averages_of
from scripts.dataset.dataset import Dataset
from scripts.inputs.curation import EXCLUDE, RELABEL, Curation, Decision
from scripts.inputs.reader import Inputs
from scripts.insight import suspects
from scripts.insight.suspects import FEWEST, VOTES, Suspects
from scripts.sources import registry
from scripts.sources.source import SourceRequest
from scripts.sources.table import Table
from tests.dataset.test_selection import asking

EVERYTHING = {"class_": "all", "samples": "all", "test_size": 0.2}


def source(name: str) -> Table:
    made = registry.load(SourceRequest(name))
    assert isinstance(made, Table)
    return made


def dataset_of(rows: Table, *decisions: Decision) -> Dataset:
    config = asking(source=rows.name, **EVERYTHING)
    return Dataset(Inputs(config, Curation(decisions)), rows)


def with_wrong_labels(rows: Table, count: int) -> tuple[Table, dict[int, str]]:
    """Return `rows` with `count` wrong labels, and the right ones by row."""
    chance = np.random.default_rng(0)
    wrong = sorted(chance.choice(len(rows.labels), count, replace=False).tolist())
    labels = rows.labels.copy()
    for row in wrong:
        others = sorted({*rows.labels.tolist()} - {str(rows.labels[row])})
        labels[row] = others[chance.integers(len(others))]
    return replace(rows, labels=labels), {row: str(rows.labels[row]) for row in wrong}


def test_wrong_labels_of_the_digits_are_the_first_suspects() -> None:
    rows, right = with_wrong_labels(source("digits"), 50)

    found = suspects.find(dataset_of(rows), range(len(rows.labels)))

    first = found.ranked[:50]
    assert sum(one.row in right for one in first) == 45
    assert right.keys() < {one.row for one in found.worst}
    assert all(right[one.row] == one.suggested for one in first if one.row in right)
    # As many others have a label with fewer votes: digits that look like another one.
    assert found.count < 100


def test_the_votes_and_their_order_are_those_of_exact_arithmetic() -> None:
    rows, _ = with_wrong_labels(source("digits"), 30)
    made = dataset_of(rows)
    levels = averages_of(made.images, range(len(rows.labels))).astype(int)

    found = suspects.find(made, range(100))

    expected = []
    for row in range(100):
        squares = ((levels - levels[row]) ** 2).sum(axis=1).tolist()
        near = sorted(set(range(len(squares))) - {row}, key=lambda at: (squares[at], at))[:VOTES]
        votes = Counter(str(rows.labels[at]) for at in near)
        own = votes.pop(str(rows.labels[row]), 0)
        if votes:
            suggested, other = max(votes.items(), key=lambda one: one[1])
            expected.append((own - other, squares[near[0]], row, suggested))
    assert [
        (one.own - one.other, one.neighbors[0].square, one.row, one.suggested)
        for one in found.ranked
    ] == sorted(expected)


def test_a_decision_of_a_person_counts() -> None:
    rows, right = with_wrong_labels(source("digits"), 50)
    row, label = next(iter(right.items()))
    name = rows.identifier(row)
    relabeled = dataset_of(rows, Decision(name, RELABEL, str(rows.labels[row]), label, ""))
    excluded = dataset_of(rows, Decision(name, EXCLUDE, "", "", ""))

    assert row in {one.row for one in suspects.find(dataset_of(rows), [row]).worst}
    assert suspects.find(relabeled, [row]) == Suspects()
    for made, voted in ((relabeled, label), (excluded, None)):
        found = suspects.find(made, made.selection.places(), most=2_000)
        by_others = {
            one.row: one for one in found.ranked if row in {near.row for near in one.neighbors}
        }
        assert bool(by_others) == (voted is not None)


def test_a_label_with_few_samples_is_not_judged() -> None:
    rows = source("digits")
    labels = rows.labels.copy()
    nines = np.flatnonzero(labels == "9")
    labels[nines[FEWEST:]] = "8"
    made = dataset_of(replace(rows, labels=labels))

    found = suspects.find(made, nines.tolist())

    assert found.small == FEWEST
    assert found.judged == len(nines) - FEWEST
    assert f"Not judged: {FEWEST} samples" in suspects.in_words(found)[1]


def test_a_limit_is_kept_and_told() -> None:
    made = dataset_of(source("digits"))
    with patch.multiple(suspects, MIN_OTHERS=300, MAX_JUDGED=1_000):
        found = suspects.find(made, range(1_797), limit=100_000)

    assert (found.judged, found.others, found.is_complete) == (333, 300, False)
    assert suspects.in_words(found)[-1].startswith("There are too many samples")
    with patch.multiple(suspects, MIN_OTHERS=300, MAX_JUDGED=100):
        assert suspects.find(made, range(1_797), limit=100_000).judged == 100
    again = suspects.find(made, range(1_797))
    assert (again.judged, again.others, again.is_complete) == (1_797, 1_797, True)


def test_similar_images_that_say_nothing_about_labels_are_no_evidence() -> None:
    rows = source("digits")
    shuffled = replace(rows, labels=np.random.default_rng(0).permutation(rows.labels))

    plain, made = dataset_of(rows), dataset_of(shuffled)
    found = suspects.find(made, range(100))

    assert suspects.find(plain, range(100)).contradicted < 0.05
    assert suspects.find(plain, range(100)).is_telling
    # Of ten labels, the own one seldom has the most votes.
    assert found.contradicted > 0.6
    assert not found.is_telling
    assert suspects.in_words(found)[-1].startswith("Similar images contradict ")


@pytest.mark.parametrize("most", [0, 3])
def test_so_many_of_each_split_are_returned(most: int) -> None:
    made = dataset_of(source("digits"))
    places = made.selection.places()

    found = suspects.find(made, places, most=most)

    counts = Counter(places[one.row][0] for one in found.ranked)
    assert counts == Counter(dict.fromkeys(("train", "test"), most) if most else {})
