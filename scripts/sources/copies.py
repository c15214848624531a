"""Copies of a source: named after its checksum, verified when they are read.

The local one is not compressed, so that only the necessary images are read from the disk.
"""

import io
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

import numpy as np
import platformdirs

from scripts.sources.table import Table
from scripts.storage import files

FOLDER = "dataset-sources"


def find(name: str, sha256: str) -> Table | None:
    """Return the local copy of the source `name` with this checksum, None if there is none."""
    file = _file(name, sha256)
    with suppress(OSError):
        found = file.stat()
        stamp = found.st_ino, found.st_size, found.st_mtime_ns
        return _verified(name, sha256, file, stamp)
    return None


# A run of several verbs reads and verifies the same copy only once.
@lru_cache(maxsize=2)
def _verified(name: str, sha256: str, file: Path, _stamp: tuple[int, ...]) -> Table | None:
    found = _mapped(name, file)
    return found if found and found.sha256 == sha256 else None


def keep(source: Table) -> None:
    """Store a local copy. Errors of the file system are ignored."""
    file = _file(source.name, source.sha256)
    with suppress(OSError):
        files.remove_leftovers(file.parent)
        if find(source.name, source.sha256) is None:
            buffer = io.BytesIO()
            for values in (source.pixels, source.labels):
                np.save(buffer, values, allow_pickle=False)
            files.write(file, buffer.getbuffer())


def render(source: Table) -> bytes:
    """Return the copy for the remote: a compressed archive of NumPy.

    See https://numpy.org/doc/stable/reference/generated/numpy.savez_compressed.html.
    """
    buffer = io.BytesIO()
    np.savez_compressed(buffer, pixels=source.pixels, labels=source.labels)
    return buffer.getvalue()


def parse(name: str, content: bytes) -> Table | None:
    """Return the source `name` from a copy made by `render`, None if it is damaged."""
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            return Table(name, arrays["pixels"], arrays["labels"])
    except Exception:  # noqa: BLE001 - a damaged archive fails in many ways
        return None


def _mapped(name: str, file: Path) -> Table | None:
    """Return the memory-mapped source in a local copy; None if it is damaged.

    The file contains two arrays in NumPy's format, one after the other.
    """
    try:
        pixels = np.load(file, mmap_mode="r", allow_pickle=False)
        with file.open("rb") as opened:
            opened.seek(pixels.offset + pixels.nbytes)
            labels = np.load(opened, allow_pickle=False)
        # As a plain array, because indexing NumPy's class for mapped files is much slower.
        return Table(name, pixels.view(np.ndarray), labels)
    except OSError:
        raise
    except Exception:  # noqa: BLE001 - a damaged file fails in many ways
        return None


def _file(name: str, sha256: str) -> Path:
    return platformdirs.user_cache_path(FOLDER) / name / f"{sha256}.npy"
