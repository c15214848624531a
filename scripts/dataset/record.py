"""The record that `build` writes and `push` reads: which manifest was built, from which inputs."""

from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from scripts.errors import UserError
from scripts.inputs import paths
from scripts.inputs.strict_record import StrictRecord
from scripts.storage import files
from scripts.storage.manifest import Manifest

# Git ignores this folder; it is DVC's own place for temporary files.
RECORD_FILE = ".dvc/tmp/build.json"
BUILD_FIRST = "Build it first: python -m scripts build"


class BuildRecord(StrictRecord):
    """One build."""

    # The version of this record's format.
    schema_: Literal[1] = Field(1, alias="schema")
    inputs: str
    md5: str
    nfiles: int


def write(root: Path, built: Manifest, inputs: str) -> None:
    """Write the record of the build `built` from the inputs with the digest `inputs`."""
    record = BuildRecord(inputs=inputs, md5=built.md5, nfiles=len(built.files))
    files.write(root / RECORD_FILE, record.model_dump_json(by_alias=True).encode())


def read(root: Path) -> BuildRecord:
    """Return the newest build.

    Raises `UserError` if there is none, or the inputs in the work tree have changed since.
    """
    try:
        record = BuildRecord.model_validate_json((root / RECORD_FILE).read_bytes())
    except (FileNotFoundError, ValidationError):
        raise UserError(f"nothing is built yet. {BUILD_FIRST}") from None
    if record.inputs != paths.digest(root):
        raise UserError(
            "the config or the code that makes the images has changed since the build."
            " Build it again: python -m scripts build"
        )
    return record
