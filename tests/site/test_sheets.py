"""The sheets of a split and class grow at their end only."""

from hypothesis import given
from hypothesis import strategies as st

from scripts.site import sheets
from scripts.site.sheets import COLUMNS, PictureSheet, SheetPicture

numbers = st.sets(st.integers(0, 400), max_size=120)
most = st.integers(1, 30)


def pictures(some: set[int]) -> list[SheetPicture]:
    return [SheetPicture(f"{number:05}", f"{number:032x}") for number in some]


def on(found: list[PictureSheet] | tuple[PictureSheet, ...]) -> list[SheetPicture]:
    return [picture for sheet in found for picture in sheet.pictures]


@given(numbers, numbers, most)
def test_each_picture_is_on_one_sheet(old: set[int], new: set[int], most: int) -> None:
    before = sheets.extended((), pictures(old), most)
    after = sheets.extended(before, pictures(new), most)

    assert sorted(on([*after])) == sorted(pictures(new))
    assert all(0 < len(sheet.pictures) <= most for sheet in after)


@given(numbers, numbers, most)
def test_what_is_added_changes_the_last_sheet_only(
    old: set[int], added: set[int], most: int
) -> None:
    before = sheets.extended((), pictures(old), most)
    after = sheets.extended(before, pictures(old | added), most)

    assert [sheet for sheet in before[:-1] if sheet not in after] == []
    assert on([*after])[: len(old)] == on([*before])


@given(numbers, numbers, most)
def test_a_removal_changes_only_the_sheets_that_lose_something(
    old: set[int], removed: set[int], most: int
) -> None:
    before = sheets.extended((), pictures(old), most)
    after = sheets.extended(before, pictures(old - removed), most)

    gone = set(pictures(removed))
    untouched = [sheet for sheet in before if not gone & set(sheet.pictures)]
    assert {sheet.key for sheet in untouched} <= {sheet.key for sheet in after}


@given(numbers, most)
def test_the_same_samples_keep_their_sheets(some: set[int], most: int) -> None:
    before = sheets.extended((), pictures(some), most)

    assert list(sheets.extended(before, pictures(some), most)) == list(before)


def test_a_sheet_has_whole_rows_and_fewer_of_them_with_large_images() -> None:
    assert sheets.capacity(300) == 400
    assert sheets.capacity(10_000) == 140
    assert sheets.capacity(10_000_000) == sheets.capacity(1e12) == COLUMNS
    assert sheets.capacity(0) == 400
