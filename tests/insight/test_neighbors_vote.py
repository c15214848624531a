from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from scripts.dataset.averages import SIZE
from scripts.dataset.distances import Ints, Levels
from scripts.insight import neighbors_vote
from scripts.insight.neighbors_vote import NEIGHBORS, NO_CLASS, TrainImages


def by_hand(query: Levels, levels: Levels, classes: Ints) -> int:
    """Return the class with the most votes, of equal ones that of the nearest image."""
    squares = ((query.astype(int) - levels.astype(int)) ** 2).sum(axis=1)
    there = [place for place in range(len(levels)) if classes[place] != NO_CLASS]
    near = sorted(there, key=lambda place: (squares[place], place))[:NEIGHBORS]
    votes = Counter(int(classes[place]) for place in near)
    return votes.most_common(1)[0][0] if votes else NO_CLASS


@given(st.integers(0, 2**32 - 1), st.integers(0, 25), st.sampled_from([2, 3, 256]))
def test_both_train_sets_vote_as_if_each_were_alone(seed: int, count: int, levels: int) -> None:
    chance = np.random.default_rng(seed)
    # With few levels and copies, many distances are equal.
    train = chance.integers(0, levels, (count, SIZE)).astype(np.uint8)
    train[1::4] = train[::4][: len(train[1::4])]
    before, after = chance.integers(NO_CLASS, 3, (2, count))
    queries = chance.integers(0, levels, (6, SIZE)).astype(np.uint8)

    found = neighbors_vote.predictions(queries, TrainImages(train, before, after))

    for classes, voted in zip((before, after), found, strict=True):
        assert voted.tolist() == [by_hand(query, train, classes) for query in queries]


def test_one_wrong_label_does_not_decide() -> None:
    train = np.arange(8, dtype=np.uint8)[:, np.newaxis].repeat(SIZE, axis=1)
    classes = np.array([1, 0, 0, 0, 0, 1, 1, 1])

    found, _ = neighbors_vote.predictions(train[:1], TrainImages(train, classes, classes))

    assert found.tolist() == [0]
