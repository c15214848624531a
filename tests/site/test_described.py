"""The metadata of samples in the catalogue, and photos as they came."""

import csv
import html
import io
import re
from collections.abc import Iterator, Mapping
from html.parser import HTMLParser
from pathlib import Path

import pytest
from PIL import Image

from scripts.assets import samples
from scripts.errors import UserError
from scripts.git.git import Git
from scripts.releases import releases, resolve
from scripts.site.atlas import SIDE
from tests.repository import contents
from tests.site.conftest import EVIL, NOTES, Catalogued, quietly


class Tables(HTMLParser):
    """The table of each image of a page: the text and the title of each cell."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.cells: list[dict[str, tuple[str, str | None]]] = []
        self.tags: set[str] = set()
        self.options: list[list[str]] = []
        self._cell: tuple[str, str | None] | None = None
        self._column = self._text = ""
        self.feed(page.read_text())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self._text = ""
        if tag == "table":
            self.cells.append({})
        elif tag == "select":
            self.options.append([])
        elif tag == "td":
            self._cell = ("", dict(attrs).get("title"))

    def handle_data(self, data: str) -> None:
        self._text += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "th":
            self._column = self._text
        elif tag == "option":
            self.options[-1].append(self._text)
        elif tag == "td" and self._cell:
            self.cells[-1][self._column] = (self._text, self._cell[1])


def grids(catalogued: Catalogued) -> Iterator[Path]:
    return catalogued.folder.glob("v*/*/*/*.html")


def known(described: Catalogued) -> Mapping[str, dict[str, str]]:
    """Return the rows of the ingested table, by the name of the photo."""
    text = (described.repository.place / "photos" / "metadata.csv").read_bytes().decode()
    return {row["file_name"]: row for row in csv.DictReader(io.StringIO(text))}


def test_below_each_image_is_its_metadata_as_text(described: Catalogued) -> None:
    table, seen, notes = known(described), set[str](), dict[str, str | None]()
    for page in grids(described):
        found = Tables(page)
        assert found.tags.isdisjoint({"img"})
        assert 'onerror="' not in page.read_text()
        for cells in found.cells:
            name = cells["original_name"][0]
            seen.add(name)
            for column in ("breed", "age"):
                expected = table[name][column]
                shown, title = cells.get(column, ("", None))
                assert (title or shown) == expected
            if note := cells.get("note"):
                notes |= dict([note])

    assert len(seen) == 40
    assert notes.pop(NOTES[0][:39] + "…") == EVIL
    assert notes.pop("two lines, 'quoted' & \"quoted\"") == NOTES[2]
    assert notes.pop(("long " * 60)[:39] + "…") == NOTES[4]
    assert notes.pop("\\u202ereversed") == "\\u202ereversed"
    assert not notes


def test_the_metadata_is_that_of_the_files_of_the_release(described: Catalogued) -> None:
    work = Git(described.repository.root)
    (release,) = releases.scan(work).accepted
    expected = {
        one.identifier: one.metadata["original_name"]
        for one in samples.version_of(work, release).samples
    }
    shown = {}
    for page in grids(described):
        for item in page.read_text().split("<li ")[1:]:
            name = re.search(r"original_name</th><td[^>]*>([^<]*)</td>", item)
            sample = re.search(r"<span>(\w+)</span>", item)
            assert name
            assert sample
            shown[sample[1]] = html.unescape(name[1])

    assert shown == expected


def test_a_column_with_few_values_can_be_chosen_from(described: Catalogued) -> None:
    page = described.folder / "v0" / "train" / "dog" / "1.html"
    shown = EVIL[:39] + "…"

    # No names, of which each image has its own; numbers are in order.
    names = re.findall(r"<label>(\w+)", page.read_text().partition('class="filter"')[2])
    found = dict(zip(names, Tables(page).options[1:], strict=True))
    assert found.keys() == {"age", "breed", "note"}
    assert found["age"] == ["all", "9", "11"]
    assert found["breed"] == ["all", "(none)", shown, "poodle", "siamese"]


def test_without_metadata_nothing_is_added(catalogued: Catalogued) -> None:
    for page in grids(catalogued):
        text = page.read_text()
        for added in ("<table", 'class="filter"', "data-values", "described"):
            assert added not in text


def test_without_its_source_photos_are_shown_without_metadata(
    described: Catalogued, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unavailable(*_: object) -> None:
        raise UserError("the source is not available now")

    monkeypatch.setattr(resolve, "checked", unavailable)

    assert quietly(described.repository.root, "site", "--out", str(tmp_path / "site")) == 0

    for page in grids(Catalogued(described.repository, tmp_path / "site")):
        assert "<table" not in page.read_text()
        assert "<b>dog</b>" in page.read_text() or "<b>cat</b>" in page.read_text()


def test_photos_of_any_size_are_in_squares(described: Catalogued) -> None:
    styles = (described.folder / "images" / "atlases.css").read_text()
    atlases = re.findall(r"url\((\w+\.png)\)", styles)

    assert "--h" not in styles
    # Four pages, and the ambiguous image.
    assert len(atlases) == 5
    for name in atlases:
        with Image.open(described.folder / "images" / name) as atlas:
            assert atlas.width == 20 * SIDE
            assert atlas.height % SIDE == 0
    assert "1 image with two labels" in (described.folder / "v0" / "index.html").read_text()


def test_a_second_run_gives_the_same_bytes(described: Catalogued, tmp_path: Path) -> None:
    assert quietly(described.repository.root, "site", "--out", str(tmp_path / "site")) == 0

    assert contents(tmp_path / "site") == contents(described.folder)
