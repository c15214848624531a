"""Paths that a location gives: safe ones, without what systems leave beside files."""

import re
from pathlib import PurePosixPath

from scripts.ingest.findings import Findings

# What systems leave beside files, in lower case; names that begin with a dot are hidden too.
HIDDEN = {
    *("__macosx", "thumbs.db", "ehthumbs.db", "desktop.ini", "@eadir", "$recycle.bin"),
    *("system volume information", "lost+found", "icon\r"),
}
# `C:` at the beginning of a path on Windows.
DRIVE = re.compile("[A-Za-z]:/")


def checked(path: str, problems: Findings) -> PurePosixPath | None:
    """Return `path` without empty parts; None for a file that is hidden or has an unsafe path."""
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if path.startswith("/") or DRIVE.match(path) or ".." in parts or "\\" in path:
        problems.add(path, "its path is absolute, or contains .. or a backslash")
        return None
    if any(part.startswith(".") or part.lower() in HIDDEN for part in parts) or not parts:
        return None
    return PurePosixPath(*parts)
