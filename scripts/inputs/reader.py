"""Reads the version inputs from a work tree or a git tree."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

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
from scripts.inputs.tree import NOT_REGULAR, Tree, TreeEntry, shown


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
    return [one._replace(file=shown(one.file)) for one in problems]


def _refuse_pointer(path: str, content: bytes | None) -> None:
    if content is not None and stored.is_pointer(content):
        raise InputError([Problem(path, START, stored.POINTER)])
