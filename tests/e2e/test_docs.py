"""The documentation as a site, opened from the disk."""

import subprocess

import pytest
from playwright.sync_api import expect

from tests.doubles import browser as chromium
from tests.e2e.test_browser import OVERFLOW, opened
from tests.repository import PROJECT

SITE = PROJECT / "docs-site"
PHONE = 360


def test_the_site_has_a_search_and_fits_on_a_phone_and_loads_nothing_from_elsewhere() -> None:
    if chromium.MISSING:
        pytest.skip(chromium.MISSING)
    subprocess.run(["make", "docs"], cwd=PROJECT, check=True)
    # 404.html is for servers.
    pages = sorted({*SITE.glob("*.html")} - {SITE / "404.html"})
    assert {"index.html", "keys.html", "verbs.html", "faq.html"} <= {page.name for page in pages}

    with chromium.running() as browser:
        with opened(browser) as page:
            page.goto((SITE / "index.html").as_uri())
            page.get_by_placeholder("Search").fill("comparable_since")
            found = page.locator(".md-search-result__link", has_text="Config keys").first
            expect(found).to_be_visible()
            found.click()
            expect(page.locator("h1")).to_contain_text("Config keys")
        with opened(browser, PHONE) as page:
            for file in pages:
                page.goto(file.as_uri())
                assert page.evaluate(OVERFLOW) == 0, file
