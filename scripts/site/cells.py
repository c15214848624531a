"""The images of a page, each with its identifier, its label and its metadata."""

import html
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from markupsafe import Markup

from scripts.assets.columns import MetadataColumn, columns_of
from scripts.assets.samples import ReleasedSample
from scripts.errors import printable
from scripts.releases.releases import Release
from scripts.site.known import KnownSamples
from scripts.site.sheets import PictureSheet

# The characters of a value that are shown.
MAX_SHOWN = 40
# A column with so many values on a page can be chosen from.
MIN_VALUES, MAX_VALUES = 2, 12
NUMBERS = ("int64", "float64")
NONE = "(none)"


class Described(NamedTuple):
    """The samples of a release that have metadata, by identifier, and their columns."""

    samples: Mapping[str, ReleasedSample]
    columns: Sequence[MetadataColumn]


class CellFilter(NamedTuple):
    """A column with few values on a page, as they are shown, and the number of each image's."""

    name: str
    values: Sequence[str]
    numbers: Sequence[int]


class Cells(NamedTuple):
    """The images of a page, and what they can be filtered by."""

    items: Markup
    filters: Sequence[CellFilter]
    are_described: bool


def describe(known: KnownSamples, release: Release) -> Described:
    """Return the samples of `release` that have metadata."""
    found = known.described(release)
    return Described(found, columns_of(found.values(), ()))


def of_sheet(known: KnownSamples, label: str, sheet: PictureSheet, described: Described) -> Cells:
    """Return the images of a page; not a template, which would take many times as long."""
    samples = [described.samples.get(picture.identifier) for picture in sheet.pictures]
    filters = [*_filters(samples, described.columns)]
    lines = []
    for number, (picture, sample) in enumerate(zip(sheet.pictures, samples, strict=True)):
        own, decision = known.label(picture.identifier), known.decision(picture.identifier)
        below = html.escape(label if own is None else own)
        more = f"<em>{html.escape(decision)}</em>" if decision else ""
        if sample:
            more += _table(sample, described.columns)
        values = " ".join(str(one.numbers[number]) for one in filters)
        start = f'<li data-values="{values}">' if filters else "<li>"
        lines.append(f"{start}<i></i><span>{picture.identifier}</span><b>{below}</b>{more}")
    # Identifiers are letters and digits, everything else is escaped.
    return Cells(Markup("\n".join(lines)), filters, any(samples))  # noqa: S704


def _filters(
    samples: Sequence[ReleasedSample | None], columns: Sequence[MetadataColumn]
) -> Iterator[CellFilter]:
    """Yield the columns with few values. Where each image has its own, there is no choice."""
    for column in columns:
        cells = [column.cell(sample) if sample else "" for sample in samples]
        found = dict.fromkeys(cells)
        if MIN_VALUES <= len(found) <= min(MAX_VALUES, len(cells) - 1):
            values = sorted(found, key=_number if column.kind in NUMBERS else None)
            places = {value: place for place, value in enumerate(values)}
            shown = [_cut(value) or NONE for value in values]
            yield CellFilter(_cut(column.name), shown, [places[cell] for cell in cells])


def _number(cell: str) -> float:
    return float(cell) if cell else float("-inf")


def _table(sample: ReleasedSample, columns: Sequence[MetadataColumn]) -> str:
    rows = (
        f'<tr><th scope="row"{_cell(column.name)}</th><td{_cell(value)}</td></tr>'
        for column in columns
        if (value := column.cell(sample))
    )
    return f"<table>{''.join(rows)}</table>"


def _cell(value: str) -> str:
    """Return the end of a tag, with the whole value as its title where it is cut, and the value."""
    shown = _cut(value)
    title = f' title="{html.escape(printable(value))}"' if shown != value else ""
    return f"{title}>{html.escape(shown)}"


def _cut(value: str) -> str:
    """Return a value as one line of a few characters."""
    line = printable(" ".join(value.split()))
    return line if len(line) <= MAX_SHOWN else f"{line[: MAX_SHOWN - 1]}…"
