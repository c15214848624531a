"""Which files of the repository make a version, and which are only checked."""

import hashlib
from pathlib import Path

CONFIG_FILE = "dataset_config.yaml"
CURATION_FILE = "curation.csv"
ADDITIONS_FOLDER = "additions"
# One `.dvc` file for each source of one's own.
SOURCES_FOLDER = "sources"

# What people write about the dataset.
INPUTS_OF_PEOPLE = (CONFIG_FILE, CURATION_FILE, ADDITIONS_FOLDER, SOURCES_FOLDER)
# A change of these is a dataset change: it is planned, shown to reviewers and, if the bytes
# differ, released. Files and folders; nothing else can change the bytes of a version.
INPUT_PATHS = (
    *INPUTS_OF_PEOPLE,
    "scripts/inputs",
    "scripts/sources",
    "scripts/build",
    "scripts/storage/manifest.py",
    "requirements.txt",
)
# A change of these makes no version, but the check of a pull request looks at them.
CHECKED_PATHS = ("dataset.dvc", ".dvc", ".dvcignore", "dvc.yaml", "dvc.lock")


def digest(root: Path) -> str:
    """Return the SHA-256 of all version inputs in the work tree at `root`."""
    total = hashlib.sha256()
    for path in INPUT_PATHS:
        for file in _files(root / path):
            content = hashlib.sha256(file.read_bytes()).hexdigest()
            total.update(f"{file.relative_to(root).as_posix()} {content}\n".encode())
    return total.hexdigest()


def _files(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    if path.name == SOURCES_FOLDER and path.parent.name != "scripts":
        # The shards beside these files are named by them.
        return sorted(path.glob("*.dvc"))
    return sorted(
        file for file in path.rglob("*") if file.is_file() and "__pycache__" not in file.parts
    )
