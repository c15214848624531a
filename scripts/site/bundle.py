"""Bundles: the new atlases and near-duplicates of a release, in one or more records.

The content is compared with the release before it is used: the images of an atlas must have the
checksums in the manifest; the samples of a pair must be in different splits. The number of
near-duplicates is not checked.
"""

import io
import zipfile
from collections.abc import Mapping
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from scripts.assets.archive import DATE
from scripts.dataset.near import LIMIT, MAX_FOUND, MAX_PAIRS

# The version of this format; records of other ones are not read.
SCHEMA = 1
FOLDER = f"catalogue-{SCHEMA}"
NEAR = "near.json"
# No record gets much larger, so that it fits into memory.
MAX_BYTES = 32 * 1024**2
MAX_NEAR_BYTES = 64 * 1024

Md5 = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
Distance = Annotated[float, Field(ge=0, lt=LIMIT, allow_inf_nan=False)]


class NearRecord(BaseModel):
    """The closest new near-duplicates of a release: distance, sample in train, other sample.

    Samples are identified by the MD5 of their PNG. `count` is their number; without `searched` not
    all pairs were compared.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    searched: bool = True
    count: Annotated[int, Field(ge=0, le=MAX_FOUND)] = 0
    pairs: Annotated[list[tuple[Distance, Md5, Md5]], Field(max_length=MAX_PAIRS)] = []


def pack(atlases: Mapping[str, bytes], near: NearRecord | None = None) -> bytes:
    """Return a record with `atlases`, by key, and `near`."""
    buffer = io.BytesIO()
    files = {f"{key}.png": atlas for key, atlas in sorted(atlases.items())}
    if near:
        files[NEAR] = near.model_dump_json().encode()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as packed:
        for name, content in files.items():
            packed.writestr(zipfile.ZipInfo(name, DATE), content)
    return buffer.getvalue()


class Bundle:
    """A record of any origin; damaged parts are ignored."""

    def __init__(self, content: bytes) -> None:
        """Open the record with `content`."""
        self._files: dict[str, bytes] = {}
        try:
            with zipfile.ZipFile(io.BytesIO(content)) as packed:
                for info in packed.infolist():
                    # Stored, not compressed: nothing gets larger than the record.
                    if info.compress_type == zipfile.ZIP_STORED:
                        self._files[info.filename] = packed.read(info)
        except (zipfile.BadZipFile, ValueError, EOFError, NotImplementedError, RuntimeError):
            self._files.clear()

    def atlas(self, key: str) -> bytes | None:
        """Return an atlas, None if it is missing."""
        return self._files.get(f"{key}.png")

    @property
    def near(self) -> NearRecord | None:
        """The near-duplicates, None if they are missing."""
        content = self._files.get(NEAR, b"")
        try:
            return (
                NearRecord.model_validate_json(content) if len(content) <= MAX_NEAR_BYTES else None
            )
        except ValidationError:
            return None
