"""Locations of images: a folder, an archive or a bucket.

No file is written under a name from a location.
"""

import stat
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Any, NamedTuple, Protocol

import fsspec

from scripts.errors import UserError
from scripts.ingest import tars
from scripts.ingest.checked_paths import checked
from scripts.ingest.findings import Findings
from scripts.inputs.images import MAX_BYTES
from scripts.storage import extras

ZIP = ".zip"
ARCHIVES = (ZIP, ".tar", ".tar.gz", ".tgz", ".tar.xz", ".txz", ".tar.bz2", ".tbz2", ".tbz")
OTHER_ARCHIVES = (".7z", ".rar", ".tar.zst", ".tzst", ".tar.lz4", ".tar.lz", ".tar.z")
# Besides paths on this machine. The clients of all but the first two are installed by the team.
SCHEMES = ("file", "gs", "s3", "az", "abfs")
OTHER_ARCHIVE = (
    "this kind of archive is not supported. Extract it and ingest the folder, or make a .zip or"
    " .tar archive of it"
)
MAX_FILES = 5_000_000
# For an archive, and for all files in it: more would take hours.
MAX_TOTAL = 256 * 1024**3
# Bytes that are read from a bucket at the same time.
READ_AT_ONCE = 2 * MAX_BYTES
FILES_AT_ONCE = 64
SPOOLED = 64 * 1024**2


class LocatedFile(NamedTuple):
    """A file of a location: its path, and the data that is needed to read it."""

    path: PurePosixPath
    size: int
    key: Any


class Location(Protocol):
    """A location of images."""

    def files(self, problems: Findings) -> Iterator[LocatedFile]:
        """Yield all files in a fixed order, and add problems for files that are not regular."""

    def read(self, files: Sequence[LocatedFile]) -> Iterator[tuple[LocatedFile, bytes]]:
        """Yield the content of each of `files`, which are in the order of the location."""

    def spool(self, file: LocatedFile) -> IO[bytes]:
        """Return a seekable file of any size."""


class FolderLocation:
    """A folder of a file system, which can be a bucket."""

    def __init__(self, fs: Any, root: str) -> None:
        """Use the folder `root`, which can be a single file too."""
        self._fs, self._root = fs, root

    def files(self, problems: Findings) -> Iterator[LocatedFile]:
        """Yield all files, sorted by their path."""
        found = self._fs.find(self._root, detail=True)
        root = self._root if len(found) != 1 or self._root not in found else _parent(self._root)
        for name in sorted(found):
            path = name.removeprefix(root).lstrip("/")
            if name.endswith("/") or not path:
                continue  # how some buckets note an empty folder
            if (clean := checked(path, problems)) is None:
                continue
            if found[name]["type"] != "file":
                problems.add(path, "it is a link or a device; only regular files are read")
            else:
                yield LocatedFile(clean, int(found[name].get("size") or 0), name)

    def read(self, files: Sequence[LocatedFile]) -> Iterator[tuple[LocatedFile, bytes]]:
        """Yield the content of each of `files`; a few are read at the same time."""
        for part in _parts(files):
            # Unlike `cat`, this takes a name with [ ] * ? for a name, and not for a pattern.
            contents = self._fs.cat_ranges([file.key for file in part], None, None)
            for file, content in zip(part, contents, strict=True):
                if isinstance(content, BaseException):
                    raise content
                yield file, content

    def spool(self, file: LocatedFile) -> IO[bytes]:
        """Return a file of any size."""
        opened: IO[bytes] = self._fs.open(file.key, "rb")
        return opened


class Zip:
    """A zip archive."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        """Read `archive`."""
        self._archive = archive

    def files(self, problems: Findings) -> Iterator[LocatedFile]:
        """Yield all files, in the order of the archive."""
        for info in self._archive.infolist():
            mode = info.external_attr >> 16
            # Some programs for Windows separate folders by backslashes, which the format forbids.
            name = info.filename.replace("\\", "/")
            if name.endswith("/") or (clean := checked(name, problems)) is None:
                continue
            if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
                problems.add(info.filename, "it is a link or a device; only regular files are read")
            elif info.flag_bits & 1:
                problems.add(info.filename, "it is encrypted")
            else:
                yield LocatedFile(clean, info.file_size, info)

    def read(self, files: Sequence[LocatedFile]) -> Iterator[tuple[LocatedFile, bytes]]:
        """Yield the content of each of `files`."""
        for file in files:
            with self._archive.open(file.key) as opened:
                # Not more than the size in the archive.
                yield file, opened.read(file.size + 1)[: file.size]

    def spool(self, file: LocatedFile) -> IO[bytes]:
        """Return a file of any size."""
        with self._archive.open(file.key) as opened:
            return _spooled(opened)


class Tar:
    """A tar archive, compressed or not. Each method reads it from the beginning."""

    def __init__(self, path: Path) -> None:
        """Read the archive at `path`."""
        self._path = path

    def files(self, problems: Findings) -> Iterator[LocatedFile]:
        """Yield all files, in the order of the archive."""
        with tars.opened(self._path) as archive:
            for number, member in enumerate(tars.members(archive)):
                if member.isdir() or (clean := checked(member.name, problems)) is None:
                    continue
                if not member.isreg() or member.issparse():
                    problems.add(
                        member.name, "it is a link or a device; only regular files are read"
                    )
                else:
                    yield LocatedFile(clean, member.size, number)
            tars.check_end(archive)

    def read(self, files: Sequence[LocatedFile]) -> Iterator[tuple[LocatedFile, bytes]]:
        """Yield the content of each of `files`."""
        wanted = {file.key: file for file in files}
        with tars.opened(self._path) as archive:
            for number, member in enumerate(tars.members(archive)):
                if number in wanted and (opened := archive.extractfile(member)):
                    yield wanted[number], opened.read()

    def spool(self, file: LocatedFile) -> IO[bytes]:
        """Return a file of any size."""
        with tars.opened(self._path) as archive:
            for number, member in enumerate(tars.members(archive)):
                if number == file.key and (opened := archive.extractfile(member)):
                    return _spooled(opened)
        raise UserError(f"{file.path} has disappeared from the archive")


@contextmanager
def opened(location: str) -> Iterator[Location]:
    """Open `location`: an address, or a path on this machine.

    Raises `UserError` for all errors, also within the block.
    """
    _check(location)
    extras.require(location.partition("://")[0])
    with reporting(location), ExitStack() as stack:
        fs, root = fsspec.core.url_to_fs(location)
        if not fs.exists(root):
            raise UserError(f"{location}: there is no such file or folder")
        if root.lower().endswith(OTHER_ARCHIVES) and fs.isfile(root):
            raise UserError(f"{location}: {OTHER_ARCHIVE}")
        is_archive = root.lower().endswith(ARCHIVES) and fs.isfile(root)
        if not is_archive:
            yield FolderLocation(fs, root.rstrip("/"))
            return
        path = stack.enter_context(_on_disk(fs, root, location))
        if root.lower().endswith(ZIP):
            yield Zip(stack.enter_context(zipfile.ZipFile(path)))
        else:
            yield Tar(path)


def _check(location: str) -> None:
    """Raise `UserError` unless the address is that of a folder or a bucket.

    fsspec supports many more, some of which run commands or read other addresses.
    """
    scheme, separator, _ = location.partition(":")
    if "::" in location or (separator and len(scheme) > 1 and not _is_allowed(location)):
        known = ", ".join(f"{scheme}://" for scheme in SCHEMES)
        raise UserError(
            f"{location} is not supported: use a path on this machine, or a URL that begins with "
            f"{known}"
        )


def _is_allowed(location: str) -> bool:
    # The scheme as fsspec detects it, because a path can contain a colon too.
    scheme, _ = fsspec.core.split_protocol(location)
    return scheme is None or (scheme in SCHEMES and location.startswith(f"{scheme}://"))


@contextmanager
def reporting(location: str) -> Iterator[None]:
    """Raise errors of fsspec, its clients and archives as one message."""
    try:
        yield
    except (UserError, MemoryError):
        raise
    except Exception as error:  # noqa: BLE001 - each file system raises its own kinds
        reason = " ".join(str(error).split()) or type(error).__name__
        raise UserError(f"{location} cannot be read: {reason}") from None


def bounded(files: Iterable[LocatedFile], location: str) -> Iterator[LocatedFile]:
    """Yield `files`; raises `UserError` if there are too many."""
    total = 0
    for count, file in enumerate(files, 1):
        total += file.size
        if count > MAX_FILES:
            raise UserError(
                f"{location} has more than {MAX_FILES:,} files; ingest them in several parts"
            )
        if total > MAX_TOTAL:
            raise UserError(
                f"the files in {location} have more than {MAX_TOTAL / 1024**3:,.0f} GiB; ingest"
                " them in several parts"
            )
        yield file


def listed(location: Location, address: str, problems: Findings) -> list[LocatedFile]:
    """Return the files of a location, as long as there are not too many of them.

    Of a file that is in an archive twice, the last one counts.
    """
    return [*{file.path: file for file in bounded(location.files(problems), address)}.values()]


def _parent(path: str) -> str:
    return path.rpartition("/")[0]


def _parts(files: Sequence[LocatedFile]) -> Iterator[list[LocatedFile]]:
    part: list[LocatedFile] = []
    size = 0
    for file in files:
        if part and (size + file.size > READ_AT_ONCE or len(part) >= FILES_AT_ONCE):
            yield part
            part, size = [], 0
        part.append(file)
        size += file.size
    if part:
        yield part


@contextmanager
def _on_disk(fs: Any, root: str, location: str) -> Iterator[Path]:
    """Give a local copy of an archive, under a fixed name."""
    if "file" in (fs.protocol if isinstance(fs.protocol, tuple) else (fs.protocol,)):
        yield Path(root)
        return
    if (fs.size(root) or 0) > MAX_TOTAL:
        raise UserError(f"{location} has more than {MAX_TOTAL / 1024**3:,.0f} GiB")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "archive"
        fs.get_file(root, str(path))
        yield path


def _spooled(opened: IO[bytes]) -> IO[bytes]:
    spooled: IO[bytes] = tempfile.SpooledTemporaryFile(SPOOLED)  # noqa: SIM115 - the caller closes it
    while chunk := opened.read(SPOOLED):
        spooled.write(chunk)
    spooled.seek(0)
    return spooled
