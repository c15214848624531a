"""Writes the pages of a release: its own, those of its images, and the file for comparisons."""

from collections.abc import Iterator
from typing import Any

from scripts.dataset.near import LIMIT
from scripts.inputs.config import TRAIN
from scripts.review import render as review
from scripts.review import table
from scripts.review.warnings import warnings
from scripts.site import cells, charts, made, markdown, release_file, sections
from scripts.site.changes import Placed
from scripts.site.entries import CatalogueEntry
from scripts.site.made import MadeRelease
from scripts.site.pictures import Pictures
from scripts.site.render import PageWriter, first_page
from scripts.site.sections import Shown, source_label

MAX_CURATED = 200
# The number of images and classes on the page of a release, because each needs its atlas.
LOOK, MAX_LOOK = 12, 20
# Numbers beside the first, the current and the last page.
NEIGHBORS = 2
AMBIGUOUS = "ambiguous"


def write(pages: PageWriter, pictures: Pictures, entry: CatalogueEntry, key: str) -> MadeRelease:
    """Write the pages of a release, and the record of them if all of it could be read."""
    release = _ReleasePages(pages, pictures, entry)
    release.write_index()
    release.write_grids()
    release.write_file()
    result = made.record(key, entry, release.checksums, release.atlases, pictures)
    if entry.is_complete:
        made.keep(pages.folder / entry.tag, result)
    return result


class _ReleasePages:
    """Writes pages, and notes their checksums by name, and the atlases of the release."""

    def __init__(self, pages: PageWriter, pictures: Pictures, entry: CatalogueEntry) -> None:
        self._pages, self._pictures, self._entry = pages, pictures, entry
        self.checksums: dict[str, str] = {}
        self.atlases = {sheet.key for of_place in entry.sheets.values() for sheet in of_place}

    def write_index(self) -> None:
        """Write the page of the release."""
        entry = self._entry
        curated = entry.plan.curated.changes[:MAX_CURATED] if entry.plan.curated else []
        self._write(
            made.INDEX,
            "release.html.j2",
            look=[*_look(entry)],
            splits=[*charts.splits_of(entry.counts)],
            rows=_rows(entry),
            warnings=warnings(entry.plan) if entry.before else [],
            table=table.count_table(entry.plan.counts),
            sections=sections.of(entry.before, entry, entry.change) if entry.before else [],
            labels=entry.new_labels,
            curated=[review.curated_row(change, str) for change in curated],
            curated_columns=("sample", *review.CURATED_COLUMNS),
            near=entry.near,
            limit=f"{LIMIT:g}",
            label_of=lambda placed: source_label(entry, placed),
            ambiguous=self._ambiguous(),
            card=markdown.of_card(entry.card) if entry.card else None,
        )

    def write_grids(self) -> None:
        """Write a page for each sheet of the release."""
        entry = self._entry
        described = cells.describe(entry.known, entry.release)
        for (split, label), sheets in entry.sheets.items():
            first, total = 1, sum(len(sheet.pictures) for sheet in sheets)
            for page, sheet in enumerate(sheets, start=1):
                shown = cells.of_sheet(entry.known, label, sheet, described)
                self._write(
                    f"{split}/{label}/{page}.html",
                    "grid.html.j2",
                    split=split,
                    label=label,
                    sheet=sheet,
                    shape=self._pictures.shapes[sheet.key],
                    first=first,
                    last=first + len(sheet.pictures) - 1,
                    total=total,
                    cells=shown.items,
                    filters=shown.filters,
                    are_described=shown.are_described,
                    known=entry.known.source is not None,
                    page=page,
                    pages=_page_numbers(page, len(sheets)),
                )
                first += len(sheet.pictures)

    def write_file(self) -> None:
        """Write the file from which a browser compares releases."""
        content = release_file.write(self._entry, self._pictures.shapes)
        self._pages.store(f"{self._entry.tag}/{release_file.NAME}", content)
        self.checksums[release_file.NAME] = made.checksum(release_file.NAME, content)

    def _write(self, name: str, template: str, **values: Any) -> None:
        entry = self._entry
        path = f"{entry.tag}/{name}"
        content = self._pages.write(path, template, entry.title, entry=entry, **values)
        self.checksums[name] = made.checksum(name, content)

    def _ambiguous(self) -> dict[str, Any]:
        """Return images with two labels in the source, after drawing their atlases."""
        count, found = self._entry.known.ambiguous
        drawn = self._pictures.draw({one.identifiers[0]: one.image for one in found})
        self.atlases |= {sheet.key for sheet, _ in drawn.values()}
        shown = [
            Shown(
                Placed(" ".join(one.identifiers), AMBIGUOUS, "", *drawn[one.identifiers[0]]),
                " or ".join(one.labels),
                "",
            )
            for one in found
        ]
        return {"count": count, "shown": shown}


def _rows(entry: CatalogueEntry) -> list[dict[str, Any]]:
    """Return a row for each class: its counts, a bar, and links to its images."""
    by_label = {
        label: {
            split: entry.counts[split].get(label, 0) for split in charts.splits_of(entry.counts)
        }
        for label in entry.labels
    }
    most = max((sum(counts.values()) for counts in by_label.values()), default=0)
    return [
        {
            "label": label,
            "counts": counts,
            "total": sum(counts.values()),
            "links": {
                split: first_page(split, label) if entry.sheets.get((split, label)) else None
                for split in counts
            },
            "parts": charts.shares(counts, most),
            "words": f"{label}: "
            + ", ".join(f"{split} {count:,}" for split, count in counts.items()),
        }
        for label, counts in by_label.items()
    ]


def _look(entry: CatalogueEntry) -> Iterator[tuple[str, str, list[Placed]]]:
    """Yield the first images of some classes, with their split and class."""
    seen: set[str] = set()
    for (split, label), sheets in sorted(
        entry.sheets.items(), key=lambda item: item[0][0] != TRAIN
    ):
        if label not in seen and len(seen) < MAX_LOOK:
            seen.add(label)
            pictures = sheets[0].pictures[:LOOK]
            yield (
                split,
                label,
                [
                    Placed(picture.identifier, split, label, sheets[0], place)
                    for place, picture in enumerate(pictures)
                ],
            )


def _page_numbers(page: int, last: int) -> list[int | None]:
    """Return the first, the last, and the pages around `page`; None for a gap."""
    around = range(page - NEIGHBORS, page + NEIGHBORS + 1)
    found: list[int | None] = []
    for one in range(1, last + 1):
        if one in {1, last} or one in around:
            found.append(one)
        elif found[-1] is not None:
            found.append(None)
    return found
