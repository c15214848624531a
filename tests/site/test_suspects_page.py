"""The page of suspects of the newest release."""

import html
import re
from pathlib import Path
from unittest.mock import patch

from scripts.errors import UserError
from scripts.git.git import Git
from scripts.insight import suspects
from scripts.releases import releases, resolve
from scripts.site import suspects_page
from tests.repository import Repository, config_text, create
from tests.site.conftest import Catalogued, merge_and_release, quietly

PAGE = Path("suspects") / "index.html"
ITEM = re.compile(
    r'<li data-label="(.*?)" data-suggested="(.*?)" data-reason="(.*?)">.*?<span>(\w+)</span>'
)


def written(repository: Repository, folder: Path) -> str:
    assert quietly(repository.root, "site", "--out", str(folder)) == 0
    return (folder / PAGE).read_text()


def test_the_page_shows_what_the_verb_ranks(tmp_path: Path) -> None:
    repository = create(tmp_path, config_text(class_="all", samples=150, test_size=30))
    assert quietly(repository.root, "release") == 0
    git = Git(repository.root)
    dataset = resolve.of_release(git, releases.scan(git).get("v0"))
    places = dataset.selection.places()

    page = written(repository, tmp_path / "site")

    found = suspects.find(dataset, places).worst
    expected = [
        (one.label, one.suggested, one.why, dataset.images.identifier(one.row))
        for split in ("test", "train")
        for one in [one for one in found if places[one.row][0] == split][: suspects_page.MOST]
    ]
    assert expected
    assert [tuple(map(html.unescape, item)) for item in ITEM.findall(page)] == expected
    # Each beside the images that contradict it.
    assert page.count("</i>") == len(expected) * (1 + suspects_page.NEIGHBORS)


def test_it_is_taken_over_while_the_newest_release_is_the_same(
    catalogue_copy: Catalogued,
) -> None:
    repository, folder = catalogue_copy
    page = folder / PAGE
    was = page.stat().st_mtime_ns

    assert written(repository, folder)
    assert page.stat().st_mtime_ns == was
    page.write_text(page.read_text().replace("Labels", "Marks"))
    assert "Labels that look wrong" in written(repository, folder)
    before = page.stat().st_mtime_ns
    merge_and_release(repository, config_text(samples=40, test_size=10, comparable_since="v4"))
    assert ">v4</a>" in written(repository, folder)
    assert page.stat().st_mtime_ns != before


def test_a_release_that_cannot_be_made_again_has_the_reason(
    catalogue_copy: Catalogued,
) -> None:
    repository, folder = catalogue_copy
    merge_and_release(repository, config_text(samples=40, test_size=10, comparable_since="v4"))
    with patch.object(resolve, "of_release", side_effect=UserError("no source here")):
        page = written(repository, folder)

    assert "Unknown: no source here" in page
    # The next run tries again.
    assert "Unknown" not in written(repository, folder)
