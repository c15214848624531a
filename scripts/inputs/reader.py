"""One way to read what people wrote, from a work tree or from a git tree."""

import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from scripts.errors import UserError
from scripts.inputs import config
from scripts.inputs.config import Config
from scripts.inputs.paths import CONFIG_FILE
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
    """Everything that people wrote about one version."""

    config: Config


def read(tree: Tree) -> Inputs:
    """Return what people wrote in `tree`.

    Raises `InputError` with every problem in it.
    """
    content = tree.read(CONFIG_FILE)
    if content is None:
        message = "the file is missing. Run this in a dataset repository"
        raise InputError([Problem(CONFIG_FILE, START, message)])
    return Inputs(config.parse(content))


def not_regular(path: str) -> InputError:
    """Return the error for a link, a folder or a device in place of a file.

    A link could lead out of the repository, and what it leads to is not under version control.
    """
    message = "not a regular file; links, folders and devices are not read"
    return InputError([Problem(path, START, message)])
