"""DVC's cache, and `dataset/` made from it."""

import os
from collections.abc import Collection, Iterable, Iterator, Sequence, Set
from contextlib import contextmanager, suppress
from functools import cached_property, partial
from pathlib import Path
from typing import NamedTuple

from scripts import workers
from scripts.errors import UserError
from scripts.storage import files, folder, manifest, settings
from scripts.storage.manifest import Manifest

DATASET = "dataset"
# DVC protects the files of its cache in the same way; its own checks rely on it.
READ_ONLY = 0o444
# The objects of the newest build that were intact, each with the stamp that its file had then.
INTACT_FILE = ".dvc/tmp/intact"


class CachedObject(NamedTuple):
    """An object of the cache: its name, its size, and the stamp of its file."""

    name: str
    size: int
    stamp: str


class Cache:
    """The DVC cache of a repository: objects by the MD5 of their content.

    An object that was intact is not read again as long as its file has the same stamp: inode, size
    and time of the last change, as in DVC.
    """

    def __init__(self, root: Path) -> None:
        """Open the cache of the repository at `root`; raises `UserError` if there is none."""
        self._root = root
        self._settings = settings.of_repository(root)
        # The folder of the whole cache.
        self.folder = Path(self._settings["cache"].get("dir", root / ".dvc" / "cache"))
        if self._settings["cache"].get("shared"):
            files.share(self.folder / "files" / "md5", self.records)

    def path(self, name: str) -> Path:
        """Return the path of the object called `name`."""
        return Path(self._path(name))

    @property
    def records(self) -> Path:
        """The folder for records, next to that for DVC's objects."""
        return self.folder / "records"

    def read(self, name: str) -> bytes | None:
        """Return an object, None if it is missing or damaged."""
        path = self.path(name)
        content = path.read_bytes() if path.exists() else b""
        return content if manifest.matches(name, content) else None

    def put(self, data: bytes) -> str:
        """Store one object, unless it exists already; return its name."""
        return self.store(data).name

    def store(self, data: bytes) -> CachedObject:
        """Store one object, unless it exists already."""
        name = manifest.md5_of(data)
        return CachedObject(name, len(data), self.put_as(name, data))

    def put_as(self, name: str, data: bytes) -> str:
        """Store one object, whose name is known, unless it exists already; return its stamp."""
        path = self._path(name)
        with suppress(OSError), open(path, "rb") as file:  # noqa: PTH123 - faster than Path
            found = os.fstat(file.fileno())
            if file.read() == data:
                return files.stamp(found)
        return files.stamp(files.write(path, data, READ_ONLY))

    def put_manifest(self, made: Manifest) -> None:
        """Store the object that lists the files of a version."""
        self._intact[made.md5] = self.put_as(made.md5, made.content)

    def object_names(self, manifest_md5: str) -> set[str]:
        """Return the names of all objects of a version, its manifest included.

        Raises `UserError` if the manifest is missing or damaged.
        """
        content = self.read(manifest_md5)
        if content is None:
            raise UserError(
                f"the cache does not hold the manifest {manifest_md5}."
                " Build it first: python -m scripts build"
            )
        return {*manifest.entries(content).values(), manifest_md5}

    def intact(self, names: Collection[str]) -> dict[str, str]:
        """Return the stamps of the `names` that exist and match their checksum.

        A file of `dataset/` can share its bytes with the cache, so an edit of one changes both.
        Each object is checked once.
        """
        found = _stamps(self.folder, [name for name in names if name not in self._intact])
        unknown = [name for name, stamp in found.items() if self._noted.get(name) != stamp]
        matches = workers.results(partial(_match, self.folder), unknown)
        for name, matching in zip(unknown, list(matches), strict=True):
            if not matching:
                del found[name]
        self._intact.update(found)
        return {name: self._intact[name] for name in names if name in self._intact}

    def note_intact(self, made: Manifest, stored: Iterable[CachedObject]) -> None:
        """Record the intact objects of `made`: those that were verified, and `stored`."""
        self._intact.update((one.name, one.stamp) for one in stored)
        names = {made.md5, *(name for name, _ in made.files.values())}
        lines = (f"{name} {stamp}\n" for name, stamp in self._intact.items() if name in names)
        with suppress(OSError):
            files.write(self._root / INTACT_FILE, "".join(lines).encode())

    def refuse_damaged(self, names: Set[str]) -> None:
        """Raise `UserError` if an object is missing or its checksum does not match."""
        if damaged := names - self.intact(names).keys():
            raise UserError(
                f"{self.path(min(damaged))} was changed or removed after the build."
                " Build it again: python -m scripts build"
            )

    def remove_leftovers(self) -> None:
        """Remove the temporary files that killed runs left."""
        files.remove_leftovers(*files.folders_of(self.folder))

    def checkout(self, made: Manifest, path: str = DATASET) -> None:
        """Update the folder `path` to exactly the files of `made`, as links to their objects.

        The folder is renamed while it is changed, so that `path` is always complete if it exists.
        Raises `UserError` if another run is doing the same.
        """
        target = self._root / path
        new = target.with_name(f"{target.name}.new")
        self.remove_leftovers()
        with self._locked():
            stamps = self.intact({md5 for md5, _ in made.files.values()})
            inodes = {name: _inode(stamps[md5]) for name, (md5, _) in made.files.items()}
            # If the folder is missing, a killed run has left it under the other name.
            is_there = target.is_dir() and not target.is_symlink()
            change = folder.compare(target if is_there else new, inodes)
            if is_there and not change.needed:
                return
            if is_there:
                files.remove(new)
                target.rename(new)
            change.apply(new, lambda name: self._path(made.files[name][0]))
            files.remove(target)
            new.rename(target)

    def has_checked_out(self, manifest_md5: str, path: str = DATASET) -> bool:
        """Return whether the folder `path` is exactly what `checkout` makes of a version.

        Its files are links to objects, so where these are the same files, they are as intact.
        """
        content = self.read(manifest_md5)
        if content is None or not os.path.isdir(self._root / path):  # noqa: PTH112
            return False
        self.remove_leftovers()
        expected = manifest.entries(content)
        noted = {name: self._noted.get(md5, "") for name, md5 in expected.items()}
        if folder.stamps(str(self._root / path)) != noted:
            return False
        linked = files.inodes(self.folder, {*expected.values()})
        return all(linked.get(md5) == _inode(noted[name]) for name, md5 in expected.items())

    def _path(self, name: str) -> str:
        return f"{self.folder}/{files.object_path(name)}"

    @cached_property
    def _intact(self) -> dict[str, str]:
        """The stamps of objects that this process has verified, by name."""
        return {}

    @cached_property
    def _noted(self) -> dict[str, str]:
        """The stamps of objects that were intact in the newest build, by name."""
        with suppress(OSError, ValueError):
            lines = (self._root / INTACT_FILE).read_bytes().decode("ascii").splitlines()
            return dict(line.split(" ", 1) for line in lines)
        return {}

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Hold the lock of DVC, so that no DVC command runs at the same time."""
        from dvc.lock import LockError, make_lock

        temporary = self._root / ".dvc" / "tmp"
        temporary.mkdir(exist_ok=True)
        hardlink = self._settings["core"].get("hardlink_lock", False)
        try:
            with make_lock(str(temporary / "lock"), tmp_dir=str(temporary), hardlink_lock=hardlink):
                yield
        except LockError:
            raise UserError("another run is using this repository; wait until it ends.") from None


def _stamps(cache: Path, names: Iterable[str]) -> dict[str, str]:
    """Return the stamps of the objects in `cache`, by name; none of those that are not there."""
    found = {}
    for name in names:
        try:
            found[name] = files.stamp(os.stat(f"{cache}/{files.object_path(name)}"))  # noqa: PTH116
        except OSError:
            continue
    return found


def _inode(stamp: str) -> int:
    return int(stamp.split(" ", 1)[0])


def _match(cache: Path, names: Sequence[str]) -> list[bool]:
    """Return whether each of the objects `names` can be read and is intact."""

    def matches(name: str) -> bool:
        with suppress(OSError):
            return files.match(cache, [name])[0]
        return False

    return [matches(name) for name in names]
