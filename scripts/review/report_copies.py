"""What a report says about changed copies."""

from typing import Annotated

from pydantic import Field

from scripts.inputs.strict_record import StrictRecord
from scripts.insight.copied import CopiedImages
from scripts.insight.older_images import PlacedImage
from scripts.review.report_samples import MAX_LISTED, ReportedSample
from scripts.review.report_types import Number, Tag


class ReportedCopied(ReportedSample):
    """A sample of a changed copy; `release` has it if the version does not."""

    release: Tag | None = None


class ReportedCopies(StrictRecord):
    """Two images of which one is a changed copy of the other, or of its mirror image."""

    train: ReportedCopied
    other: ReportedCopied
    mirrored: bool = False


class ChangedCopies(StrictRecord):
    """How many changed copies the change brings, and the nearest; see `insight.copied`.

    Without `searched` not all pairs were compared. `missing` images of releases were not compared.
    """

    searched: bool = True
    count: Number = 0
    missing: Number = 0
    pairs: Annotated[list[ReportedCopies], Field(max_length=MAX_LISTED)] = []


def reported_copies(found: CopiedImages) -> ChangedCopies:
    """Return changed copies as data of limited size."""
    return ChangedCopies(
        searched=found.searched,
        count=found.count,
        missing=found.missing,
        pairs=[
            ReportedCopies(
                train=_image(pair.train), other=_image(pair.other), mirrored=pair.mirrored
            )
            for pair in found.pairs
        ],
    )


def _image(image: PlacedImage) -> ReportedCopied:
    images = image.dataset.images
    return ReportedCopied.model_validate(
        {
            "sample": images.identifier(image.row),
            "label": str(images.labels[image.row]),
            "split": image.split,
            "class": image.folder,
            "release": image.release,
        }
    )
