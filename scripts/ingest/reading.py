"""A location is read in a process of its own, with limits of time and memory.

Its archives, images and Parquet files come from anywhere: a small one can ask for any amount of
both, or make a library end the process.
"""

import tempfile
from dataclasses import replace
from pathlib import Path

from scripts import isolated
from scripts.errors import UserError
from scripts.ingest import collection
from scripts.ingest.collection import Collected, Known
from scripts.isolated import IsolatedError, Limits
from scripts.sources.own import Own
from scripts.sources.shards import Shards

# Millions of images take hours, and a few hundred bytes of memory each.
LIMITS = Limits(seconds=24 * 60 * 60, memory=4 * 1024**3)


def collect(address: str, name: str, before: Own | None, folder: Path) -> Collected:
    """Return the images at the location `address` that the source `before` does not have.

    They are in shards in `folder`. Raises `UserError` with every problem, and at a limit.
    """
    known = replace(before, shards=Shards((), _no_images)) if before else None
    try:
        found = isolated.run(LIMITS, _collected, address, name, known, folder)
    except IsolatedError as error:
        raise UserError(f"{address} cannot be read: {error}") from None
    if isinstance(found, str):
        raise UserError(found)
    return found


def _collected(address: str, name: str, before: Own | None, folder: Path) -> Collected | str:
    """Return what `collection.collect` returns, or the message of its error."""
    try:
        # What a limit leaves behind is deleted with the folder.
        tempfile.tempdir = str(folder)
        found = collection.collect(address, name, before, folder)
    except UserError as error:
        return str(error)
    # All images that there are, which nobody needs any more.
    found.known = Known()
    return found


def _no_images(_: int) -> Path:
    raise ValueError("the images of a source are not read while others are ingested")
