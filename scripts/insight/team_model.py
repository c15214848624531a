"""The accuracy of a team's own model on test images, from its predictions."""

from collections.abc import Sequence

from scripts.inputs.curation import without_zeros
from scripts.insight import accuracy
from scripts.insight.predictions import Predictions
from scripts.insight.probe import FEWEST, Change, Probe, SharedImage


def of_change(change: Change, before: Predictions, after: Predictions) -> Probe:
    """Compare predictions of the test images that both versions have."""
    if change.is_other_question:
        return Probe(0, silence="question")
    return compare(change.tests, before, after)


def compare(tests: Sequence[SharedImage], before: Predictions | None, after: Predictions) -> Probe:
    """Compare predictions of the test images for which there are both.

    Without `before`, both are the newer ones.
    """
    keys = {without_zeros(test.identifier): test.folder for test in tests}
    old = after if before is None else before
    truth = {key: folder for key, folder in keys.items() if key in old and key in after}
    if len(truth) < FEWEST:
        return Probe(len(truth), silence="few" if truth else "none")
    was, now = ([found[key].predicted for key in truth] for found in (old, after))
    return Probe(len(tests), accuracy.compare([*truth.values()], was, now))
