"""Marks withdrawn releases in their notes."""

import re

from github.GitRelease import GitRelease

from scripts.errors import UserError
from scripts.github import uploads
from scripts.github.client import GitHub
from scripts.github.retries import reporting
from scripts.releases.history import History
from scripts.review import render

BEGIN, END = "<!-- withdrawn -->\n", "<!-- /withdrawn -->\n"
MARK = re.compile(f"{re.escape(BEGIN)}.*?{re.escape(END)}", re.DOTALL)


def marked(notes: str, reason: str | None) -> str:
    """Return `notes` with the mark for `reason`; None removes the mark."""
    plain = MARK.sub("", notes)
    return plain if reason is None else f"{BEGIN}{render.withdrawn(reason)}{END}{plain}"


def mark(hub: GitHub, history: History, reasons: dict[str, str]) -> list[str]:
    """Mark exactly the withdrawn releases; return the failures.

    `reasons` has the reason of each withdrawn tag. Correct notes are not written again.
    """
    published, failures = hub.releases(), []
    for release in history.releases:
        found = uploads.find(published, release.tag)
        if found is None or found.draft:
            continue
        try:
            _mark(found, reasons.get(release.tag), latest=release == history.latest)
        except UserError as error:
            failures.append(f"{release.tag}: {error}")
    return failures


def _mark(found: GitRelease, reason: str | None, *, latest: bool) -> None:
    # Editing in a browser changes line endings.
    before = (found.body or "").replace("\r\n", "\n")
    after = marked(before, reason)
    if after != before:
        with reporting(f"mark the release {found.tag_name}"):
            found.update_release(
                found.name or found.tag_name,
                after,
                prerelease=found.prerelease,
                make_latest="true" if latest else "false",
            )
