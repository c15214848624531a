"""From what people wrote to a checked dataset: the one way that every verb takes."""

from scripts.build.dataset import Dataset
from scripts.errors import UserError
from scripts.inputs import reader
from scripts.inputs.problems import InputError
from scripts.inputs.reader import Inputs, Tree, WorkTree
from scripts.sources import registry
from scripts.sources.source import SourceError
from scripts.versions import guards, lock, releases
from scripts.versions.git import Git
from scripts.versions.lock import LOCK_FILE, Lock
from scripts.versions.releases import Release


def resolve(inputs: Inputs, recorded: Lock | None, latest: Release | None) -> Dataset:
    """Return the dataset that `inputs` describe, checked and selected.

    Reuses the source that the lock `recorded` was made from, if its name is the same and a copy is
    available. Raises `InputError` with every problem, `UserError` when the source is not available
    now.
    """
    config = inputs.config
    same = recorded is not None and recorded.meta.source.name == config.source
    sha256 = recorded.meta.source.sha256 if recorded and same else None
    try:
        dataset = Dataset(config, registry.load(config.source, sha256))
    except SourceError as error:
        raise InputError([config.problem(("source",), str(error))]) from None
    guards.refuse_moves(dataset, latest)
    _ = dataset.selection  # raises what the source cannot give
    return dataset


def work_tree(git: Git) -> Dataset:
    """Return the dataset that the work tree asks for; raises as `resolve` does."""
    tree = WorkTree(git.root)
    return resolve(reader.read(tree), recorded_lock(tree), releases.latest(git))


def recorded_lock(tree: Tree) -> Lock | None:
    """Return the lock in `tree`, None when there is none; raises `UserError` when it is damaged."""
    content = tree.read(LOCK_FILE)
    return lock.parse(content) if content is not None else None


def intact_lock(tree: Tree) -> Lock | None:
    """Return the lock in `tree`, None also when it is damaged, as it is about to be replaced."""
    try:
        return recorded_lock(tree)
    except UserError:
        return None
