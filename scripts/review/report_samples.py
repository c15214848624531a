"""Single samples in a report, and pairs of them on both sides of the split."""

from typing import Annotated

from pydantic import Field

from scripts.inputs.config import Split
from scripts.inputs.strict_record import StrictRecord
from scripts.review.report_types import Distance, Folder, Identifier, Label, Number

# Single samples, or pairs of them.
MAX_LISTED = 20


class ReportedPlace(StrictRecord):
    """The split and class of a sample in the dataset."""

    split: Split
    folder: Folder = Field(alias="class")


class ReportedSample(ReportedPlace):
    """A sample in the dataset, with its label in the source."""

    sample: Identifier
    label: Label


class ReportedPair(StrictRecord):
    """Two near-duplicates, and their root mean square distance in gray levels."""

    train: ReportedSample
    other: ReportedSample
    distance: Distance


class NearDuplicates(StrictRecord):
    """How many near-duplicates the change brings, and the closest; see `build.near`.

    Without `searched` not all pairs were compared, so there can be more.
    """

    searched: bool = True
    count: Number = 0
    pairs: Annotated[list[ReportedPair], Field(max_length=MAX_LISTED)] = []
