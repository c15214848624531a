"""The manifest: the files of a version, as DVC's own `.dir` object."""

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Manifest:
    """The files of one version: for each name, the MD5 and the size of its bytes."""

    files: dict[str, tuple[str, int]]

    def content(self) -> bytes:
        """Return DVC's object for a folder: names and hashes as JSON, sorted by name."""
        entries = [{"md5": md5, "relpath": name} for name, (md5, _) in sorted(self.files.items())]
        return json.dumps(entries).encode()

    @property
    def md5(self) -> str:
        """The name of the object that holds this manifest; it ends in `.dir`."""
        return md5_of(self.content()) + ".dir"

    @property
    def size(self) -> int:
        """The size of all files, in bytes."""
        return sum(size for _, size in self.files.values())

    def objects(self) -> dict[str, int]:
        """Return the size of each object that the files need; equal files share one object."""
        return dict(self.files.values())


def of_files(
    files: Iterable[tuple[str, bytes]], put: Callable[[bytes], str] | None = None
) -> Manifest:
    """Return the manifest of `files`, passing the bytes of each to `put` on the way."""
    name_of = put or md5_of
    return Manifest({name: (name_of(data), len(data)) for name, data in files})


def entries(content: bytes) -> dict[str, str]:
    """Return the object of each file that a manifest's `content` lists, by file name."""
    return {entry["relpath"]: entry["md5"] for entry in json.loads(content)}


def md5_of(data: bytes) -> str:
    """Return the MD5 of `data` in hex: the name of its object."""
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def matches(name: str, content: bytes) -> bool:
    """Return whether `content` has the checksum that the object's `name` says."""
    return md5_of(content) == name.removesuffix(".dir")
