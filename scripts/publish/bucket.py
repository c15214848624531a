"""Whether there is a place in which objects stay: a bucket, or a folder on a person's disk."""

from scripts.errors import UserError
from scripts.git.git import Git
from scripts.releases import releases
from scripts.runner import Runner
from scripts.storage.remote import Remote
from scripts.storage.settings import is_template

NO_BUCKET = (
    "The remote is still the local folder of the template, and the disk of a runner is deleted"
    " after the run, so nothing is stored or released. Set up a bucket as in docs/setup.md, then"
    " commit: python -m scripts remote gs://BUCKET/PATH"
)


def is_missing(git: Git, committed: bytes | None) -> bool:
    """Return whether nothing is released and `committed` names the template's folder as remote."""
    return is_template(git.root, committed) and not releases.scan(git).accepted


def is_ready(git: Git, remote: Remote, committed: bytes | None, runner: Runner) -> bool:
    """Return whether `remote`, which `committed` names, keeps what this run stores.

    It does not in a new repository, on a runner. Raises `UserError` for any other folder on a
    runner's disk.
    """
    if not is_lost(remote, runner):
        return True
    if is_missing(git, committed):
        return False
    raise lost(remote)


def is_lost(remote: Remote, runner: Runner) -> bool:
    """Return whether what is stored in `remote` is deleted after the run."""
    return runner.is_temporary and remote.is_folder


def lost(remote: Remote) -> UserError:
    """Return the error for a folder on a runner's disk."""
    return UserError(
        f"the remote is {remote.url}, a folder on this runner's disk, which is deleted after the"
        " run. Set a bucket as the remote and commit it: python -m scripts remote gs://BUCKET/PATH"
    )
