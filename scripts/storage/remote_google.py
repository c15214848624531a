"""A remote in a bucket of Google Cloud Storage, or of Firebase."""

import shlex
from base64 import b64decode
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence, Set
from contextlib import suppress
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from scripts.storage import calls, manifest
from scripts.storage.cache import Cache
from scripts.storage.remote import DIR, Remote, StoredObject, StoreOutcome

if TYPE_CHECKING:
    from scripts.storage.google_bucket import GoogleBucket

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


class GoogleRemote(Remote):
    """A bucket of Google Cloud Storage, or of Firebase."""

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
        return f"gs://{self._path}"

    def missing(self, names: Collection[str]) -> set[str]:
        """Return the objects that are missing."""
        with self.reporting("list the objects in"):
            return {name for name, intact in self._looks(names).items() if intact is None}

    def mismatched(self, names: Collection[str]) -> set[str]:
        """Return which objects do not match the checksum in their name.

        Google reports the MD5 of each object, except of composite ones; those are read.
        """
        with self.reporting("read from"):
            found = self._looks(names)
            return {name for name, intact in found.items() if not intact}

    def store(self, cache: Cache, names: Set[str], verified: Collection[str]) -> StoreOutcome:
        """Copy the objects of a version that are missing from `cache`, its manifest last.

        What the release has that `verified` it is taken as there, as long as its manifest is. Each
        other object is uploaded unless one with its name exists, and Google's answer has the MD5.
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
            return self._has_md5(path, self._bucket.look(self._name(path)), md5)
        except FileNotFoundError:
            return None

    def _has_md5(self, path: str, resource: Mapping[str, Any], md5: str) -> bool:
        """Return whether an object has a checksum; composite ones, which report none, are read."""
        if reported := resource.get("md5Hash"):
            return b64decode(reported).hex() == md5
        return self._bucket.md5(self._name(path)) == md5

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
                for resource in page:
                    path = f"{self._bucket_name}/{resource['name']}"
                    if name := wanted.pop(path, None):
                        found[name] = self._has_md5(path, resource, _md5_of(name))
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
            resource = self._bucket.create(self._name(path), content, md5)
        except (FileExistsError, PermissionError):
            # Another run was faster, or the answer to an earlier attempt was lost. Without
            # permission to overwrite, an object that exists can be forbidden too.
            if (intact := self._look(path, md5)) is None:
                raise
            return False, intact
        return True, self._has_md5(path, resource, md5)

    def _ranges(self, path: str) -> tuple[int, Callable[[int, int], bytes]]:
        name = self._name(path)
        size = int(self._bucket.look(name)["size"])
        return size, lambda start, stop: self._bucket.read(name, (start, stop))

    def _put(self, name: str, content: bytes) -> None:
        self._create(self.path(name), content, _md5_of(name))

    def _parts(self, folder: str) -> Iterator[list[StoredObject]]:
        for page in self._bucket.pages(self._name(f"{folder}/")):
            yield [self._stored(resource) for resource in page]

    def _stored(self, resource: Mapping[str, Any]) -> StoredObject:
        path = f"{self._bucket_name}/{resource['name']}"
        modified = datetime.fromisoformat(resource["updated"]).timestamp()
        place = path.removeprefix(f"{self._path}/")
        return StoredObject(path, place, int(resource["size"]), modified)

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

    def _removal(self, path: str) -> str:
        return f"gcloud storage rm {shlex.quote(f'gs://{path}')}"

    def _name(self, path: str) -> str:
        """Return the name in the bucket of the file at `path`."""
        return path.removeprefix(f"{self._bucket_name}/")

    @cached_property
    def _bucket(self) -> "GoogleBucket":
        from scripts.storage.google_bucket import GoogleBucket

        return GoogleBucket(self._bucket_name, self._section, self._jobs)


def _md5_of(name: str) -> str:
    return name.removesuffix(DIR)
