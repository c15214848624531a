"""What a consumer sees: a commit opened with DVC's own reader and nothing of this repository's."""

import errno
import getpass
import os
import sqlite3
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from scripts.errors import UserError
from scripts.storage.cache import DATASET, Cache
from scripts.storage.dvc import silence
from scripts.storage.manifest import Manifest

# No right, no space, no memory, no more files.
OF_MACHINE = {
    *(errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.EFBIG),
    *(errno.EIO, errno.ENOMEM, errno.EMFILE, errno.ENFILE, errno.EAGAIN, errno.ESTALE),
}
UNKNOWN_USER = ("getpwuid", "home directory")
# Where DVC finds settings and caches of a machine and its user.
PLACES = ("DVC_SYSTEM_CONFIG_DIR", "DVC_GLOBAL_CONFIG_DIR", "DVC_SITE_CACHE_DIR")


class UnreadableError(UserError):
    """Consumers could not read a version, although its files are complete."""


def check_readable(checkout: Path, cache: Cache, made: Manifest) -> None:
    """Raise `UnreadableError` unless DVC finds exactly the files of `made` in `checkout`.

    That fails, for example, where `.dvcignore` hides the lock, or `dvc.yaml` is invalid. The files'
    bytes are not read: they are in `cache`, and a push has verified them in the remote. Raises
    `UserError` where this machine, not the version, is the reason that DVC cannot read it.
    """
    from dvc.api import DVCFileSystem
    from dvc.repo import Repo

    silence()
    try:
        with _isolated():
            repo = Repo(str(checkout), config={"cache": {"dir": str(cache.folder)}})
            with repo:
                # With two outputs in one place it depends on their order which of them DVC finds.
                with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
                    repo.index.check_graph()
                found = DVCFileSystem(repo=repo).find(DATASET, detail=True)
    except Exception as error:  # noqa: BLE001 - DVC's readers raise many kinds
        reason = " ".join(str(error).split()) or type(error).__name__
        if _is_of_machine(error):
            raise UserError(
                f"DVC does not work on this machine: {reason}. The version was not checked. Fix "
                f"this, and run it again."
            ) from None
        raise UnreadableError(f"DVC cannot read this version: {reason}") from None
    listed = {name.removeprefix(f"{DATASET}/"): info.get("md5") for name, info in found.items()}
    expected = {name: md5 for name, (md5, _) in made.files.items()}
    if listed != expected:
        both = listed.items() & expected.items()
        raise UnreadableError(
            f"DVC finds {len(both):,} of the {len(expected):,} files of this version, and"
            f" {len(listed) - len(both):,} others. Look for a rule in .dvcignore, or another DVC "
            f"file, that hides or changes dataset.dvc"
        )


def _is_of_machine(error: BaseException | None) -> bool:
    """Return whether an error, or what caused it, says nothing of the files that DVC reads."""
    while error:
        if isinstance(error, MemoryError | sqlite3.Error):
            return True
        if isinstance(error, OSError) and error.errno in OF_MACHINE:
            return True
        # What Python says about a user that the system does not know.
        if isinstance(error, KeyError | RuntimeError) and any(
            words in str(error) for words in UNKNOWN_USER
        ):
            return True
        error = error.__cause__ or error.__context__
    return False


@contextmanager
def _isolated() -> Iterator[None]:
    """Hide the DVC configuration of the machine and its user, and the cache that users share.

    DVC unpickles what is in that cache, that is, it can run it as code. Here it is a new one. The
    user gets a name, if the system does not know one.
    """
    with (
        tempfile.TemporaryDirectory() as empty,
        _environment(dict.fromkeys(PLACES, empty) | _name_of_user()),
    ):
        yield


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _name_of_user() -> dict[str, str]:
    """Return what names the user to DVC where the system has no name, as in many containers."""
    try:
        getpass.getuser()
    except (KeyError, OSError):
        return {"LOGNAME": f"user-{os.getuid()}"}
    return {}
