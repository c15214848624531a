"""Files on the local disk, replaced as a whole or not at all."""

import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import IO

# The end of the name of every temporary file, DVC's own included.
TEMPORARY = ".tmp"
# Seconds. No run takes as long, so that an older temporary file is one that a killed run left.
MAX_AGE = 24 * 60 * 60
# Bytes of a file that are copied at a time.
BLOCK = 1024 * 1024


def write(path: Path, data: bytes | memoryview, mode: int = 0o644) -> None:
    """Replace the file at `path` by one with `data`; a reader sees the old or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with _replacing(path, mode) as file:
        file.write(data)


def copy(source: Path, path: Path, mode: int = 0o644) -> None:
    """Replace the file at `path` by a copy of `source`, of which only a part is in memory."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with _replacing(path, mode) as file, source.open("rb") as original:
        shutil.copyfileobj(original, file, BLOCK)


def md5(path: Path) -> str:
    """Return the MD5 of a file in hex, without having all of it in memory."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, partial(hashlib.md5, usedforsecurity=False)).hexdigest()


def remove_leftovers(*folders: Path) -> None:
    """Remove the temporary files that killed runs left in `folders` more than a day ago.

    What cannot be removed stays: it takes space, and nothing reads it.
    """
    oldest = time.time() - MAX_AGE
    for folder in folders:
        with suppress(OSError):
            for file in folder.glob(f"*{TEMPORARY}"):
                with suppress(OSError):
                    if file.lstat().st_mtime < oldest:
                        file.unlink()


def object_path(name: str) -> str:
    """Return where a DVC cache, or a remote in a folder, keeps the object called `name`."""
    return f"files/md5/{name[:2]}/{name[2:]}"


def folders_of(store: Path) -> list[Path]:
    """Return the folders in which a DVC cache, or a remote in a folder, keeps files."""
    return [*(store / "files" / "md5").glob("??"), store / "records"]


def link(source: str, target: str) -> None:
    """Make `target` the same file as `source`, or a copy where links are not possible."""
    try:
        os.link(source, target)
    except OSError:
        # Another file system, or one without hard links.
        shutil.copyfile(source, target)


def remove(path: Path) -> None:
    """Remove a file, a link or a folder; do nothing when there is none."""
    if path.is_symlink() or path.is_file():
        path.unlink()
    elif path.exists():
        shutil.rmtree(path)


@contextmanager
def _replacing(path: Path, mode: int) -> Iterator[IO[bytes]]:
    """Give a temporary file that replaces the one at `path` when the block ends."""
    with tempfile.NamedTemporaryFile(dir=path.parent, suffix=TEMPORARY, delete=False) as file:
        temporary = Path(file.name)
        try:
            yield file
            file.close()
            temporary.chmod(mode)
            temporary.replace(path)
        except BaseException:
            file.close()
            temporary.unlink(missing_ok=True)
            raise
