"""Finds files by what tables call them: a path, or a part of it that only one file has."""

import unicodedata
from collections.abc import Sequence
from pathlib import PurePosixPath

from scripts.errors import UserError
from scripts.ingest.locations import LocatedFile

MAX_NAMED = 3


class FileIndex:
    """Image files, by their names with and without ending."""

    def __init__(self, files: Sequence[LocatedFile]) -> None:
        """Index `files`."""
        self._by_path: dict[str, LocatedFile] = {}
        self._by_name: dict[str, list[LocatedFile]] = {}
        self._by_stem: dict[str, list[LocatedFile]] = {}
        for file in files:
            path = _normal(file.path)
            self._by_path[str(path)] = file
            self._by_name.setdefault(path.name, []).append(file)
            self._by_stem.setdefault(path.stem, []).append(file)

    def find(self, value: str, folder: PurePosixPath) -> LocatedFile:
        """Return the file that a table in `folder` calls `value`.

        It is the path below this folder or below the location, or the end of one that only one
        file has; the ending may be left out. Raises `UserError` where there is none, or several.
        """
        named = _normal(PurePosixPath(value.strip().replace("\\", "/")))
        folder = _normal(folder)
        below = f"{folder}/{named}" if folder.parts else str(named)
        if exact := self._by_path.get(below) or self._by_path.get(str(named)):
            return exact
        for found in (
            _ending_with(self._by_name.get(named.name, []), named.parent),
            _ending_with(self._by_stem.get(named.name, []), named.parent),
        ):
            near = [file for file in found if _normal(file.path).is_relative_to(folder)]
            if len(near or found) == 1:
                return (near or found)[0]
            if found:
                shown = ", ".join(str(file.path) for file in (near or found)[:MAX_NAMED])
                raise UserError(f"{value!r} is the name of several files, such as {shown}")
        raise UserError(f"there is no image {value!r}")

    def has(self, value: str) -> bool:
        """Return whether a value can be the name of a file."""
        name = _normal(PurePosixPath(value.strip().replace("\\", "/"))).name
        return name in self._by_name or name in self._by_stem


def _normal(path: PurePosixPath) -> PurePosixPath:
    """Return `path` in NFC, because some systems write names in NFD."""
    text = str(path)
    return path if text.isascii() else PurePosixPath(unicodedata.normalize("NFC", text))


def _ending_with(files: Sequence[LocatedFile], folder: PurePosixPath) -> list[LocatedFile]:
    """Return those of `files` whose folder ends with `folder`, or is the end of it."""
    wanted = [part for part in folder.parts if part not in {"/", ".", ".."}]
    found = []
    for file in files:
        parts = _normal(file.path).parts[:-1]
        shared = min(len(wanted), len(parts))
        if not shared or list(parts[-shared:]) == wanted[-shared:]:
            found.append(file)
    return found
