"""The catalogue in a real browser, opened from the disk."""

import io
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise, product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, ViewportSize, expect

from scripts.inputs import curation
from tests.doubles import browser as chromium
from tests.repository import contents
from tests.site.conftest import Catalogued, quietly

WIDTHS, SCHEMES = (360, 1440), ("light", "dark")
HEIGHT = 900
# Milliseconds; a page of the disk is there at once.
TIMEOUT = 5_000
GRID = "v3/train/3/1.html"
KINDS = (
    *("index.html", "v0/index.html", "v3/index.html", GRID, "suspects/index.html"),
    *("compare/index.html", "compare/index.html#v0-v3", "compare/index.html#v1-v2"),
)
# Without preloading: a page of the disk may not read its style sheets as text.
VIOLATIONS = """
async () => (await axe.run({preload: false})).violations.map(
    (found) => `${found.id}: ${found.nodes.map((node) => node.html).slice(0, 3)}`
)
"""
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
# Where in which picture each sample of the page is.
PLACES = """
() => [...document.querySelectorAll(".cells li")].map((item) => {
    const style = getComputedStyle(item.querySelector("i"));
    const [x, y] = style.backgroundPosition.split(" ").map(parseFloat);
    return {
        sample: item.querySelector("span").textContent,
        image: decodeURI(new URL(style.backgroundImage.slice(5, -2)).pathname),
        column: Math.round(-x / parseFloat(style.width)),
        row: Math.round(-y / parseFloat(style.height)),
        ratio: parseFloat(style.height) / parseFloat(style.width),
    };
})
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if chromium.MISSING:
        pytest.skip(chromium.MISSING)
    with chromium.running() as opened:
        yield opened


@contextmanager
def opened(browser: Browser, width: int = 1440, **options: Any) -> Iterator[Page]:
    """Give an empty page; whatever it says on the console, or loads from elsewhere, fails."""
    viewport = ViewportSize(width=width, height=HEIGHT)
    context = browser.new_context(viewport=viewport, **options)
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    context.set_default_timeout(TIMEOUT)
    page, wrong = context.new_page(), list[str]()
    page.on("console", lambda message: wrong.append(f"console: {message.text}"))
    page.on("pageerror", lambda error: wrong.append(f"error: {error}"))
    page.on("requestfailed", lambda request: wrong.append(f"failed: {request.url}"))
    page.on("request", lambda request: wrong.extend(_elsewhere(request.url)))
    yield page
    context.close()
    assert wrong == []


def _elsewhere(url: str) -> list[str]:
    return [] if url.startswith(("file:", "data:")) else [f"loaded: {url}"]


def address(catalogued: Catalogued, name: str) -> str:
    file, hash_, part = name.partition("#")
    return f"{(catalogued.folder / file).as_uri()}{hash_}{part}"


def copied(page: Page) -> curation.Decision:
    """Return the row on the clipboard, as curation.csv is read."""
    row = page.evaluate("navigator.clipboard.readText()")
    expect(page.locator("output")).to_have_text(f"Copied: {row}")
    (decision,) = curation.parse(f"{','.join(curation.COLUMNS)}\n{row}\n".encode()).decisions
    return decision


def test_every_page_opens_and_fits_on_a_phone(browser: Browser, catalogued: Catalogued) -> None:
    with opened(browser, 360) as page:
        for file in catalogued.pages:
            page.goto(file.as_uri())
            assert page.evaluate(OVERFLOW) == 0, file


def test_a_reader_reaches_every_page_by_links(browser: Browser, catalogued: Catalogued) -> None:
    start = address(catalogued, "index.html")
    found, seen = [start], {start}
    with opened(browser) as page:
        while found:
            page.goto(found.pop())
            for link in page.eval_on_selector_all("a[href]", "all => all.map((a) => a.href)"):
                target = link.partition("#")[0]
                if target not in seen:
                    seen.add(target)
                    found.append(target)

    assert seen == {file.as_uri() for file in catalogued.pages}


@pytest.mark.parametrize(("width", "scheme"), [*product(WIDTHS, SCHEMES)])
def test_axe_finds_nothing(
    browser: Browser, catalogued: Catalogued, photographed: Catalogued, width: int, scheme: Any
) -> None:
    pages = [address(catalogued, name) for name in KINDS]
    pages += [address(photographed, name) for name in ("v0/index.html", "v0/train/dog/1.html")]
    with opened(browser, width, color_scheme=scheme) as page:
        for url in pages:
            page.goto(url)
            if "#" in url:
                expect(page.locator(".comparison")).to_be_visible()
            for details in page.locator("summary").all():
                details.click()
            # Not as a script tag, which the pages forbid.
            page.evaluate(chromium.AXE.read_text())
            assert page.evaluate(VIOLATIONS) == [], url
            assert page.evaluate(OVERFLOW) == 0, url


def test_the_dark_is_dark(browser: Browser, catalogued: Catalogued) -> None:
    brightness = {}
    for scheme in ("light", "dark"):
        with opened(browser, color_scheme=scheme) as page:
            page.goto(address(catalogued, "index.html"))
            shot = np.asarray(Image.open(io.BytesIO(page.screenshot())).convert("L"))
            brightness[scheme] = float(np.median(shot))

    assert brightness["light"] > 240
    assert brightness["dark"] < 40


@pytest.mark.parametrize("width", WIDTHS)
def test_each_picture_is_that_of_its_sample(
    browser: Browser, catalogued: Catalogued, photographed: Catalogued, width: int
) -> None:
    for known, name, ratio in (
        (catalogued, GRID, 1),
        (catalogued, "v3/index.html", 1),
        (photographed, "v0/train/dog/1.html", 8 / 12),
    ):
        assert quietly(known.repository.root, "build") == 0
        files = contents(known.repository.root / "dataset")
        by_sample = {Path(file).stem: content for file, content in files.items()}
        with opened(browser, width) as page:
            page.goto(address(known, name))
            places = page.evaluate(PLACES)
        there = [place for place in places if place["sample"] in by_sample]
        assert len(there) > 1
        for place in there:
            image = Image.open(io.BytesIO(by_sample[place["sample"]]))
            left, top = place["column"] * image.width, place["row"] * image.height
            part = Image.open(place["image"]).crop(
                (left, top, left + image.width, top + image.height)
            )
            assert part.tobytes() == image.tobytes(), place
            assert place["ratio"] == pytest.approx(ratio, abs=0.02)


def test_a_click_copies_a_row_of_the_curation(browser: Browser, catalogued: Catalogued) -> None:
    with opened(browser) as page:
        page.goto(address(catalogued, "v3/train/no3/1.html"))
        item = page.locator(".cells li", has_text="01712")
        item.click()
        assert copied(page)[:5] == ("01712", "exclude", "3", "", "")

        page.get_by_label("Action").select_option("test")
        page.get_by_label("Reason").fill('=looks like a "3", or not')
        item.click()
        assert copied(page)[:5] == ("01712", "test", "3", "", 'looks like a "3", or not')

        page.get_by_label("Action").select_option("relabel")
        item.click()
        expect(page.locator("output")).to_have_text("Give the new label first.")
        page.get_by_label("New label").fill("8")
        item.click()
        assert copied(page)[:5] == ("01712", "relabel", "3", "8", 'looks like a "3", or not')


def test_a_click_on_a_suspect_copies_the_row_that_relabels_it(
    browser: Browser, catalogued: Catalogued
) -> None:
    with opened(browser) as page:
        page.goto(address(catalogued, "suspects/index.html"))
        item = page.locator(".suspects li[data-suggested]").first
        words = item.locator("b").inner_text()
        item.click()
        row = copied(page)
        assert f"{row.label} → {row.new_label}?" == words
        assert row.action == "relabel"
        assert " most similar images are " in row.reason

        page.get_by_label("New label").fill("none of them")
        page.get_by_label("Reason").fill("seen")
        item.click()
        assert copied(page)[3:5] == ("none of them", "seen")


def test_pictures_of_a_change_and_near_duplicates_copy_rows_too(
    browser: Browser, catalogued: Catalogued, photographed: Catalogued
) -> None:
    with opened(browser) as page:
        page.goto(address(catalogued, "v2/index.html"))
        page.locator(".removed li", has_text="00060").click()
        assert copied(page)[:3] == ("00060", "exclude", "3")
        page.goto(address(photographed, "v0/index.html"))
        page.locator(".pairs .cells li").first.click()
        assert copied(page)[1:3] == ("exclude", "dog")


def test_all_of_it_works_by_keyboard(browser: Browser, catalogued: Catalogued) -> None:
    with opened(browser) as page:
        page.goto(address(catalogued, "index.html"))
        page.keyboard.press("Tab")
        expect(page.get_by_text("Skip to the content")).to_be_focused()
        page.goto(address(catalogued, GRID))
        page.get_by_label("Reason").focus()
        page.keyboard.press("Tab")
        for key in ("ArrowRight", "ArrowRight", "ArrowLeft", "ArrowDown", "ArrowUp", "Enter"):
            page.keyboard.press(key)
        second = page.locator(".cells li span").nth(1).text_content()
        assert copied(page).sample == second


def test_any_two_releases_are_compared(browser: Browser, catalogued: Catalogued) -> None:
    with opened(browser) as page:
        page.goto(address(catalogued, "index.html"))
        page.get_by_role("link", name="Compare").click()
        page.get_by_label("From").select_option("v2")
        page.get_by_label("To").select_option("v1")
        page.get_by_role("button", name="Compare").click()
        expect(page).to_have_url(address(catalogued, "compare/index.html#v1-v2"))
        expect(page.locator(".comparison h2")).to_have_text("v1 and v2")
        expect(page.locator(".choose output")).to_have_text(
            "2 added, 1 removed, 1 relabeled, 0 moved between splits"
        )
        assert page.locator(".relabeled li span").all_text_contents() == ["01712"]
        assert page.locator(".added li span").all_text_contents() == ["00735", "00005"]
        expect(page.get_by_text("The two are comparable")).to_be_visible()

        page.goto(address(catalogued, "compare/index.html#v0-v3"))
        expect(page.get_by_text("The two are not comparable")).to_be_visible()
        assert page.locator(".moved li b").all_text_contents() == ["train/3 → test/3"]


def test_without_javascript_a_release_is_compared_with_the_one_before(
    browser: Browser, catalogued: Catalogued
) -> None:
    with opened(browser, java_script_enabled=False) as page:
        page.goto(address(catalogued, "compare/index.html"))
        expect(page.locator("form.choose")).to_be_hidden()
        page.get_by_role("link", name="v2 and v3").click()
        expect(page.locator("h1")).to_have_text("v3")
        expect(page.get_by_role("heading", name="Change from v2")).to_be_visible()
        assert page.locator(".moved li b").all_text_contents() == ["train/3 → test/3"]
        page.get_by_role("link", name="69 images of train/3").click()
        expect(page.locator(".cells li")).to_have_count(69)
        expect(page.locator("form")).to_be_hidden()
        expect(page.locator(".cells li").first).to_be_visible()
        assert page.locator("button").count() == 0


def test_a_large_class_is_on_pages(browser: Browser, large: Catalogued) -> None:
    with opened(browser) as page:
        page.goto(address(large, "v0/index.html"))
        page.get_by_role("link", name="images of train/no3").click()
        seen: list[str] = []
        while True:
            seen += page.locator(".cells li span").all_text_contents()
            following = page.locator("a[rel=next]")
            if not following.count():
                break
            following.click()

    assert len(seen) == len(set(seen)) == 1514
    assert seen == sorted(seen)


def test_a_page_loads_and_runs_only_what_is_its_own(
    browser: Browser, catalogued: Catalogued, tmp_path: Path
) -> None:
    """Even if what people wrote were not escaped."""
    evil = (
        "<script>document.title = 'owned'</script><img src=x onerror=\"document.title = 'owned'\">"
        "<style>h1 { display: none }</style><p id=evil style='display: none'>"
        "<img src=https://example.com/b.png><iframe src=https://example.com></iframe>"
        "<link rel=stylesheet href=https://example.com/b.css><base href=https://example.com>"
    )
    copied = shutil.copytree(catalogued.folder, tmp_path / "site")
    file = copied / "index.html"
    file.write_text(file.read_text().replace('<main id="main">', f'<main id="main">{evil}'))
    page, loaded = browser.new_page(), list[str]()
    page.on("response", lambda response: loaded.append(response.url))
    page.goto(file.as_uri())

    assert page.title() != "owned"
    expect(page.locator("h1")).to_be_visible()
    expect(page.locator("#evil")).to_have_css("display", "block")
    assert not [url for url in loaded if "example.com" in url]
    page.get_by_role("link", name="Compare").click()
    expect(page).to_have_url((copied / "compare" / "index.html").as_uri())
    page.close()


def test_headings_are_in_order(browser: Browser, catalogued: Catalogued) -> None:
    with opened(browser) as page:
        for name in KINDS:
            page.goto(address(catalogued, name))
            if "#" in name:
                expect(page.locator(".comparison")).to_be_visible()
            levels = page.eval_on_selector_all(
                "h1, h2, h3, h4, h5, h6", "all => all.map((one) => Number(one.tagName[1]))"
            )
            assert levels[0] == 1
            assert levels.count(1) == 1
            assert all(after <= before + 1 for before, after in pairwise(levels)), name
