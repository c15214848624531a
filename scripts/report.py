"""A diff as people and programs read it: text, Markdown, JSON."""

import json
from collections.abc import Sequence

from scripts.diff import Diff
from scripts.lock import total


def title(diff: Diff) -> str:
    """Return the outcome in one line."""
    if not diff.changed and diff.before:
        return f"dataset: no change against {diff.before.tag}"
    classes = len(diff.after.meta.counts["train"])
    before = total(diff.before.lock.meta.counts) if diff.before else 0
    change = f"{total(diff.after.meta.counts) - before:+,} samples"
    return f"dataset {diff.version}: {change}, {classes} class{'' if classes == 1 else 'es'}"


def text(diff: Diff) -> str:
    """Return `diff` for a terminal."""
    table = _table(diff)
    widths = [max(len(row[column]) for row in table) for column in range(len(table[0]))]
    lines = [title(diff), ""]
    for split, folder, *numbers in table:
        left = f"{split:{widths[0]}}  {folder:{widths[1]}}"
        lines.append(
            left + "".join(f"  {n:>{w}}" for n, w in zip(numbers, widths[2:], strict=True))
        )
    lines += ["", *(f"{name:9}{value}" for name, value in _facts(diff))]
    lines += [f"warning  {warning}" for warning in diff.warnings]
    return "\n".join(lines) + "\n"


def markdown(diff: Diff) -> str:
    """Return `diff` as a table for a pull request."""
    head, *rows = _table(diff)
    lines = [f"### {title(diff)}", ""]
    lines += [f"> [!WARNING]\n> {warning}\n" for warning in diff.warnings]
    lines += [_cells(head), "| --- | --- | ---: | ---: | ---: |"]
    lines += [_cells(row) for row in rows]
    lines += ["", *(f"- **{name}**: {value}" for name, value in _facts(diff))]
    return "\n".join(lines) + "\n"


def as_json(diff: Diff) -> str:
    """Return `diff` for a program."""
    lock, before = diff.after, diff.before
    content = {
        "title": title(diff),
        "changed": diff.changed,
        "version": diff.version if diff.changed else before and before.tag,
        "against": before and before.tag,
        "counts": [
            {
                "split": row.split,
                "class": row.folder,
                "before": row.before,
                "after": row.after,
                "difference": row.after - row.before,
            }
            for row in diff.rows
        ],
        "samples": diff.samples and vars(diff.samples),
        "bytes": {
            "before": before.lock.size if before else 0,
            "after": lock.size,
            "new": diff.new_bytes,
        },
        "md5": lock.md5,
        "warnings": diff.warnings,
    }
    return json.dumps(content, indent=2) + "\n"


def size(count: int) -> str:
    """Return a number of bytes as people say it."""
    units = ("B", "kB", "MB", "GB", "TB")
    power = min(max(len(str(count)) - 1, 0) // 3, len(units) - 1)
    return f"{count / 1000**power:.3g} {units[power]}"


def _table(diff: Diff) -> list[list[str]]:
    before = diff.before.tag if diff.before else "before"
    sums = (sum(row.before for row in diff.rows), sum(row.after for row in diff.rows))
    return [
        ["split", "class", before, "after", "difference"],
        *([row.split, row.folder, *_numbers(row.before, row.after)] for row in diff.rows),
        ["total", "", *_numbers(*sums)],
    ]


def _numbers(before: int, after: int) -> list[str]:
    return [f"{before:,}", f"{after:,}", f"{after - before:+,}" if after != before else "0"]


def _facts(diff: Diff) -> list[tuple[str, str]]:
    before = diff.before.lock.size if diff.before else 0
    bytes_ = (
        f"{size(before)} before, {size(diff.after.size)} after, {size(diff.new_bytes)} to store"
    )
    return [("samples", _samples(diff)), ("bytes", bytes_), ("md5", diff.after.md5)]


def _samples(diff: Diff) -> str:
    samples = diff.samples
    if samples is None:
        return "not known"
    words = [f"{samples.added:,} added", f"{samples.removed:,} removed"]
    if samples.refiled:
        words.append(f"{samples.refiled:,} under another class")
    if samples.moved:
        words.append(f"{samples.moved:,} moved between train and test")
    return ", ".join(words)


def _cells(row: Sequence[str]) -> str:
    return f"| {' | '.join(row)} |"
