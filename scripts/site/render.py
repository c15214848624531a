"""Renders pages of the catalogue from the templates in `templates/`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined

from scripts.inputs.config import SPLITS
from scripts.inputs.releases_file import ReleasesFile
from scripts.review import words
from scripts.site import charts, later, sections
from scripts.site.entries import OfRelease
from scripts.site.made import INDEX, MadeRelease
from scripts.storage import files


@dataclass(frozen=True)
class ListedRelease(OfRelease):
    """A release on the page of all releases."""

    made: MadeRelease


class PageWriter:
    """Writes pages to `folder`, and counts them; `shapes` are those of the atlases, by key."""

    def __init__(self, folder: Path, address: str, shapes: Mapping[str, tuple[int, int]]) -> None:
        """Write to `folder`; `address` is that of the repository."""
        self.folder, self.shapes, self.address = folder, shapes, address

    def write(self, name: str, template: str, title: str, **values: Any) -> bytes:
        """Write the page `name`; `title` is the name of the dataset. Returns its content."""
        text = TEMPLATES.get_template(template).render(
            root="../" * name.count("/"),
            title=title,
            address=self.address,
            shapes=self.shapes,
            **values,
        )
        return self.store(name, text.encode())

    def store(self, name: str, content: bytes) -> bytes:
        """Write the file `name`; returns its content."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return content


def write_common(
    pages: PageWriter, listed: Sequence[ListedRelease], declared: ReleasesFile
) -> None:
    """Write what depends on all releases, oldest first."""
    title, tags = listed[-1].made.title, [one.tag for one in listed]
    _write_index(pages, title, listed, declared)
    pages.write(
        "compare/index.html",
        "compare.html.j2",
        title,
        tags=tags,
        most_shown=sections.MAX_SHOWN,
        most_sheets=sections.MAX_SHEETS,
        splits=SPLITS,
    )
    _write_styles(pages)
    for tag, after in zip(tags, [*tags[1:], None], strict=True):
        _write_later(pages.folder / tag / INDEX, tag, after, declared)


def _write_index(
    pages: PageWriter, title: str, listed: Sequence[ListedRelease], declared: ReleasesFile
) -> None:
    """Write the page of all releases."""
    splits = {split for one in listed for split in charts.splits_of(one.counts)}
    pages.write(
        INDEX,
        "index.html.j2",
        title,
        listed=listed,
        said=declared,
        chart=charts,
        history=charts.history(listed),
        splits=[split for split in SPLITS if split in splits],
        splits_of=charts.splits_of,
        description=listed[-1].made.description,
    )


def _write_styles(pages: PageWriter) -> None:
    """Write the style sheet that selects parts of the atlases."""
    rules = [_style(key, *shape) for key, shape in sorted(pages.shapes.items())]
    pages.store("images/atlases.css", "".join(rules).encode())


def _write_later(page: Path, tag: str, after: str | None, declared: ReleasesFile) -> None:
    """Write what later events say of a release into its page, if it is not there."""
    macros = vars(TEMPLATES.get_template("later.html.j2").module)
    parts = {
        "after": macros["after"](after),
        "badges": macros["badges"](tag, declared),
        "withdrawn": macros["withdrawn"](tag, declared),
    }
    content = page.read_bytes()
    filled = later.filled(content, parts)
    if filled != content:
        files.write(page, filled)


def _style(key: str, height: int, width: int) -> str:
    """Return the rules of an atlas, for a picture and for a list of them."""
    image = f".a-{key}, .a-{key} i {{ background-image: url({key}.png); }}\n"
    side = f".a-{key} {{ --h: calc(var(--w) * {height} / {width}); }}\n"
    return image + side if height != width else image


def first_page(split: str, label: str) -> str:
    """Return the address of the first page of a split and class."""
    return f"{split}/{quote(label, safe='')}/1.html"


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
TEMPLATES.globals |= {"first_page": first_page}
