"""Datasets of OpenML by name, with scikit-learn."""

import errno
import hashlib
import os
import warnings
from http import HTTPStatus
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs

from scripts import fingerprint
from scripts.errors import UserError
from scripts.progress import Bar
from scripts.sources import copies, table
from scripts.sources.source import SourceError, SourceRequest
from scripts.sources.table import Table
from scripts.storage import kept

# Errors of the file system; no network error has one of these numbers.
UNWRITABLE = {
    *(errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT),
    *(errno.EEXIST, errno.ENOTDIR),
}


def provides(_: SourceRequest) -> bool:
    """Return whether this kind provides the given source: any name that no other kind has."""
    return True


def read(request: SourceRequest) -> Table:
    """Return a dataset by its name, over the network unless scikit-learn has it in its cache.

    To parse a dataset takes much time and memory, so a local copy of it is used if scikit-learn
    still has exactly the files from which it was made. Raises `SourceError` if it does not exist or
    has no images, `UserError` if it is not available now.
    """
    if (copy := _known(request)) is not None:
        return copy
    source = _parsed(request)
    if (file := _file_of(request)) is not None:
        kept.write(file, source.sha256.encode())
    return source


def _known(request: SourceRequest) -> Table | None:
    """Return the local copy that was made from what scikit-learn has downloaded, if any."""
    file = _file_of(request)
    sha256 = file and kept.read(file)
    return copies.find(request.name, sha256.decode()) if sha256 else None


def _file_of(request: SourceRequest) -> Path | None:
    """Return the file that names the copy, after all that decides it; None without a download.

    scikit-learn keeps everything that it gets from OpenML, answers about names included. To ask it
    where takes a second. See
    https://scikit-learn.org/stable/modules/generated/sklearn.datasets.get_data_home.html
    """
    home = os.environ.get("SCIKIT_LEARN_DATA") or Path("~", "scikit_learn_data")
    downloads = sorted(Path(home, "openml").expanduser().rglob("*.gz"))
    total = hashlib.sha256(
        f"{fingerprint.of('sources')} {request.name} {request.channels}".encode()
    )
    for downloaded in downloads:
        with downloaded.open("rb") as opened:
            total.update(hashlib.file_digest(opened, "sha256").digest())
    folder = platformdirs.user_cache_path(copies.FOLDER) / "downloads"
    return folder / total.hexdigest() if downloads else None


def _parsed(request: SourceRequest) -> Table:
    name = request.name
    with (
        Bar(desc=f"Reading {name} from OpenML (once)", bar_format="{desc} {elapsed}"),
        warnings.catch_warnings(record=True) as caught,
    ):
        warnings.simplefilter("always")
        try:
            bunch = _fetch(name, caught)
        except Exception as error:  # noqa: BLE001 - scikit-learn passes on what its parsers raise
            damaged = any("Invalid cache" in str(warning.message) for warning in caught)
            raise _error(name, error, damaged=damaged) from None
    if bunch.target is None or np.ndim(bunch.target) != 1:
        raise SourceError(f"source {name} has no single column with the class of each row.")
    data, target = np.asarray(bunch.data), np.asarray(bunch.target)
    return table.from_values(name, data, target, request.channels)


def _fetch(name: str, caught: list[warnings.WarningMessage]) -> Any:
    """Return the dataset of scikit-learn, without its cache if that cannot be written."""
    from sklearn.datasets import fetch_openml

    try:
        return fetch_openml(name, as_frame=False, parser="auto")
    except OSError as error:
        if error.errno not in UNWRITABLE:
            raise
    caught.clear()  # it was warned that the cache is damaged
    return fetch_openml(name, as_frame=False, parser="auto", cache=False)


def _error(name: str, error: Exception, *, damaged: bool) -> UserError:
    """Return the reason why scikit-learn could not load `name`, with advice."""
    from urllib.error import HTTPError

    from sklearn.datasets import get_data_home

    text = " ".join(str(error).split())
    if damaged:
        return UserError(
            f"source {name}: the file in scikit-learn's cache below {get_data_home()} is damaged"
            f" and could not be fetched again from OpenML ({text}). Try again when it is reachable."
        )
    # OpenML uses status 412 instead of 404.
    unknown = isinstance(error, HTTPError) and error.code == HTTPStatus.PRECONDITION_FAILED
    if unknown or "not found" in text.lower():
        return SourceError(
            f"source {name}: OpenML has no active dataset of this name. Check the name on "
            f"openml.org, or use digits."
        )
    if isinstance(error, OSError):
        return UserError(
            f"source {name}: OpenML cannot be reached ({text}). Try again later; the source digits"
            " needs no network."
        )
    return UserError(
        f"source {name}: OpenML's file cannot be read ({text}). It may be damaged; try again."
    )
