"""Tar archives with limits for headers, which tarfile reads into memory."""

import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

BLOCK = 512
# The headers of one file: names and attributes.
MAX_HEADERS = 256 * 1024
# The minimum size of each: tarfile recurses for consecutive headers.
MIN_HEADER = 4 * 1024
EXTENDED = {
    *(tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK),
    *(tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE),
}
# The magic numbers of compressed files; the last one is an older form of the previous one.
COMPRESSED = {b"\x1f\x8b": "gz", b"BZh": "bz2", b"\xfd7zXZ": "xz", b"]\x00\x00": "xz"}
SPARSE = "it has sparse files; create it without them"


class TarFile(tarfile.TarFile):
    """An archive.

    `headers` is the size of the headers before the next file, `kept` that of headers for all files.
    """

    headers = kept = 0


class TarInfo(tarfile.TarInfo):
    """A header, which is checked before its data is read."""

    # Called for each header, as the comment above it in tarfile describes.
    def _proc_member(self, archive: TarFile) -> Any:
        if self.size < 0:
            raise tarfile.ReadError("a header has a negative size")
        if self.type == tarfile.GNUTYPE_SPARSE:
            raise tarfile.ReadError(SPARSE)
        if self.type in EXTENDED:
            archive.headers += max(self.size, MIN_HEADER)
            archive.kept += self.size if self.type == tarfile.XGLTYPE else 0
            if archive.headers > MAX_HEADERS:
                message = f"the headers of a file have more than {MAX_HEADERS:,} bytes"
                raise tarfile.ReadError(message)
        return super()._proc_member(archive)  # type: ignore[misc]

    def _proc_gnusparse_10(self, *_: Any) -> None:
        raise tarfile.ReadError(SPARSE)


TarFile.tarinfo = TarInfo


def opened(path: Path) -> TarFile:
    """Open an archive with the detected compression, which tarfile would find by trying.

    The error messages of tarfile would list all attempts.
    """
    with path.open("rb") as file:
        start = file.read(8)
    kind = next((kind for magic, kind in COMPRESSED.items() if start.startswith(magic)), "")
    return TarFile.open(path, mode=f"r:{kind}")  # type: ignore[call-overload,no-any-return]


def members(archive: TarFile) -> Iterator[tarfile.TarInfo]:
    """Yield the members of an archive, without keeping all in memory as tarfile does."""
    for member in archive:
        archive.members = []  # type: ignore[attr-defined]
        archive.headers = archive.kept
        yield member


def check_end(archive: TarFile) -> None:
    """Raise an error for an archive truncated between two files, which tarfile accepts."""
    if archive.fileobj is None:
        return
    archive.fileobj.seek(archive.offset)
    if archive.fileobj.read(BLOCK) != bytes(BLOCK):
        raise tarfile.ReadError("the archive ends too early")
