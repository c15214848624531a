"""The recorded state: `dataset.dvc`, written by machine only, read as text."""

import io
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from scripts.errors import UserError

LOCK_FILE = "dataset.dvc"
DATASET = "dataset"
# Counts of a thousand classes fit well.
MAX_BYTES = 256 * 1024

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Counts = dict[str, dict[str, Annotated[int, Field(ge=0)]]]


class _Part(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")


class Output(_Part):
    """DVC's own fields: the folder, and the name of the object that lists its files."""

    md5: Annotated[str, Field(pattern=r"^[0-9a-f]{32}\.dir$")]
    size: Annotated[int, Field(ge=0)]
    nfiles: Annotated[int, Field(ge=0)]
    hash: Literal["md5"] = "md5"
    path: Literal["dataset"] = "dataset"


class SourceRecord(_Part):
    """The source a dataset was made from, with the checksum of its rows."""

    name: str
    sha256: Sha256
    rows: int


class Meta(_Part):
    """What the dataset is, beside DVC's fields.

    `config` is the config it was made from, `counts` the images by split and folder, `samples`
    the checksum of all file names.
    """

    config: dict[str, Any]
    source: SourceRecord
    counts: Counts
    samples: Sha256


class Lock(_Part):
    """One version of the dataset, recorded."""

    outs: Annotated[list[Output], Field(min_length=1, max_length=1)]
    meta: Meta

    def __hash__(self) -> int:
        # The counts are a dict and have no hash; equal locks have equal names all the same.
        return hash(self.md5)

    @property
    def md5(self) -> str:
        """The name of the object that lists the dataset's files, ending in `.dir`."""
        return self.outs[0].md5

    @property
    def size(self) -> int:
        """The size of all files, in bytes."""
        return self.outs[0].size

    @property
    def nfiles(self) -> int:
        """The number of files."""
        return self.outs[0].nfiles


def parse(content: bytes, where: str = LOCK_FILE) -> Lock:
    """Return the lock that `content` holds; `where` names it in messages.

    Raises `UserError` when it is no lock of this project.
    """
    if len(content) > MAX_BYTES:
        raise UserError(f"{where} has {len(content):,} bytes, more than a lock can have.")
    try:
        return Lock.model_validate(YAML(typ="safe", pure=True).load(content.decode()))
    except (YAMLError, ValueError, RecursionError) as error:
        # What pydantic raises, and bytes that are no text, are ValueErrors too.
        raise UserError(
            f"{where} is not as it was written by machine ({_first(error)})."
            f" Restore it from the latest release: git checkout <tag> -- {LOCK_FILE}"
        ) from None


def render(lock: Lock) -> str:
    """Return `lock` as the text of a `.dvc` file."""
    buffer = io.StringIO()
    yaml = YAML()
    yaml.default_flow_style = False
    yaml.dump(lock.model_dump(), buffer)
    return buffer.getvalue()


def _first(error: Exception) -> str:
    if isinstance(error, ValidationError):
        detail = error.errors()[0]
        return f"{'.'.join(map(str, detail['loc']))}: {detail['msg']}"
    return str(error).splitlines()[0]
