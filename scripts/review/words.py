"""Formats numbers and releases in words."""

from collections.abc import Mapping, Sequence

from scripts.releases import lock
from scripts.releases.releases import number
from scripts.releases.tag_ranges import ranges, tags_in_words
from scripts.review.report import Plan

# A report can hold thousands of releases; a comment cannot.
MAX_RANGES = 5


def size(count: int) -> str:
    """Return a number of bytes with its unit, such as 18.5 MB."""
    value, units = float(count), ["TB", "GB", "MB", "kB", "B"]
    # 999.5 would be shown as 1000 of its unit, so it is 1 of the next.
    while value >= 999.5 and len(units) > 1:  # noqa: PLR2004
        value /= 1000
        units.pop()
    return f"{value:.3g} {units[-1]}"


def counts_in_words(by_split: Mapping[str, Mapping[str, int]]) -> str:
    """Return counts by split and class in one line."""
    return "; ".join(
        f"{split} " + ", ".join(f"{folder}: {count:,}" for folder, count in by_folder.items())
        for split, by_folder in by_split.items()
    )


def counted(count: int, noun: str) -> str:
    """Return a number with its noun, such as 3 classes."""
    plural = f"{noun}es" if noun.endswith("s") else f"{noun}s"
    return f"{count:,} {noun if count == 1 else plural}"


def few(words: str, more: int) -> str:
    """Return `words` and the number of others, if any."""
    return f"{words} and {more:,} more" if more > 0 else words


def tags(names: Sequence[str]) -> str:
    """Return the tags of releases in words, oldest first: at most a few ranges of them."""
    ordered = sorted(set(names), key=number)
    shown = sum(len(run) for run in lock.runs(ordered)[:MAX_RANGES])
    return first_tags(ordered, shown)


def first_tags(ordered: Sequence[str], shown: int) -> str:
    """Return the first `shown` of `ordered` in words, and the number of others, if any."""
    more = len(ordered) - shown
    return few(ranges(ordered[:shown]), more) if more > 0 else tags_in_words(ordered)


def comparable(plan: Plan) -> str:
    """Return the comparable and incomparable releases of a plan in words."""
    if plan.comparable is None:
        return "not known"
    if not (plan.comparable or plan.incomparable or plan.unknown):
        return "no release: this is the first one"
    parts = [tags(plan.comparable) or "no release"]
    if plan.incomparable:
        parts.append(f"not with {tags(plan.incomparable)}")
    if plan.unknown:
        parts.append(f"not known for {tags(plan.unknown)}")
    return ", ".join(parts)
