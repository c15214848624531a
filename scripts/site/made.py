"""Takes over the pages of a release from an older catalogue, if they are what would be made now.

What decides the pages of a release is its tag and commit, the releases before it, the address of
the repository, and the code. A record beside the pages has a checksum of that, and the checksums of
the pages and pictures. So pages that are damaged, missing or outdated are made again.
"""

import json
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path, PurePosixPath
from typing import Annotated, TypeVar

from pydantic import Field, ValidationError

from scripts import fingerprint
from scripts.inputs.strict_record import StrictRecord
from scripts.releases.releases import Release
from scripts.site import later
from scripts.site.entries import CatalogueEntry
from scripts.site.pictures import Pictures
from scripts.storage import files, kept
from scripts.storage.records import digest

# The record of pages, in their folder.
NAME = "made"
INDEX = "index.html"
IMAGES = "images"
CODE = (".py", ".j2", ".js", ".css", ".json")
# Libraries that write a part of a page.
LIBRARIES = ("Jinja2", "markdown-it-py", "MarkupSafe", "numpy", "pillow")


class MadeAtlas(StrictRecord):
    """The picture of a sheet: height and width of each image in pixels, and its checksum."""

    height: int
    width: int
    sha256: str


class MadePages(StrictRecord):
    """What was made in a folder, and its pictures; `key` is the checksum of what decides it.

    `pages` are the checksums of its files by name; that of its first page is without the parts that
    depend on later events.
    """

    key: str
    pages: dict[str, str]
    atlases: dict[Annotated[str, Field(pattern=r"^[0-9a-f]+$")], MadeAtlas]


class MadeRelease(MadePages):
    """What was made of a release.

    `date`, `headline`, `comparable`, `title` and `description` are shown on the page of all
    releases. `near` are its near-duplicates: distance, and the MD5s of both.
    """

    date: str
    headline: str
    comparable: str
    title: str
    description: str | None
    near: list[tuple[Annotated[float, Field(ge=0)], str, str]]


Kind = TypeVar("Kind", bound=MadePages)


def code() -> str:
    """Return a digest of the code, the templates and the libraries that write the pages."""
    libraries = [f"{library} {version(library)}" for library in LIBRARIES]
    return digest(f"{libraries} {fingerprint.of('', endings=CODE)}".encode())


def key_of(before: str, release: Release) -> str:
    """Return the key of a release; `before` is the state after the release before it."""
    return digest(json.dumps([before, *release[:2]]).encode())


def state_after(made: MadeRelease, entry: CatalogueEntry | None) -> str:
    """Return what a release is to later ones: its key, and what of it could not be read now.

    `entry` is None if it was taken over.
    """
    return json.dumps([made.key, entry.missing]) if entry and not entry.is_complete else made.key


def record(
    key: str, entry: CatalogueEntry, pages: dict[str, str], atlases: set[str], pictures: Pictures
) -> MadeRelease:
    """Return the record of a release with the `pages` and `atlases` that were made."""
    inputs = entry.known.inputs
    return MadeRelease(
        key=key,
        date=entry.date,
        headline=entry.headline,
        comparable=entry.comparable,
        title=entry.title,
        description=inputs.config.description if inputs else None,
        near=[(distance, *both) for both, distance in entry.distances.items()],
        pages=pages,
        atlases=atlases_of(pictures, atlases),
    )


def atlases_of(pictures: Pictures, keys: set[str]) -> dict[str, MadeAtlas]:
    """Return the record of each of some atlases."""
    shapes = {key: pictures.shapes[key] for key in sorted(keys)}
    return {
        key: MadeAtlas(height=height, width=width, sha256=pictures.checksums[key])
        for key, (height, width) in shapes.items()
    }


def keep(folder: Path, made: MadePages) -> None:
    """Write the record of the pages in `folder` there."""
    kept.write(folder / NAME, made.model_dump_json().encode())


def take_over(
    old: Path, new: Path, folder: str, key: str, pictures: Pictures, *, kind: type[Kind]
) -> Kind | None:
    """Put the pages and pictures in a `folder` of the catalogue `old` into that of `new`.

    Returns their record, which is of a `kind`; None if they are not all there and intact.
    """
    made = _read(old / folder, kind)
    if made is None or made.key != key or not _are_intact(old, folder, made, pictures):
        return None
    names = (*made.pages, NAME)
    for parent in {(new / folder / name).parent for name in names}:
        parent.mkdir(parents=True, exist_ok=True)
    for name in names:
        files.link(f"{old}/{folder}/{name}", f"{new}/{folder}/{name}")
    for atlas, one in made.atlases.items():
        pictures.take(_picture(old, atlas), atlas, (one.height, one.width), one.sha256)
    return made


def _read(folder: Path, kind: type[Kind]) -> Kind | None:
    content = kept.read(folder / NAME)
    with suppress(ValidationError):
        return kind.model_validate_json(content) if content is not None else None
    return None


def _are_intact(old: Path, folder: str, made: MadePages, pictures: Pictures) -> bool:
    """Return whether the files in a folder of the catalogue `old` have the recorded checksums."""
    try:
        # A record of any origin names files of its folder only.
        if any(".." in PurePosixPath(name).parts or name.startswith("/") for name in made.pages):
            return False
        pages_are = all(
            checksum(name, (old / folder / name).read_bytes()) == sha256
            for name, sha256 in made.pages.items()
        )
        return pages_are and all(
            digest(_picture(old, name).read_bytes()) == one.sha256
            for name, one in made.atlases.items()
            # Releases share atlases; those that are there were compared before.
            if pictures.checksums.get(name) != one.sha256
        )
    except OSError:
        return False


def _picture(catalogue: Path, key: str) -> Path:
    return catalogue / IMAGES / f"{key}.png"


def checksum(name: str, content: bytes) -> str:
    """Return the checksum of a page of a release, without the parts that depend on later events."""
    return digest(later.without(content) if name == INDEX else content)
