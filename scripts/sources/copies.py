"""The local copy of a source: compact, named after its checksum, verified when it is read."""

import tempfile
from pathlib import Path

import numpy as np
import platformdirs

from scripts.errors import UserError
from scripts.sources.table import Table


def find(name: str, sha256: str | None) -> Table | None:
    """Return the copy of the source `name` with this checksum; with None, the newest copy.

    A damaged copy is treated as missing.
    """
    copies = sorted(_folder(name).glob(f"{sha256 or '*'}.npz"), key=lambda x: x.stat().st_mtime)
    for file in reversed(copies):
        if found := _read(name, file):
            return found
    return None


def keep(source: Table) -> None:
    """Store a copy of `source`; raises `UserError` when the folder cannot be written."""
    folder = _folder(source.name)
    # NumPy's own archives: https://numpy.org/doc/stable/reference/generated/numpy.savez_compressed.html
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            complete = Path(scratch) / "copy.npz"
            np.savez_compressed(complete, pixels=source.pixels, labels=source.labels)
            complete.replace(folder / f"{source.sha256}.npz")
    except OSError as error:
        raise UserError(
            f"the local copy of {source.name} cannot be written to {folder}: {error.strerror}"
        ) from None


def _folder(name: str) -> Path:
    return platformdirs.user_cache_path("dataset-sources") / name


def _read(name: str, file: Path) -> Table | None:
    try:
        with np.load(file, allow_pickle=False) as arrays:
            source = Table(name, arrays["pixels"], arrays["labels"])
    except Exception:  # noqa: BLE001 - a damaged archive fails in many ways
        return None
    return source if source.sha256 == file.stem else None
