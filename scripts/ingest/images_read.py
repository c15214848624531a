"""Reads the images of a location: decodes them, skips known ones, and writes the others."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from scripts import output
from scripts.errors import UserError
from scripts.ingest import decoding, locations, recognize
from scripts.ingest.arrangement import Arrangement, Listing
from scripts.ingest.decoding import DecodedImage, Outcome
from scripts.ingest.findings import Findings
from scripts.ingest.known_images import ImagePlace, KnownImages
from scripts.ingest.labeled_image import LabeledImage
from scripts.ingest.options import IngestOptions, IngestRequest
from scripts.ingest.summaries import SummaryWriter
from scripts.ingest.writer import ShardRow, ShardWriter
from scripts.inputs import images
from scripts.inputs.images import ImageError
from scripts.progress import Bar
from scripts.sources import identity
from scripts.sources.own import Own
from scripts.sources.pointer import DIFFERENT, Mode, Shape
from scripts.sources.shards import Details, RowList, Rows
from scripts.sources.source import NO_LABEL, SourceError, check_classes

MAX_LABELS = 10_000
NOTHING: Mapping[bytes, bytes] = {}
DEFAULT = IngestOptions()


@dataclass
class ImagesRead:
    """What was read.

    `recognized` says how the files are arranged, `skipped` is how many invalid ones were left out,
    `copies` how many images were there already. `ambiguous` lists those that have two labels,
    `in_both` those that are in the train and in the test set.
    """

    recognized: str
    writer: ShardWriter
    summaries: SummaryWriter
    known: KnownImages
    collected: RowList = field(default_factory=RowList)
    details: Details = field(default_factory=lambda: Details([], [], []))
    copies: int = 0
    skipped: int = 0
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

    def add(
        self, image: LabeledImage, found: DecodedImage, digest: bytes, *, keep: bool = True
    ) -> None:
        """Add a row; its file is not kept where nothing will be ingested."""
        rows, details, label = self.collected, self.details, image.label or NO_LABEL
        metadata = json.dumps(image.metadata, sort_keys=True, ensure_ascii=False)
        rows.digests.append(digest)
        rows.labels.append(label)
        rows.splits.append(image.split)
        rows.sizes.append(found.size)
        rows.files.append((found.md5, len(image.content)))
        rows.endings.append(found.ending)
        rows.modes.append(found.mode)
        details.names.append(image.where)
        details.checksums.append(found.checksum)
        details.metadata.append(metadata)
        if keep:
            self.writer.add(
                ShardRow(
                    image.content,
                    label,
                    image.split,
                    digest,
                    image.where,
                    found.checksum,
                    metadata,
                    found.ending,
                )
            )
            self.summaries.add(found.shape, found.levels)


def collect(
    address: str,
    name: str,
    before: Own | None,
    folder: Path,
    options: IngestOptions = DEFAULT,
    *,
    known: Mapping[bytes, bytes] = NOTHING,
) -> ImagesRead:
    """Return the images at the location `address` that the source `before` does not have.

    `known` are the digests of its images by the SHA-256 of their files. The new ones are written to
    shards in `folder`. Says how they are arranged before it reads any of them. Raises `UserError`
    with every problem.
    """
    invalid, problems = Findings(), Findings()
    classes = before.pointer.meta.counts if before else ()
    request = IngestRequest(name, address, options, classes)
    with locations.opened(address) as location:
        files = locations.listed(location, address, invalid)
        found = recognize.recognize(Listing(location, files, request, invalid))
        output.say(str(found))
        made = ImagesRead(str(found), ShardWriter(folder), SummaryWriter(folder), KnownImages())
        if before:
            made.known.remember(before, known)
        labeled = iter(()) if options.dry_run else found.read()
        _take_all(made, labeled, invalid, skip_invalid=options.skip_invalid)
    made.writer.close()
    made.summaries.close()
    if options.skip_invalid:
        made.skipped = _left_out(invalid)
    else:
        problems.found[:0] = invalid.found
    _check_labels(made, name, before, problems)
    _check_splits(made, before, problems)
    _refuse(made, request, found, invalid, problems)
    if not (made.modes or made.copies or options.dry_run):
        raise UserError(f"{address}: there are no images")
    made.known.refuse_clashes()
    return made


def _refuse(
    made: ImagesRead,
    request: IngestRequest,
    found: Arrangement,
    invalid: Findings,
    problems: Findings,
) -> None:
    """Raise `UserError` with every problem, and the command that leaves out invalid files."""
    others = found.counts if request.options.dry_run else made.modes
    can_leave_out = others and problems.count == invalid.count
    leave_out = f"\nTo leave them out:{request.command(skip_invalid=True)}"
    problems.refuse(request.address, leave_out if can_leave_out else "")


def _take_all(
    made: ImagesRead, labeled: Iterator[LabeledImage], invalid: Findings, *, skip_invalid: bool
) -> None:
    """Add images to the rows. Nothing is written after a problem, unless it is left out."""
    found = decoding.decoded(labeled, made.known.files)
    for image, outcome in Bar(found, desc="Reading images", unit="image"):
        wrong = Findings() if skip_invalid else invalid
        _take(made, image, outcome, wrong)
        if skip_invalid:
            invalid.found += wrong.found


def _left_out(invalid: Findings) -> int:
    """Print each problem of a file that is left out; return how many there are."""
    for one in invalid.found:
        output.log(f"left out: {one.line}")
    return invalid.count


def _take(made: ImagesRead, image: LabeledImage, outcome: Outcome, problems: Findings) -> None:
    """Add an image to the rows, unless it is there already or something is wrong with it."""
    if isinstance(outcome, ImageError):
        problems.add(image.where, str(outcome))
        return
    if image.label is None and not image.metadata:
        problems.add(image.where, "it has no label")
        return
    made.without_split += image.split is None
    if isinstance(outcome, bytes):
        if _note_copy(made, image, outcome, made.known.first[outcome]):
            # A copy with another label gets its own row, so that the selection leaves both out.
            again = decoding.outcome(image.content)
            if isinstance(again, DecodedImage):
                made.add(image, again, outcome, keep=not problems.count)
        return
    made.modes.add(outcome.mode)
    made.sizes.add(outcome.size)
    digest = outcome.digest
    if made.known.is_in_another_shape(digest, outcome.size):
        digest = identity.digest_with_shape(images.decode(image.content))
    place = ImagePlace(image.label or NO_LABEL, image.split or "", outcome.size)
    made.known.files[outcome.checksum] = digest
    if (first := made.known.add(digest, place)) and not _note_copy(made, image, digest, first):
        return
    made.add(image, outcome, digest, keep=not problems.count)


def _note_copy(made: ImagesRead, image: LabeledImage, digest: bytes, first: ImagePlace) -> bool:
    """Note an image that is there already; return whether its label is new for it."""
    label = image.label or NO_LABEL
    if label != first.label and made.known.add_label(digest, label):
        made.ambiguous.add(image.where, f"labeled {image.label}, but {first.label} elsewhere")
        return True
    made.copies += 1
    if first.split != (image.split or ""):
        made.in_both.add(image.where, f"in {image.split}, but first seen in {first.split}")
    return False


def _check_labels(made: ImagesRead, name: str, before: Own | None, problems: Findings) -> None:
    """Note labels that cannot be the name of a class."""
    known = before.pointer.meta.counts if before else ()
    labels = sorted({*made.collected.labels, *known} - {NO_LABEL})
    if len(labels) > MAX_LABELS:
        problems.add(name, f"it has {len(labels):,} classes; at most {MAX_LABELS:,} are allowed")
    for label in labels:
        try:
            check_classes(name, [label])
        except SourceError as error:
            problems.add(label, str(error))


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
