"""Datasets of OpenML by name, with scikit-learn."""

import errno
import warnings
from http import HTTPStatus
from typing import Any

import numpy as np

from scripts.errors import UserError
from scripts.progress import Bar
from scripts.sources import table
from scripts.sources.source import SourceError, SourceRequest
from scripts.sources.table import Table

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

    Raises `SourceError` if it does not exist or has no images, `UserError` if it is not available
    now.
    """
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
