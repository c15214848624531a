"""A real browser: Chromium without a window, as Playwright drives it."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

PROGRAMS = ("chromium-headless-shell", "google-chrome", "chromium")
PROGRAM = next(filter(None, map(shutil.which, PROGRAMS)), None)
AXE = Path(__file__).parent / "node_modules" / "axe-core" / "axe.min.js"
MISSING = (
    "no Chromium is installed, such as Debian's chromium-headless-shell"
    if PROGRAM is None
    else None
    if AXE.is_file()
    else "axe-core is not installed: make tools"
)


@contextmanager
def running() -> Iterator[Browser]:
    """Give a browser, which ends with the block."""
    # Chromium's sandbox refuses to work for root.
    arguments = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=PROGRAM, args=arguments)
        try:
            yield browser
        finally:
            browser.close()
