"""What a consumer sees: a commit opened with DVC's own reader and nothing of this repository's."""

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dvc.api import DVCFileSystem
from dvc.repo import Repo

from scripts.errors import UserError
from scripts.storage.cache import DATASET, Cache
from scripts.storage.dvc import silence
from scripts.storage.manifest import Manifest


class UnreadableError(UserError):
    """Consumers could not read a version, although its files are complete."""


def check_readable(checkout: Path, cache: Cache, made: Manifest) -> None:
    """Raise `UnreadableError` unless DVC finds exactly the files of `made` in `checkout`.

    That fails, for example, where `.dvcignore` hides the lock, or `dvc.yaml` is invalid. The files'
    bytes are not read: they are in `cache`, and a push has verified them in the remote.
    """
    silence()
    try:
        with _isolated(checkout):
            repo = Repo(str(checkout), config={"cache": {"dir": str(cache.folder)}})
            with repo:
                found = DVCFileSystem(repo=repo).find(DATASET)
    except Exception as error:  # noqa: BLE001 - DVC's readers raise many kinds
        reason = " ".join(str(error).split()) or type(error).__name__
        raise UnreadableError(f"DVC cannot read this version: {reason}") from None
    names = {name.removeprefix(f"{DATASET}/") for name in found}
    if names != made.files.keys():
        raise UnreadableError(
            f"DVC finds {len(names):,} of the {len(made.files):,} files of this version. Look for"
            " a rule in .dvcignore, or a file of DVC, that hides or changes dataset.dvc"
        )


@contextmanager
def _isolated(checkout: Path) -> Iterator[None]:
    """Hide the DVC configuration of the machine and its user."""
    nowhere = str(checkout / uuid.uuid4().hex)
    names = ("DVC_SYSTEM_CONFIG_DIR", "DVC_GLOBAL_CONFIG_DIR")
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(dict.fromkeys(names, nowhere))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
