"""Refuses changes with a valid config that must not be merged."""

from scripts.dataset.dataset import Dataset
from scripts.git.git import MAIN, ORIGIN, TRACKED_MAIN, Git
from scripts.inputs.problems import START, InputError, Problem
from scripts.inputs.tree import WorkTree
from scripts.releases import continuity, declared, releases, resolve
from scripts.releases.lock import LOCK_FILE


def work_tree(git: Git) -> Dataset:
    """Return the dataset of the work tree, with all checks of a pull request except for leaks.

    Raises the errors of `resolve.work_tree`, and `InputError` for refused changes.
    """
    refuse_edited_lock(git)
    continuity.refuse_lost_batches_of_work_tree(git)
    wrong = declared.problems(git, WorkTree(git.root))
    try:
        dataset = resolve.work_tree(git)
    except InputError as error:
        raise InputError([*error.problems, *wrong]) from None
    if wrong:
        raise InputError(wrong)
    return dataset


def refuse_edited_lock(git: Git) -> None:
    """Raise `InputError` if this branch, or its work tree, changes the lock.

    Before the first release the lock is that of the template, which its maintainers may change. The
    commit of a release changes the lock too, and is accepted.
    """
    accepted = releases.scan(git).accepted
    if not accepted:
        return
    is_edited = bool(git("diff", "--name-only", "HEAD", "--", LOCK_FILE))
    is_release = git.commit("HEAD") in [release.commit for release in accepted]
    if is_edited or not (is_release or _is_that_of_main(git)):
        message = (
            f"{LOCK_FILE} is written by the release only, and this branch changes it."
            f" Undo the change: git checkout {ORIGIN}/{MAIN} -- {LOCK_FILE}"
        )
        raise InputError([Problem(LOCK_FILE, START, message)])


def _is_that_of_main(git: Git) -> bool:
    if not git.has_ref(TRACKED_MAIN):
        return True
    base = git("merge-base", TRACKED_MAIN, "HEAD")
    # The lock of main changes nothing at the merge, even if the branch is older.
    accepted = [git.file(rev, LOCK_FILE) for rev in (base, TRACKED_MAIN)]
    return git.file("HEAD", LOCK_FILE) in accepted
