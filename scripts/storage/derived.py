"""Derived records: files that were made from a version, and can be made again.

They are in folders of the records, `records/FOLDER/VERSION/SHA256`, so that a later run finds them
by listing. The name shows that the bytes are intact, but not who made them: anybody who may add
objects to the remote can add some here. So a reader compares them with the version before it uses
them, and makes them again if they differ.
"""

from collections.abc import Iterator
from contextlib import suppress
from functools import cached_property
from pathlib import Path

from scripts.storage import files
from scripts.storage.records import digest
from scripts.storage.remote import Remote


class Derived:
    """The derived records in one folder of a remote and of the cache."""

    def __init__(self, folder: str, cache: Path, remote: Remote) -> None:
        """Use `folder` of the records; `cache` is the folder of the cache's records."""
        self._folder, self._cache, self._remote = folder, cache, remote

    def read(self, version: str) -> Iterator[bytes]:
        """Yield the intact records of `version`, of any origin."""
        for sha256 in self._names.get(version, []):
            content = self._kept(version, sha256)
            if content is None:
                content = self._remote.read_record(self._path(version, sha256))
                if content is None or digest(content) != sha256:
                    continue
                self._keep(version, content)
            yield content

    def store(self, version: str, content: bytes) -> None:
        """Store a record of `version`; raises `UserError` if the remote refuses it."""
        sha256 = self._keep(version, content)
        if sha256 not in self._names.get(version, []):
            self._remote.write_record(self._path(version, sha256), content)
            self._names.setdefault(version, []).append(sha256)

    @cached_property
    def _names(self) -> dict[str, list[str]]:
        """The names of all records by version, from one listing."""
        names: dict[str, list[str]] = {}
        for path in self._remote.records_below(self._folder):
            version, _, sha256 = path.partition("/")
            names.setdefault(version, []).append(sha256)
        return names

    def _path(self, version: str, sha256: str) -> str:
        return f"{self._folder}/{version}/{sha256}"

    def _kept(self, version: str, sha256: str) -> bytes | None:
        with suppress(OSError):
            content = (self._cache / self._path(version, sha256)).read_bytes()
            if digest(content) == sha256:
                return content
        return None

    def _keep(self, version: str, content: bytes) -> str:
        sha256 = digest(content)
        with suppress(OSError):
            files.write(self._cache / self._path(version, sha256), content)
        return sha256
