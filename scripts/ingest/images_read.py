"""Images of a location become rows: decoded, compared with those that are there, written."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from scripts.dataset import png
from scripts.errors import UserError
from scripts.ingest import layout, locations, tables
from scripts.ingest.findings import Findings
from scripts.ingest.known_images import ImagePlace, KnownImages
from scripts.ingest.locations import LocatedFile, Location
from scripts.ingest.summaries import SummaryWriter
from scripts.ingest.tables import LabeledImage
from scripts.ingest.writer import ShardWriter
from scripts.inputs.images import MAX_BYTES, MODES, ImageError, decode
from scripts.progress import Bar
from scripts.sources import shards
from scripts.sources.own import Own
from scripts.sources.pointer import Shape
from scripts.sources.shards import Rows
from scripts.sources.source import Pixels, SourceError, check_classes

MAX_LABELS = 10_000
MAX_EXAMPLES = 3
GRAY, RGB = MODES.values()


class Example(NamedTuple):
    """How many images are of a kind, and where the first of them are."""

    images: int
    where: tuple[str, ...]


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
    digests: list[bytes] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    splits: list[str | None] = field(default_factory=list)
    image_sizes: list[tuple[int, int]] = field(default_factory=list)
    copies: int = 0
    ambiguous: Findings = field(default_factory=lambda: Findings("two labels"))
    in_both: Findings = field(default_factory=lambda: Findings("in both sets"))
    modes: dict[str, Example] = field(default_factory=dict)
    sizes: set[tuple[int, int]] = field(default_factory=set)
    without_split: int = 0

    @property
    def rows(self) -> Rows:
        """The new rows."""
        return shards.rows(self.digests, self.labels, self.splits, self.image_sizes)

    def shape(self, before: Own | None) -> Shape:
        """Return what all images have in common, with those of the source `before`."""
        known = before.pointer.shape if before else None
        (mode,) = {known.mode} if known else self.modes
        sizes: set[tuple[int, int] | None] = {*self.sizes, *([known.size] if known else [])}
        size = next(iter(sizes)) if len(sizes) == 1 else None
        return Shape("RGB" if mode == RGB else "gray", size)


def collect(address: str, name: str, before: Own | None, folder: Path) -> ImagesRead:
    """Return the images at the location `address` that the source `before` does not have.

    They are written to shards in `folder`. Raises `UserError` with every problem.
    """
    problems = Findings()
    with locations.opened(address) as location:
        files = list(locations.bounded(location.files(problems), address))
        made, images = _arranged(location, files, problems, folder)
        if before:
            made.known.remember(before)
        for image in Bar(images, desc="Reading images", unit="image"):
            _take(made, image, problems)
    made.writer.close()
    made.summaries.close()
    _check_modes(made, before, problems)
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
            problems.add(str(path), "an image beside Parquet files; ingest one of both by itself")
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


def _take(made: ImagesRead, image: LabeledImage, problems: Findings) -> None:
    """Add an image to the rows, unless it is there already or something is wrong with it."""
    try:
        pixels = decode(image.content)
    except ImageError as error:
        problems.add(image.where, str(error))
        return
    _note_shape(made, image, pixels)
    made.without_split += image.split is None
    digest, size = made.known.digest(pixels), (pixels.shape[0], pixels.shape[1])
    place = ImagePlace(image.label, image.split or "", size)
    if (first := made.known.add(digest, place)) and not _is_ambiguous(made, image, digest, first):
        made.copies += 1
        if first.split != place.split:
            made.in_both.add(image.where, f"in {place.split}, but first seen in {first.split}")
        return
    made.digests.append(digest)
    made.labels.append(image.label)
    made.splits.append(image.split)
    made.image_sizes.append(size)
    if not problems.count:
        encoded = png.encode(pixels)
        made.writer.add(encoded, image.label, image.split, digest)
        made.summaries.add(pixels, encoded)


def _is_ambiguous(made: ImagesRead, image: LabeledImage, digest: bytes, first: ImagePlace) -> bool:
    """Return whether a known image is here under a label that is new for it, and note it."""
    if image.label == first.label or not made.known.add_label(digest, image.label):
        return False
    made.ambiguous.add(image.where, f"labeled {image.label}, but {first.label} elsewhere")
    return True


def _note_shape(made: ImagesRead, image: LabeledImage, pixels: Pixels) -> None:
    mode = RGB if pixels.ndim > 2 else GRAY  # noqa: PLR2004 - height and width
    images, where = made.modes.get(mode, Example(0, ()))
    made.modes[mode] = Example(images + 1, (*where, image.where)[:MAX_EXAMPLES])
    made.sizes.add((pixels.shape[0], pixels.shape[1]))


def _check_modes(made: ImagesRead, before: Own | None, problems: Findings) -> None:
    """Note images that are not gray or RGB as the others are."""
    most = max(made.modes, key=lambda mode: made.modes[mode].images, default=None)
    expected = before.pointer.shape.mode if before else most
    for mode, found in made.modes.items():
        if mode != expected:
            message = (
                f"{found.images:,} images are {mode}, but"
                f" {'those of the source' if before else 'the others'} are {expected}; all images"
                " of a source must be one of the two"
            )
            problems.add(", ".join(found.where), message)


def _check_labels(made: ImagesRead, name: str, before: Own | None, problems: Findings) -> None:
    """Note labels that cannot be the name of a folder."""
    labels = sorted({*made.labels, *(before.pointer.meta.counts if before else ())})
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
            "it has train and test sets of its own, but these images are in none; ingest"
            " train/LABEL/FILE and test/LABEL/FILE",
        )
    if not has_own and brings:
        problems.add(
            before.name,
            "it has no train and test sets of its own, but these images do; ingest LABEL/FILE",
        )


def counts(rows: Rows, before: Own | None) -> Mapping[str, int]:
    """Return the number of images of each label, with those of the source `before`."""
    total = Counter(before.pointer.meta.counts if before else {})
    total.update(rows.labels.tolist())
    return dict(sorted(total.items()))
