"""The remote: the bucket or folder where the objects of all releases are kept."""

from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from scripts.errors import UserError
from scripts.progress import Bar
from scripts.storage import manifest
from scripts.storage.cache import Cache

# How many objects are in memory at the same time.
READ_AT_ONCE = 500
# Seconds for one request.
TIME_LIMIT = 120.0
MAX_REASON = 300
# Where objects and records are, below a remote.
STORES = (("files", "md5"), ("records",))
# The keys for the time of the last write in the file systems that DVC uses.
MODIFIED = ("mtime", "LastModified", "last_modified", "modified", "updated")

Result = TypeVar("Result")


class StoredObject(NamedTuple):
    """A file in a remote: its path, its path below the remote, bytes, seconds since 1970.

    `modified` is None if the remote does not report it.
    """

    path: str
    place: str
    size: int
    modified: float | None


class Remote:
    """A remote of any kind that DVC knows. Kinds that can do better have a class of their own."""

    is_folder = False

    def __init__(self, dvc_remote: Any) -> None:
        """Use `dvc_remote`, an object of `dvc.data_cloud.Remote`."""
        self.fs: Any = dvc_remote.fs
        self._path: str = dvc_remote.path
        self._objects: Any = dvc_remote.odb
        self._jobs: int = dvc_remote.fs.jobs

    @cached_property
    def url(self) -> str:
        """The remote's address."""
        return str(self.fs.unstrip_protocol(self._path))

    def path(self, name: str) -> str:
        """Return the path of the object `name` in the file system of the remote."""
        return str(self._objects.oid_to_path(name))

    def missing(self, names: Collection[str]) -> set[str]:
        """Return the objects that are missing; raises `UserError` if the remote is unreachable."""
        with self.reporting("list the objects in"):
            # The remote itself is listed: DVC's index of it can be out of date.
            return set(names) - set(self._objects.oids_exist(list(names))) if names else set()

    def mismatched(self, names: Collection[str]) -> set[str]:
        """Return the objects that do not match the checksum in their name.

        Checksums that the remote reports are compared, otherwise the objects are read.
        """
        return self.damaged(names)

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
                contents = list(self._at_once(self._read, part))
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

    def write_record(self, sha256: str, content: bytes) -> None:
        """Store a new record."""
        with self.reporting("write to"):
            self.fs.fs.pipe_file(self._record_path(sha256), content)

    def records_below(self, folder: str) -> list[str]:
        """Return the paths of all records in a folder of the records, relative to it."""
        with self.reporting("list the records in"):
            root = self._record_path(folder)
            return sorted(self._relative(path, root) for path in self._find(root))

    def upload(self, cache: Cache, names: Collection[str]) -> list[BaseException]:
        """Copy objects from `cache`; return the errors.

        Ends at once if the remote does not respond, because each object would wait as long.
        """
        with self.reporting("push to"):
            return self._errors(
                lambda name: self._write(cache.path(name), name), sorted(names), "Pushing to"
            )

    def listing(self) -> list[StoredObject]:
        """Return all files in the remote, from a listing."""
        with self.reporting("list the objects in"):
            return [
                StoredObject(
                    path,
                    self._relative(path, self._path),
                    int(info.get("size") or 0),
                    _modified(info),
                )
                for store in STORES
                for path, info in sorted(self._find("/".join((self._path, *store))).items())
            ]

    def delete(self, stored: Collection[StoredObject]) -> list[BaseException]:
        """Delete objects and records; return the errors. Missing ones are no error."""

        def delete(path: str) -> None:
            with suppress(FileNotFoundError):
                self._delete(path)

        with self.reporting("delete from"):
            return self._errors(delete, [one.path for one in stored], "Deleting from")

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

    def removal(self, name: str) -> str:
        """Return the command that removes the object called `name`."""
        return self._removal(self.path(name))

    def record_removal(self, sha256: str) -> str:
        """Return the command that removes a record."""
        return self._removal(self._record_path(sha256))

    def remove_leftovers(self) -> None:
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

    def _errors(
        self, work: Callable[[str], None], names: Sequence[str], words: str
    ) -> list[BaseException]:
        """Call `work` for each of `names`, described by `words`; return the errors.

        Raises `TimeoutError` at once, because each call would wait as long.
        """
        if not names:
            return []

        def attempt(name: str) -> BaseException | None:
            try:
                work(name)
            except TimeoutError:
                raise
            except Exception as error:  # noqa: BLE001 - each of DVC's clients raises its own
                return error
            return None

        results = self._at_once(attempt, names)
        bar = Bar(results, desc=f"{words} {self.url}", total=len(names))
        return [error for error in bar if error]

    def _find(self, folder: str) -> dict[str, dict[str, Any]]:
        self.fs.fs.invalidate_cache()
        found: dict[str, dict[str, Any]] = self.fs.fs.find(folder, detail=True)
        return found

    def _relative(self, path: str, folder: str) -> str:
        return str(self.fs.relpath(path, folder)).replace("\\", "/")

    def _delete(self, path: str) -> None:
        self.fs.fs.rm_file(path)

    def _record_path(self, sha256: str) -> str:
        return f"{self._path}/records/{sha256}"

    def _removal(self, path: str) -> str:
        # Each kind has a tool of its own; the address says which object it is.
        return str(self.fs.unstrip_protocol(path))

    def _intact(self, names: Sequence[str]) -> Iterator[bool]:
        return self._at_once(lambda name: manifest.matches(name, self._read(name)), names)

    def _read(self, name: str) -> bytes:
        return self._read_path(self.path(name))

    def _read_path(self, path: str) -> bytes:
        return bytes(self.fs.fs.cat_file(path))

    def _put(self, name: str, content: bytes) -> None:
        self.fs.fs.pipe_file(self.path(name), content)

    def _write(self, file: Path, name: str) -> None:
        self.fs.put_file(str(file), self.path(name))

    def _at_once(self, work: Callable[[str], Result], names: Sequence[str]) -> Iterator[Result]:
        """Yield the result of `work` for each name, in order, with a few concurrent calls.

        Their number is DVC's setting `jobs`. With many more, servers refuse connections. No call is
        started after an error.
        """
        with ThreadPoolExecutor(self._jobs) as pool:
            yield from pool.map(work, names)


def _modified(info: dict[str, Any]) -> float | None:
    """Return the time of the last write, in seconds since 1970; None if unknown."""
    value = next((info[key] for key in MODIFIED if info.get(key) is not None), None)
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp()
    return float(value) if isinstance(value, int | float) else None


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
