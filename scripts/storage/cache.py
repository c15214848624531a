"""DVC's cache, and `dataset/` made from it."""

import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from scripts.errors import UserError
from scripts.progress import Bar
from scripts.storage import files, manifest, settings
from scripts.storage.manifest import Manifest

DATASET = "dataset"
# DVC protects the files of its cache in the same way; its own checks rely on it.
READ_ONLY = 0o444


class Cache:
    """The DVC cache of a repository: objects by the MD5 of their content."""

    def __init__(self, root: Path) -> None:
        """Open the cache of the repository at `root`; raises `UserError` when there is none."""
        self._root = root
        self._settings = settings.of_repository(root)
        # The folder of the whole cache.
        self.folder = Path(self._settings["cache"].get("dir", root / ".dvc" / "cache"))

    def path(self, name: str) -> Path:
        """Return the path of the object called `name`."""
        return self.folder / files.object_path(name)

    @property
    def records(self) -> Path:
        """The folder for records, beside that for DVC's objects."""
        return self.folder / "records"

    def read(self, name: str) -> bytes | None:
        """Return an object, None when it is not here or damaged."""
        path = self.path(name)
        content = path.read_bytes() if path.exists() else b""
        return content if manifest.matches(name, content) else None

    def put(self, data: bytes) -> str:
        """Store one object, unless it is there already; return its name."""
        name = manifest.md5_of(data)
        self.put_as(name, data)
        return name

    def put_as(self, name: str, data: bytes) -> None:
        """Store one object, whose name is known, unless it is there already."""
        path = self.path(name)
        if not path.exists() or path.read_bytes() != data:
            files.write(path, data, READ_ONLY)

    def put_manifest(self, made: Manifest) -> None:
        """Store the object that lists the files of a version."""
        self.put_as(made.md5, made.content())

    def object_names(self, manifest_md5: str) -> set[str]:
        """Return the names of all objects of a version, its manifest included.

        Raises `UserError` when the manifest is not here or damaged.
        """
        content = self.read(manifest_md5)
        if content is None:
            raise UserError(
                f"the cache does not hold the manifest {manifest_md5}."
                " Build it first: python -m scripts build"
            )
        return {*manifest.entries(content).values(), manifest_md5}

    def refuse_damaged(self, names: Collection[str]) -> None:
        """Raise `UserError` when an object is missing or its checksum does not match.

        A file of `dataset/` can share its bytes with the cache, so an edit of one changes both.
        """
        for name in names:
            path = self.path(name)
            if not path.exists() or not manifest.matches(name, path.read_bytes()):
                raise UserError(
                    f"{path} was changed or removed after the build."
                    " Build it again: python -m scripts build"
                )

    def remove_leftovers(self) -> None:
        """Remove the temporary files that killed runs left."""
        files.remove_leftovers(*files.folders_of(self.folder))

    def checkout(self, made: Manifest, path: str = DATASET) -> None:
        """Make the folder `path` hold exactly the files of `made`.

        The folder is made beside the old one and replaces it when it is complete. Raises
        `UserError` when another run is doing the same.
        """
        target = self._root / path
        new, old = (target.with_name(f"{target.name}.{end}") for end in ("new", "old"))
        self.remove_leftovers()
        with self._locked():
            for leftover in (new, old):
                files.remove(leftover)
            for folder in sorted({os.path.dirname(name) for name in made.files}):  # noqa: PTH120
                (new / folder).mkdir(parents=True)
            for name, (md5, _) in Bar(made.files.items(), desc=f"Writing {path}/"):
                files.link(f"{self.folder}/{files.object_path(md5)}", f"{new}/{name}")
            if os.path.lexists(target):
                target.rename(old)
            new.rename(target)
            files.remove(old)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Hold the lock of DVC, so that none of its commands runs at the same time."""
        from dvc.lock import LockError, make_lock

        folder = self._root / ".dvc" / "tmp"
        folder.mkdir(exist_ok=True)
        hardlink = self._settings["core"].get("hardlink_lock", False)
        try:
            with make_lock(str(folder / "lock"), tmp_dir=str(folder), hardlink_lock=hardlink):
                yield
        except LockError:
            raise UserError("another run is using this repository; wait until it ends.") from None
