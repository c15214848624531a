"""The files of a work tree or of a git tree, by their path in the repository."""

import os
import stat
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple, Protocol

from scripts.errors import UserError, printable
from scripts.inputs.problems import START, InputError, Problem
from scripts.inputs.stored import Attributes

# Characters of a path in a message.
MAX_SHOWN = 200
NOT_REGULAR = "not a regular file; links, folders and devices are not read"


class TreeEntry(NamedTuple):
    """A file below a folder: its path, its size in bytes, and the identifier of its content.

    It has no size if it is not a regular file: a link, a device, a submodule.
    """

    path: str
    size: int | None = None
    name: str = ""


class Tree(Protocol):
    """Files by their path in the repository: a work tree, or a tree of git."""

    def read(self, path: str) -> bytes | None:
        """Return the content of a file, None if there is none."""

    def entries(self, folder: str) -> list[TreeEntry]:
        """Return all files below `folder`, in the order of their paths; none without the folder.

        A file instead of the folder is an entry too.
        """

    def contents(self, entries: Sequence[TreeEntry]) -> list[bytes]:
        """Return the contents of regular files."""

    def attributes(self, paths: Iterable[str]) -> Mapping[str, Attributes]:
        """Return the attributes with which git converts the files among `paths`, by path.

        Empty for files that are not converted.
        """


@dataclass(frozen=True)
class WorkTree:
    """The files of a folder."""

    root: Path

    def read(self, path: str) -> bytes | None:
        """Return the content of a file; raises `UserError` if it cannot be read."""
        file = self.root / path
        try:
            # Checked before opening: reading a pipe or a device might never end.
            if not stat.S_ISREG(file.lstat().st_mode):
                raise not_regular(path)
            return file.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _unreadable(path, error) from None

    def entries(self, folder: str) -> list[TreeEntry]:
        """Return all files below `folder`; raises `UserError` if one cannot be read."""
        found, unread = [], [folder]
        while unread:
            path = unread.pop()
            try:
                status = (self.root / path).lstat()
                if stat.S_ISDIR(status.st_mode) and not self._is_repository(path):
                    unread += [f"{path}/{one.name}" for one in (self.root / path).iterdir()]
                    continue
            except FileNotFoundError:
                continue
            except OSError as error:
                raise _unreadable(path, error) from None
            is_regular = stat.S_ISREG(status.st_mode)
            found.append(TreeEntry(path, status.st_size, path) if is_regular else TreeEntry(path))
        return sorted(found, key=attrgetter("path"))

    def contents(self, entries: Sequence[TreeEntry]) -> list[bytes]:
        """Return the contents of regular files; raises `UserError` if one cannot be read."""
        return [self.read(entry.path) or b"" for entry in entries]

    def attributes(self, paths: Iterable[str]) -> Mapping[str, Attributes]:
        """Return nothing: this is not a clone, or its attributes do not matter."""
        del paths
        return {}

    def _is_repository(self, path: str) -> bool:
        """Return whether git treats a folder as a submodule."""
        return os.path.lexists(self.root / path / ".git")


def not_regular(path: str) -> InputError:
    """Return the error for a link, a folder or a device instead of a file.

    The target of a link could be outside of the repository, without version control.
    """
    return InputError([Problem(path, START, NOT_REGULAR)])


def _unreadable(path: str, error: OSError) -> UserError:
    return UserError(f"{shown(path)}: cannot be read: {error.strerror}")


def shown(path: str) -> str:
    """Return `path` for a message: one line, without control characters, shortened."""
    text = printable(path).replace("\n", "\\n")
    return text if len(text) <= MAX_SHOWN else f"{text[: MAX_SHOWN - 1]}…"
