"""A custom source only grows: a batch that was released stays as it is."""

from collections.abc import Iterator

from scripts.errors import UserError
from scripts.git.git import Git
from scripts.inputs.paths import SOURCES_FOLDER
from scripts.inputs.problems import START, InputError, Problem
from scripts.inputs.tree import Tree, WorkTree
from scripts.releases import releases
from scripts.releases.releases import Release
from scripts.sources import pointer as pointers
from scripts.sources.pointer import Pointer


def check(git: Git, name: str, content: bytes | None, *revs: str) -> None:
    """Raise `InputError` unless `content` has all batches that the source `name` has at `revs`.

    `content` is that of `sources/NAME.dvc`, None if there is none.
    """
    ours = pointers.parse(content, name) if content is not None else None
    for rev in revs:
        theirs = pointer_of(git, rev, name)
        if theirs and not (ours and ours.continues(theirs)):
            message = f"it lacks or changes images that main has. {pointers.ingest_again(name)}"
            raise InputError([Problem(pointers.path_of(name), START, message)])


def refuse_lost_batches(git: Git, tree: Tree, before: Release | None) -> None:
    """Raise `InputError` if a source in `tree` lacks batches of the release `before`.

    Removed sources are ignored.
    """
    problems = []
    for name in _names(git, before) if before else ():
        content = tree.read(pointers.path_of(name))
        try:
            if before and content is not None:
                check(git, name, content, before.commit)
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(problems)


def refuse_lost_batches_of_work_tree(git: Git) -> None:
    """Raise `InputError` if a source lacks batches that the newest release of HEAD has."""
    before = releases.scan(git).contained_in(git, "HEAD")
    refuse_lost_batches(git, WorkTree(git.root), before)


def pointer_of(git: Git, rev: str, name: str) -> Pointer | None:
    """Return the pointer of the source `name` at `rev`, None if there is no valid one."""
    content = git.file(rev, pointers.path_of(name))
    try:
        return pointers.parse(content, name) if content is not None else None
    except UserError:
        return None


def has_pointer(git: Git, release: Release) -> bool:
    """Return whether `release` was made from a custom source."""
    return pointer_of(git, release.commit, release.lock.meta.source.name) is not None


def _names(git: Git, release: Release) -> Iterator[str]:
    listed = git("ls-tree", "--name-only", release.commit, "--", f"{SOURCES_FOLDER}/")
    for path in listed.splitlines():
        if path.endswith(".dvc"):
            yield path.removeprefix(f"{SOURCES_FOLDER}/").removesuffix(".dvc")
