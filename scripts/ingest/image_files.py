"""Image files in folders and archives, with what is known of each."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import PurePosixPath
from typing import NamedTuple

from scripts.errors import UserError
from scripts.ingest.arrangement import Arrangement, ExampleImage, Listing, counted, spread
from scripts.ingest.findings import Findings
from scripts.ingest.labeled_image import LabeledImage
from scripts.ingest.locations import LocatedFile, Location
from scripts.inputs.images import MAX_BYTES
from scripts.inputs.values import MetadataValue


class PlacedFile(NamedTuple):
    """An image file, its split and label, and its row in a table where there is one."""

    file: LocatedFile
    split: str | None
    label: str | None
    row: int = 0

    @property
    def path(self) -> PurePosixPath:
        """The path below the location."""
        return self.file.path


# Returns the metadata of a file.
ReadMetadata = Callable[[PlacedFile], dict[str, MetadataValue]]


def arrangement(
    listing: Listing,
    form: str,
    placed: Sequence[PlacedFile],
    *,
    metadata: ReadMetadata | None = None,
    used: Sequence[PurePosixPath] = (),
    notes: Sequence[str] = (),
) -> Arrangement:
    """Return the arrangement of files; `used` are tables, which are not passed over."""
    seen = {*used, *(file.path for file in listing.images)}
    return Arrangement(
        form,
        counted((one.split, one.label) for one in placed),
        spread(ExampleImage(str(one.path), (one.split, one.label)) for one in placed),
        [file.path for file in listing.files if file.path not in seen],
        lambda: _read(listing, placed, metadata),
        notes,
    )


def each(
    listing: Listing, files: Sequence[LocatedFile], place: Callable[[LocatedFile], PlacedFile]
) -> list[PlacedFile]:
    """Return where each of `files` belongs, and note those of which `place` raises `UserError`."""
    placed = []
    for file in files:
        try:
            placed.append(place(file))
        except UserError as error:
            listing.problems.add(str(file.path), str(error))
    return placed


def _read(
    listing: Listing, placed: Sequence[PlacedFile], metadata: ReadMetadata | None
) -> Iterator[LabeledImage]:
    """Yield the images."""
    by_path = {one.path: one for one in placed}
    for file, content in read(listing.location, [one.file for one in placed], listing.problems):
        one = by_path[file.path]
        known = metadata(one) if metadata else {}
        yield LabeledImage(str(file.path), one.split, one.label, content, known)


def read(
    location: Location, files: Sequence[LocatedFile], problems: Findings
) -> Iterator[tuple[LocatedFile, bytes]]:
    """Yield the content of each of `files`, and note those that are too large to be read."""
    small = []
    for file in files:
        if file.size > MAX_BYTES:
            message = f"it has {file.size:,} bytes; at most {MAX_BYTES:,} are allowed"
            problems.add(str(file.path), message)
        else:
            small.append(file)
    yield from location.read(small)
