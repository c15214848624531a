"""Suspects by a model: samples whose class differs from what the model predicts."""

from typing import NamedTuple

from scripts.curation.samples import Samples
from scripts.inputs import curation
from scripts.inputs.config import SPLITS
from scripts.inputs.curation import RELABEL, Decision
from scripts.insight.predictions import Predictions
from scripts.insight.suspects import MOST


class Predicted(NamedTuple):
    """A sample, the class that a model predicts instead of its own, and the score of that."""

    row: int
    predicted: str
    score: float | None


def find(samples: Samples, predictions: Predictions) -> list[Predicted]:
    """Return the samples of the dataset with another prediction, at most `MOST` of each split.

    Those of the test set come first, and in a split those with the highest score; without a score,
    they are in the order of the source. Samples that were relabeled are left out, because a person
    has decided.
    """
    found: dict[str, list[Predicted]] = {split: [] for split in SPLITS}
    for row, (split, folder) in samples.dataset.selection.places().items():
        one = predictions.get(curation.without_zeros(samples.identifier(row)))
        is_decided = any(decision.action == RELABEL for decision in samples.decisions(row))
        if one is not None and one.predicted != folder and not is_decided:
            found[split].append(Predicted(row, one.predicted, one.score))
    return [one for split in SPLITS[::-1] for one in sorted(found[split], key=_order)[:MOST]]


def decision_of(samples: Samples, one: Predicted) -> Decision | None:
    """Return the row of the curation that relabels a sample.

    None for an addition, and for a class with several labels, such as `no3`.
    """
    labels = [label for label, folder in samples.folder_of.items() if folder == one.predicted]
    if one.row >= len(samples.source.labels) or len(labels) != 1:
        return None
    score = "" if one.score is None else f" with score {round(one.score, 3):g}"
    reason = f"a model predicts {labels[0]}{score}"
    name, label = samples.identifier(one.row), samples.label(one.row)
    return Decision(name, RELABEL, label, labels[0], reason)


def _order(one: Predicted) -> tuple[bool, float, int]:
    return one.score is None, -(one.score or 0), one.row
