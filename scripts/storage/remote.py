"""The remote: the bucket or folder where the objects of all releases are kept."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator, Sequence, Set
from contextlib import contextmanager, suppress
from io import RawIOBase
from pathlib import Path
from typing import NamedTuple

from scripts.errors import UserError
from scripts.progress import Bar
from scripts.storage import calls, files, manifest
from scripts.storage.cache import Cache
from scripts.storage.range_file import RangeFile

# How many objects are in memory at the same time.
READ_AT_ONCE = 500
# Seconds for one request.
TIME_LIMIT = 120.0
MAX_REASON = 300
STORES = ("files/md5", "records")  # below a remote
DIR = ".dir"  # the end of the name of a manifest


class StoredObject(NamedTuple):
    """A file in a remote: its path, its path below the remote, bytes, seconds since 1970.

    `modified` is None if the remote does not report it.
    """

    path: str
    place: str
    size: int
    modified: float | None


class StoreOutcome(NamedTuple):
    """What became of the objects of a version in a remote.

    `copied` is how many were copied. `missing` could not be, for the reasons `errors`. `wrong` do
    not match the checksum in their name.
    """

    copied: int
    missing: set[str]
    wrong: set[str]
    errors: list[BaseException]


class Remote(ABC):
    """A remote; each kind has a class of its own."""

    is_folder = False
    # The path of the remote in its file system, and how many objects are handled at the same time.
    _path: str
    _jobs: int

    @property
    @abstractmethod
    def url(self) -> str:
        """The remote's address."""

    def path(self, name: str) -> str:
        """Return the path of the object `name` in the file system of the remote."""
        return f"{self._path}/{files.object_path(name)}"

    @abstractmethod
    def missing(self, names: Collection[str]) -> set[str]:
        """Return the objects that are missing; raises `UserError` if the remote is unreachable."""

    def mismatched(self, names: Collection[str]) -> set[str]:
        """Return the objects that do not match the checksum in their name.

        Checksums that the remote reports are compared, otherwise the objects are read.
        """
        return self.damaged(names)

    def doubtful(self, names: Set[str], verified: Collection[str]) -> Set[str]:
        """Return the objects whose existence has to be checked.

        The `verified` ones were there when they were released, and garbage collection keeps them.
        """
        return names - set(verified)

    def store(self, cache: Cache, names: Set[str], verified: Collection[str]) -> StoreOutcome:
        """Copy the objects of a version that are missing from `cache`, its manifest last.

        A manifest in the remote always has its files. All are verified, except for those that a
        release has `verified`; they count only as long as its manifest is there. Raises `UserError`
        if the remote is unreachable, or the cache lacks a missing object.
        """
        if self.missing({name for name in verified if name.endswith(DIR)}):
            verified = ()
        absent = self.missing(self.doubtful(names, verified))
        cache.refuse_damaged(absent)
        manifests = {name for name in absent if name.endswith(DIR)}
        errors = self.upload(cache, absent - manifests)
        # Another run can have copied an object at the same time, so only missing ones are errors.
        missing = self.missing(absent - manifests)
        if not missing and manifests:
            errors = self.upload(cache, manifests)
            missing = self.missing(absent)
        wrong = set() if missing else self.mismatched(names - (set(verified) - absent))
        return StoreOutcome(len(absent - missing), missing, wrong, errors)

    def damaged(self, names: Collection[str]) -> set[str]:
        """Read objects and return those whose checksum does not match their name.

        Only a few objects are in memory, because shards are large.
        """
        ordered = sorted(names)
        with self.reporting("read from"):
            intact = Bar(self._intact(ordered), desc="Reading objects", total=len(ordered))
            return {name for name, right in zip(ordered, intact, strict=True) if not right}

    def read(self, names: Collection[str]) -> Iterator[tuple[str, bytes]]:
        """Yield the name and content of each object; raises `UserError` if one is missing."""
        ordered = sorted(names)
        for start in range(0, len(ordered), READ_AT_ONCE):
            part = ordered[start : start + READ_AT_ONCE]
            with self.reporting("read from"):
                contents = list(calls.at_once(self._read, part, self._jobs))
            yield from zip(part, contents, strict=True)

    def manifest(self, manifest_md5: str) -> dict[str, str]:
        """Return the object of each file of a version, by file name.

        Raises `UserError` if the manifest is missing or damaged.
        """
        with self.reporting("read from"):
            try:
                content = self._read(manifest_md5)
            except FileNotFoundError:
                raise UserError(f"the manifest {manifest_md5} is missing in {self.url}") from None
        if not manifest.matches(manifest_md5, content):
            raise UserError(f"checksum mismatch for the manifest {manifest_md5} in {self.url}")
        return manifest.entries(content)

    def read_record(self, sha256: str) -> bytes | None:
        """Return the content of a record as it is, None if it is missing."""
        with self.reporting("read from"):
            try:
                return self._read_path(self._record_path(sha256))
            except FileNotFoundError:
                return None

    def records_below(self, folder: str) -> list[str]:
        """Return the paths of all records in a folder of the records, relative to it."""
        with self.reporting("list the records in"):
            root = self._record_path(folder)
            found = (stored for part in self._parts(root) for stored in part)
            return sorted(stored.path.removeprefix(f"{root}/") for stored in found)

    def has_record(self, sha256: str, content: bytes) -> bool | None:
        """Return whether a record is `content`, None if it is missing."""
        there = self.read_record(sha256)
        return None if there is None else there == content

    def upload(self, cache: Cache, names: Collection[str]) -> list[BaseException]:
        """Copy objects from `cache`; return the errors.

        Ends at once if the remote does not respond, because each object would wait as long.
        """
        with self.reporting("push to"):
            words = f"Pushing to {self.url}"
            _, errors = calls.attempts(
                lambda name: self._write(cache.path(name), name), sorted(names), self._jobs, words
            )
            return list(errors.values())

    def listing(self) -> Iterator[StoredObject]:
        """Yield all files in the remote, from listings of a part at a time."""
        with self.reporting("list the objects in"):
            for store in STORES:
                for found in self._parts(f"{self._path}/{store}"):
                    yield from sorted(found)

    def delete(self, stored: Collection[StoredObject]) -> list[BaseException]:
        """Delete objects and records; return the errors. Missing ones are no error."""

        def delete(path: str) -> None:
            with suppress(FileNotFoundError):
                self._delete(path)

        with self.reporting("delete from"):
            paths, words = [one.path for one in stored], f"Deleting from {self.url}"
            return [*calls.attempts(delete, paths, self._jobs, words)[1].values()]

    def put(self, name: str, content: bytes) -> None:
        """Store a new object; another run can store it at the same time."""
        with self.reporting("write to"):
            try:
                self._put(name, content)
            except TimeoutError:
                raise
            except Exception:
                # Without permission to overwrite, the second of two writers fails.
                if self.missing({name}):
                    raise

    def intact_object(self, name: str) -> bytes:
        """Return an object; raises `UserError` if it is missing or damaged."""
        if self.missing({name}):
            raise UserError(f"the object {name} is missing in {self.url}")
        [(_, content)] = self.read({name})
        if not manifest.matches(name, content):
            raise UserError(
                f"checksum mismatch for an object in {self.url}. Remove it: {self.removal(name)}"
            )
        return content

    def open(self, name: str) -> RawIOBase:
        """Return an object, of which only what is read is transferred. It is not verified."""
        with self.reporting("read from"):
            size, read_range = self._ranges(self.path(name))

        def read(start: int, stop: int) -> bytes:
            with self.reporting("read from"):
                return read_range(start, stop)

        return RangeFile(size, read)

    def removal(self, name: str) -> str:
        """Return the command that removes the object called `name`."""
        return self._removal(self.path(name))

    def record_removal(self, sha256: str) -> str:
        """Return the command that removes a record."""
        return self._removal(self._record_path(sha256))

    def remove_leftovers(self) -> None:  # noqa: B027 - most kinds have nothing to do
        """Remove the temporary files that killed runs left. A bucket has none."""

    @contextmanager
    def reporting(self, action: str) -> Iterator[None]:
        """Raise any error of the remote's client as one message."""
        try:
            yield
        except UserError:
            raise
        except Exception as error:  # noqa: BLE001 - each of DVC's clients raises its own
            raise UserError(f"cannot {action} {self.url}: {reason([error])}") from None

    @abstractmethod
    def _parts(self, folder: str) -> Iterator[list[StoredObject]]:
        """Yield the files below a folder, a part of them at a time."""

    @abstractmethod
    def _delete(self, path: str) -> None:
        """Delete the file at `path`; raises `FileNotFoundError`."""

    @abstractmethod
    def _read_path(self, path: str) -> bytes:
        """Return the content of the file at `path`; raises `FileNotFoundError`."""

    @abstractmethod
    def _ranges(self, path: str) -> tuple[int, Callable[[int, int], bytes]]:
        """Return the bytes of a file, and what reads it from one offset to before another."""

    @abstractmethod
    def _put(self, name: str, content: bytes) -> None:
        """Store an object."""

    @abstractmethod
    def _write(self, file: Path, name: str) -> object:
        """Store `file` as the object `name`."""

    @abstractmethod
    def _removal(self, path: str) -> str:
        """Return the command that removes the file at `path`."""

    @abstractmethod
    def write_record(self, sha256: str, content: bytes) -> None:
        """Store a new record."""

    def _record_path(self, sha256: str) -> str:
        return f"{self._path}/records/{sha256}"

    def _intact(self, names: Sequence[str]) -> Iterator[bool]:
        def matches(name: str) -> bool:
            return manifest.matches(name, self._read(name))

        return calls.at_once(matches, names, self._jobs)

    def _read(self, name: str) -> bytes:
        return self._read_path(self.path(name))


def reason(errors: Sequence[BaseException]) -> str:
    """Return the first of `errors` in one line."""
    if not errors:
        return "they were copied, but are missing"
    error = errors[0]
    unanswered = isinstance(error, TimeoutError) and not str(error)
    text = (
        f"no answer within {TIME_LIMIT:g} seconds"
        if unanswered
        else " ".join(str(error).split()) or type(error).__name__
    )
    return text[:MAX_REASON]
