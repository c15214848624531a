"""Describes a change of `releases.yaml` in words."""

from collections.abc import Sequence

from scripts.releases.releases import number
from scripts.review.report import Promotion
from scripts.review.words import first_tags

# A report can hold thousands of releases; a comment cannot.
MAX_NAMED = 5


def in_words(change: Promotion | None) -> str:
    """Return `change` in words, such as `moves stable from v2 to v3`; empty for None."""
    if change is None:
        return ""
    parts, before, after = [], change.before, change.after
    if before != after:
        moved = f"moves stable from {before} to {after}"
        removed = f"removes stable, which is {before}"
        parts.append(moved if before and after else f"makes {after} stable" if after else removed)
    if change.withdrawn:
        parts.append(f"withdraws {_named(change.withdrawn)}")
    if change.restored:
        parts.append(f"cancels the withdrawal of {_named(change.restored)}")
    return ", ".join(parts)


def _named(tags: Sequence[str]) -> str:
    return first_tags(sorted(tags, key=number), MAX_NAMED)
