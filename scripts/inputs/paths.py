"""Lists the version inputs, and the files that are only checked."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

CONFIG_FILE = "dataset_config.yaml"
CURATION_FILE = "curation.csv"
ADDITIONS_FOLDER = "additions"
# What is known of these images, if anything.
ADDITIONS_TABLE = f"{ADDITIONS_FOLDER}/metadata.csv"
# One `.dvc` file for each custom source.
SOURCES_FOLDER = "sources"

# The stable and the withdrawn releases.
RELEASES_FILE = "releases.yaml"

# The predictions of a team's own model on the test images.
PREDICTIONS_FILE = "predictions.csv"

# The inputs without code and requirements.
INPUTS_OF_PEOPLE = (CONFIG_FILE, CURATION_FILE, ADDITIONS_FOLDER, SOURCES_FOLDER)
# Version inputs: files and folders that determine the bytes of a version. A change of these is
# planned, shown to reviewers and, if the bytes differ, released.
INPUT_PATHS = (
    *INPUTS_OF_PEOPLE,
    "scripts/inputs",
    "scripts/sources",
    "scripts/dataset",
    "scripts/storage/manifest.py",
    "requirements.txt",
)
# A change of these makes no version, but is checked in a pull request.
CHECKED_PATHS = (
    *("dataset.dvc", ".dvc", ".dvcignore", "dvc.yaml", "dvc.lock"),
    *(RELEASES_FILE, PREDICTIONS_FILE),
)


# How the names of images end. What a file is, its content decides.
IMAGE_SUFFIXES = (
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".gif", ".bmp", ".dib", ".tif", ".tiff"),
    *(".ppm", ".pgm", ".pbm", ".pnm"),
)
# Files in the folder of additions that are not meant as images; hidden files are not either.
NO_IMAGES = {"readme.md", "thumbs.db", "desktop.ini"}


def is_image(path: str) -> bool:
    """Return whether a file below `ADDITIONS_FOLDER` should be an image.

    Others are documentation and hidden files.
    """
    name = path.rpartition("/")[2].lower()
    return not name.startswith(".") and name not in NO_IMAGES


def is_image_name(path: str) -> bool:
    """Return whether a file is expected to be an image by its name."""
    return path.lower().endswith(IMAGE_SUFFIXES)


def digest(root: Path) -> str:
    """Return the SHA-256 of all version inputs in the work tree at `root`."""
    total = hashlib.sha256()
    for path in INPUT_PATHS:
        for file in sorted(_files(root / path)):
            name = os.fsencode(file.relative_to(root).as_posix())
            total.update(b"%s %s\n" % (name, _content_digest(file).encode()))
    return total.hexdigest()


def _files(path: Path) -> Iterator[Path]:
    if _is_file(path):
        yield path
    elif path.name == SOURCES_FOLDER and path.parent.name != "scripts":
        # The shards next to these files are listed in them.
        yield from path.glob("*.dvc")
    elif path.name == ADDITIONS_FOLDER:
        yield from (file for file in path.rglob("*") if _is_file(file) and is_image(file.name))
    else:
        files = (file for file in path.rglob("*") if _is_file(file))
        yield from (file for file in files if "__pycache__" not in file.parts)


def _is_file(path: Path) -> bool:
    return path.is_symlink() or path.is_file()


def _content_digest(file: Path) -> str:
    if file.is_symlink():
        # Its target is not under version control, and could be endless.
        return hashlib.sha256(os.fsencode(file.readlink())).hexdigest()
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
