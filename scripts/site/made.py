"""Takes over the pages of a release from an older catalogue, if they are what would be made now.

What decides the pages of a release is its tag and commit, the releases before it, the address of
the repository, and the code. A record beside the pages has a checksum of that, and the checksums of
the pages and pictures. So pages that are damaged, missing or outdated are made again.
"""

import json
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path, PurePosixPath
from typing import Annotated

from pydantic import Field, ValidationError

from scripts import fingerprint
from scripts.inputs.strict_record import StrictRecord
from scripts.releases.releases import Release
from scripts.site import later
from scripts.site.entries import CatalogueEntry
from scripts.site.pictures import Pictures
from scripts.storage import files, kept
from scripts.storage.records import digest

# The record of a release, in the folder of its pages.
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


class MadeRelease(StrictRecord):
    """What was made of a release.

    `key` is the checksum of what decides it. `date`, `headline`, `comparable`, `title` and
    `description` are shown on the page of all releases. `near` are its near-duplicates: distance,
    and the MD5s of both. `pages` are the checksums of its files by name; that of its page is
    without the parts that depend on later events.
    """

    key: str
    date: str
    headline: str
    comparable: str
    title: str
    description: str | None
    near: list[tuple[Annotated[float, Field(ge=0)], str, str]]
    pages: dict[str, str]
    atlases: dict[Annotated[str, Field(pattern=r"^[0-9a-f]+$")], MadeAtlas]


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
        atlases={name: _atlas(pictures, name) for name in sorted(atlases)},
    )


def _atlas(pictures: Pictures, key: str) -> MadeAtlas:
    height, width = pictures.shapes[key]
    return MadeAtlas(height=height, width=width, sha256=pictures.checksums[key])


def keep(folder: Path, made: MadeRelease) -> None:
    """Write the record of a release to the `folder` of its pages."""
    kept.write(folder / NAME, made.model_dump_json().encode())


def take_over(old: Path, new: Path, tag: str, key: str, pictures: Pictures) -> MadeRelease | None:
    """Put the pages and pictures of a release from the catalogue `old` into `new`.

    Returns their record, None if they are not all there and intact.
    """
    made = _read(old / tag)
    if made is None or made.key != key or not _are_intact(old, tag, made, pictures):
        return None
    names = (*made.pages, NAME)
    for folder in {(new / tag / name).parent for name in names}:
        folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        files.link(f"{old}/{tag}/{name}", f"{new}/{tag}/{name}")
    for atlas, one in made.atlases.items():
        pictures.take(_picture(old, atlas), atlas, (one.height, one.width), one.sha256)
    return made


def _read(folder: Path) -> MadeRelease | None:
    content = kept.read(folder / NAME)
    with suppress(ValidationError):
        return MadeRelease.model_validate_json(content) if content is not None else None
    return None


def _are_intact(old: Path, tag: str, made: MadeRelease, pictures: Pictures) -> bool:
    """Return whether the files of a release in the catalogue `old` have the recorded checksums."""
    try:
        # A record of any origin names files of this release only.
        if any(".." in PurePosixPath(name).parts or name.startswith("/") for name in made.pages):
            return False
        pages_are = all(
            checksum(name, (old / tag / name).read_bytes()) == sha256
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
