"""The lock: `dataset.dvc`, the recorded state, written only by releases."""

import io
from collections.abc import Sequence
from functools import cache
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError
from ruamel.yaml import YAML

from scripts.errors import UserError
from scripts.inputs import plain_yaml
from scripts.inputs.config import PARQUET
from scripts.inputs.config_values import ReleaseTag
from scripts.inputs.strict_record import StrictRecord
from scripts.inputs.yaml_keys import width_for

LOCK_FILE = "dataset.dvc"
# The format of the record below `meta`. Locks without a number are version 0 and stay readable.
SCHEMA = 5
# Counts of a thousand classes fit, however long their names are.
MAX_BYTES = 1024 * 1024
WIDTH = 80

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
# Consecutive releases, such as v0..v4, or one.
TagRange = Annotated[str, Field(pattern=r"^v[0-9]{1,9}(\.\.v[0-9]{1,9})?$")]
CountsBySplit = dict[str, dict[str, Annotated[int, Field(ge=0)]]]


class LockedOutput(StrictRecord):
    """DVC's own fields: the folder, and the name of the object that lists its files."""

    md5: Annotated[str, Field(pattern=r"^[0-9a-f]{32}\.dir$")]
    size: Annotated[int, Field(ge=0)]
    nfiles: Annotated[int, Field(ge=0)]
    hash: Literal["md5"] = "md5"
    path: Literal["dataset"] = "dataset"


class SourceRecord(StrictRecord):
    """The source of a dataset, with the checksum of its rows.

    `copy` is the name of the record in the remote with a copy of it.
    """

    name: str
    sha256: Sha256
    rows: int
    copy_: Annotated[Sha256 | None, Field(alias="copy")] = None


class Meta(StrictRecord):
    """What the dataset is, beside DVC's fields.

    `selection` is the number of the selection rule, `config` the config, `curation` the checksum of
    the decisions, `counts` the numbers of images by split and folder, `samples` the SHA-256 of all
    file names (of a version in Parquet: the names with `format: png`, and also the name of the
    record that lists them). `comparable_with` are the releases with which it has no leak, as ranges
    such as `v0..v4`; older locks have `comparable_since` instead, which is not exact. `splits` is
    the name of the record with its index, `cumulative` of the record with those of all releases
    before it, too.
    """

    schema_: Annotated[int, Field(alias="schema", ge=0, le=SCHEMA)] = 0
    # Locks without a number were made by the rule before it was recorded.
    selection: Annotated[int, Field(ge=1)] = 1
    config: dict[str, Any]
    curation: Sha256 | None = None
    source: SourceRecord
    counts: CountsBySplit
    samples: Sha256
    comparable_since: ReleaseTag | None = None
    comparable_with: list[TagRange] | None = None
    splits: Sha256 | None = None
    cumulative: Sha256 | None = None


class Lock(StrictRecord):
    """One version of the dataset, recorded."""

    outs: Annotated[list[LockedOutput], Field(min_length=1, max_length=1)]
    meta: Meta

    def __hash__(self) -> int:
        # The counts are a dict and have no hash; equal locks have equal manifests.
        return hash(self.md5)

    @property
    def md5(self) -> str:
        """The name of the manifest's object; it ends in `.dir`."""
        return self.outs[0].md5

    @property
    def size(self) -> int:
        """The size of all files, in bytes."""
        return self.outs[0].size

    @property
    def nfiles(self) -> int:
        """The number of files."""
        return self.outs[0].nfiles

    @property
    def images(self) -> int:
        """The number of images."""
        return sum(sum(folders.values()) for folders in self.meta.counts.values())

    @property
    def is_sharded(self) -> bool:
        """Whether the files are shards of Parquet, with many images each."""
        return bool(self.meta.config.get("format") == PARQUET)

    def is_comparable_with(self, tag: str) -> bool:
        """Return whether the lock lists an earlier release as comparable."""
        spans = [part.split("..") for part in self.meta.comparable_with or ()]
        return any(_number(span[0]) <= _number(tag) <= _number(span[-1]) for span in spans)


# A run that looks at all releases meets the same locks again and again.
@cache
def parse(content: bytes, where: str = LOCK_FILE) -> Lock:
    """Return the lock in `content`; `where` is its place in messages.

    Raises `UserError` if it is not a lock of this project, or one of newer machinery.
    """
    if len(content) > MAX_BYTES:
        raise UserError(f"{where} has {len(content):,} bytes, more than a lock can have.")
    try:
        data = plain_yaml.load(content)
        _refuse_newer(data, where)
        return Lock.model_validate(data)
    except UserError:
        raise
    except Exception as error:  # noqa: BLE001 - the parser raises many kinds for damaged YAML
        raise UserError(
            f"{where} was changed by hand or is damaged ({_first(error)})."
            f" Restore it from the latest release: git checkout <tag> -- {LOCK_FILE}"
        ) from None


def render(lock: Lock) -> str:
    """Return `lock` as the text of a `.dvc` file."""
    buffer = io.StringIO()
    yaml = YAML()
    yaml.default_flow_style = False
    data = lock.model_dump(by_alias=True, exclude_none=True)
    yaml.width = width_for(data, WIDTH)
    yaml.dump(data, buffer)
    return buffer.getvalue()


def runs(tags: Sequence[str]) -> list[list[str]]:
    """Return `tags`, oldest first, as runs of consecutive ones."""
    found: list[list[str]] = []
    for tag in tags:
        if found and _number(tag) == _number(found[-1][-1]) + 1:
            found[-1].append(tag)
        else:
            found.append([tag])
    return found


def _number(tag: str) -> int:
    return int(tag[1:])


def _refuse_newer(data: object, where: str) -> None:
    meta = data.get("meta") if isinstance(data, dict) else None
    schema = meta.get("schema") if isinstance(meta, dict) else None
    if isinstance(schema, int) and schema > SCHEMA:
        raise UserError(
            f"{where} was written by a newer version of the machinery (schema {schema}; this one"
            f" reads up to {SCHEMA}). Update this branch from main."
        )


def _first(error: Exception) -> str:
    if isinstance(error, ValidationError):
        detail = error.errors()[0]
        return f"{'.'.join(map(str, detail['loc']))}: {detail['msg']}"
    return " ".join(str(error).split()) or type(error).__name__
