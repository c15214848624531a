"""Labels in the names of files: which pattern probably finds them."""

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import PurePosixPath

from scripts.ingest.arrangement import classes_in_words
from scripts.ingest.options import NAME, IngestRequest

# `Abdullah_0003.jpg` and `cat.17.jpg`, `n01_tench.JPEG`, `cat-left.png`
PATTERNS = (r"^([^\W\d_]+)[-_. ]*\d", r"_([^\W\d_]+)\.", r"^([^\W\d_]+)[-_. ]")


def likely(paths: Sequence[PurePosixPath]) -> tuple[str, str] | None:
    """Return a pattern that finds a few labels in all names, and these in words."""
    for pattern in PATTERNS:
        found = [re.search(pattern, path.name) for path in paths]
        if not all(found):
            continue
        classes: Counter[str | None] = Counter(one[1] for one in found if one)
        if 1 < len(classes) <= len(paths) / 2:
            return pattern, classes_in_words(classes)
    return None


def advice(request: IngestRequest, paths: Sequence[PurePosixPath]) -> str:
    """Return how to take labels from the names of files."""
    pattern, found = likely(paths) or ("PATTERN", "")
    gives = f" (which finds {found})" if found else ", a regular expression with one group"
    command = request.command(label=f"{NAME}{pattern}")
    return f"\nWith labels from the names of the files{gives}:{command}"
