"""Previews of a dataset: text for a comment, and a contact sheet as PNG."""

import io
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from scripts.build.dataset import Dataset
from scripts.build.selection import Split
from scripts.sources.source import Pixels
from scripts.versions.recorded import recorded_selection
from scripts.versions.releases import Release

# A character shows two pixels, one above the other: none, upper, lower, both.
INK = " ▀▄█"
DARK = 56
TEXT_SIDE = 16
IMAGES_IN_TEXT = 6
MAX_TEXT_ROWS = 20
IMAGES_ON_SHEET = 24
THUMBNAIL = 56
GAP = 4
HEADING = 20
WHITE, BLACK = 255, 0


def selected_rows(dataset: Dataset, before: Release | None) -> list[tuple[Split, str, list[int]]]:
    """Return the rows to show of each split and class: the new ones, or all if none is new."""
    old = recorded_selection(before.lock, dataset.source) if before else None
    known = old.rows if old else {}
    return [
        (split, folder, sorted(set(rows) - set(known.get((split, folder), ()))) or rows)
        for (split, folder), rows in dataset.selection.rows.items()
    ]


def text(images: Sequence[Pixels]) -> list[str]:
    """Return `images` side by side, drawn in characters."""
    drawn = [_one_as_text(pixels) for pixels in images]
    return ["  ".join(parts).rstrip() for parts in zip(*drawn, strict=True)]


def contact_sheet(dataset: Dataset, before: Release | None) -> bytes:
    """Return a PNG with some samples of each split and class, black on white, enlarged."""
    counts = dataset.selection.counts()
    rows = [
        (
            f"{split}/{folder}: {len(rows[:IMAGES_ON_SHEET])} of {counts[split][folder]:,}",
            [dataset.source.image(row) for row in rows[:IMAGES_ON_SHEET]],
        )
        for split, folder, rows in selected_rows(dataset, before)
    ]
    columns = max(len(images) for _, images in rows)
    step = THUMBNAIL + GAP
    height = len(rows) * (HEADING + step) + GAP
    page = Image.new("L", (max(columns, 4) * step + GAP, height), WHITE)
    draw = ImageDraw.Draw(page)
    for index, (heading, images) in enumerate(rows):
        top = index * (HEADING + step) + GAP
        draw.text((GAP, top), heading, fill=BLACK)
        for column, pixels in enumerate(images):
            large = Image.fromarray(WHITE - pixels).resize(
                (THUMBNAIL, THUMBNAIL), Image.Resampling.NEAREST
            )
            page.paste(large, (GAP + column * step, top + HEADING - GAP))
    buffer = io.BytesIO()
    page.save(buffer, "PNG")
    return buffer.getvalue()


def _one_as_text(pixels: Pixels) -> list[str]:
    side = min(TEXT_SIDE, len(pixels))
    small = np.asarray(Image.fromarray(pixels).resize((side, side), Image.Resampling.BOX))
    dark = small >= DARK
    if side % 2:
        dark = np.vstack([dark, np.zeros((1, side), bool)])
    return [
        "".join(INK[up + 2 * low] for up, low in zip(*pair, strict=True))
        for pair in zip(dark[::2], dark[1::2], strict=True)
    ]
