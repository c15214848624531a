"""Numbers in words."""

from collections.abc import Mapping


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
