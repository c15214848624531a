"""The samples that are most similar to others, for the train set."""

from collections.abc import Iterator, Mapping, Sequence

from scripts.curation import proposals
from scripts.curation.samples import Samples
from scripts.dataset import neighbors
from scripts.dataset.neighbors import Neighbor
from scripts.inputs.config import TEST, TRAIN
from scripts.inputs.curation import Decision

# The neighbors of each row.
Similar = Mapping[int, list[Neighbor]]


def nearest(samples: Samples, rows: Sequence[int], count: int) -> Similar:
    """Return the nearest samples for each of `rows` that can be added to the train set.

    They have a class of the dataset, are neither in it nor curated, and not in the test set of a
    comparable release. Samples that are pinned to train count too, so that the result is the same
    in a second run. Raises `UserError` if a release cannot be read.
    """
    excluded = {*rows}
    candidates = [row for row in _candidates(samples) if row not in excluded]
    found = neighbors.nearest(samples.dataset.images.image, rows, candidates, count)
    return dict(zip(rows, found, strict=True))


def to_train(samples: Samples, similar: Similar) -> list[Decision]:
    """Return the decisions that pin the neighbors in `similar` to train, without duplicates."""
    added: dict[int, Decision] = {}
    for query, found in similar.items():
        for row, distance in found:
            if row not in added and not samples.decisions(row):
                reason = f"similar to {samples.identifier(query)} (distance {distance:.1f})"
                added[row] = proposals.decide(samples, row, TRAIN, reason)
    return list(added.values())


def _candidates(samples: Samples) -> Iterator[int]:
    images = samples.images
    for row in images.first.values():
        decisions = samples.decisions(row)
        is_pinned = [one.action for one in decisions] == [TRAIN]
        if (
            row not in images.ambiguous
            and samples.label(row) in samples.folder_of
            and (is_pinned or not (decisions or samples.split(row)))
            and samples.must_be(row) != TEST
            and samples.tested_by(row) is None
        ):
            yield row
