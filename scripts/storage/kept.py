"""Files with results that would take long to find again: they are used only if they are intact."""

import hashlib
from contextlib import suppress
from pathlib import Path

from scripts.storage import files

CHECKSUM = 32


def read(file: Path) -> bytes | None:
    """Return what `file` keeps, None if it is missing or damaged."""
    with suppress(OSError):
        content = file.read_bytes()
        kept, checksum = content[:-CHECKSUM], content[-CHECKSUM:]
        if hashlib.sha256(kept).digest() == checksum:
            return kept
    return None


def write(file: Path, *parts: bytes | memoryview) -> None:
    """Keep `parts`, one after the other, in `file`.

    A folder that cannot be written costs time, not the run.
    """
    checksum = hashlib.sha256()
    for part in parts:
        checksum.update(part)
    with suppress(OSError):
        files.write(file, b"".join([*parts, checksum.digest()]))
