import io
from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, ImageDraw

from scripts.dataset.dataset import Dataset
from scripts.dataset.near import NearPairs, Pair
from scripts.git.git import Git
from scripts.inputs import config_file, curation
from scripts.inputs.additions import Addition
from scripts.inputs.config import TEST, TRAIN
from scripts.inputs.reader import Inputs
from scripts.insight import facts
from scripts.insight.copied import CopiedImages, CopiedPair
from scripts.insight.older_images import PlacedImage
from scripts.insight.suspects import Suspect, Suspects
from scripts.releases import index
from scripts.releases.comparison import Comparison
from scripts.releases.curated import CuratedChange, CuratedSample
from scripts.releases.diff import Diff
from scripts.releases.index import Index
from scripts.releases.lock import Lock
from scripts.releases.new_lock import new_lock
from scripts.releases.releases import Release
from scripts.review import contact_sheet as sheet
from scripts.review import thumbnail
from scripts.review.contact_sheet import (
    ADDED,
    BLACK,
    CURATED,
    GRAY,
    MAX_IMAGES,
    NEW,
    REMOVED,
)
from scripts.review.thumbnail import WHITE
from scripts.sources.table import Table
from tests.repository import Repository, Run, config_text

IMAGES = 60
NO_COPIES = CopiedImages()
# Each drawing has 4 pixels, so a pixel of it is as wide as this.
WIDE = thumbnail.SIDE // 2


def source(*classes: str, first: int = 0) -> Table:
    """Return a source whose classes take turns, with a drawing of its own for each image."""
    drawings = np.arange(first + 1, first + IMAGES + 1, dtype=">u4") * 77_777
    labels = np.array([classes[row % len(classes)] for row in range(IMAGES)])
    return Table("made", drawings.view(np.uint8).reshape(-1, 2, 2), labels)


BOTH = (TRAIN, TEST)
AB = source("a", "b")


def dataset(
    made: Table = AB, rows: str = "", additions: tuple[Addition, ...] = (), **changes: object
) -> Dataset:
    """Return a dataset of all classes, six samples of each, but for `changes`.

    `rows` are those of its curation.
    """
    values = {"source": "made", "class_": "all", "samples": 6, "test_size": 2, **changes}
    decisions = curation.parse(f"{','.join(curation.COLUMNS)}\n{rows}".encode())
    parsed = config_file.parse(config_text(**values).encode())
    return Dataset(Inputs(parsed, decisions, additions), made)


def recorded(made: Dataset) -> Lock:
    return new_lock(made, made.manifest, comparable=(), splits="0" * 64, copy=None)


def changes(after: Dataset, before: Dataset | None) -> list[CuratedChange]:
    """Return every decision of `after` as a new one, and every one of `before` as removed."""
    kinds = {"new": after, **({"removed": before} if before else {})}
    found = []
    for kind, of in kinds.items():
        for decision in of.inputs.curation.decisions:
            row = after.source.find(decision.sample)
            found.append(CuratedChange(kind, decision, CuratedSample("", "", None, None, row)))  # type: ignore[arg-type]
    return found


def drawn(
    after: Dataset,
    before: Dataset | None = None,
    *,
    known: bool = True,
    near: NearPairs | None = None,
    doubtful: Sequence[Suspect] = (),
    copied: CopiedImages = NO_COPIES,
) -> "Sheet":
    """Return the contact sheet; without `known` the images of `before` cannot be read."""
    old = index.of_dataset(before) if before else Index({})
    difference = Diff(
        before=Release("v0", "0" * 40, recorded(before)) if before else None,
        after=recorded(after),
        version="v1",
        comparison=Comparison("v0"),
        old=old if known else None,
        new=index.of_dataset(after),
        curated=changes(after, before),
        near=near,
    )
    found = facts.of_diff(Git(Path()), after, difference)
    # The drawings have labels at random, so each would be a suspect.
    vars(found)["suspects"] = Suspects(doubtful, len(doubtful))
    vars(found)["copies"] = copied
    with Image.open(io.BytesIO(sheet.draw(after, difference, found))) as image:
        return Sheet(np.asarray(image.convert("RGB")))


class Sheet(NamedTuple):
    """The pixels of a contact sheet, in the shape (height, width, 3)."""

    pixels: npt.NDArray[np.uint8]

    @property
    def lines(self) -> int:
        lines, rest = divmod(self.pixels.shape[0] - sheet.LEGEND, sheet.LINE)
        assert rest == 0
        return int(lines)

    def heading(self, line: int, text: str) -> bool:
        """Return whether this is the heading of a line."""
        return self._shows(text, (sheet.GAP, sheet.LEGEND + line * sheet.LINE), BLACK)

    def legend(self) -> bool:
        """Return whether there is a legend."""
        return bool((self.pixels[: sheet.LEGEND] != WHITE).any())

    def image(self, line: int, column: int, step: int = sheet.SIDE + sheet.GAP) -> "Shown | None":
        """Return the image at a place, None where there is none."""
        top, left = sheet.LEGEND + line * sheet.LINE + sheet.HEADING, sheet.GAP + column * step
        side, frame = sheet.SIDE, sheet.FRAME
        cell = self.pixels[top : top + side, left : left + side]
        if cell.shape != (side, side, 3) or (cell == WHITE).all():
            return None
        inner = slice(frame, side - frame)
        framed = cell.copy()
        framed[inner, inner] = cell[0, 0]
        # The frame has one color all around.
        assert (framed == cell[0, 0]).all()
        red, green, blue = (int(value) for value in cell[0, 0])
        return Shown((red, green, blue), cell[inner, inner], (left + frame, top + side))

    def captions(self, line: int, *texts: str, color: tuple[int, int, int] | None = None) -> bool:
        """Return whether a line shows just images with these captions, in frames of `color`."""
        step = sheet.GAP + max(sheet.SIDE, *(thumbnail.width_of(text) for text in texts), 0)
        shown = [self.image(line, column, step) for column in range(len(texts) + 1)]
        return shown[-1] is None and all(
            one is not None and self.captioned(one, text) and color in {None, one.color}
            for one, text in zip(shown, texts, strict=False)
        )

    def captioned(self, shown: "Shown", text: str) -> bool:
        """Return whether an image has this caption."""
        return self._shows(text, shown.caption, GRAY)

    def row(self, line: int, made: Dataset, rows: list[int]) -> list[tuple[int, int, int]]:
        """Return the colors of the frames in a line that shows just these rows, in any order."""
        by_image = {made.source.image(row).tobytes(): row for row in rows}
        colors = []
        for column in range(len(rows)):
            shown = self.image(line, column)
            assert shown is not None
            row = by_image.pop((255 - shown.pixels[::WIDE, ::WIDE, 0]).tobytes())
            assert self.captioned(shown, f"{row:05}")
            colors.append(shown.color)
        assert self.image(line, len(rows)) is None
        return colors

    def _shows(self, text: str, place: tuple[int, int], color: tuple[int, int, int]) -> bool:
        left, top = place
        width = thumbnail.width_of(text) + sheet.GAP - sheet.FRAME
        page = Image.new("RGB", (width, sheet.CAPTION), WHITE)
        ImageDraw.Draw(page).text((0, 0), text, fill=color)
        return np.array_equal(
            self.pixels[top : top + sheet.CAPTION, left : left + width], np.asarray(page)
        )


class Shown(NamedTuple):
    """An image on the sheet: the color of its frame, its pixels, the place of its caption."""

    color: tuple[int, int, int]
    pixels: npt.NDArray[np.uint8]
    caption: tuple[int, int]


def test_each_split_and_class_has_a_line_with_named_samples_black_on_white() -> None:
    made = dataset()

    found = drawn(made)

    assert found.lines == 4
    for line, (folder, split) in enumerate(product("ab", BOTH)):
        rows = made.selection.rows[split, folder]
        assert found.heading(line, f"{split}/{folder}: {len(rows)} of {len(rows)}")
        found.row(line, made, rows)


def test_images_are_enlarged_and_inverted() -> None:
    made = dataset()
    row = made.selection.rows[TRAIN, "a"][0]

    shown = drawn(made).image(0, 0)

    assert shown is not None
    large = np.kron(255 - made.source.image(row), np.ones((WIDE, WIDE), np.uint8))
    assert np.array_equal(shown.pixels, np.repeat(large[:, :, None], 3, axis=2))


def test_new_samples_come_first_in_blue_frames() -> None:
    old, made = dataset(), dataset(samples={"a": 9, "b": 6})

    found = drawn(made, old)

    train, before = made.selection.rows[TRAIN, "a"], old.selection.rows[TRAIN, "a"]
    new = [row for row in train if row not in before]
    assert len(new) == 3
    assert found.heading(0, "train/a: 7 of 7, 3 new")
    assert found.row(0, made, [*new, *before]) == [NEW] * 3 + [WHITE] * 4
    for line, (folder, split) in list(enumerate(product("ab", BOTH)))[1:]:
        rows = made.selection.rows[split, folder]
        assert found.heading(line, f"{split}/{folder}: {len(rows)} of {len(rows)}, 0 new")
        assert found.row(line, made, rows) == [WHITE] * len(rows)
    assert found.lines == 4
    assert found.legend()


def test_removed_samples_are_shown_in_orange_frames() -> None:
    old, made = dataset(samples=9, test_size=4), dataset(samples=6, test_size=2)

    found = drawn(made, old)

    gone = {
        split: [
            row
            for folder in ("a", "b")
            for row in old.selection.rows[split, folder]
            if row not in made.selection.rows[split, folder]
        ]
        for split in BOTH
    }
    assert {split: len(rows) for split, rows in gone.items()} == {"train": 2, "test": 4}
    assert found.lines == 4 + 2
    assert found.heading(0, "train/a: 4 of 4")
    assert found.heading(4, "removed from train: 2 of 2")
    assert found.row(4, made, gone[TRAIN]) == [REMOVED] * 2
    assert found.heading(5, "removed from test: 4 of 4")
    assert found.row(5, made, gone[TEST]) == [REMOVED] * 4
    assert found.legend()


def test_a_split_that_loses_nothing_has_no_line_for_it() -> None:
    found = drawn(dataset(samples=6, test_size=2), dataset(samples=6, test_size=3))

    assert found.lines == 4 + 1
    assert found.heading(4, "removed from test: 2 of 2")


def test_samples_of_a_class_that_goes_are_removed_samples() -> None:
    found = drawn(dataset(class_=["a"]), dataset())

    assert found.lines == 2 + 2
    assert found.heading(2, "removed from train: 4 of 4")
    assert found.heading(3, "removed from test: 2 of 2")


def test_a_sample_that_moves_is_neither_new_nor_removed() -> None:
    old = dataset()
    made = dataset()
    rows = old.selection.rows
    turned = {(TRAIN, "a"): rows[TEST, "a"], (TEST, "a"): rows[TRAIN, "a"]}
    vars(made)["selection"] = replace(old.selection, rows={**rows, **turned})

    found = drawn(made, old)

    assert found.lines == 4
    assert found.row(0, made, rows[TEST, "a"]) == [WHITE] * 2
    assert found.row(1, made, rows[TRAIN, "a"]) == [WHITE] * 4


def test_the_first_version_has_no_frames_and_no_legend() -> None:
    made = dataset()

    found = drawn(made)

    assert found.row(0, made, made.selection.rows[TRAIN, "a"]) == [WHITE] * 4
    assert not found.legend()


def test_another_source_has_only_new_samples_and_removed_ones_that_it_cannot_show() -> None:
    made = dataset(source("a", "b", first=1_000))

    found = drawn(made, dataset())

    assert found.heading(0, "train/a: 4 of 4, 4 new")
    assert found.row(0, made, made.selection.rows[TRAIN, "a"]) == [NEW] * 4
    assert found.row(1, made, made.selection.rows[TEST, "a"]) == [NEW] * 2
    assert found.heading(4, "removed from train: 0 of 8, which are no longer in the source")
    assert found.row(4, made, []) == []
    assert found.heading(5, "removed from test: 0 of 4, which are no longer in the source")
    assert found.lines == 6


def test_the_same_images_in_another_order_are_not_new() -> None:
    turned = Table("made", AB.pixels[::-1], AB.labels[::-1])
    made = dataset(turned)

    found = drawn(made, dataset())

    assert found.lines == 4
    assert found.row(0, made, made.selection.rows[TRAIN, "a"]) == [WHITE] * 4


def test_images_that_cannot_be_compared_have_no_frames() -> None:
    made = dataset(seed=1)

    found = drawn(made, dataset(), known=False)

    assert found.lines == 4
    assert found.heading(0, "train/a: 4 of 4")
    assert found.row(0, made, made.selection.rows[TRAIN, "a"]) == [WHITE] * 4


def test_a_removed_image_that_the_source_has_twice_has_the_name_of_its_file() -> None:
    twice = Table("made", AB.pixels.copy(), AB.labels)
    twice.pixels[30:] = twice.pixels[:30]
    old, made = dataset(twice, samples=9, test_size=2), dataset(twice, samples=8, test_size=2)

    found = drawn(made, old)

    gone = [
        row
        for folder in ("a", "b")
        for row in old.selection.rows[TRAIN, folder]
        if row not in made.selection.rows[TRAIN, folder]
    ]
    assert all(row < 30 for row in gone)
    assert found.row(4, made, gone) == [REMOVED] * 2


def test_the_number_of_images_in_a_line_is_bounded() -> None:
    old, made = dataset(samples=3, test_size=1), dataset(samples=30, test_size=2)

    grown, shrunk = drawn(made, old), drawn(old, made)

    assert MAX_IMAGES == 24
    assert grown.heading(0, "train/a: 24 of 28, 26 new")
    assert shrunk.heading(4, "removed from train: 24 of 52")
    for found, line in ((grown, 0), (shrunk, 4)):
        assert found.image(line, MAX_IMAGES - 1) is not None
        assert found.image(line, MAX_IMAGES) is None
    # No frame is cut off at the right.
    step = sheet.SIDE + sheet.GAP
    assert grown.pixels.shape[1] == sheet.GAP + MAX_IMAGES * step + sheet.GAP


def test_the_number_of_lines_is_bounded() -> None:
    def classes(count: int) -> Dataset:
        names = tuple(f"class{number:02}" for number in range(count))
        pixels = np.arange(count * 4, dtype=">u4").view(np.uint8).reshape(-1, 2, 2)
        return dataset(Table("made", pixels, np.array(names * 4)), samples=2, test_size=1)

    assert sheet.MAX_LINES == 100
    most = drawn(classes(50))
    assert most.lines == 100
    assert most.heading(99, "test/class49: 1 of 1")
    more = drawn(classes(51))
    assert more.lines == 101
    assert more.heading(99, "test/class49: 1 of 1")
    assert more.heading(100, "2 more rows are not shown")
    # Those that are removed are always shown.
    both = drawn(classes(51), dataset(AB, samples=2, test_size=1))
    assert both.lines == 101
    assert both.heading(97, "test/class48: 1 of 1, 1 new")
    assert both.heading(99, "removed from test: 0 of 2, which are no longer in the source")
    assert both.heading(100, "4 more rows are not shown")


def test_long_captions_and_headings_are_neither_cut_off_nor_meet() -> None:
    name = "a" * 100
    made = dataset(source(name, "b"), samples=4, test_size=1)
    rows = made.selection.rows
    wide = {row: f"{row:020}" for of_place in rows.values() for row in of_place}
    vars(made)["selection"] = replace(made.selection, identifiers=wide)

    found = drawn(made)

    assert found.heading(0, f"train/{name}: 3 of 3")
    step = thumbnail.width_of("0" * 20) + sheet.GAP
    for column, row in enumerate(rows[TRAIN, name]):
        shown = found.image(0, column, step)
        assert shown is not None
        assert found.captioned(shown, f"{row:020}")


def test_the_sheet_of_a_single_small_class_is_wide_enough_for_its_words() -> None:
    old, made = (
        dataset(class_=["a"], samples=4, test_size=1),
        dataset(class_=["a"], samples=2, test_size=1),
    )

    found = drawn(made, old)

    assert found.heading(2, "removed from train: 2 of 2")
    assert found.pixels.shape[1] >= 2 * sheet.ENTRY
    assert (found.pixels[: sheet.LEGEND, -sheet.GAP :] == WHITE).all()


def test_the_report_writes_the_sheet(released: Repository, run: Run) -> None:
    folder = released.place / "report"
    assert run("workflow", "report", str(folder)).code == 0

    with Image.open(folder / "samples.png") as image:
        found = Sheet(np.asarray(image.convert("RGB")))

    assert found.lines == 4
    assert found.heading(0, "train/3: 5 of 5, 2 new")
    frames = [shown.color for column in range(5) if (shown := found.image(0, column))]
    assert frames == [NEW] * 2 + [WHITE] * 3


def test_samples_whose_curation_changes_come_first_with_what_is_decided() -> None:
    old = dataset()
    test, train = old.selection.rows[TEST, "a"][0], old.selection.rows[TRAIN, "a"]
    rows = f"{test},relabel,a,b,reads as b\n{test},test,,,\n{train[0]},exclude,,,\n58,test,,,\n"
    made = dataset(rows=rows)

    found = drawn(made, old)

    assert found.heading(0, "curated: 3")
    words = (f"{test:05}  a -> b, test", f"{train[0]:05}  exclude", "00058  test")
    assert found.captions(0, *words, color=CURATED)
    # What is excluded is removed.
    assert found.heading(found.lines - 1, "removed from train: 1 of 1")
    assert found.row(found.lines - 1, made, [train[0]]) == [REMOVED]
    assert found.legend()


def test_a_decision_that_is_removed_is_shown_as_such() -> None:
    found = drawn(dataset(), dataset(rows="58,test,,,\n"))

    assert found.heading(0, "curated: 1")
    assert found.captions(0, "00058  not test", color=CURATED)


def test_the_number_of_curated_images_is_bounded() -> None:
    pins = "".join(f"{row},train,,,\n" for row in range(MAX_IMAGES + 3))

    found = drawn(dataset(rows=pins))

    assert found.heading(0, "curated: 24 of 27")
    assert found.captions(0, *(f"{row:05}  train" for row in range(MAX_IMAGES)))


def test_curated_samples_are_marked_in_the_rows_of_their_class() -> None:
    old = dataset()
    free = next(row for row in range(0, IMAGES, 2) if row not in old.selection.places())
    made = dataset(rows=f"{free},test,,,\n")

    found = drawn(made, old)

    rows = made.selection.rows[TEST, "a"]
    assert found.heading(2, "test/a: 3 of 3, 1 new")
    assert found.row(2, made, [free, *rows[:-1]]) == [CURATED, WHITE, WHITE]


def addition(split: str, label: str, gray: int) -> Addition:
    pixels = np.full((2, 2), gray, np.uint8)
    path = f"additions/{split}/{label}/{gray}.png"
    return Addition(path, split, label, pixels, b"", b"", ".png")  # type: ignore[arg-type]


def test_additions_have_frames_of_their_own() -> None:
    added = addition("test", "b", 77)
    made = dataset(additions=(added,))

    found = drawn(made, dataset())

    assert found.heading(3, "test/b: 3 of 3, 1 new")
    shown = found.image(3, 0, thumbnail.width_of(added.identifier) + sheet.GAP)
    assert shown is not None
    assert shown.color == ADDED
    assert found.captioned(shown, added.identifier)
    assert (shown.pixels == 255 - 77).all()
    assert found.legend()


def test_the_worst_suspects_have_a_row_with_the_suggested_label() -> None:
    after = dataset(AB)
    rows = sorted(after.selection.places())
    doubtful = [Suspect(row, "a", "b", 0, 9, ()) for row in rows[:3]]
    plain, shown = drawn(after), drawn(after, doubtful=doubtful)

    assert shown.lines == plain.lines + 1
    assert shown.heading(0, "label contradicted by similar images: 3 of 3")
    assert not plain.heading(0, "label contradicted by similar images: 3 of 3")


def test_near_duplicates_are_shown_side_by_side() -> None:
    made = dataset()
    rows = made.selection.rows
    pairs = [
        Pair(1.5, train, test)
        for train, test in zip(rows[TRAIN, "a"][:2], rows[TEST, "b"], strict=True)
    ]

    found = drawn(made, near=NearPairs(pairs, 7))

    assert found.heading(0, "near-duplicates in train and another split: 2 of 7 pairs")
    step = thumbnail.width_of(f"{rows[TRAIN, 'a'][0]:05}  train") + sheet.GAP
    step = max(step, sheet.SIDE + sheet.GAP)
    for column, (pair, split) in enumerate(product(pairs, (TRAIN, TEST))):
        row = pair.train if split == TRAIN else pair.other
        shown = found.image(0, column + column // 2, step)
        assert shown is not None
        assert found.captioned(shown, f"{row:05}  {split}")
    # A place is empty between the pairs.
    assert found.image(0, 2, step) is None
    assert drawn(made, near=NearPairs()).lines == 4


def test_changed_copies_are_shown_side_by_side() -> None:
    made, other = dataset(), dataset(source("a", "b", first=IMAGES))
    here, there = made.selection.rows[TEST, "a"][0], other.selection.rows[TRAIN, "b"][0]
    pair = CopiedPair(
        PlacedImage(other, there, TRAIN, "b", "v0"), PlacedImage(made, here, TEST, "a"), True
    )

    found = drawn(made, copied=CopiedImages([pair], 1))

    assert found.heading(0, "changed copies in train and another split: 1 of 1 pair")
    captions = f"{there:05}  train of v0", f"{here:05}  test, mirrored"
    step = max(sheet.SIDE, *map(thumbnail.width_of, captions)) + sheet.GAP
    for column, caption in enumerate(captions):
        shown = found.image(0, column, step)
        assert shown is not None
        assert found.captioned(shown, caption)
    assert drawn(made).lines == 4


def test_a_sample_keeps_the_label_of_the_source_where_its_class_is_another() -> None:
    made = source("a", "b", "c")
    old, new = dataset(made, class_="a", samples=7), dataset(made, class_="a")

    found = drawn(new, old)

    def named(row: int) -> str:
        label = str(made.labels[row])
        return f"{row:05}" if label == "a" else f"{row:05} ({label})"

    lines = [(split, folder) for folder in ("a", "noa") for split in BOTH]
    for line, place in enumerate(lines):
        assert found.captions(line, *map(named, new.selection.rows[place])), place
    gone = {row for row in old.selection.places() if row not in new.selection.places()}
    assert found.heading(4, "removed from train: 2 of 2")
    by_digest = sorted(gone, key=lambda row: made.digests[row])
    assert any("(" in named(row) for row in gone)
    assert found.captions(4, *map(named, by_digest), color=REMOVED)


def of_pixels(pixels: npt.NDArray[np.uint8]) -> Dataset:
    """Return a dataset of images with the shape of `pixels`, in which they are the first."""
    images = np.stack([pixels, *(np.full_like(pixels, gray) for gray in range(3))])
    return dataset(Table("made", images, np.array(["a"] * 4)), samples=4, test_size=1, class_="all")


def shown_of(made: Dataset) -> "Shown":
    rows = made.selection.rows
    split = next(split for split in BOTH if 0 in rows[split, "a"])
    shown = drawn(made).image(BOTH.index(split), rows[split, "a"].index(0))
    assert shown is not None
    return shown


def test_images_that_are_not_square_keep_their_proportions() -> None:
    for shape in ((4, 8), (8, 4), (1, 8)):
        shown = shown_of(of_pixels(np.full(shape, 200, np.uint8))).pixels[:, :, 0]
        drawn_at = np.argwhere(shown == 55)
        height, width = np.ptp(drawn_at, axis=0) + 1
        assert (height, width) == tuple(side * thumbnail.SIDE // 8 for side in shape)
        # In the middle, on white.
        above, left = drawn_at.min(axis=0)
        assert (above, left) == ((thumbnail.SIDE - height) // 2, (thumbnail.SIDE - width) // 2)
        assert (shown == 255).sum() == shown.size - len(drawn_at)


def test_colors_stay_as_they_are() -> None:
    red = np.zeros((4, 4, 3), np.uint8)
    red[..., 0] = 250

    assert (shown_of(of_pixels(red)).pixels == (250, 0, 0)).all()


def test_no_pixel_of_a_large_image_is_left_out() -> None:
    # One line in eight: every pixel of the thumbnail has a part of one.
    striped = np.zeros((448, 448), np.uint8)
    striped[::8] = 240

    assert (shown_of(of_pixels(striped)).pixels == 255 - 240 // 8).all()


@pytest.mark.parametrize(("encoding", "shown"), [("png", 245), ("original", 10)])
def test_gray_drawings_are_black_on_white_and_gray_photos_as_they_came(
    encoding: str, shown: int
) -> None:
    wish = config_file.parse(config_text(encoding=encoding).encode())
    found = np.asarray(thumbnail.draw(np.full((3, 3), 10, np.uint8), wish))
    assert (found == shown).all()
