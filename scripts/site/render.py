"""Renders the pages of the catalogue from the templates in `templates/`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined

from scripts.dataset.near import LIMIT
from scripts.inputs.config import SPLITS, TRAIN
from scripts.review import plan, render, table, words
from scripts.review.warnings import warnings
from scripts.site import atlas, catalogue, cells, charts, markdown, sections
from scripts.site.catalogue import Catalogue, CatalogueEntry
from scripts.site.changes import Placed
from scripts.site.known import Ambiguous
from scripts.site.pictures import Pictures
from scripts.site.sections import Shown, source_label
from scripts.site.sheets import PictureSheet, SheetPicture
from scripts.storage import files, manifest

MAX_CURATED = 200
# The number of images and classes on the page of a release, because each needs its atlas.
LOOK, MAX_LOOK = 12, 20
# The number of earlier releases with which each release is compared.
MAX_COMPARED = 50
# Numbers beside the first, the current and the last page.
NEIGHBORS = 2
AMBIGUOUS = "ambiguous"


def write(shown: Catalogue, pictures: Pictures, folder: Path) -> int:
    """Write all pages to `folder`; return how many."""
    site = _Site(shown, pictures, folder)
    site.write_index()
    for entry, after in zip(shown.entries, [*shown.entries[1:], None], strict=True):
        site.write_release(entry, after)
        site.write_grids(entry)
    site.write_comparisons()
    site.write_styles()
    return site.pages


class _Site:
    def __init__(self, shown: Catalogue, pictures: Pictures, folder: Path) -> None:
        self._catalogue, self._pictures, self._folder = shown, pictures, folder
        self.pages = 0

    def write_index(self) -> None:
        """Write the page of all releases."""
        entries = self._catalogue.entries
        inputs = entries[-1].known.inputs
        splits = {split for entry in entries for split in charts.splits_of(entry.counts)}
        self._write(
            "index.html",
            "index.html.j2",
            chart=charts,
            history=charts.history(entries),
            splits=[split for split in SPLITS if split in splits],
            splits_of=charts.splits_of,
            description=inputs.config.description if inputs else None,
        )

    def write_release(self, entry: CatalogueEntry, after: CatalogueEntry | None) -> None:
        """Write the page of a release; `after` is the next one."""
        curated = entry.plan.curated.changes[:MAX_CURATED] if entry.plan.curated else []
        self._write(
            f"{entry.tag}/index.html",
            "release.html.j2",
            entry=entry,
            after=after,
            look=[*_look(entry)],
            splits=[*charts.splits_of(entry.counts)],
            rows=_rows(entry),
            warnings=warnings(entry.plan) if entry.before else [],
            table=table.count_table(entry.plan.counts),
            sections=sections.of(entry.before, entry, entry.change) if entry.before else [],
            labels=entry.new_labels,
            curated=[render.curated_row(change, str) for change in curated],
            curated_columns=("sample", *render.CURATED_COLUMNS),
            others=[other.tag for other in self._compared(entry)],
            near=entry.near,
            limit=f"{LIMIT:g}",
            label_of=lambda placed: source_label(entry, placed),
            ambiguous=self._ambiguous(entry),
            card=markdown.of_card(entry.card) if entry.card else None,
        )

    def write_grids(self, entry: CatalogueEntry) -> None:
        """Write a page for each sheet of a release."""
        described = cells.describe(entry.known, entry.release)
        for (split, label), sheets in entry.sheets.items():
            first, total = 1, sum(len(sheet.pictures) for sheet in sheets)
            for page, sheet in enumerate(sheets, start=1):
                shown = cells.of_sheet(entry.known, label, sheet, described)
                self._write(
                    f"{entry.tag}/{split}/{label}/{page}.html",
                    "grid.html.j2",
                    entry=entry,
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

    def write_comparisons(self) -> None:
        """Write a page for each pair of releases, and one that links them."""
        pairs: dict[str, list[str]] = {}
        for entry in reversed(self._catalogue.entries):
            for before in self._compared(entry):
                pairs.setdefault(entry.tag, []).append(before.tag)
                self._write_comparison(before, entry)
        self._write("compare/index.html", "compare_index.html.j2", pairs=pairs)

    def write_styles(self) -> None:
        """Write the style sheet that selects parts of the atlases."""
        rules = [_style(key, *shape) for key, shape in sorted(self._pictures.shapes.items())]
        files.write(self._pictures.folder / "atlases.css", "".join(rules).encode())

    def _write_comparison(self, before: CatalogueEntry, entry: CatalogueEntry) -> None:
        change = catalogue.compare(before, entry)
        counts = plan.counts(before.release.lock, entry.release.lock)
        self._write(
            f"compare/{before.tag}-{entry.tag}.html",
            "compare.html.j2",
            before=before,
            entry=entry,
            change=change,
            words=sections.in_words(change),
            is_comparable=before.tag in (entry.plan.comparable or ()),
            table=table.count_table(counts),
            sections=sections.of(before, entry, change),
        )

    def _compared(self, entry: CatalogueEntry) -> list[CatalogueEntry]:
        """Return the releases that `entry` is compared with, newest first."""
        found: list[CatalogueEntry] = []
        other = entry.before
        while other and len(found) < MAX_COMPARED:
            found.append(other)
            other = other.before
        return found

    def _ambiguous(self, entry: CatalogueEntry) -> dict[str, Any]:
        """Return images with two labels in the source, after writing their atlases."""
        count, found = entry.known.ambiguous
        by_shape: dict[tuple[int, ...], list[Ambiguous]] = {}
        for one in found:
            by_shape.setdefault(one.image.shape, []).append(one)
        shown = []
        for images in by_shape.values():
            sheet = PictureSheet(
                tuple(SheetPicture(one.identifiers[0], _md5(one)) for one in images)
            )
            drawn = atlas.draw([one.image for one in images])
            self._pictures.write(drawn, sheet.key, len(images))
            for place, one in enumerate(images):
                placed = Placed(" ".join(one.identifiers), AMBIGUOUS, "", sheet, place)
                shown.append(Shown(placed, " or ".join(one.labels), ""))
        return {"count": count, "shown": shown}

    def _write(self, name: str, template: str, **values: Any) -> None:
        text = TEMPLATES.get_template(template).render(
            root="../" * name.count("/"),
            catalogue=self._catalogue,
            said=self._catalogue.declared,
            shapes=self._pictures.shapes,
            **values,
        )
        path = self._folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
        self.pages += 1


def _style(key: str, height: int, width: int) -> str:
    """Return the rules of an atlas, for a picture and for a list of them."""
    image = f".a-{key}, .a-{key} i {{ background-image: url({key}.png); }}\n"
    side = f".a-{key} {{ --h: calc(var(--w) * {height} / {width}); }}\n"
    return image + side if height != width else image


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
                split: _first_page(split, label) if entry.sheets.get((split, label)) else None
                for split in counts
            },
            "parts": charts.shares(counts, most),
            "words": f"{label}: "
            + ", ".join(f"{split} {count:,}" for split, count in counts.items()),
        }
        for label, counts in by_label.items()
    ]


def _first_page(split: str, label: str) -> str:
    """Return the address of the first page of a split and class."""
    return f"{split}/{quote(label, safe='')}/1.html"


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


def _headline(entry: CatalogueEntry) -> str:
    """Return a headline of a release."""
    if entry.before is None:
        return f"The first release: {entry.release.lock.images:,} samples"
    return render.headline(entry.plan)


def _comparable(entry: CatalogueEntry) -> str:
    return f"with {words.comparable(entry.plan)}" if entry.before else "first release"


def _md5(one: Ambiguous) -> str:
    return manifest.md5_of(one.image.tobytes())


TEMPLATES = Environment(
    loader=PackageLoader("scripts.site"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
TEMPLATES.filters |= {
    "size": words.size,
    "number": "{:,}".format,
    "counted": words.counted,
}
TEMPLATES.globals |= {
    "headline": _headline,
    "comparable": _comparable,
    "first_page": _first_page,
}
