"""Where the rows come from: an OpenML dataset by name, or scikit-learn's bundled digits."""

import hashlib
import math
import re
import tempfile
import warnings
from dataclasses import dataclass
from functools import cached_property
from http import HTTPStatus
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import platformdirs
from tqdm import tqdm

from scripts.errors import UserError


class SourceError(UserError):
    """A source that will never do: there is none of this name, or it is not made of images."""


DIGITS = "digits"
# The bundled digits are grey in 17 steps, 0 to 16; times 15 they are images one can see.
DIGITS_SCALE = 15
GREY_LEVELS = 256


@dataclass(frozen=True, eq=False)
class Source:
    """The rows of a source, in its order; a row's number is its identity for ever.

    `pixels` are uint8 in the shape (rows, side, side), `labels` are text in the shape (rows,).
    """

    name: str
    pixels: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.str_]

    @cached_property
    def sha256(self) -> str:
        """The checksum of all pixels and labels, whatever file they were read from."""
        digest = hashlib.sha256(repr(self.pixels.shape).encode())
        digest.update(np.ascontiguousarray(self.pixels).data)
        digest.update("\n".join(self.labels.tolist()).encode())
        return digest.hexdigest()

    @cached_property
    def classes(self) -> list[str]:
        """Every class of the source: by number where all are numbers, else by name."""
        labels = np.unique(self.labels).tolist()
        return sorted(labels, key=int) if all(x.isdecimal() for x in labels) else sorted(labels)


def load(name: str, sha256: str | None = None) -> Source:
    """Return the source called `name`, from its compact copy where there is one.

    With `sha256` (a lock's record) only a compact copy with that checksum will do; without, the
    newest one. Where there is none the source itself is read, over the network if need be, and
    leaves a compact copy. What comes back can then have another checksum: it is the caller who
    knows what that means.

    Raises `SourceError` when there is no such source or it is not made of square grey images,
    `UserError` when it cannot be had now.
    """
    folder = _cache() / name
    copies = sorted(folder.glob(f"{sha256 or '*'}.npz"), key=lambda file: file.stat().st_mtime)
    for copy in reversed(copies):
        if source := _read_copy(name, copy):
            return source
    source = _read_digits() if name == DIGITS else _fetch(name)
    _write_copy(source, folder)
    return source


def from_table(name: str, values: npt.NDArray[Any], labels: npt.NDArray[Any]) -> Source:
    """Return a source from one row of `side * side` grey values (0 to 255) per image.

    Raises `SourceError` when the table holds anything but square 8-bit grey images, or has classes
    that cannot be folders.
    """
    not_images = f"source {name} is not made of square 8-bit grey images"
    if values.ndim != 2 or not values.size:  # noqa: PLR2004 - rows and columns
        raise SourceError(f"{not_images}: it has no table of numbers.")
    side = math.isqrt(values.shape[1])
    if side * side != values.shape[1]:
        raise SourceError(f"{not_images}: {values.shape[1]} values a row make no square.")
    if values.dtype.kind not in "uif":
        raise SourceError(f"{not_images}: it has columns that are not numbers.")
    if not np.isfinite(values).all():
        raise SourceError(f"{not_images}: it has missing values.")
    if values.min() < 0 or values.max() >= GREY_LEVELS or (values != np.floor(values)).any():
        raise SourceError(f"{not_images}: its values are not whole numbers from 0 to 255.")
    text = labels.astype(str)
    _check_classes(name, np.unique(text).tolist())
    return Source(name, values.astype(np.uint8).reshape(-1, side, side), text)


def _check_classes(name: str, labels: list[str]) -> None:
    for label in labels:
        if not re.fullmatch(r"[A-Za-z0-9_+-][A-Za-z0-9_.+-]{0,99}", label):
            raise SourceError(
                f"source {name} has the class {label!r}, which cannot be the name of a folder."
            )
    if len({label.lower() for label in labels}) < len(labels):
        raise SourceError(
            f"source {name} has classes that differ only in upper and lower case; on some machines"
            " they would share one folder."
        )


def _cache() -> Path:
    return platformdirs.user_cache_path("dataset-sources")


def _read_copy(name: str, file: Path) -> Source | None:
    try:
        with np.load(file, allow_pickle=False) as arrays:
            source = Source(name, arrays["pixels"], arrays["labels"])
    except Exception:  # noqa: BLE001 - a damaged archive fails in many ways
        return None
    # A damaged copy counts as none: the source is read again and the copy replaced.
    return source if source.sha256 == file.stem else None


def _write_copy(source: Source, folder: Path) -> None:
    # NumPy's own archives of arrays: https://numpy.org/doc/stable/reference/generated/numpy.savez_compressed.html
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            whole = Path(scratch) / "copy.npz"
            np.savez_compressed(whole, pixels=source.pixels, labels=source.labels)
            whole.replace(folder / f"{source.sha256}.npz")
    except OSError as error:
        raise UserError(
            f"the compact copy of {source.name} cannot be written to {folder}: {error.strerror}"
        ) from None


def _read_digits() -> Source:
    from sklearn.datasets import load_digits

    digits = load_digits()
    return from_table(DIGITS, digits.data * DIGITS_SCALE, digits.target)


def _fetch(name: str) -> Source:
    from sklearn.datasets import fetch_openml

    with tqdm(
        desc=f"Reading {name} from OpenML (once)", bar_format="{desc} {elapsed}", disable=None
    ):
        try:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                bunch = fetch_openml(name, as_frame=False, parser="auto")
        except Exception as error:  # noqa: BLE001 - scikit-learn lets through whatever its parsers raise
            damaged = any("Invalid cache" in str(warning.message) for warning in caught)
            raise _error(name, error, damaged=damaged) from None
    if bunch.target is None or np.ndim(bunch.target) != 1:
        raise SourceError(f"source {name} has no single column that says which class a row is.")
    return from_table(name, np.asarray(bunch.data), np.asarray(bunch.target))


def _error(name: str, error: Exception, *, damaged: bool) -> UserError:
    """Return why scikit-learn could not load `name`, and what to do."""
    from urllib.error import HTTPError

    from sklearn.datasets import get_data_home

    text = " ".join(str(error).split())
    if damaged:
        return UserError(
            f"source {name}: the file that scikit-learn keeps below {get_data_home()} was damaged"
            f" and could not be fetched again from OpenML ({text}). Try again when it is reachable."
        )
    # OpenML answers 412 where others answer 404.
    unknown = isinstance(error, HTTPError) and error.code == HTTPStatus.PRECONDITION_FAILED
    if unknown or "not found" in text.lower():
        return SourceError(
            f"source {name}: OpenML has no active dataset of this name. Look the name up on"
            " openml.org, or use digits."
        )
    if isinstance(error, OSError):
        return UserError(
            f"source {name}: OpenML cannot be reached ({text}). Try again later; the source digits"
            " needs no network."
        )
    return UserError(
        f"source {name}: OpenML's file cannot be read ({text}). It may be damaged; try again."
    )
