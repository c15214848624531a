"""A remote in a bucket: what the stores of Google, Amazon and Microsoft have in common."""

from abc import abstractmethod
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence, Set
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple, Protocol
from urllib.parse import urlsplit

from scripts.storage import calls, manifest
from scripts.storage.cache import Cache
from scripts.storage.remote import DIR, Remote, StoredObject, StoreOutcome

# How many requests are made at the same time. With 30 ms for each, 2,000 uploads take 8.1 s over 8
# connections, 2.0 s over 32 and 1.1 s over 64, where the processor is the limit. Each connection
# costs a handshake, which few objects do not repay.
CONNECTIONS = 32
# Fewer for objects of more bytes, because a few connections carry all that the network can.
LARGE = 1024 * 1024
FEW = 8
# To verify so many objects, parts of the bucket are listed, as long as a page of a thousand has so
# many of them.
MANY = 10_000
WORTH = 10


class BucketObject(NamedTuple):
    """An object: its name in the bucket, bytes, seconds since 1970, and MD5 in hex.

    `md5` is None if the store reports none.
    """

    name: str
    size: int
    modified: float
    md5: str | None


class Bucket(Protocol):
    """The objects of a bucket by name. Can be used by many threads.

    Each method raises `TimeoutError` if there is no answer, `PermissionError` if it is forbidden.
    """

    def look(self, name: str) -> BucketObject:
        """Return what is known of an object; raises `FileNotFoundError`."""

    def read(self, name: str, part: tuple[int, int] | None = None) -> bytes:
        """Return the content of an object; raises `FileNotFoundError`.

        With `part` only the bytes from one offset to before another are transferred.
        """

    def md5(self, name: str) -> str:
        """Return the checksum of the content of an object, which is not kept in memory."""

    def delete(self, name: str) -> None:
        """Delete an object; it can be missing, or this raises `FileNotFoundError`."""

    def pages(self, prefix: str) -> Iterator[list[BucketObject]]:
        """Yield what is known of the objects whose name begins with `prefix`, in parts, sorted."""

    def create(self, name: str, content: bytes | Path, md5: str) -> str | None:
        """Store an object that does not exist yet; return the MD5 that the store reports of it.

        `md5` is the checksum of `content`, in hex. The store keeps nothing that does not match it,
        and nothing in place of another object: raises `FileExistsError`.
        """


class BucketRemote(Remote):
    """A bucket; each store has a class of its own."""

    # How an address of the store begins.
    scheme: str
    # Whether an MD5 that the store reports is always that of the content.
    is_sure = False

    def __init__(self, section: Mapping[str, Any]) -> None:
        """Use the bucket that `section` of DVC's configuration describes."""
        parts = urlsplit(section["url"])
        self._path = f"{parts.netloc}/{parts.path.strip('/')}".rstrip("/")
        self._bucket_name = parts.netloc
        self._section = section
        self._jobs = section.get("jobs") or CONNECTIONS

    @cached_property
    def url(self) -> str:
        """The remote's address."""
        return f"{self.scheme}://{self._path}"

    def missing(self, names: Collection[str]) -> set[str]:
        """Return the objects that are missing."""
        with self.reporting("list the objects in"):
            return {name for name, intact in self._looks(names).items() if intact is None}

    def mismatched(self, names: Collection[str]) -> set[str]:
        """Return which objects do not match the checksum in their name.

        Objects whose MD5 the store does not report are read.
        """
        with self.reporting("read from"):
            found = self._looks(names)
            return {name for name, intact in found.items() if not intact}

    def store(self, cache: Cache, names: Set[str], verified: Collection[str]) -> StoreOutcome:
        """Copy the objects of a version that are missing from `cache`, its manifest last.

        What the release has that `verified` it is taken as there, as long as its manifest is. Each
        other object is uploaded unless one with its name exists, and the answer has its MD5.
        """
        with self.reporting("push to"):
            manifests = self._looks({name for name in {*names, *verified} if name.endswith(DIR)})
            if not all(manifests[name] for name in manifests.keys() & set(verified)):
                verified = ()
            doubtful = self.doubtful(names, verified)
            last = {name for name in doubtful if name.endswith(DIR)}
            first = doubtful - last
            last = {name for name in last if not manifests[name]}
            # A manifest goes last, so where it is, the others probably are: to look costs less.
            unsure = first - cache.intact(first).keys() if last else first
            found = self._looks(unsure)
            absent = first - {name for name, intact in found.items() if intact is not None}
            cache.refuse_damaged(absent | last)
            return self._uploaded(cache, absent, last, found)

    def _uploaded(
        self, cache: Cache, absent: Set[str], last: Set[str], found: Mapping[str, bool | None]
    ) -> StoreOutcome:
        """Upload the objects `absent`, and then `last`; `found` is what is known of others."""
        wrong = {name for name, intact in found.items() if intact is False}
        copied = 0
        for names in (absent, last):
            results, errors = self._created(cache, names)
            copied += sum(1 for new, _ in results.values() if new)
            wrong |= {name for name, (_, intact) in results.items() if not intact}
            if errors:
                return StoreOutcome(copied, set(errors), wrong, list(errors.values()))
            if wrong:
                break
        return StoreOutcome(copied, set(), wrong, [])

    def _created(
        self, cache: Cache, names: Set[str]
    ) -> tuple[dict[str, tuple[bool, bool]], dict[str, BaseException]]:
        large = {name for name in names if cache.path(name).stat().st_size > LARGE}
        results, errors = dict[str, tuple[bool, bool]](), dict[str, BaseException]()
        for part, jobs in ((names - large, self._jobs), (large, min(FEW, self._jobs))):
            done, failed = calls.attempts(
                lambda name: self._write(cache.path(name), name),
                sorted(part),
                jobs,
                f"Pushing to {self.url}",
            )
            results |= done
            errors |= failed
        return results, errors

    def has_record(self, sha256: str, content: bytes) -> bool | None:
        """Return whether a record is `content`, None if it is missing."""
        with self.reporting("read from"):
            return self._look(self._record_path(sha256), manifest.md5_of(content))

    def write_record(self, sha256: str, content: bytes) -> None:
        """Store a record, unless there is one with its name."""
        with self.reporting("write to"), suppress(FileExistsError):
            self._bucket.create(
                self._name(self._record_path(sha256)), content, manifest.md5_of(content)
            )

    def _looks(self, names: Collection[str]) -> dict[str, bool | None]:
        """Return whether each of the objects `names` is intact, None if it is missing."""
        found = self._listed(names) if len(names) >= MANY else {}
        ordered = sorted(name for name in names if name not in found)
        looks = calls.at_once(self._look_at, ordered, self._jobs)
        return found | dict(zip(ordered, looks, strict=True))

    def _look_at(self, name: str) -> bool | None:
        return self._look(self.path(name), _md5_of(name))

    def _look(self, path: str, md5: str) -> bool | None:
        try:
            return self._is_intact(path, self._bucket.look(self._name(path)).md5, md5)
        except FileNotFoundError:
            return None

    def _is_intact(self, path: str, reported: str | None, md5: str) -> bool:
        """Return whether an object has a checksum; it is read if what is `reported` is not sure."""
        if reported == md5:
            return True
        return not (reported and self.is_sure) and self._bucket.md5(self._name(path)) == md5

    def _listed(self, names: Collection[str]) -> dict[str, bool | None]:
        """Return what `_looks` does, for the objects that are found by listing their folders.

        A folder is listed as long as each page has some of them, so that this takes fewer requests
        than to look for each, however large the bucket is.
        """
        folders = defaultdict[str, dict[str, str]](dict)
        for name in names:
            path = self.path(name)
            folders[path.rpartition("/")[0]][path] = name
        found = dict[str, bool | None]()

        def find(folder: str) -> None:
            wanted = folders[folder]
            for page in self._bucket.pages(self._name(f"{folder}/")):
                before = len(wanted)
                for one in page:
                    path = f"{self._bucket_name}/{one.name}"
                    if name := wanted.pop(path, None):
                        found[name] = self._is_intact(path, one.md5, _md5_of(name))
                if not wanted or (before - len(wanted) < WORTH < len(page)):
                    return
            found.update(dict.fromkeys(wanted.values()))

        for _ in calls.at_once(find, sorted(folders), self._jobs):
            pass
        return found

    def _write(self, file: Path, name: str) -> tuple[bool, bool]:
        """Store `file` as the object `name`; return whether it is new, and whether it is intact."""
        return self._create(self.path(name), file, _md5_of(name))

    def _create(self, path: str, content: Path | bytes, md5: str) -> tuple[bool, bool]:
        try:
            reported = self._bucket.create(self._name(path), content, md5)
        except (FileExistsError, PermissionError):
            # Another run was faster, or the answer to an earlier attempt was lost. Without
            # permission to overwrite, an object that exists can be forbidden too.
            if (intact := self._look(path, md5)) is None:
                raise
            return False, intact
        return True, self._is_intact(path, reported, md5)

    def _ranges(self, path: str) -> tuple[int, Callable[[int, int], bytes]]:
        name = self._name(path)
        size = self._bucket.look(name).size
        return size, lambda start, stop: self._bucket.read(name, (start, stop))

    def _put(self, name: str, content: bytes) -> None:
        self._create(self.path(name), content, _md5_of(name))

    def _parts(self, folder: str) -> Iterator[list[StoredObject]]:
        for page in self._bucket.pages(self._name(f"{folder}/")):
            yield [self._stored(one) for one in page]

    def _stored(self, one: BucketObject) -> StoredObject:
        path = f"{self._bucket_name}/{one.name}"
        return StoredObject(path, path.removeprefix(f"{self._path}/"), one.size, one.modified)

    def _delete(self, path: str) -> None:
        self._bucket.delete(self._name(path))

    def _intact(self, names: Sequence[str]) -> Iterator[bool]:
        return calls.at_once(
            lambda name: self._bucket.md5(self._name(self.path(name))) == _md5_of(name),
            names,
            self._jobs,
        )

    def _read_path(self, path: str) -> bytes:
        return self._bucket.read(self._name(path))

    def _name(self, path: str) -> str:
        """Return the name in the bucket of the file at `path`."""
        return path.removeprefix(f"{self._bucket_name}/")

    @cached_property
    def _bucket(self) -> Bucket:
        return self._opened()

    @abstractmethod
    def _opened(self) -> Bucket:
        """Return the bucket; its client is imported only here, which takes a while."""


def _md5_of(name: str) -> str:
    return name.removesuffix(DIR)
