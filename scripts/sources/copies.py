"""The local copy of a source: compact, named after its checksum, verified when it is read."""

import io
from contextlib import suppress
from pathlib import Path

import numpy as np
import platformdirs

from scripts.sources.table import Table
from scripts.storage import files


def find(name: str, sha256: str) -> Table | None:
    """Return the copy of the source `name` with this checksum, None without an intact one."""
    with suppress(OSError):
        found = parse(name, _file(name, sha256).read_bytes())
        if found and found.sha256 == sha256:
            return found
    return None


def keep(source: Table) -> None:
    """Store a copy of `source`. A folder that cannot be written costs time, not the run."""
    file = _file(source.name, source.sha256)
    with suppress(OSError):
        files.remove_leftovers(file.parent)
        if find(source.name, source.sha256) is None:
            files.write(file, render(source))


def content(source: Table) -> bytes:
    """Return the content of a copy of `source`, from the local one if there is one."""
    with suppress(OSError):
        kept = _file(source.name, source.sha256).read_bytes()
        if (found := parse(source.name, kept)) and found.sha256 == source.sha256:
            return kept
    return render(source)


def render(source: Table) -> bytes:
    """Return `source` as one of NumPy's own compressed archives.

    See https://numpy.org/doc/stable/reference/generated/numpy.savez_compressed.html.
    """
    buffer = io.BytesIO()
    np.savez_compressed(buffer, pixels=source.pixels, labels=source.labels)
    return buffer.getvalue()


def parse(name: str, content: bytes) -> Table | None:
    """Return the source called `name` in a copy's `content`, None when it is damaged."""
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            return Table(name, arrays["pixels"], arrays["labels"])
    except Exception:  # noqa: BLE001 - a damaged archive fails in many ways
        return None


def _file(name: str, sha256: str) -> Path:
    return platformdirs.user_cache_path("dataset-sources") / name / f"{sha256}.npz"
