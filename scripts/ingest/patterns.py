"""Labels in the names of files, found by a regular expression."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from scripts.errors import UserError
from scripts.ingest import names
from scripts.ingest.arrangement import classes_in_words
from scripts.ingest.options import NAME, IngestRequest
from scripts.inputs.values import MetadataValue

LABEL = "label"
# `Abdullah_0003.jpg` and `cat.17.jpg`, `n01_tench.JPEG`, `cat-left.png`
PATTERNS = (r"^([^\W\d_]+)[-_. ]*\d", r"_([^\W\d_]+)\.", r"^([^\W\d_]+)[-_. ]")


@dataclass(frozen=True)
class NamePattern:
    """A pattern that is searched in the name of a file; in its path, if the pattern has a slash.

    Its only group is the label. Or one group is named `label`, and others that are named are
    metadata.
    """

    compiled: re.Pattern[str]

    @property
    def others(self) -> list[str]:
        """The names of groups that are metadata."""
        return [name for name in self.compiled.groupindex if name != LABEL]

    def label(self, path: PurePosixPath) -> str:
        """Return the label of a file; raises `UserError` where there is none."""
        found = self._find(path)
        text = found and found[LABEL if self.others else 1]
        if not text:
            where = "path" if self._is_of_path else "name"
            raise UserError(f"its {where} does not match {self.compiled.pattern}")
        return names.label(text)

    def metadata(self, path: PurePosixPath) -> dict[str, MetadataValue]:
        """Return the other groups."""
        found = self._find(path)
        return {name: found[name] for name in self.others} if found else {}

    @property
    def _is_of_path(self) -> bool:
        return "/" in self.compiled.pattern

    def _find(self, path: PurePosixPath) -> re.Match[str] | None:
        return self.compiled.search(str(path) if self._is_of_path else path.name)


def parse(how: str) -> NamePattern:
    """Return what `name:PATTERN` stands for; raises `UserError` where it is not valid."""
    try:
        found = NamePattern(re.compile(how.removeprefix(NAME)))
    except re.error as error:
        raise UserError(f"--label {how} is no regular expression: {error}") from None
    groups = found.compiled.groupindex
    if found.compiled.groups == 1 or (LABEL in groups and len(groups) == found.compiled.groups):
        return found
    raise UserError(
        f"--label {how} needs one group in parentheses, which is the label; it has"
        f" {found.compiled.groups}. What is no group is written (?:...). Several groups need names:"
        " (?P<label>...), and others become metadata"
    )


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
