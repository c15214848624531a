"""Comparisons that a real browser makes, against those that the code makes."""

import re
import shutil
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from itertools import combinations, product
from pathlib import Path
from random import Random
from threading import Thread
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from scripts.git.git import Git
from scripts.releases import diff
from scripts.releases.history import History
from scripts.review import plan, table
from scripts.site import entries, sections
from scripts.site.entries import CatalogueEntry
from tests.e2e.test_browser import address, browser, opened
from tests.repository import config_text, create
from tests.site.conftest import (
    NO_CURATION,
    Catalogued,
    Remove,
    catalogue_copy,
    earlier,
    forget,
    merge_and_release,
    quietly,
    read,
)
from tests.test_compatibility import cloned

__all__ = ["browser", "catalogue_copy", "forget"]

SIZE = {"samples": 40, "test_size": 10}
# Classes that are renamed, in an order that is not that of their numbers, with a third split.
CLASSES = {**SIZE, "class_": [8, 3, 5]}
MORE = {**CLASSES, "samples": 90, "validation_size": 8}
RELABELED = "sample,action,label,new_label,reason\n{row},relabel,3,8,\n"
PAGE = "compare/index.html"
# What the page shows of the two releases.
SHOWN = """
() => {
    const all = (from, what) => [...from.querySelectorAll(what)];
    const area = document.querySelector(".comparison");
    return {
        title: area.querySelector("h2").textContent,
        comparable: area.querySelector(".comparable").textContent,
        sections: all(area, ".sections section").map((one) => [
            one.querySelector("h3").textContent,
            all(one, "li").map((item) => [
                item.querySelector("span").textContent,
                item.querySelector("b").textContent,
                item.dataset.label,
                item.querySelector("i").className,
            ]),
            all(one, "small").map((small) => small.textContent),
        ]),
        rows: all(area, ".counts tr").map(
            (row) => all(row, "th, td").map((one) => one.textContent)
        ),
        labels: all(area, "datalist option").map((one) => one.value),
        command: area.querySelector(".command").textContent,
    };
}
"""


@pytest.fixture(scope="module")
def various(tmp_path_factory: pytest.TempPathFactory) -> Catalogued:
    """Releases with other classes, splits, sizes and seeds; one is withdrawn, one a revert."""
    place = tmp_path_factory.mktemp("various")
    repository = create(place, config_text(**SIZE))
    wishes: list[dict[str, Any]] = [SIZE, CLASSES, MORE, MORE, {**MORE, "image_size": 6}]
    wishes += [{**MORE, "seed": 1}, SIZE, {**SIZE, "format": "parquet"}]
    for number, wish in enumerate(wishes):
        row = _a_three(repository.root / "dataset") if number == 3 else ""
        text = config_text(**wish) + (f"comparable_since: v{number}\n" if number else "")
        merge_and_release(repository, text, RELABELED.format(row=row) if row else NO_CURATION)
        assert quietly(repository.root, "build") == 0
    repository.merge_file("releases.yaml", "withdrawn: {v1: wrong}\n")
    assert quietly(repository.root, "site", "--out", str(place / "site")) == 0
    return Catalogued(repository, place / "site")


def _a_three(dataset: Path) -> str:
    return min(path.stem for path in (dataset / "train" / "3").iterdir())


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Catalogued:
    """Releases whose locks are of the first schema, and one of now."""
    place = tmp_path_factory.mktemp("old")
    repository = cloned(place, "releases-without-schema")
    config = config_text(samples=12, test_size=3) + "comparable_since: v3\n"
    merge_and_release(repository, config)
    assert quietly(repository.root, "site", "--out", str(place / "site")) == 0
    return Catalogued(repository, place / "site")


def expected(before: CatalogueEntry, after: CatalogueEntry) -> dict[str, Any]:
    """Return what the code says of two releases, as the page should show it."""
    change = entries.compare(earlier(before), after)
    made = table.count_table(plan.counts(before.release.lock, after.release.lock))
    is_comparable = before.tag in (after.plan.comparable or ())
    return {
        "title": f"{before.tag} and {after.tag}",
        "comparable": "The two are comparable: no test or validation image of one is in the train"
        " set of the other."
        if is_comparable
        else f"The two are not comparable: {after.tag} is comparable {after.comparable}.",
        "sections": [_section(one) for one in sections.of(earlier(before), after, change)],
        "rows": [made.columns, *map(_row, [*made.changed, *made.unchanged, made.total])],
        "labels": after.new_labels,
        "command": f"python -m scripts diff {before.tag} {after.tag}",
    }


def _section(section: sections.Section) -> list[object]:
    pictures = []
    for one in section.shown:
        sheet, number = one.placed.sheet, one.placed.number
        style = f"small a-{sheet.key} x{number % 20} y{number // 20}"
        pictures.append([one.placed.identifier, one.words, one.label, style])
    more = section.count - len(section.shown)
    left_out = [f"{more:,} more are not shown."] if more else []
    return [f"{section.title}: {section.count:,}", pictures, left_out]


def _row(row: table.TableRow) -> list[str]:
    return [
        row.name,
        *(
            f"{cell.after:,}" + (f" ({cell.difference:+,})" if cell.difference else "")
            for cell in row.cells
        ),
    ]


def counts(page: Page) -> list[int]:
    """Return the numbers of added, removed, relabeled and moved samples that the page shows."""
    words = page.locator(".choose output").text_content() or ""
    if "are the same" in words:
        return [0, 0, 0, 0]
    found = re.fullmatch(
        r"([\d,]+) added, ([\d,]+) removed, ([\d,]+) relabeled, ([\d,]+) moved between splits",
        words,
    )
    assert found, words
    return [int(number.replace(",", "")) for number in found.groups()]


def compare(page: Page, catalogued: Catalogued, before: str, after: str) -> None:
    page.goto(f"{address(catalogued, PAGE)}#{before}-{after}")
    expect(page.locator(".comparison h2")).to_have_text(f"{before} and {after}")


@pytest.mark.parametrize("name", ["various", "old", "catalogued"])
def test_any_two_releases_are_compared_as_the_code_does(
    browser: Browser, name: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    catalogued: Catalogued = request.getfixturevalue(name)
    work = Git(catalogued.repository.root)
    history, every = History(work), read(work, tmp_path)
    for before, after in combinations(every, 2):
        with opened(browser) as page:
            compare(page, catalogued, before.tag, after.tag)
            assert page.evaluate(SHOWN) == expected(before, after)
            made = entries.compare(earlier(before), after)
            numbers = diff.of_releases(before.release, after.release, history).samples
            assert made
            assert numbers
            assert counts(page) == [
                *(numbers.added, numbers.removed, numbers.relabeled),
                len(made.moved),
            ]


def test_the_releases_that_are_compared_have_all_kinds_of_changes(
    various: Catalogued, old: Catalogued, tmp_path: Path
) -> None:
    """So that the test above means something."""
    found = set[str]()
    for catalogued in (various, old):
        every = read(Git(catalogued.repository.root), tmp_path / catalogued.folder.parent.name)
        for before, after in combinations(every, 2):
            shown = sections.of(earlier(before), after, entries.compare(earlier(before), after))
            found |= {one.title for one in shown}
            found |= {"more" for one in shown if one.count > len(one.shown)}
            found |= set() if shown else {"same"}
            found |= {f"schema {after.release.lock.meta.schema_}"}

    assert found == {
        *("Relabeled", "Moved between splits", "Added", "Removed", "more", "same"),
        *("schema 0", "schema 5"),
    }


def test_a_comparison_with_the_release_before_is_that_of_its_page(
    browser: Browser, various: Catalogued
) -> None:
    sections_of = 'all => all.map((one) => one.innerHTML.replaceAll("\\n", ""))'
    for number in range(1, 8):
        before, after = f"v{number - 1}", f"v{number}"
        with opened(browser) as page:
            page.goto(address(various, f"{after}/index.html"))
            of_page = page.locator("section:has(#change) .cells").evaluate_all(sections_of)
            compare(page, various, before, after)
            assert page.locator(".sections .cells").evaluate_all(sections_of) == of_page


def test_a_choice_can_be_made_again_and_linked(browser: Browser, various: Catalogued) -> None:
    with opened(browser) as page:
        page.goto(address(various, "v3/index.html"))
        page.get_by_role("link", name="Compare with another release").click()
        expect(page.locator(".comparison h2")).to_have_text("v2 and v3")
        page.get_by_label("From").select_option("v6")
        page.get_by_label("To").select_option("v1")
        page.get_by_role("button", name="Compare").click()
        expect(page.locator(".comparison h2")).to_have_text("v1 and v6")
        expect(page).to_have_url(f"{address(various, PAGE)}#v1-v6")
        page.get_by_label("From").select_option("v1")
        page.get_by_role("button", name="Compare").click()
        expect(page.locator(".choose output")).to_have_text("Choose two different releases.")
        expect(page.locator(".comparison")).to_be_hidden()


def test_only_the_files_of_two_releases_are_loaded(browser: Browser, various: Catalogued) -> None:
    loaded = list[str]()
    with opened(browser) as page:
        page.on("request", lambda request: loaded.append(request.url))
        page.goto(address(various, PAGE))
        assert not [url for url in loaded if "release.js" in url]
        compare(page, various, "v0", "v5")
        compare(page, various, "v0", "v4")

    names = [url.rpartition("site/")[2] for url in loaded if "release.js" in url]
    assert sorted(names) == ["v0/release.js", "v4/release.js", "v5/release.js"]


def test_releases_are_compared_on_a_server_too(browser: Browser, various: Catalogued) -> None:
    handler = partial(Quiet, directory=str(various.folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        page, said = browser.new_page(), list[str]()
        page.on("console", lambda message: said.append(message.text))
        page.goto(f"http://127.0.0.1:{server.server_port}/{PAGE}#v0-v1")
        expect(page.locator(".comparison h2")).to_have_text("v0 and v1")
        page.close()
        server.shutdown()

    assert said == []


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


@pytest.mark.parametrize("part", ["v0-v99", "v0-..", "../../evil-v1", "v1", "<b>"])
def test_an_address_with_anything_else_is_ignored(
    browser: Browser, various: Catalogued, part: str
) -> None:
    with opened(browser) as page:
        page.goto(f"{address(various, PAGE)}#{part}")
        expect(page.locator(".choose")).to_be_visible()
        expect(page.locator(".comparison")).to_be_hidden()
        assert page.locator(".choose output").text_content() == ""


def test_a_file_that_is_missing_is_a_message(
    browser: Browser, various: Catalogued, tmp_path: Path
) -> None:
    copied = Catalogued(various.repository, Path(shutil.copytree(various.folder, tmp_path / "s")))
    (copied.folder / "v2" / "release.js").unlink()
    page = browser.new_page()
    page.goto(f"{address(copied, PAGE)}#v1-v2")

    expect(page.locator(".choose output")).to_have_text("The file of v2 cannot be read.")
    expect(page.locator(".comparison")).to_be_hidden()
    page.close()


def test_of_a_release_that_cannot_be_read_the_counts_are_compared(
    browser: Browser, catalogue_copy: Catalogued, forget: Remove
) -> None:
    repository = catalogue_copy.repository
    forget(repository)
    shutil.rmtree(repository.bucket / "records")
    shutil.rmtree(catalogue_copy.folder)
    shutil.rmtree(repository.cache / "records", ignore_errors=True)
    assert quietly(repository.root, "site", "--out", str(catalogue_copy.folder)) == 0

    with opened(browser) as page:
        compare(page, catalogue_copy, "v0", "v2")
        expect(page.locator(".choose output")).to_have_text(
            "The images of one of the two releases cannot be read, so only the counts are known."
        )
        assert page.locator(".comparison .counts tr").count() == 4
        assert page.locator(".comparison .cells").count() == 0


def test_pictures_of_a_comparison_copy_rows(browser: Browser, various: Catalogued) -> None:
    with opened(browser) as page:
        compare(page, various, "v2", "v3")
        item = page.locator(".comparison .relabeled li").first
        sample = item.locator("span").text_content()
        item.click()
        output = page.locator(".copying output")
        expect(output).to_have_text(f"Copied: {sample},exclude,3,,")


def test_texts_are_in_the_order_of_the_code(browser: Browser, various: Catalogued) -> None:
    letters = "a~\ue000\U0001f600é3"
    found = ["".join(text) for length in range(4) for text in product(letters, repeat=length)]
    Random(0).shuffle(found)
    with opened(browser) as page:
        page.goto(address(various, PAGE))
        assert page.evaluate("texts => texts.sort(inOrder)", found) == sorted(found)
