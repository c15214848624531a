"""What a report says about predictions of the test images, before and after a change."""

from typing import Annotated

from pydantic import Field

from scripts.inputs.strict_record import StrictRecord
from scripts.insight.accuracy import Accuracy
from scripts.insight.probe import Probe, Silence
from scripts.review.report_types import Folder, Number

# The classes that change most.
MAX_CLASSES = 20


class ReportedClass(StrictRecord):
    """The test images of a class, and how many are predicted right before and after."""

    folder: Folder = Field(alias="class")
    samples: Number
    before: Number
    after: Number


class ReportedAccuracy(StrictRecord):
    """How many of some test images are predicted right; see `insight.accuracy.Accuracy`.

    Unless it `is_compared`, there are no predictions of the version before, and `before` is as
    `after`. `more` classes are not listed.
    """

    samples: Number
    before: Number
    after: Number
    gained: Number
    lost: Number
    classes: Annotated[list[ReportedClass], Field(max_length=MAX_CLASSES)]
    more: Number = 0
    is_compared: bool = True


class ReportedProbe(StrictRecord):
    """What the probe says, or why it says nothing; see `insight.probe.Probe`."""

    shared: Number
    accuracy: ReportedAccuracy | None = None
    silence: Silence | None = None


def reported(found: Probe, *, is_compared: bool = True) -> ReportedProbe:
    """Return `found` as data; unless it `is_compared`, both predictions are the newer ones."""
    made = found.accuracy
    return ReportedProbe(
        shared=found.shared,
        accuracy=_accuracy(made, is_compared=is_compared) if made else None,
        silence=found.silence,
    )


def _accuracy(found: Accuracy, *, is_compared: bool) -> ReportedAccuracy:
    return ReportedAccuracy(
        samples=found.samples,
        before=found.before,
        after=found.after,
        gained=found.gained,
        lost=found.lost,
        classes=[
            ReportedClass.model_validate(
                {
                    **{"class": one.folder, "samples": one.samples},
                    **{"before": one.before, "after": one.after},
                }
            )
            for one in found.classes[:MAX_CLASSES]
        ],
        more=max(0, len(found.classes) - MAX_CLASSES),
        is_compared=is_compared,
    )
