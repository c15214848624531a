"""The images that a source has already, so that each comes into it once."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from scripts.errors import UserError
from scripts.ingest.findings import INDENTED
from scripts.sources import identity
from scripts.sources.own import Own


class ImagePlace(NamedTuple):
    """The label, the own split and the size (height, width) of an image.

    The split is empty where there is none; the size is None where it is not known.
    """

    label: str
    split: str
    size: tuple[int, int] | None


@dataclass
class KnownImages:
    """The images that a source has: by digest where each was first, and any further labels."""

    first: dict[bytes, ImagePlace] = field(default_factory=dict)
    further: dict[bytes, set[str]] = field(default_factory=dict)
    # The digest of each image by the SHA-256 of its file.
    files: dict[bytes, bytes] = field(default_factory=dict)
    # Equal places are one object: there are few of them, and millions of images.
    _places: dict[ImagePlace, ImagePlace] = field(default_factory=dict)

    def add(self, digest: bytes, place: ImagePlace) -> ImagePlace | None:
        """Add an image; return where it was first, None if it is new."""
        if first := self.first.get(digest):
            return first
        self.first[digest] = self._places.setdefault(place, place)
        return None

    def is_in_another_shape(self, digest: bytes, size: tuple[int, int]) -> bool:
        """Return whether the bytes of an image are there, but in another shape."""
        first = self.first.get(digest)
        return first is not None and first.size not in {None, size}

    def add_label(self, digest: bytes, label: str) -> bool:
        """Add a label to an image that has another one; return whether it is new."""
        others = self.further.setdefault(digest, set())
        is_new = label not in others
        others.add(label)
        return is_new

    def remember(self, before: Own, files: Mapping[bytes, bytes]) -> None:
        """Add the images of the source `before`; `files` are digests by the SHA-256 of files."""
        self.files.update(files)
        # Where older batches differ in size, it is not known which image has which.
        of_all, rows = before.pointer.shape.size, before.rows
        columns = (before.digests, rows.labels.tolist(), rows.splits.tolist(), rows.sizes.tolist())
        for digest, label, split, (height, width) in zip(*columns, strict=True):
            place = ImagePlace(label, split, (height, width) if height else of_all)
            first = self.add(digest, place)
            if first and first.label != label:
                self.add_label(digest, label)

    def refuse_clashes(self) -> None:
        """Raise `UserError` when two images would have the same identifier."""
        if len({digest[: identity.SHOWN] for digest in self.first}) == len(self.first):
            return
        seen: dict[bytes, bytes] = {}
        for digest in self.first:
            if (other := seen.setdefault(digest[: identity.SHOWN], digest)) != digest:
                raise UserError(
                    f"two different images have the identifier {identity.identifier(digest)},"
                    " because their checksums start with the same digits. Leave one of them out:"
                    f"{INDENTED}{other.hex()}{INDENTED}{digest.hex()}"
                )
