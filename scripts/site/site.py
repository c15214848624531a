"""Writes the site to a temporary folder, and moves it to its place when it is complete."""

import shutil
import tempfile
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from scripts.errors import UserError
from scripts.git.git import Git
from scripts.site import catalogue, render
from scripts.site.pictures import Pictures

STATIC = "static"
# The file that identifies a catalogue.
MARK = Path(STATIC) / "catalogue.css"


@dataclass(frozen=True)
class Written:
    """The result of writing the site."""

    index: Path
    releases: int
    pages: int
    size: int


def write(git: Git, folder: Path) -> Written:
    """Write the catalogue to `folder`, and replace an earlier one.

    Raises `UserError` if there is no release, or if the folder contains other files.
    """
    _refuse_others(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f"{folder.name}-", dir=folder.parent) as place:
        new = Path(place) / "new"
        pictures = Pictures(new / "images")
        shown = catalogue.read(git, pictures)
        pages = render.write(shown, pictures, new)
        with resources.as_file(resources.files("scripts.site") / STATIC) as static:
            shutil.copytree(static, new / STATIC)
        if folder.exists():
            folder.rename(Path(place) / "old")
        new.rename(folder)
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return Written(folder / "index.html", len(shown.entries), pages, size)


def _refuse_others(folder: Path) -> None:
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise UserError(f"{folder} is not a folder. Choose another one with --out.")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / MARK).exists():
        raise UserError(
            f"{folder} contains files that are not part of a catalogue. Choose a new or an empty "
            f"folder with --out."
        )
