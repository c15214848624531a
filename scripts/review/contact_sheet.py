"""The contact sheet: a picture of some samples of each split and class, and of the changes."""

import io
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from PIL import Image, ImageDraw

from scripts.dataset.dataset import Dataset
from scripts.inputs.config import SPLITS
from scripts.inputs.curation import RELABEL
from scripts.insight.copied import CopiedImages
from scripts.insight.facts import Facts
from scripts.insight.older_images import PlacedImage
from scripts.insight.suspects import Suspects
from scripts.releases.diff import Diff
from scripts.review import thumbnail
from scripts.review.report_insight import MAX_SUSPECTS
from scripts.review.thumbnail import WHITE, width_of

MAX_IMAGES = 24
MAX_PAIRS = MAX_IMAGES // 3
# With more classes the picture would be too large to open.
MAX_LINES = 100
# The frame of an image, and the space between two.
FRAME, GAP = 2, 8
SIDE = thumbnail.SIDE + 2 * FRAME
LEGEND, HEADING, CAPTION = 24, 18, 12
# The width of an entry of the legend.
ENTRY = 130
LINE = HEADING + SIDE + CAPTION + GAP
BLACK, GRAY = (0, 0, 0), (110, 110, 110)
# Distinguishable for color-blind people: https://jfly.uni-koeln.de/color/
NEW, REMOVED, CURATED, ADDED = (0, 114, 178), (213, 94, 0), (0, 158, 115), (204, 121, 167)
LEGENDS = {
    NEW: "blue frame: new",
    REMOVED: "orange frame: removed",
    CURATED: "green frame: curated",
    ADDED: "pink frame: addition",
}

Color = tuple[int, int, int]


class _Sample(NamedTuple):
    """A sample, scaled down, because hundreds of large images would not fit into memory."""

    caption: str
    picture: Image.Image
    color: Color


class _Row(NamedTuple):
    """A row of the picture; None leaves a place empty."""

    heading: str
    samples: Sequence[_Sample | None]

    @property
    def step(self) -> int:
        """The distance between images, wide enough for the captions."""
        return GAP + max(SIDE, *(width_of(sample.caption) for sample in self.samples if sample), 0)

    @property
    def width(self) -> int:
        """The width of the row."""
        return max(width_of(self.heading), len(self.samples) * self.step)


def draw(dataset: Dataset, difference: Diff, found: Facts) -> bytes:
    """Return a PNG with a row of samples for each split and class, black on white, enlarged.

    Below each is its file name without `.png`, and its label if it differs from the class. The
    samples whose curation changes come first, in green frames, then near-duplicates and changed
    copies, side by side, then suspects.
    In each row new samples come first, in blue frames. A last row for each split shows removed
    ones, in orange frames, if they are still in the source. Additions have pink frames.
    """
    rows = _within_bounds(
        [
            *_curated(dataset, difference),
            *_near(dataset, difference),
            *_copies(found.copies),
            *_suspects(dataset, found.suspects),
            *_selected(dataset, difference),
        ],
        [*_removed(dataset, difference)],
    )
    legend = _legend(dataset, difference)
    width = max(2 * ENTRY, len(legend) * ENTRY, *(row.width for row in rows))
    page = Image.new("RGB", (GAP + width + GAP, LEGEND + len(rows) * LINE), WHITE)
    pen = ImageDraw.Draw(page)
    for place, color in enumerate(legend):
        pen.text((place * ENTRY or GAP, GAP // 2), LEGENDS[color], fill=color)
    for index, row in enumerate(rows):
        top = LEGEND + index * LINE
        pen.text((GAP, top), row.heading, fill=BLACK)
        for column, sample in enumerate(row.samples):
            if sample:
                _paste(page, pen, sample, GAP + column * row.step, top + HEADING)
    buffer = io.BytesIO()
    page.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def _legend(dataset: Dataset, difference: Diff) -> list[Color]:
    """Return the colors that are used here."""
    # In the first version everything is new, so there are no frames.
    colors = [NEW, REMOVED] if difference.before else []
    colors += [CURATED] if difference.curated else []
    return [*colors, ADDED] if dataset.inputs.additions else colors


def _curated(dataset: Dataset, difference: Diff) -> Iterator[_Row]:
    """Yield the row of the samples whose curation changes, with the decisions."""
    decided: dict[int, list[str]] = {}
    for change in difference.curated or []:
        decision, row = change.decision, change.sample.row
        if row is None:
            continue
        label = str(dataset.images.labels[row])
        words = (
            f"{label} -> {decision.new_label}" if decision.action == RELABEL else decision.action
        )
        decided.setdefault(row, []).append(f"not {words}" if change.kind == "removed" else words)
    if decided:
        shown = list(decided)[:MAX_IMAGES]
        some = "" if len(shown) == len(decided) else f"{len(shown)} of "
        yield _Row(
            f"curated: {some}{len(decided):,}",
            [
                _Sample(
                    # One space between two numbers is hard to see.
                    f"{dataset.images.identifier(row)}  {', '.join(decided[row])}",
                    _picture(dataset, row),
                    CURATED,
                )
                for row in shown
            ],
        )


def _near(dataset: Dataset, difference: Diff) -> Iterator[_Row]:
    """Yield the row of the closest near-duplicates, side by side."""
    near = difference.near
    if near is None or not near.pairs:
        return
    places = dataset.selection.places()

    def sample(row: int) -> _Sample:
        split, folder = places[row]
        caption = f"{_caption(dataset, row, folder)}  {split}"
        return _Sample(caption, _picture(dataset, row), BLACK)

    pairs = [(sample(pair.train), sample(pair.other)) for pair in near.pairs[:MAX_PAIRS]]
    yield _side_by_side("near-duplicates in train and another split", pairs, near.count)


def _copies(copied: CopiedImages) -> Iterator[_Row]:
    """Yield the row of the nearest changed copies, side by side."""

    def sample(image: PlacedImage, note: str) -> _Sample:
        release = f" of {image.release}" if image.release else ""
        caption = (
            f"{_caption(image.dataset, image.row, image.folder)}  {image.split}{release}{note}"
        )
        return _Sample(caption, _picture(image.dataset, image.row), BLACK)

    pairs = [
        (sample(pair.train, ""), sample(pair.other, ", mirrored" if pair.mirrored else ""))
        for pair in copied.pairs[:MAX_PAIRS]
    ]
    if pairs:
        yield _side_by_side("changed copies in train and another split", pairs, copied.count)


def _side_by_side(heading: str, pairs: Sequence[tuple[_Sample, _Sample]], count: int) -> _Row:
    """Return a row of `pairs` of `count`, with an empty place between two."""
    samples = [sample for pair in pairs for sample in (*pair, None)]
    noun = "pair" if count == 1 else "pairs"
    return _Row(f"{heading}: {len(pairs)} of {count:,} {noun}", samples[:-1])


def _suspects(dataset: Dataset, found: Suspects | None) -> Iterator[_Row]:
    """Yield the row of the added samples whose label is most doubtful."""
    worst = found.worst_of_all(MAX_SUSPECTS) if found and found.is_telling else []
    if found and worst:
        yield _Row(
            f"label contradicted by similar images: {len(worst)} of {found.count:,}",
            [
                _Sample(
                    f"{dataset.images.identifier(one.row)}  {one.label} -> {one.suggested}?",
                    _picture(dataset, one.row),
                    BLACK,
                )
                for one in worst
            ],
        )


def _selected(dataset: Dataset, difference: Diff) -> Iterator[_Row]:
    keys, selection = dataset.images.keys, dataset.selection
    added = difference.added if difference.before else frozenset()
    curated = {change.sample.row for change in difference.curated or []}
    start = len(dataset.source.labels)

    def color(row: int) -> Color:
        if row >= start:
            return ADDED
        if row in curated:
            return CURATED
        return NEW if keys[row] in added else WHITE

    for (split, folder), rows in selection.rows.items():
        new = [row for row in rows if keys[row] in added]
        shown = [*new, *(row for row in rows if keys[row] not in added)][:MAX_IMAGES]
        news = f", {len(new):,} new" if added else ""
        yield _Row(
            f"{split}/{folder}: {len(shown)} of {len(rows):,}{news}",
            [
                _Sample(_caption(dataset, row, folder), _picture(dataset, row), color(row))
                for row in shown
            ],
        )


def _removed(dataset: Dataset, difference: Diff) -> Iterator[_Row]:
    old, images = difference.old, dataset.images
    if not difference.removed or old is None:
        return
    # Older indexes know only the pixels after resizing.
    row_of = {
        digest: row
        for digests in (images.digests, images.keys)
        for row, digest in reversed(list(enumerate(digests)))
    }
    for split in SPLITS:
        gone = difference.removed & old.split(split)
        here = [(row_of[image], image) for image in sorted(gone) if image in row_of][:MAX_IMAGES]
        if gone:
            where = "" if here else ", which are no longer in the source"
            yield _Row(
                f"removed from {split}: {len(here)} of {len(gone):,}{where}",
                [
                    _Sample(
                        _caption(dataset, row, old.places[image][1]),
                        _picture(dataset, row),
                        REMOVED,
                    )
                    for row, image in here
                ],
            )


def _within_bounds(selected: Sequence[_Row], removed: Sequence[_Row]) -> list[_Row]:
    """Return the rows to draw, with a last heading that counts omitted rows."""
    space = MAX_LINES - len(removed)
    more = len(selected) - space
    rest = [_Row(f"{more:,} more rows are not shown", [])] if more > 0 else []
    return [*selected[:space], *removed, *rest]


def _picture(dataset: Dataset, row: int) -> Image.Image:
    return thumbnail.draw(dataset.images.image(row), dataset.config)


def _caption(dataset: Dataset, row: int, folder: str) -> str:
    """Return the identifier of a row, with its label in the source if `folder` differs."""
    selection, label = dataset.selection, str(dataset.images.labels[row])
    name = selection.identifiers.get(row) or dataset.images.identifier(row)
    return name if label == folder else f"{name} ({label})"


def _paste(page: Image.Image, pen: ImageDraw.ImageDraw, sample: _Sample, x: int, y: int) -> None:
    """Draw a sample in its frame."""
    pen.rectangle((x, y, x + SIDE - 1, y + SIDE - 1), fill=sample.color)
    page.paste(sample.picture, (x + FRAME, y + FRAME))
    pen.text((x + FRAME, y + SIDE), sample.caption, fill=GRAY)
