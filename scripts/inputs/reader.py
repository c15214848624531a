"""Reads the version inputs from a work tree or a git tree."""

import os
import stat
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from scripts.errors import UserError
from scripts.inputs import additions, additions_table, config_file, curation, stored
from scripts.inputs.additions import Addition
from scripts.inputs.additions_table import NO_TABLE, AdditionsTable
from scripts.inputs.config import Config
from scripts.inputs.config_file import InvalidConfigError
from scripts.inputs.curation import NO_DECISIONS, Curation, InvalidCurationError
from scripts.inputs.paths import (
    ADDITIONS_FOLDER,
    ADDITIONS_TABLE,
    CONFIG_FILE,
    CURATION_FILE,
    SOURCES_FOLDER,
    is_image,
)
from scripts.inputs.problems import START, InputError, Problem
from scripts.inputs.stored import Attributes

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


@dataclass(frozen=True)
class Inputs:
    """The inputs of one version.

    The additions are sorted by the digests of their pixels, and have their values in `table`.
    `pointer` is the content of `sources/NAME.dvc` for the source in the config, None if it is not a
    custom source.
    """

    config: Config
    curation: Curation = NO_DECISIONS
    additions: tuple[Addition, ...] = ()
    pointer: bytes | None = None
    table: AdditionsTable = NO_TABLE


class InvalidInputsError(InputError):
    """The inputs are invalid.

    `valid_part` is the valid part, so that it can be checked against the source too; None if too
    little is valid.
    """

    def __init__(self, problems: Iterable[Problem], valid_part: Inputs | None) -> None:
        """Keep both."""
        super().__init__(problems)
        self.valid_part = valid_part


def read(tree: Tree, recorded: Mapping[str, Any] | None = None) -> Inputs:
    """Return the inputs in `tree`; `recorded` is the config in its lock, if any.

    Raises `InvalidInputsError` with every problem in it.
    """
    parsed, problems = _config(tree, recorded)
    curated, wrong = _curation(tree)
    problems += wrong
    entries = [entry for entry in tree.entries(ADDITIONS_FOLDER) if is_image(entry.path)]
    images = [entry for entry in entries if entry.path != ADDITIONS_TABLE]
    added, wrong = _additions(tree, images, parsed)
    problems += wrong
    table, wrong = _table(tree, images) if len(images) < len(entries) else (NO_TABLE, [])
    problems += wrong
    problems += _converted(tree, [entry.path for entry in entries], parsed)
    inputs = None
    if parsed:
        added = tuple(
            one._replace(metadata=table.metadata.get(one.path, one.metadata)) for one in added
        )
        inputs = Inputs(parsed, curated, added, _pointer(tree, parsed), table)
    if problems or inputs is None:
        raise InvalidInputsError(problems, inputs)
    return inputs


def _config(tree: Tree, recorded: Mapping[str, Any] | None) -> tuple[Config | None, list[Problem]]:
    content = tree.read(CONFIG_FILE)
    if content is None:
        message = "the file is missing. Run this in a dataset repository"
        return None, [Problem(CONFIG_FILE, START, message)]
    try:
        _refuse_pointer(CONFIG_FILE, content)
        return config_file.parse_recorded(content, recorded), []
    except InvalidConfigError as error:
        return error.valid_part, error.problems
    except InputError as error:
        return None, error.problems


def _curation(tree: Tree) -> tuple[Curation, list[Problem]]:
    """Return the curation, without invalid rows."""
    try:
        content = tree.read(CURATION_FILE)
        _refuse_pointer(CURATION_FILE, content)
        return (NO_DECISIONS if content is None else curation.parse(content)), []
    except InvalidCurationError as error:
        return error.valid_part, error.problems
    except InputError as error:
        return NO_DECISIONS, error.problems


def _additions(
    tree: Tree, entries: Sequence[TreeEntry], parsed: Config | None
) -> tuple[tuple[Addition, ...], list[Problem]]:
    """Return the additions, without those that have problems; `parsed` is what config there is."""
    files = [entry for entry in entries if entry.size is not None]
    others = [entry for entry in entries if entry.size is None]
    problems = [additions.problem(entry.path, NOT_REGULAR) for entry in others]
    if too_large := additions.too_large({entry.path: entry.size or 0 for entry in files}):
        # Files that may not fit into memory are not read.
        return (), [*problems, *too_large]
    contents = tree.contents(files) if files else []
    named = zip((entry.path for entry in files), contents, strict=True)
    added, wrong = additions.parse(named, parsed)
    return tuple(added), problems + wrong


def _table(tree: Tree, images: Sequence[TreeEntry]) -> tuple[AdditionsTable, list[Problem]]:
    """Return the table of the additions `images`, without what is invalid."""
    try:
        content = tree.read(ADDITIONS_TABLE) or b""
        _refuse_pointer(ADDITIONS_TABLE, content)
        return additions_table.parse(content, {entry.path for entry in images})
    except InputError as error:
        return NO_TABLE, error.problems


def _pointer(tree: Tree, parsed: Config) -> bytes | None:
    path = _pointer_path(parsed)
    content = tree.read(path)
    _refuse_pointer(path, content)
    return content


def _pointer_path(parsed: Config) -> str:
    return f"{SOURCES_FOLDER}/{parsed.source}.dvc"


def _converted(tree: Tree, added: Sequence[str], parsed: Config | None) -> list[Problem]:
    """Return which of the files that `read` reads are not stored as the work tree has them."""
    pointers = [_pointer_path(parsed)] if parsed else []
    attributes = tree.attributes([CONFIG_FILE, CURATION_FILE, *pointers, *added])
    problems = stored.problems(attributes)
    return [one._replace(file=additions.shown(one.file)) for one in problems]


def _refuse_pointer(path: str, content: bytes | None) -> None:
    if content is not None and stored.is_pointer(content):
        raise InputError([Problem(path, START, stored.POINTER)])


def not_regular(path: str) -> InputError:
    """Return the error for a link, a folder or a device instead of a file.

    The target of a link could be outside of the repository, without version control.
    """
    return InputError([Problem(path, START, NOT_REGULAR)])


def _unreadable(path: str, error: OSError) -> UserError:
    return UserError(f"{additions.shown(path)}: cannot be read: {error.strerror}")
