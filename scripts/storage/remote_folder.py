"""A remote in a folder of this machine, or in one that is mounted."""

import os
import shlex
from collections.abc import Callable, Collection, Iterator, Sequence, Set
from contextlib import suppress
from functools import cached_property, partial
from pathlib import Path

from scripts import workers
from scripts.progress import Bar
from scripts.storage import files
from scripts.storage.cache import READ_ONLY, Cache
from scripts.storage.remote import Remote, StoredObject

# From so many objects on, to list all is faster than to look for each.
MANY = 1_000


class FolderRemote(Remote):
    """A local folder, or one that is mounted."""

    is_folder = True

    def __init__(self, path: str, jobs: int | None = None) -> None:
        """Use the folder `path`, at most `jobs` objects at the same time. DVC is not needed."""
        self._path = path
        self._jobs = jobs or os.cpu_count() or 1

    @cached_property
    def url(self) -> str:
        """The folder's path."""
        return os.path.normpath(self._path)

    def missing(self, names: Collection[str]) -> set[str]:
        """Return which objects are not in the folder."""
        # DVC's own check deletes damaged objects, which must be reported instead.
        with self.reporting("list the objects in"):
            if len(names) < MANY:
                return {name for name in names if not os.path.exists(self.path(name))}  # noqa: PTH110
            there = set[str]()
            for prefix in {name[:2] for name in names}:
                # A file in place of the folder holds no objects.
                with suppress(FileNotFoundError, NotADirectoryError):
                    found = os.listdir(os.path.dirname(self.path(prefix)))  # noqa: PTH120, PTH208
                    there.update(prefix + name for name in found)
            return set(names) - there

    def upload(self, cache: Cache, names: Collection[str]) -> list[BaseException]:
        """Copy objects from `cache`; return the errors."""
        work = partial(_copied, str(cache.folder), self._path)
        with self.reporting("push to"):
            results = workers.results(work, sorted(names))
            bar = Bar(results, desc=f"Pushing to {self.url}", total=len(names))
            return [error for error in bar if error]

    def write_record(self, sha256: str, content: bytes) -> None:
        """Store a record that is not there yet; it is there as a whole or not at all."""
        with self.reporting("write to"):
            files.write(Path(self._record_path(sha256)), content)

    def remove_leftovers(self) -> None:
        """Remove the temporary files that killed runs left."""
        files.remove_leftovers(*files.folders_of(Path(self._path)))

    def doubtful(self, names: Set[str], _: Collection[str]) -> Set[str]:
        """Return all: to look for a file costs nothing."""
        return names

    def _parts(self, folder: str) -> Iterator[list[StoredObject]]:
        for parent, _, names in os.walk(folder):
            yield [self._stored(os.path.join(parent, name)) for name in names]  # noqa: PTH118

    def _stored(self, path: str) -> StoredObject:
        found = os.lstat(path)
        place = Path(path).relative_to(self._path).as_posix()
        return StoredObject(path, place, found.st_size, found.st_mtime)

    def _delete(self, path: str) -> None:
        Path(path).unlink()

    def _removal(self, path: str) -> str:
        return f"rm -f {shlex.quote(os.path.normpath(path))}"

    def _read_path(self, path: str) -> bytes:
        return Path(path).read_bytes()

    def _ranges(self, path: str) -> tuple[int, Callable[[int, int], bytes]]:
        def read(start: int, stop: int) -> bytes:
            with open(path, "rb") as file:  # noqa: PTH123
                file.seek(start)
                return file.read(stop - start)

        return os.path.getsize(path), read  # noqa: PTH202

    def _put(self, name: str, content: bytes) -> None:
        files.write(self.path(name), content, READ_ONLY)

    def _write(self, file: Path, name: str) -> None:
        files.copy(str(file), self.path(name), READ_ONLY)

    def _intact(self, names: Sequence[str]) -> Iterator[bool]:
        return workers.results(partial(files.match, Path(self._path)), names)


def _copied(cache: str, remote: str, names: Sequence[str]) -> list[OSError | None]:
    """Copy objects from one folder to another; return the error of each, None without one."""
    return [_error_of_copy(cache, remote, files.object_path(name)) for name in names]


def _error_of_copy(cache: str, remote: str, path: str) -> OSError | None:
    try:
        # Not DVC's own way, which leaves a part behind when the disk is full.
        files.copy(f"{cache}/{path}", f"{remote}/{path}", READ_ONLY)
    except OSError as error:
        return error
    return None
