"""Reads a location in a separate process, with limits of time and memory.

Archives, images and Parquet files are not trusted: even a small one can need a lot of both, or
crash a library.
"""

import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from scripts import isolated
from scripts.errors import UserError
from scripts.ingest import images_read
from scripts.ingest.images_read import ImagesRead
from scripts.ingest.known_images import KnownImages
from scripts.ingest.options import IngestOptions
from scripts.isolated import IsolatedError, Limits
from scripts.sources.own import Own
from scripts.sources.shards import Shards
from scripts.storage.faults import FaultsError

# Millions of images take hours, and a few hundred bytes of memory each.
LIMITS = Limits(seconds=24 * 60 * 60, memory=4 * 1024**3)


class Refused(NamedTuple):
    """The error of an ingest: the message, and all problems if it lists only some."""

    message: str
    whole: list[str]


def collect(
    address: str,
    name: str,
    before: Own | None,
    folder: Path,
    options: IngestOptions = images_read.DEFAULT,
) -> ImagesRead:
    """Return the images at the location `address` that the source `before` does not have.

    They are written to shards in `folder`. Raises `UserError` with every problem, and at a limit.
    """
    # What fetches objects stays in this process; of the images themselves, nothing is needed.
    rows = replace(before, shards=Shards((), _no_images), fetch=_no_images) if before else None
    known = before.known_files() if before else {}
    try:
        found = isolated.run(LIMITS, _collected, address, name, rows, folder, (options, known))
    except IsolatedError as error:
        raise UserError(f"{address} cannot be read: {error}") from None
    if isinstance(found, Refused):
        raise FaultsError(found.message, found.whole)
    return found


def _collected(
    address: str,
    name: str,
    before: Own | None,
    folder: Path,
    how: tuple[IngestOptions, Mapping[bytes, bytes]],
) -> ImagesRead | Refused:
    """Return what `images_read.collect` returns, or its error."""
    try:
        # Files that are left after a limit are deleted with the folder.
        tempfile.tempdir = str(folder)
        found = images_read.collect(address, name, before, folder, how[0], known=how[1])
    except FaultsError as error:
        return Refused(str(error), error.whole)
    except UserError as error:
        return Refused(str(error), [])
    # All images, which are no longer needed.
    found.known = KnownImages()
    return found


def _no_images(_: object) -> Path:
    raise ValueError("the images of a source are not read while others are ingested")
