"""The metadata of samples in the catalogue, and the choice from it, in a real browser."""

from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.doubles import browser as chromium
from tests.e2e.test_browser import OVERFLOW, VIOLATIONS, WIDTHS, address, browser, opened
from tests.site.conftest import EVIL, Catalogued

__all__ = ["browser"]

PAGE = "v0/train/dog/1.html"


def shown(page: Page) -> Locator:
    return page.locator(".cells li:visible")


def values(page: Page, column: str) -> set[str]:
    """Return the values of the images that are shown, "" where one has none."""
    found = set()
    for item in shown(page).all():
        row = item.locator("tr", has=page.get_by_role("rowheader", name=column, exact=True))
        found.add(row.locator("td").inner_text() if row.count() else "")
    return found


def test_a_choice_hides_the_other_images(browser: Browser, described: Catalogued) -> None:
    with opened(browser) as page:
        page.goto(address(described, PAGE))
        everything = shown(page).count()
        breed, age = page.get_by_label("breed"), page.get_by_label("age")
        status = page.locator(".filter output")

        breed.select_option("poodle")
        assert values(page, "breed") == {"poodle"}
        count = shown(page).count()
        assert 0 < count < everything
        expect(status).to_have_text(f"{count} of {everything} images of this page")

        breed.select_option(f"{EVIL[:39]}…")
        assert values(page, "breed") == {f"{EVIL[:39]}…"}
        breed.select_option("(none)")
        assert values(page, "breed") == {""}
        age.select_option("9")
        assert values(page, "age") <= {"9"}
        breed.select_option("all")
        assert values(page, "age") == {"9"}
        age.select_option("all")
        assert shown(page).count() == everything
        assert page.title() != "owned"


def test_a_picture_stays_that_of_its_sample(browser: Browser, described: Catalogued) -> None:
    places = """() => Object.fromEntries([...document.querySelectorAll(".cells li")].map((item) => [
        item.querySelector("span").textContent,
        getComputedStyle(item.querySelector("i")).getPropertyValue("--x"),
    ]))"""
    square = "i => [i.offsetWidth, i.offsetHeight]"
    with opened(browser) as page:
        page.goto(address(described, PAGE))
        expect(page.locator(".grid")).to_have_css("background-image", "none")
        before = page.evaluate(places)
        page.get_by_label("breed").select_option("siamese")
        assert page.evaluate(places) == before
        for picture in shown(page).locator("i").all():
            width, height = picture.evaluate(square)
            assert width == height > 0


def test_a_click_copies_the_row_of_an_image_that_is_shown(
    browser: Browser, described: Catalogued
) -> None:
    with opened(browser) as page:
        page.goto(address(described, PAGE))
        page.get_by_label("breed").select_option("poodle")
        item = shown(page).last
        item.locator("button").click()
        sample = item.locator("span").inner_text()
        expect(page.locator(".copying output")).to_have_text(f"Copied: {sample},exclude,dog,,")

        # Text in the table can be selected.
        page.evaluate("navigator.clipboard.writeText('')")
        item.locator("td").first.click()
        assert page.evaluate("navigator.clipboard.readText()") == ""


def test_the_keyboard_chooses_and_moves_among_what_is_shown(
    browser: Browser, described: Catalogued
) -> None:
    with opened(browser) as page:
        page.goto(address(described, PAGE))
        page.get_by_label("breed").focus()
        page.keyboard.type("sia")
        page.keyboard.press("Enter")
        assert values(page, "breed") == {"siamese"}
        samples = shown(page).locator("span").all_text_contents()
        first = shown(page).first.locator("button")
        for _ in range(4):
            if first.evaluate("one => one === document.activeElement"):
                break
            page.keyboard.press("Tab")
        expect(first).to_be_focused()
        for sample in samples[1:]:
            page.keyboard.press("ArrowRight")
            page.keyboard.press("Enter")
            expect(page.locator(".copying output")).to_contain_text(f"Copied: {sample},")

        # Exactly one image can be reached with Tab, whatever was shown before.
        for choice in ("poodle", "all"):
            page.get_by_label("breed").select_option(choice)
            expect(page.locator(".cells button[tabindex='0']")).to_have_count(1)
            expect(page.locator(".cells button[tabindex='0']")).to_be_visible()


def test_without_javascript_everything_is_shown(browser: Browser, described: Catalogued) -> None:
    with opened(browser, java_script_enabled=False) as page:
        page.goto(address(described, PAGE))
        expect(page.locator("form.filter")).to_be_hidden()
        assert shown(page).count() == page.locator(".cells table:visible").count() > 10


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_tables_and_the_page_fits(
    browser: Browser, described: Catalogued, width: int, scheme: Any
) -> None:
    with opened(browser, width, color_scheme=scheme) as page:
        for name in (PAGE, "v0/index.html"):
            page.goto(address(described, name))
            page.evaluate(chromium.AXE.read_text())
            assert page.evaluate(VIOLATIONS) == [], name
            assert page.evaluate(OVERFLOW) == 0, name
