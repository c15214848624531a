"""What a report says about predictions of the test images, before and after a change."""

from typing import Annotated, Self

from pydantic import Field, model_validator

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

    Without predictions of the version before, `before` is None. `more` classes are not listed.
    """

    samples: Annotated[Number, Field(ge=1)]
    before: Number | None
    after: Number
    gained: Number
    lost: Number
    classes: Annotated[list[ReportedClass], Field(max_length=MAX_CLASSES)]
    more: Number = 0

    @model_validator(mode="after")
    def _require_sums(self) -> Self:
        before = self.after if self.before is None else self.before
        right = self.after - before == self.gained - self.lost
        if not right or self.gained > self.after or self.lost > before or self.after > self.samples:
            raise ValueError("the numbers contradict each other")
        return self


class ReportedProbe(StrictRecord):
    """What the probe says, or why it says nothing; see `insight.probe.Probe`."""

    shared: Number
    accuracy: ReportedAccuracy | None = None
    silence: Silence | None = None


def reported(found: Probe, *, has_before: bool = True) -> ReportedProbe:
    """Return `found` as data; without `has_before`, both predictions are the newer ones."""
    made = found.accuracy
    return ReportedProbe(
        shared=found.shared,
        accuracy=_accuracy(made, has_before=has_before) if made else None,
        silence=found.silence,
    )


def _accuracy(found: Accuracy, *, has_before: bool) -> ReportedAccuracy:
    return ReportedAccuracy(
        samples=found.samples,
        before=found.before if has_before else None,
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
    )
