"""Atomic operations on local files."""

import hashlib
import os
import shutil
import stat
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import IO

# The end of the name of every temporary file, DVC's own included.
TEMPORARY = ".tmp"
# Seconds. No run takes longer, so an older temporary file was left by a killed run.
MAX_AGE = 24 * 60 * 60
# The mode that DVC gives to the folders of a cache that a group shares: all its members may write
# there, and what they make belongs to the group.
SHARED = 0o2775
# Bytes of a file that are copied at a time.
BLOCK = 1024 * 1024
# Bytes of a file that are read at a time to hash it.
READ_SIZE = 64 * 1024


def write(path: str | Path, data: bytes | memoryview, mode: int = 0o644) -> os.stat_result:
    """Replace the file at `path` atomically by `data`.

    Returns the status of the new file.
    """
    with _replacing(path, mode) as file:
        file.write(data)
        file.flush()
        return os.fstat(file.fileno())


def keep(root: Path, name: str, text: str) -> str | None:
    """Write `text` to `name` below `.dvc/tmp`; return the path, None if it cannot be written."""
    if not (root / ".dvc").is_dir():
        return None
    path = Path(".dvc", "tmp", name)
    try:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        write(root / path, text.encode())
    except OSError:
        return None
    return path.as_posix()


def copy(source: str, path: str, mode: int = 0o644) -> None:
    """Replace the file at `path` atomically by a copy of `source`."""
    with open(source, "rb") as original, _replacing(path, mode) as file:  # noqa: PTH123
        shutil.copyfileobj(original, file, BLOCK)


def md5(path: str | Path) -> str:
    """Return the MD5 of a file in hex, without loading all of it."""
    # For small files this is twice as fast as `hashlib.file_digest`, which allocates a large
    # buffer.
    digest = hashlib.md5(usedforsecurity=False)
    with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - faster than Path
        while block := file.read(READ_SIZE):
            digest.update(block)
    return digest.hexdigest()


def share(*folders: Path) -> None:
    """Create group-writable `folders`; folders created below them are group-writable too.

    As with DVC, existing parent folders are not changed.
    """
    for folder in folders:
        missing = [one for one in folder.parents if not one.exists()]
        with suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
        for made in (folder, *missing):
            _set_shared(str(made))


def remove_leftovers(*folders: Path) -> None:
    """Remove the temporary files that killed runs left in `folders` more than a day ago.

    Errors are ignored.
    """
    oldest = time.time() - MAX_AGE
    for folder in folders:
        with suppress(OSError):
            for file in folder.glob(f"*{TEMPORARY}"):
                with suppress(OSError):
                    if file.lstat().st_mtime < oldest:
                        file.unlink()


def object_path(name: str) -> str:
    """Return the path of the object `name` in a DVC cache, or a remote in a folder."""
    return f"files/md5/{name[:2]}/{name[2:]}"


def stamp(found: os.stat_result) -> str:
    """Return what changes with a file: its inode, its size and the time of the last change."""
    return f"{found.st_ino} {found.st_size} {found.st_mtime_ns}"


def inodes(store: str | Path, names: Collection[str]) -> dict[str, int]:
    """Return the inodes of the objects in `store` with the first two digits of any of `names`."""
    found = {}
    for prefix in {name[:2] for name in names}:
        path = f"{store}/files/md5/{prefix}"
        with suppress(FileNotFoundError, NotADirectoryError), os.scandir(path) as entries:
            found.update({prefix + entry.name: entry.inode() for entry in entries})
    return found


def match(store: Path, names: Sequence[str]) -> list[bool]:
    """Return whether each of the objects `names` in `store` matches the MD5 in its name."""
    return [md5(f"{store}/{object_path(name)}") == name.removesuffix(".dir") for name in names]


def folders_of(store: Path) -> list[Path]:
    """Return the folders of objects in a DVC cache, or a remote in a folder."""
    records = store / "records"
    return [*(store / "files" / "md5").glob("??"), records, *records.glob("*/*")]


def link(source: str, target: str) -> None:
    """Make `target` a hard link to `source`, or a copy if links are not possible."""
    try:
        os.link(source, target)
    except OSError:
        # Another file system, or one without hard links.
        shutil.copyfile(source, target)


def remove(path: Path) -> None:
    """Remove a file, a link or a folder, if it exists."""
    if path.is_symlink() or path.is_file():
        path.unlink()
    elif path.exists():
        shutil.rmtree(path)


@contextmanager
def _replacing(path: str | Path, mode: int) -> Iterator[IO[bytes]]:
    """Give a temporary file that replaces the one at `path` when the block ends."""
    # Not `tempfile` and `pathlib`: they take longer than to write a small file.
    folder = os.path.dirname(path)  # noqa: PTH120
    temporary = os.path.join(folder, f"{os.urandom(8).hex()}{TEMPORARY}")  # noqa: PTH118
    try:
        with _created(temporary, mode) as file:
            yield file
            is_right = stat.S_IMODE(os.fstat(file.fileno()).st_mode) == mode
        if not is_right:
            # The umask of this user is not the usual one.
            os.chmod(temporary, mode)  # noqa: PTH101
        os.replace(temporary, path)  # noqa: PTH105
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)  # noqa: PTH108
        raise


def _created(path: str, mode: int) -> IO[bytes]:
    """Open a new file, and create its folder if necessary."""
    opener = partial(os.open, mode=mode)
    try:
        return open(path, "xb", opener=opener)
    except FileNotFoundError:
        _make_folder(os.path.dirname(path))  # noqa: PTH120
        return open(path, "xb", opener=opener)


def _make_folder(path: str) -> None:
    """Create a folder and its parents; below a shared folder they are shared too."""
    above = os.path.dirname(path)  # noqa: PTH120
    if above and not os.path.isdir(above):  # noqa: PTH112
        _make_folder(above)
    os.makedirs(path, exist_ok=True)  # noqa: PTH103
    if os.stat(above or ".").st_mode & SHARED == SHARED:  # noqa: PTH116
        _set_shared(path)


def _set_shared(path: str) -> None:
    # It can belong to another member of the group, or the file system has no such mode.
    with suppress(OSError):
        os.chmod(path, SHARED)  # noqa: PTH101
