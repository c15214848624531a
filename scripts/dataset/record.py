"""The record that `build` writes and `push` reads: which manifest was built, from which inputs."""

from contextlib import suppress
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from scripts.errors import UserError
from scripts.inputs import paths
from scripts.inputs.strict_record import StrictRecord
from scripts.storage import files

# Git ignores this folder; it is DVC's own place for temporary files.
RECORD_FILE = ".dvc/tmp/build.json"
BUILD_FIRST = "Build it first: python -m scripts build"


class BuildRecord(StrictRecord):
    """One build.

    `state` is everything else that decides what a build says: of the same inputs in the same state
    it would say the same, with the same `warnings`. It is empty if that is not certain.
    """

    # The version of this record's format.
    schema_: Literal[2] = Field(2, alias="schema")
    inputs: str
    md5: str
    nfiles: int
    state: str = ""
    said: str = ""
    warnings: list[str] = Field(default_factory=list)


def write(root: Path, built: BuildRecord) -> None:
    """Keep the record of a build."""
    files.write(root / RECORD_FILE, built.model_dump_json(by_alias=True).encode())


def of_same(root: Path, inputs: str, state: str) -> BuildRecord | None:
    """Return the newest build if it was made of the same `inputs` in the same `state`."""
    with suppress(FileNotFoundError, ValidationError):
        found = _read(root)
        if state and (found.inputs, found.state) == (inputs, state):
            return found
    return None


def read(root: Path) -> BuildRecord:
    """Return the newest build.

    Raises `UserError` if there is none, or the inputs in the work tree have changed since.
    """
    try:
        record = _read(root)
    except (FileNotFoundError, ValidationError):
        raise UserError(f"nothing is built yet. {BUILD_FIRST}") from None
    if record.inputs != paths.digest(root):
        raise UserError(
            "the config or the code that makes the images has changed since the build."
            " Build it again: python -m scripts build"
        )
    return record


def _read(root: Path) -> BuildRecord:
    return BuildRecord.model_validate_json((root / RECORD_FILE).read_bytes())
