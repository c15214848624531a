"""Records: files of this project that are not part of a dataset, named by their SHA-256.

They are below `records/` in the remote, where DVC's garbage collection ignores them, and in the
local cache.
"""

import hashlib
from collections.abc import Callable
from contextlib import suppress
from functools import cached_property
from pathlib import Path

from scripts.errors import UserError
from scripts.storage import files
from scripts.storage.remote import Remote

FOLDER = "records"


class Records:
    """The records in a cache and a remote."""

    def __init__(self, folder: Path, open_remote: Callable[[], Remote]) -> None:
        """Use the cache in `folder`; the remote is opened on first use."""
        self._folder = folder
        self._open_remote = open_remote

    def read(self, sha256: str) -> bytes:
        """Return a record; raises `UserError` if it is missing or damaged in cache and remote."""
        if (content := self.cached(sha256)) is not None:
            return content
        content = self._remote.read_record(sha256)
        if content is None:
            raise UserError(f"the record {sha256} is missing in {self._remote.url}")
        if digest(content) != sha256:
            raise UserError(f"checksum mismatch for the record {sha256} in {self._remote.url}")
        self.keep(content)
        return content

    def cached(self, sha256: str) -> bytes | None:
        """Return a record from the cache, None if it is missing or damaged."""
        with suppress(OSError):
            content = (self._folder / sha256).read_bytes()
            if digest(content) == sha256:
                return content
        return None

    def keep(self, content: bytes) -> str:
        """Store a record in the cache; return its name. Errors of the file system are ignored."""
        name = digest(content)
        with suppress(OSError):
            files.write(self._folder / name, content)
        return name

    def store(self, content: bytes) -> str:
        """Store a record in the cache and in the remote, and verify it there; return its name."""
        name = self.keep(content)
        if (intact := self._remote.has_record(name, content)) is None:
            failure = UserError(
                f"the record {name} was written to {self._remote.url}, but is missing"
            )
            try:
                self._remote.write_record(name, content)
            except UserError as error:
                # Another run can have written it at the same time, and nobody may overwrite it.
                failure = error
            if (intact := self._remote.has_record(name, content)) is None:
                raise failure
        if not intact:
            raise UserError(
                f"Checksum mismatch for the record {name} in {self._remote.url}."
                f" Remove it and run it again:\n    {self._remote.record_removal(name)}"
            )
        return name

    @cached_property
    def _remote(self) -> Remote:
        return self._open_remote()


def digest(content: bytes) -> str:
    """Return the SHA-256 of `content` in hex: the name of its record."""
    return hashlib.sha256(content).hexdigest()
