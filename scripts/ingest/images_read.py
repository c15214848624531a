"""Images of a location become rows: decoded, compared with those that are there, written."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from scripts.errors import UserError
from scripts.ingest import decoding, layout, locations, tables
from scripts.ingest.decoding import DecodedImage, Outcome
from scripts.ingest.findings import Findings
from scripts.ingest.known_images import ImagePlace, KnownImages
from scripts.ingest.locations import LocatedFile, Location
from scripts.ingest.summaries import SummaryWriter
from scripts.ingest.tables import LabeledImage
from scripts.ingest.writer import ShardRow, ShardWriter
from scripts.inputs import images
from scripts.inputs.images import MAX_BYTES, ImageError
from scripts.progress import Bar
from scripts.sources import own
from scripts.sources.own import Own
from scripts.sources.pointer import DIFFERENT, Mode, Shape
from scripts.sources.shards import Details, RowList, Rows
from scripts.sources.source import SourceError, check_classes

MAX_LABELS = 10_000
NOTHING: Mapping[bytes, bytes] = {}


@dataclass
class ImagesRead:
    """What was read.

    `recognized` says how the files are arranged, `others` are files that are no images and were
    passed over, `copies` is how many images were there already. `ambiguous` lists those that have
    two labels, `in_both` those that are in the train and in the test set.
    """

    recognized: str
    others: list[str]
    writer: ShardWriter
    summaries: SummaryWriter
    known: KnownImages
    collected: RowList = field(default_factory=RowList)
    details: Details = field(default_factory=lambda: Details([], [], []))
    copies: int = 0
    ambiguous: Findings = field(default_factory=lambda: Findings("two labels"))
    in_both: Findings = field(default_factory=lambda: Findings("in both sets"))
    modes: set[Mode] = field(default_factory=set)
    sizes: set[tuple[int, int]] = field(default_factory=set)
    without_split: int = 0

    @property
    def rows(self) -> Rows:
        """The new rows."""
        return self.collected.rows(self.details.sha256)

    def shape(self, before: Own | None) -> Shape:
        """Return what all images have in common, with those of the source `before`."""
        known = before.pointer.shape if before else None
        sizes: set[tuple[int, int] | None] = {*self.sizes, *([known.size] if known else [])}
        modes = {*self.modes, *([known.mode] if known else [])}
        mode: Mode = next(iter(modes)) if len(modes) == 1 else DIFFERENT
        return Shape(mode, next(iter(sizes)) if len(sizes) == 1 else None)


def collect(
    address: str,
    name: str,
    before: Own | None,
    folder: Path,
    known: Mapping[bytes, bytes] = NOTHING,
) -> ImagesRead:
    """Return the images at the location `address` that the source `before` does not have.

    `known` are the digests of its images by the SHA-256 of their files. The new ones are written to
    shards in `folder`. Raises `UserError` with every problem.
    """
    problems = Findings()
    with locations.opened(address) as location:
        files = list(locations.bounded(location.files(problems), address))
        made, labeled = _arranged(location, files, problems, folder)
        if before:
            made.known.remember(before, known)
        found = decoding.decoded(labeled, made.known.files)
        for image, outcome in Bar(found, desc="Reading images", unit="image"):
            _take(made, image, outcome, problems)
    made.writer.close()
    made.summaries.close()
    _check_labels(made, name, before, problems)
    _check_splits(made, before, problems)
    problems.refuse(address)
    if not made.modes:
        raise UserError(f"{address}: there are no images")
    made.known.refuse_clashes()
    return made


def _arranged(
    location: Location, files: list[LocatedFile], problems: Findings, folder: Path
) -> tuple[ImagesRead, Iterator[LabeledImage]]:
    """Return an empty collection that says what was recognized, and the images."""
    parquet = [file for file in files if file.path.suffix.lower() == locations.PARQUET]
    paths = [file.path for file in files]
    if not parquet:
        found = layout.recognize(paths)
        others = layout.check(found, paths, problems)
        inside = [file for file in files if layout.problem(found, file.path) is None]
        inside = [file for file in inside if found.place(file.path)]
        made = _empty(str(found), others, folder)
        return made, _of_files(location, inside, found, problems)
    tables.check(parquet, problems)
    others = []
    for path in paths:
        if path.suffix.lower() in layout.SUFFIXES:
            problems.add(str(path), "an image next to Parquet files; ingest only one of the two")
        elif path.suffix.lower() != locations.PARQUET:
            others.append(str(path))
    made = _empty("Parquet files with image and label", others, folder)
    return made, tables.read(location, parquet, problems)


def _empty(recognized: str, others: list[str], folder: Path) -> ImagesRead:
    return ImagesRead(recognized, others, ShardWriter(folder), SummaryWriter(folder), KnownImages())


def _of_files(
    location: Location, files: Sequence[LocatedFile], found: layout.Layout, problems: Findings
) -> Iterator[LabeledImage]:
    small = []
    for file in files:
        if file.size > MAX_BYTES:
            message = f"it has {file.size:,} bytes; at most {MAX_BYTES:,} are allowed"
            problems.add(str(file.path), message)
        else:
            small.append(file)
    for file, content in location.read(small):
        if place := found.place(file.path):
            yield LabeledImage(str(file.path), *place, content)


def _take(made: ImagesRead, image: LabeledImage, outcome: Outcome, problems: Findings) -> None:
    """Add an image to the rows, unless it is there already or something is wrong with it."""
    if isinstance(outcome, ImageError):
        problems.add(image.where, str(outcome))
        return
    made.without_split += image.split is None
    if isinstance(outcome, bytes):
        if _note_copy(made, image, outcome, made.known.first[outcome]):
            # A copy under another label is a row of its own, which says what its file is.
            again = decoding.outcome(image.content)
            if isinstance(again, DecodedImage):
                _add(made, image, again, outcome, keep=not problems.count)
        return
    made.modes.add(outcome.mode)
    made.sizes.add(outcome.size)
    digest = outcome.digest
    if made.known.is_in_another_shape(digest, outcome.size):
        digest = own.digest_with_shape(images.decode(image.content))
    place = ImagePlace(image.label, image.split or "", outcome.size)
    made.known.files[outcome.checksum] = digest
    if (first := made.known.add(digest, place)) and not _note_copy(made, image, digest, first):
        return
    _add(made, image, outcome, digest, keep=not problems.count)


def _note_copy(made: ImagesRead, image: LabeledImage, digest: bytes, first: ImagePlace) -> bool:
    """Note an image that is there already; return whether its label is new for it."""
    if image.label != first.label and made.known.add_label(digest, image.label):
        made.ambiguous.add(image.where, f"labeled {image.label}, but {first.label} elsewhere")
        return True
    made.copies += 1
    if first.split != (image.split or ""):
        made.in_both.add(image.where, f"in {image.split}, but first seen in {first.split}")
    return False


def _add(
    made: ImagesRead, image: LabeledImage, found: DecodedImage, digest: bytes, *, keep: bool
) -> None:
    """Add a row; its file is not kept where nothing will be ingested."""
    rows, details = made.collected, made.details
    metadata = json.dumps(image.metadata, sort_keys=True, ensure_ascii=False)
    rows.digests.append(digest)
    rows.labels.append(image.label)
    rows.splits.append(image.split)
    rows.sizes.append(found.size)
    rows.files.append((found.md5, len(image.content)))
    rows.endings.append(found.ending)
    rows.modes.append(found.mode)
    details.names.append(image.where)
    details.checksums.append(found.checksum)
    details.metadata.append(metadata)
    if keep:
        made.writer.add(
            ShardRow(
                image.content,
                image.label,
                image.split,
                digest,
                image.where,
                found.checksum,
                metadata,
                found.ending,
            )
        )
        made.summaries.add(found.shape, found.levels)


def _check_labels(made: ImagesRead, name: str, before: Own | None, problems: Findings) -> None:
    """Note labels that cannot be the name of a folder."""
    labels = sorted({*made.collected.labels, *(before.pointer.meta.counts if before else ())})
    if len(labels) > MAX_LABELS:
        problems.add(name, f"it has {len(labels):,} classes; at most {MAX_LABELS:,} are allowed")
    valid = []
    for label in labels:
        try:
            check_classes(name, [label])
            valid.append(label)
        except SourceError as error:
            problems.add(label, str(error))
    try:
        check_classes(name, valid)
    except SourceError as error:
        problems.add(name, str(error))


def _check_splits(made: ImagesRead, before: Own | None, problems: Findings) -> None:
    """Note where some images come in train and test sets, and others do not."""
    if before is None or not made.modes:
        return
    has_own, brings = before.own_test is not None, not made.without_split
    if has_own and not brings:
        problems.add(
            before.name,
            "the source has train and test sets, but these images are in neither; ingest"
            " train/LABEL/FILE and test/LABEL/FILE",
        )
    if not has_own and brings:
        problems.add(
            before.name,
            "the source has no train and test sets, but these images do; ingest LABEL/FILE",
        )


def counts(rows: Rows, before: Own | None) -> Mapping[str, int]:
    """Return the number of images of each label, with those of the source `before`."""
    total = Counter(before.pointer.meta.counts if before else {})
    total.update(rows.labels.tolist())
    return dict(sorted(total.items()))
