"""Changes that are refused, although the config is valid by itself."""

from scripts.build.dataset import Dataset
from scripts.errors import UserError
from scripts.inputs.problems import START, InputError, Problem
from scripts.versions import diff, releases
from scripts.versions.git import MAIN, ORIGIN, TRACKED_MAIN, Git
from scripts.versions.lock import LOCK_FILE
from scripts.versions.recorded import recorded_selection
from scripts.versions.releases import Release


def refuse_moves(dataset: Dataset, before: Release | None) -> None:
    """Raise `InputError` when samples of `before` would change between train and test.

    The selection never does that while a class has images left; where it runs out, only the
    release before tells which side had them. A new seed or source is a new split on purpose.
    """
    config = dataset.config
    if before is None or before.lock.meta.config.get("seed") != config.seed:
        return
    old = recorded_selection(before.lock, dataset.source)
    if old and (moved := diff.between(old, dataset.selection).moved):
        message = (
            f"samples: {images(moved)} of {before.tag} would change between train and test,"
            f" because {config.source} has too few other images left. Ask for fewer, keep"
            " test_size as it was, or set another seed for a new split"
        )
        raise InputError([config.problem(("samples",), message)])


def refuse_edited_lock(git: Git) -> None:
    """Raise `InputError` when this branch, or its work tree, changes the lock.

    Before the first release the lock is the template's, which its maintainers may rewrite. The
    commit of a release changes the lock too; it is not a branch that somebody edits.
    """
    if not releases.tags(git):
        return
    is_edited = bool(git("diff", "--name-only", "HEAD", "--", LOCK_FILE))
    if is_edited or not _is_accepted(git):
        message = (
            f"{LOCK_FILE} is written by the release only, and this branch changes it."
            f" Undo the change: git checkout {ORIGIN}/{MAIN} -- {LOCK_FILE}"
        )
        raise InputError([Problem(LOCK_FILE, START, message)])


def _is_accepted(git: Git) -> bool:
    if any(releases.TAG.fullmatch(tag) for tag in git("tag", "--points-at", "HEAD").split()):
        return True
    try:
        base = git("merge-base", TRACKED_MAIN, "HEAD")
    except UserError:
        return True
    # Main's own lock changes nothing at the merge, even if the branch began before it.
    accepted = [git.file(rev, LOCK_FILE) for rev in (base, TRACKED_MAIN)]
    return git.file("HEAD", LOCK_FILE) in accepted


def images(count: int) -> str:
    """Return a number of images in words."""
    return f"{count:,} image{'' if count == 1 else 's'}"
