"""One way to read what people wrote, from a work tree or from a git tree."""

import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from scripts.errors import UserError
from scripts.inputs import config, curation
from scripts.inputs.additions import Addition
from scripts.inputs.config import Config, InvalidConfigError
from scripts.inputs.curation import NO_DECISIONS, Curation
from scripts.inputs.paths import CONFIG_FILE, CURATION_FILE, SOURCES_FOLDER
from scripts.inputs.problems import START, InputError, Problem


class Tree(Protocol):
    """Files by their path in the repository: a work tree, or a tree of git."""

    def read(self, path: str) -> bytes | None:
        """Return the content of a file, None when there is none."""


@dataclass(frozen=True)
class WorkTree:
    """The files of a folder."""

    root: Path

    def read(self, path: str) -> bytes | None:
        """Return the content of a file; raises `UserError` when it cannot be read."""
        file = self.root / path
        try:
            # Not opened yet: a pipe or a device could be read for ever.
            if not stat.S_ISREG(file.lstat().st_mode):
                raise not_regular(path)
            return file.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise UserError(f"{path}: cannot be read: {error.strerror}") from None


@dataclass(frozen=True)
class Inputs:
    """Everything that people wrote about one version.

    `pointer` is the content of `sources/NAME.dvc` for the source that the config names, None where
    there is no such source of one's own.
    """

    config: Config
    curation: Curation = NO_DECISIONS
    additions: tuple[Addition, ...] = ()
    pointer: bytes | None = None


class InvalidInputsError(InputError):
    """What people wrote is invalid.

    `valid_part` is what is left without the problems, so that it can be checked against the source
    too; None where too little is left.
    """

    def __init__(self, problems: Iterable[Problem], valid_part: Inputs | None) -> None:
        """Keep both."""
        super().__init__(problems)
        self.valid_part = valid_part


def read(tree: Tree) -> Inputs:
    """Return what people wrote in `tree`.

    Raises `InvalidInputsError` with every problem in it.
    """
    parsed, problems = _config(tree)
    curated, wrong = _curation(tree)
    problems += wrong
    inputs = Inputs(parsed, curated, pointer=_pointer(tree, parsed)) if parsed else None
    if problems or inputs is None:
        raise InvalidInputsError(problems, inputs)
    return inputs


def _config(tree: Tree) -> tuple[Config | None, list[Problem]]:
    content = tree.read(CONFIG_FILE)
    if content is None:
        message = "the file is missing. Run this in a dataset repository"
        return None, [Problem(CONFIG_FILE, START, message)]
    try:
        return config.parse(content), []
    except InvalidConfigError as error:
        return error.valid_part, error.problems
    except InputError as error:
        return None, error.problems


def _curation(tree: Tree) -> tuple[Curation, list[Problem]]:
    """Return the curation, without those rows that have problems."""
    try:
        content = tree.read(CURATION_FILE)
        return (NO_DECISIONS if content is None else curation.parse(content)), []
    except InputError as error:
        return NO_DECISIONS, error.problems


def _pointer(tree: Tree, parsed: Config) -> bytes | None:
    return tree.read(f"{SOURCES_FOLDER}/{parsed.source}.dvc")


def not_regular(path: str) -> InputError:
    """Return the error for a link, a folder or a device in place of a file.

    A link could lead out of the repository, and what it leads to is not under version control.
    """
    message = "not a regular file; links, folders and devices are not read"
    return InputError([Problem(path, START, message)])
