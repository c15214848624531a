"""One image as it was found at a location."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from scripts.inputs.values import MetadataValue


@dataclass(frozen=True)
class LabeledImage:
    """One image: its path below the location, split, label, the bytes of its file, and metadata.

    The split is `train`, `validation`, `test` or None. Metadata are values by the name of their
    column.
    """

    where: str
    split: str | None
    label: str | None
    content: bytes
    metadata: Mapping[str, MetadataValue] = field(default_factory=dict)
