"""Turns the inputs into a checked dataset, for all verbs."""

from collections.abc import Iterator

from scripts.dataset import bounds, columns
from scripts.dataset.dataset import Dataset
from scripts.errors import UserError
from scripts.git.git import CheckedOut, Git, GitTree
from scripts.inputs import reader
from scripts.inputs.config import ORIGINAL, Config
from scripts.inputs.problems import InputError, Problem
from scripts.inputs.reader import Inputs, InvalidInputsError
from scripts.inputs.tree import Tree, WorkTree
from scripts.releases import lock, releases
from scripts.releases.lock import LOCK_FILE, Lock
from scripts.releases.releases import Release
from scripts.sources import registry
from scripts.sources.pointer import path_of
from scripts.sources.registry import Fetch
from scripts.sources.source import Source, SourceError, SourceRequest
from scripts.storage import transfer
from scripts.storage.cache import Cache
from scripts.storage.records import Records
from scripts.storage.remote_kinds import open_remote
from scripts.storage.settings import CONFIG_PATH


def work_tree(git: Git) -> Dataset:
    """Return the dataset of the work tree.

    Raises as `of_tree` does, and `UserError` in a clone that lacks the tags of the releases.
    """
    tree, before = CheckedOut(git.root), releases.scan(git).contained_in(git, "HEAD")
    recorded = before.lock if before else template_lock(tree)
    if before is None and recorded and _is_of_release(tree, recorded):
        raise UserError(
            f"{LOCK_FILE} was written by a release, but this clone has no release tags. Fetch the "
            f"tags: git fetch --tags. To begin a new history, remove {LOCK_FILE}"
        )
    return of_tree(git, tree, recorded)


def of_tree(git: Git, tree: Tree, recorded: Lock | None) -> Dataset:
    """Return the dataset of the inputs in `tree`, checked and selected.

    Raises `InputError` with every problem, in the config and against the source; and as `resolve`
    does.
    """
    return resolve(git, inputs_of(git, tree, recorded), recorded)


def of_release(git: Git, release: Release) -> Dataset:
    """Return the dataset of a release, made again from its commit; raises as `of_tree` does."""
    return of_tree(git, GitTree(git, release.commit), release.lock)


def inputs_of(git: Git, tree: Tree, recorded: Lock | None) -> Inputs:
    """Return what people wrote in `tree`.

    Raises `InputError` with every problem in it, and with those that the source has with the rest.
    """
    try:
        return reader.read(tree, recorded.meta.config if recorded else None)
    except InvalidInputsError as error:
        raise InputError(
            [*error.problems, *_problems_of(git, error.valid_part, recorded)]
        ) from None


def resolve(git: Git, inputs: Inputs, recorded: Lock | None) -> Dataset:
    """Return the dataset of `inputs`, checked and selected.

    The source of the lock `recorded` is used again if its name is the same. Raises `InputError`
    with every problem, `UserError` if the source is not available.
    """
    return checked(Dataset(inputs, source_of(git, inputs, recorded)))


def checked(dataset: Dataset) -> Dataset:
    """Return `dataset`, selected; raises `InputError` with every problem."""
    missing = [
        *columns.problems_of(dataset.config, dataset.whole),
        *columns.problems_of_additions(dataset.inputs.table, dataset.whole),
    ]
    if missing:
        # Without its column, no sample has a label or a group.
        raise InputError(missing)
    sizes = [*_size_problems(dataset), *bounds.problems_of(dataset.inputs, dataset.source)]
    if sizes:
        # Images of different sizes cannot be selected: copies are found after resizing.
        raise InputError(sizes)
    _ = dataset.selection  # raises what the source cannot give
    return dataset


def template_lock(tree: Tree) -> Lock | None:
    """Return the lock of the template, which is used before the first release.

    None if it is missing or damaged, because it will be replaced.
    """
    try:
        content = tree.read(LOCK_FILE)
        return lock.parse(content) if content is not None else None
    except UserError:
        return None


def _is_of_release(tree: Tree, recorded: Lock) -> bool:
    """Return whether a release wrote `recorded`: the template's lock has no copy of a source."""
    source = recorded.meta.source
    return bool(source.copy_) or tree.read(path_of(source.name)) is not None


def _problems_of(git: Git, inputs: Inputs | None, recorded: Lock | None) -> list[Problem]:
    """Return the problems of the valid part of the inputs with the source."""
    if inputs is None:
        return []
    try:
        resolve(git, inputs, recorded)
    except InputError as error:
        return error.problems
    except UserError:
        # The source is not available; the config's own problems come first.
        return []
    return []


def _size_problems(dataset: Dataset) -> Iterator[Problem]:
    config, source = dataset.config, dataset.source
    if config.encoding == ORIGINAL:
        if not source.has_files:
            message = f"encoding: the images of {source.name} are no files; use png"
            yield config.problem(("encoding",), message)
    elif source.size is None and config.size is None:
        message = (
            f"source: the images of {source.name} differ in size; add a line such as"
            " 'image_size: 64' or 'image_size: 64x48', or keep the files as they are with"
            " 'encoding: original'"
        )
        yield config.problem(("source",), message)


def source_of(git: Git, inputs: Inputs, recorded: Lock | None) -> Source:
    """Return the source of `inputs`; raises the same errors as `resolve`."""
    config = inputs.config
    request = SourceRequest(
        config.source, config.channels, inputs.pointer, transfer.fetcher(git.root)
    )
    sha256, fetch = None, None
    if recorded and _is_of_same_source(recorded, config) and inputs.pointer is None:
        source = recorded.meta.source
        sha256, fetch = source.sha256, _fetcher(git, source.copy_)
    try:
        return registry.load(request, sha256, fetch)
    except SourceError as error:
        raise InputError([config.problem(("source",), str(error))]) from None


def _is_of_same_source(recorded: Lock, config: Config) -> bool:
    meta = recorded.meta
    return meta.source.name == config.source and meta.config.get("channels") == config.channels


def _fetcher(git: Git, copy: str | None) -> Fetch | None:
    """Return a function that reads the copy of a source from the remote; None without a copy."""
    if copy is None:
        return None

    def fetch() -> bytes:
        committed = WorkTree(git.root).read(CONFIG_PATH)
        folder = Cache(git.root).records
        return Records(folder, lambda: open_remote(git.root, committed)).read(copy)

    return fetch
