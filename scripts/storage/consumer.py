"""What a consumer sees: a commit opened with DVC's own reader and nothing of this repository's."""

import os
import uuid
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

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
    from dvc.api import DVCFileSystem
    from dvc.repo import Repo

    silence()
    try:
        with _isolated(checkout):
            repo = Repo(str(checkout), config={"cache": {"dir": str(cache.folder)}})
            with repo:
                # With two outputs in one place it depends on their order which of them DVC finds.
                with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
                    repo.index.check_graph()
                found = DVCFileSystem(repo=repo).find(DATASET, detail=True)
    except Exception as error:  # noqa: BLE001 - DVC's readers raise many kinds
        reason = " ".join(str(error).split()) or type(error).__name__
        raise UnreadableError(f"DVC cannot read this version: {reason}") from None
    listed = {name.removeprefix(f"{DATASET}/"): info.get("md5") for name, info in found.items()}
    expected = {name: md5 for name, (md5, _) in made.files.items()}
    if listed != expected:
        both = listed.items() & expected.items()
        raise UnreadableError(
            f"DVC finds {len(both):,} of the {len(expected):,} files of this version, and"
            f" {len(listed) - len(both):,} others. Look for a rule in .dvcignore, or a file of DVC,"
            " that hides or changes dataset.dvc"
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
