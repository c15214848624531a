"""The kinds of remotes: which class opens the one that `.dvc/config` names."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from scripts.errors import UserError
from scripts.storage import extras, settings
from scripts.storage.dvc import silence
from scripts.storage.remote import Remote
from scripts.storage.remote_azure import AzureRemote
from scripts.storage.remote_dvc import DvcRemote
from scripts.storage.remote_folder import FolderRemote
from scripts.storage.remote_google import GoogleRemote
from scripts.storage.remote_s3 import S3Remote

# The kinds that need no client of DVC, by the scheme of their address.
KINDS: dict[str, Callable[[Mapping[str, Any]], Remote]] = {
    kind.scheme: kind for kind in (GoogleRemote, S3Remote, AzureRemote)
}


def open_remote(root: Path, committed: bytes | None, where: str = settings.CONFIG_PATH) -> Remote:
    """Return the remote that `committed`, the content of a `.dvc/config`, names.

    Raises `UserError` when there is none or DVC cannot use it; `where` names the file.
    """
    return of_settings(settings.remote_section(root, committed, where), where)


def of_settings(section: dict[str, Any], where: str = settings.CONFIG_PATH) -> Remote:
    """Return the remote that the settings in `section` describe; `where` names their file."""
    scheme = urlsplit(section["url"]).scheme
    if not scheme:
        return FolderRemote(section["url"], section.get("jobs"))
    extras.require(scheme)
    if kind := KINDS.get(scheme):
        return kind(section)
    return _opened_by_dvc(section, where)


def _opened_by_dvc(section: dict[str, Any], where: str) -> Remote:
    from dvc import data_cloud
    from dvc.exceptions import DvcException
    from dvc.fs import get_cloud_fs

    silence()
    try:
        kind, config, path = get_cloud_fs({"core": {}, "remote": {"": section}}, **section)
        fs = kind(**config)
        if fs.protocol == "local":
            return FolderRemote(path, fs.jobs)
        opened = data_cloud.Remote("remote", path, fs, **config)
    except (DvcException, ImportError) as error:
        raise UserError(f"{where}: the remote cannot be used ({error})") from None
    return DvcRemote(opened)
