"""A remote of any other kind that DVC knows, such as SSH, through DVC's client."""

from collections.abc import Callable, Collection, Iterator
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from scripts.storage import calls
from scripts.storage.remote import Remote, StoredObject

# From so many objects on, DVC decides whether a listing is faster than to look for each.
MANY = 1_000
# The keys for the time of the last write in the file systems that DVC uses.
MODIFIED = ("mtime", "LastModified", "last_modified", "modified", "updated")


class DvcRemote(Remote):
    """A remote of any kind that DVC knows. Kinds that can do better have a class of their own."""

    def __init__(self, dvc_remote: Any) -> None:
        """Use `dvc_remote`, an object of `dvc.data_cloud.Remote`."""
        self._fs: Any = dvc_remote.fs
        self._path = dvc_remote.path
        self._objects: Any = dvc_remote.odb
        self._jobs = dvc_remote.fs.jobs

    @cached_property
    def url(self) -> str:
        """The remote's address."""
        return str(self._fs.unstrip_protocol(self._path))

    def missing(self, names: Collection[str]) -> set[str]:
        """Return the objects that are missing."""
        with self.reporting("list the objects in"):
            # The remote itself is asked: DVC's index of it can be out of date.
            if len(names) >= MANY:
                return set(names) - set(self._objects.oids_exist(list(names)))
            self._fs.fs.invalidate_cache()
            there = calls.at_once(self._exists, ordered := sorted(names), self._jobs)
            return {name for name, exists in zip(ordered, there, strict=True) if not exists}

    def write_record(self, sha256: str, content: bytes) -> None:
        """Store a new record."""
        with self.reporting("write to"):
            self._fs.fs.pipe_file(self._record_path(sha256), content)

    def _exists(self, name: str) -> bool:
        try:
            self._fs.fs.info(self.path(name))
        except FileNotFoundError:
            return False
        return True

    def _parts(self, folder: str) -> Iterator[list[StoredObject]]:
        """Yield the files of the folder, then of each folder in it."""
        client = self._fs.fs
        client.invalidate_cache()
        try:
            entries = client.ls(folder, detail=True)
        except FileNotFoundError:
            return
        yield [self._stored(entry) for entry in entries if entry["type"] != "directory"]
        for entry in entries:
            if entry["type"] == "directory":
                found = client.find(entry["name"], detail=True)
                yield [self._stored(info) for info in found.values()]
                # Otherwise everything that was listed would be kept.
                client.invalidate_cache()

    def _stored(self, info: dict[str, Any]) -> StoredObject:
        path = info["name"]
        place = path.removeprefix(f"{self._path}/")
        return StoredObject(path, place, int(info.get("size") or 0), _modified(info))

    def _delete(self, path: str) -> None:
        self._fs.fs.rm_file(path)

    def _removal(self, path: str) -> str:
        # Each kind has a tool of its own; the address says which object it is.
        return str(self._fs.unstrip_protocol(path))

    def _read_path(self, path: str) -> bytes:
        return bytes(self._fs.fs.cat_file(path))

    def _ranges(self, path: str) -> tuple[int, Callable[[int, int], bytes]]:
        client = self._fs.fs
        size = int(client.info(path)["size"])
        return size, lambda start, stop: bytes(client.cat_file(path, start=start, end=stop))

    def _put(self, name: str, content: bytes) -> None:
        self._fs.fs.pipe_file(self.path(name), content)

    def _write(self, file: Path, name: str) -> None:
        self._fs.put_file(str(file), self.path(name))


def _modified(info: dict[str, Any]) -> float | None:
    """Return the time of the last write, in seconds since 1970; None if unknown."""
    value = next((info[key] for key in MODIFIED if info.get(key) is not None), None)
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp()
    return float(value) if isinstance(value, int | float) else None
