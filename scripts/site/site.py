"""Writes the site to a temporary folder, and moves it to its place when it is complete."""

import shutil
import tempfile
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from scripts.errors import UserError
from scripts.git.git import Git
from scripts.publish import origin
from scripts.releases import declared, releases
from scripts.releases.releases import Release
from scripts.site import made, release_file, release_pages, render, suspects_page
from scripts.site.catalogue import CatalogueReader
from scripts.site.entries import CatalogueEntry, EarlierRelease
from scripts.site.made import IMAGES, MadeRelease
from scripts.site.pictures import Pictures
from scripts.site.render import ListedRelease, PageWriter

STATIC = "static"
# The file that identifies a catalogue.
MARK = Path(STATIC) / "catalogue.css"


@dataclass(frozen=True)
class Written:
    """The result of writing the site; `new` is the number of releases whose pages were made."""

    index: Path
    releases: int
    new: int
    pages: int
    size: int


def write(git: Git, folder: Path) -> Written:
    """Write the catalogue to `folder`, and replace an earlier one.

    Pages of releases that the earlier one has are taken over. Raises `UserError` if there is no
    release, or if the folder contains other files.
    """
    _refuse_others(folder)
    accepted = releases.scan(git).accepted
    if not accepted:
        raise UserError("there is no release yet, so there is nothing to show.")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f"{folder.name}-", dir=folder.parent) as place:
        new = Path(place) / "new"
        pictures = Pictures(new / IMAGES)
        pages = PageWriter(new, origin.address(git), pictures.shapes)
        maker = _Maker(CatalogueReader(git, accepted, pictures), folder, pages, pictures)
        listed = [ListedRelease(release, maker.make(release)) for release in accepted]
        suspects_page.write(git, folder, pages, pictures, listed[-1])
        render.write_common(pages, listed, declared.on_main(git))
        with resources.as_file(resources.files("scripts.site") / STATIC) as static:
            shutil.copytree(static, new / STATIC)
        if folder.exists():
            folder.rename(Path(place) / "old")
        new.rename(folder)
    files = [path for path in folder.rglob("*") if path.is_file()]
    count = sum(path.suffix == ".html" for path in files)
    size = sum(path.stat().st_size for path in files)
    return Written(folder / made.INDEX, len(listed), maker.made, count, size)


class _Maker:
    """Makes the pages of all releases, oldest first, or takes them over from the catalogue `old`.

    `made` is the number of releases whose pages were made.
    """

    def __init__(
        self, reader: CatalogueReader, old: Path, pages: PageWriter, pictures: Pictures
    ) -> None:
        self._reader, self._old, self._pages, self._pictures = reader, old, pages, pictures
        self._state = f"{made.code()} {pages.address}"
        self.made = 0

    def make(self, release: Release) -> MadeRelease:
        """Return the record of the next release, whose pages are there."""
        key = made.key_of(self._state, release)
        entry = None
        result = made.take_over(
            self._old, self._pages.folder, release.tag, key, self._pictures, kind=MadeRelease
        )
        if result is None:
            entry = self._reader.read(release)
            result = release_pages.write(self._pages, self._pictures, entry, key)
            self.made += 1
        self._state = made.state_after(result, entry)
        self._reader.pass_by(self._earlier(release, result, entry))
        return result

    def _earlier(
        self, release: Release, result: MadeRelease, entry: CatalogueEntry | None
    ) -> EarlierRelease:
        """Return what the next release needs of this one; its samples are read again if needed."""
        known = entry.known if entry else None
        path = self._pages.folder / release.tag / release_file.NAME
        return EarlierRelease(
            release,
            read_known=lambda: known or self._reader.known_of(release),
            read_sheets=lambda: release_file.sheets_of(path.read_bytes()),
            near={(one, other): distance for distance, one, other in result.near},
            is_readable=not (entry and entry.unreadable),
        )


def _refuse_others(folder: Path) -> None:
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise UserError(f"{folder} is not a folder. Choose another one with --out.")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / MARK).exists():
        raise UserError(
            f"{folder} contains files that are not part of a catalogue. Choose a new or an empty "
            f"folder with --out."
        )
