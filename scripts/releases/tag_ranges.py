"""Lists of tags in words: ranges of consecutive ones in short."""

from collections.abc import Sequence

from scripts.releases import lock


def tags_in_words(tags: Sequence[str]) -> str:
    """Return `tags` in words, ranges of consecutive ones in short: `v0 to v4 and v6`."""
    words = _ranges(tags)
    return " and ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))


def ranges(tags: Sequence[str]) -> str:
    """Return `tags` as the beginning of a list: `v0 to v4, v6`."""
    return ", ".join(_ranges(tags))


def _ranges(tags: Sequence[str]) -> list[str]:
    words: list[str] = []
    for run in lock.runs(tags):
        words += [f"{run[0]} to {run[-1]}"] if len(run) > 2 else run  # noqa: PLR2004
    return words
