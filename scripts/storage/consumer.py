"""Checks that a consumer can read a commit, with only DVC."""

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

# No permission, space, memory, or file handles.
OF_MACHINE = {
    *(errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.EFBIG),
    *(errno.EIO, errno.ENOMEM, errno.EMFILE, errno.ENFILE, errno.EAGAIN, errno.ESTALE),
}
UNKNOWN_USER = ("getpwuid", "home directory")
# Variables for settings and caches of the machine and its user.
PLACES = ("DVC_SYSTEM_CONFIG_DIR", "DVC_GLOBAL_CONFIG_DIR", "DVC_SITE_CACHE_DIR")


class UnreadableError(UserError):
    """Consumers cannot read a version, although its files are complete."""


def check_readable(checkout: Path, cache: Cache, made: Manifest) -> None:
    """Raise `UnreadableError` unless DVC finds exactly the files of `made` in `checkout`.

    It fails, for example, if `.dvcignore` hides the lock, or `dvc.yaml` is invalid. The files are
    not read: they are in `cache`, and the push has verified them in the remote. Raises `UserError`
    if DVC fails because of this machine, not the version.
    """
    from dvc.api import DVCFileSystem
    from dvc.repo import Repo

    silence()
    try:
        with _isolated():
            repo = Repo(str(checkout), config={"cache": {"dir": str(cache.folder)}})
            with repo:
                # With two outputs at the same path, the order decides which one DVC finds.
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
    """Return whether an error, or its cause, is unrelated to the files that DVC reads."""
    while error:
        if isinstance(error, MemoryError | sqlite3.Error):
            return True
        if isinstance(error, OSError) and error.errno in OF_MACHINE:
            return True
        # The message of Python about an unknown user.
        if isinstance(error, KeyError | RuntimeError) and any(
            words in str(error) for words in UNKNOWN_USER
        ):
            return True
        error = error.__cause__ or error.__context__
    return False


@contextmanager
def _isolated() -> Iterator[None]:
    """Hide the DVC configuration of the machine and its user, and the shared cache.

    DVC unpickles the content of that cache, which can run code, so a new one is used. The user gets
    a name if the system has none.
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
    """Return variables with a user name for DVC if the system has none, as in many containers."""
    try:
        getpass.getuser()
    except (KeyError, OSError):
        return {"LOGNAME": f"user-{os.getuid()}"}
    return {}
