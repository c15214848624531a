"""What a proposed dataset changes, as people and programs read it: text, Markdown, JSON."""

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from scripts.config import CONFIG_FILE, ConfigError
from scripts.diff import Diff, say_images
from scripts.images import INK
from scripts.lock import Lock
from scripts.releases import Release
from scripts.selection import SPLITS, Split

# A class twice as large as another is what most training recipes want to be told of.
IMBALANCE = 2
# GitHub refuses comments of more than 65,536 characters, and nobody reads on that far. What is
# too much is left out whole: half a code span would let the rest of it render.
MOST_CHARACTERS = 60_000
MOST_FAULTS = 1_000
MOST_FAULTS_SHOWN = 20
MOST_ROWS = 100
MOST_WARNINGS = 10
MOST_IN_MESSAGE = 300

# Where a comment says which version it would become, or which one it does not change.
SAYS_VERSION = re.compile(r"publishes this as \*\*(v\d+)\*\*|no change against (v\d+)")

Tag = Annotated[str, Field(pattern=r"^v[0-9]{1,9}$")]
# A class or a revision, as it may stand in a table without being taken for Markdown.
NAME = r"^[A-Za-z0-9_.+/~^-]{1,120}$"
Name = Annotated[str, Field(pattern=NAME)]
Number = Annotated[int, Field(ge=0, lt=10**15)]
Message = Annotated[str, Field(max_length=MOST_IN_MESSAGE)]
SketchLine = Annotated[str, Field(pattern=f"^[{INK}]{{0,200}}$")]


class _Part(BaseModel):
    # Strict and bounded in every field: a report can come from a fork, and what is shown of it is
    # drawn here from numbers and names, never from text that the fork wrote.
    model_config = ConfigDict(strict=True, frozen=True, extra="forbid", populate_by_name=True)


class Count(_Part):
    """The number of images of one split and class, before and after."""

    split: Split
    folder: Name = Field(alias="class")
    before: Number
    after: Number


class SampleChange(_Part):
    """How single samples fare; see `diff.Samples`."""

    added: Number
    removed: Number
    refiled: Number
    to_train: Number
    to_test: Number


class Bytes(_Part):
    """The size of all files before and after, and what the remote gains."""

    before: Number
    after: Number
    new: Number


class Sketch(_Part):
    """A few of the images of one split and class, drawn in characters."""

    split: Split
    folder: Name = Field(alias="class")
    lines: Annotated[list[SketchLine], Field(max_length=32)]


class Change(_Part):
    """What a dataset changes against the version `against` (None: it is the first)."""

    version: Tag
    against: Name | None
    changed: bool
    counts: Annotated[list[Count], Field(max_length=20_000)]
    samples: SampleChange | None
    bytes: Bytes
    md5: Annotated[str, Field(pattern=r"^[0-9a-f]{32}\.dir$")]
    source_changed: bool
    retrained: dict[Tag, Number]
    sketches: Annotated[list[Sketch], Field(max_length=100)] = []


class Fault(_Part):
    """One thing that is wrong, and where, if it stands in a file."""

    file: Literal["dataset_config.yaml", "dataset.dvc"] | None
    line: Number
    column: Number
    message: Message


class Report(_Part):
    """What reviewers see: a change, or the faults because of which there is none.

    `stored` says whether the remote holds the files: `no` for what is stored at the merge only.
    """

    change: Change | None = None
    faults: Annotated[list[Fault], Field(max_length=MOST_FAULTS)] = []
    stored: Literal["yes", "no", "failed"] | None = None


def of(diff: Diff, sketches: Sequence[Sketch] = ()) -> Change:
    """Return `diff` as plain data."""
    before = diff.before
    return Change(
        version=diff.version,
        against=before and (before.tag if re.fullmatch(NAME, before.tag) else before.commit[:10]),
        changed=diff.changed,
        counts=_counts(before.lock if before else None, diff.after),
        samples=SampleChange(**vars(diff.samples)) if diff.samples else None,
        bytes=Bytes(
            before=before.lock.size if before else 0, after=diff.after.size, new=diff.new_bytes
        ),
        md5=diff.after.md5,
        source_changed=before is not None and before.lock.meta.source != diff.after.meta.source,
        retrained=diff.retrained,
        sketches=list(sketches),
    )


def faults(error: Exception) -> list[Fault]:
    """Return the faults that `error` tells of."""
    if not isinstance(error, ConfigError):
        return [Fault(file=None, line=0, column=0, message=_bounded(str(error)))]
    file: Literal["dataset_config.yaml", "dataset.dvc"] = (
        "dataset_config.yaml" if error.file == CONFIG_FILE else "dataset.dvc"
    )
    return [
        Fault(file=file, line=place.line, column=place.column, message=_bounded(message))
        for place, message in error.problems[:MOST_FAULTS]
    ]


def title(report: Report) -> str:
    """Return the outcome in one line."""
    change = report.change
    if change is None:
        count = len(report.faults)
        return f"dataset: cannot be made, {count} problem{'' if count == 1 else 's'}"
    if not change.changed:
        return f"dataset: no change against {change.against}"
    classes = len({count.folder for count in change.counts if count.after})
    samples = sum(count.after - count.before for count in change.counts)
    return (
        f"dataset {change.version}: {samples:+,} samples,"
        f" {classes} class{'' if classes == 1 else 'es'}"
    )


def warnings(change: Change) -> list[str]:
    """Return what a reviewer should look at twice."""
    found = _imbalance(change.counts)
    samples, against = change.samples, change.against
    if change.source_changed:
        found.append(f"The source is not the one of {against}: every sample is another one.")
    elif samples is None:
        found.append(
            f"{against} was selected by other rules, so nobody can tell here which samples are"
            " added, removed or moved between train and test."
        )
    elif samples.to_train or samples.to_test:
        found.append(
            f"{say_images(samples.to_train)} of {against} would move from test to train, and"
            f" {say_images(samples.to_test)} from train to test."
        )
    found += [
        f"{say_images(count)} of the test set of {tag} would be trained on: results on {tag} cannot"
        " be compared with results on this version."
        for tag, count in change.retrained.items()
    ]
    more = f"There are {len(found) - MOST_WARNINGS:,} more of these."
    return found if len(found) <= MOST_WARNINGS else [*found[:MOST_WARNINGS], more]


def text(change: Change) -> str:
    """Return `change` for a terminal."""
    table = _table(change)
    widths = [max(len(row[column]) for row in table) for column in range(len(table[0]))]
    lines = [title(Report(change=change)), ""]
    for split, folder, *numbers in table:
        left = f"{split:{widths[0]}}  {folder:{widths[1]}}"
        right = (f"  {n:>{width}}" for n, width in zip(numbers, widths[2:], strict=True))
        lines.append(left + "".join(right))
    lines += ["", *(f"{name:9}{value}" for name, value in _facts(change))]
    lines += [f"warning  {warning}" for warning in warnings(change)]
    return "\n".join(lines) + "\n"


def as_json(change: Change) -> str:
    """Return `change` for a program."""
    return change.model_dump_json(by_alias=True, indent=2, exclude={"sketches"}) + "\n"


def markdown(change: Change) -> str:
    """Return `change` as a title, warnings and tables."""
    lines = [f"### {title(Report(change=change))}", ""]
    lines += [f"> [!WARNING]\n> {warning}\n" for warning in warnings(change)]
    lines += _markdown_table(_table(change))
    lines += ["", *(f"- **{name}**: {value}" for name, value in _facts(change))]
    return "\n".join(lines) + "\n"


def comment(report: Report, sheet: str | None = None) -> str:
    """Return what a pull request shows its reviewers; `sheet` is where the contact sheet is."""
    change = report.change
    if change is None:
        return _fault_list(report)
    link = f"[Look at the samples]({sheet}) as a picture.\n" if sheet else ""
    sketches = _sketches(change) if change.sketches else ""
    table, end = markdown(change), _at_the_merge(change, report.stored)
    if len(table) + len(sketches) > MOST_CHARACTERS:
        sketches = ""
    return "\n".join(filter(None, [table, link, sketches, end]))


def notes(release: Release, before: Release | None, repository: str) -> str:
    """Return the text of a release: its counts against the one before, and how to get it."""
    counts = _counts(before.lock if before else None, release.lock)
    table = _markdown_table(_count_table(counts, before.tag if before else "before"))
    source = release.lock.meta.source
    return "\n".join(
        [
            *table,
            "",
            f"- **source**: {literal(source.name)}",
            f"- **bytes**: {size(release.lock.size)} in {release.lock.nfiles:,} files",
            f"- **md5**: {release.lock.md5}",
            "",
            "```sh",
            f"dvc get {repository} dataset --rev {release.tag}      # the files",
            f"dvc import {repository} dataset --rev {release.tag}   # and a record of their origin",
            "```",
            "",
        ]
    )


def notes_title(release: Release, before: Release | None) -> str:
    """Return the title of a release."""
    difference = release.lock.nfiles - (before.lock.nfiles if before else 0)
    return f"{release.tag}: {release.lock.nfiles:,} samples ({difference:+,})"


def literal(text: str) -> str:
    """Return `text` as a Markdown code span: shown as it is, whatever it holds.

    Inside of one nothing renders, links or notifies; it only must not end early, so its fence is
    longer than any run of backticks within.
    """
    flat = " ".join(text.split()) or " "
    fence = "`" * (max((len(run) for run in re.findall("`+", flat)), default=0) + 1)
    return f"{fence} {flat} {fence}" if "`" in flat else f"{fence}{flat}{fence}"


def size(count: int) -> str:
    """Return a number of bytes as people say it."""
    value, units = float(count), ["TB", "GB", "MB", "kB", "B"]
    # 999.5 would be said as 1000 of its unit, so it is 1 of the next.
    while value >= 999.5 and len(units) > 1:  # noqa: PLR2004
        value /= 1000
        units.pop()
    return f"{value:.3g} {units[-1]}"


def in_words(counts: Mapping[str, Mapping[str, int]]) -> str:
    """Return counts by split and class in one line."""
    return "; ".join(
        f"{split} " + ", ".join(f"{folder}: {count:,}" for folder, count in by_folder.items())
        for split, by_folder in counts.items()
    )


def _counts(before: Lock | None, after: Lock) -> list[Count]:
    old, new = before.meta.counts if before else {}, after.meta.counts
    return [
        Count(
            split=split,
            folder=folder,
            before=old.get(split, {}).get(folder, 0),
            after=new[split].get(folder, 0),
        )
        for split in SPLITS
        for folder in new[split] | old.get(split, {})
    ]


def _imbalance(counts: Sequence[Count]) -> list[str]:
    sizes: dict[str, int] = {}
    for count in counts:
        sizes[count.folder] = sizes.get(count.folder, 0) + count.after
    sizes = {folder: size for folder, size in sizes.items() if size}
    if not sizes or max(sizes.values()) < IMBALANCE * min(sizes.values()):
        return []
    small, large = min(sizes, key=sizes.__getitem__), max(sizes, key=sizes.__getitem__)
    return [
        f"The classes are out of balance: {large} has {sizes[large]:,} images,"
        f" {sizes[large] / sizes[small]:.1f} times the {sizes[small]:,} of {small}."
    ]


def _table(change: Change) -> list[list[str]]:
    return _count_table(change.counts, change.against or "before")


def _count_table(counts: Sequence[Count], before: str) -> list[list[str]]:
    sums = (sum(count.before for count in counts), sum(count.after for count in counts))
    return [
        ["split", "class", before, "after", "difference"],
        *([count.split, count.folder, *_numbers(count.before, count.after)] for count in counts),
        ["total", "", *_numbers(*sums)],
    ]


def _numbers(before: int, after: int) -> list[str]:
    return [f"{before:,}", f"{after:,}", f"{after - before:+,}" if after != before else "0"]


def _facts(change: Change) -> list[tuple[str, str]]:
    bytes_ = change.bytes
    sizes = f"{size(bytes_.before)} before, {size(bytes_.after)} after, {size(bytes_.new)} to store"
    return [("samples", _samples(change.samples)), ("bytes", sizes), ("md5", change.md5)]


def _samples(samples: SampleChange | None) -> str:
    if samples is None:
        return "not known"
    words = [f"{samples.added:,} added", f"{samples.removed:,} removed"]
    if samples.refiled:
        words.append(f"{samples.refiled:,} under another class")
    if moved := samples.to_train + samples.to_test:
        words.append(f"{moved:,} moved between train and test")
    return ", ".join(words)


def _markdown_table(table: Sequence[Sequence[str]]) -> list[str]:
    head, *rows, total = (f"| {' | '.join(map(_cell, row))} |" for row in table)
    if len(rows) > MOST_ROWS:
        rows[MOST_ROWS:] = [f"| … | {len(rows) - MOST_ROWS:,} more | | | |"]
    return [head, "| --- | --- | ---: | ---: | ---: |", *rows, total]


def _cell(text: str) -> str:
    # Dots and dashes could make an address or a reference of a name; GitHub would link it.
    return literal(text) if re.search(r"[A-Za-z][A-Za-z0-9]*[^A-Za-z0-9 ]", text) else text


def _fault_list(report: Report) -> str:
    lines = [f"### {title(report)}", ""]
    for fault in report.faults[:MOST_FAULTS_SHOWN]:
        place = (
            f"**{fault.file}, line {fault.line}, column {fault.column}**: " if fault.file else ""
        )
        lines.append(f"- {place}{literal(fault.message)}")
    if len(report.faults) > MOST_FAULTS_SHOWN:
        lines.append(f"- and {len(report.faults) - MOST_FAULTS_SHOWN:,} more")
    lines += ["", "Push a commit that puts it right, and this comment changes with it."]
    return "\n".join(lines) + "\n"


def _sketches(change: Change) -> str:
    lines = ["<details><summary>A look at the samples</summary>", "", "```text"]
    for sketch in change.sketches:
        lines += [f"{sketch.split}/{sketch.folder}", *sketch.lines, ""]
    return "\n".join([*lines, "```", "", "</details>", ""])


def _at_the_merge(change: Change, stored: str | None) -> str:
    if not change.changed:
        return "The merge publishes no new version: the dataset stays as it is.\n"
    where = {
        "yes": "The files are in the remote already",
        "no": "The files go to the remote at the merge",
        "failed": "**The files did not reach the remote**; the run says why. The merge tries again",
    }
    said = f"{where[stored]}. " if stored else ""
    return f"{said}The merge publishes this as **{change.version}**, unless another is first.\n"


def _bounded(text: str) -> str:
    return text if len(text) <= MOST_IN_MESSAGE else text[: MOST_IN_MESSAGE - 1] + "…"
