"""The manifest: the files of a version, as a `.dir` object of DVC."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from json.encoder import encode_basestring_ascii


@dataclass(frozen=True)
class Manifest:
    """The files of one version: for each name, the MD5 and the size of its bytes."""

    files: Mapping[str, tuple[str, int]]

    @cached_property
    def content(self) -> bytes:
        """The content of DVC's object for a folder: names and hashes as JSON, sorted by name."""
        # Faster than to make a dictionary for each file.
        entries = (
            f'{{"md5": "{self.files[name][0]}", "relpath": {encode_basestring_ascii(name)}}}'
            for name in sorted(self.files)
        )
        return f"[{', '.join(entries)}]".encode()

    @cached_property
    def md5(self) -> str:
        """The name of the object that holds this manifest; it ends in `.dir`."""
        return md5_of(self.content) + ".dir"

    @property
    def size(self) -> int:
        """The size of all files, in bytes."""
        return sum(size for _, size in self.files.values())

    def objects(self) -> dict[str, int]:
        """Return the size of each object that the files need; equal files share one object."""
        return dict(self.files.values())


def entries(content: bytes) -> dict[str, str]:
    """Return the object of each file that a manifest's `content` lists, by file name."""
    return {entry["relpath"]: entry["md5"] for entry in json.loads(content)}


def md5_of(data: bytes) -> str:
    """Return the MD5 of `data` in hex: the name of its object."""
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def matches(name: str, content: bytes) -> bool:
    """Return whether `content` matches the checksum in the object's `name`."""
    return md5_of(content) == name.removesuffix(".dir")
