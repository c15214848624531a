"""The pointer of your own source: `sources/NAME.dvc`, written by `ingest` only.

It is a `.dvc` file for the folder of shards; the data of this project is below `meta`.
"""

import hashlib
import io
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import Field, ValidationError, model_validator
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq

from scripts.inputs import strict_yaml
from scripts.inputs.paths import SOURCES_FOLDER
from scripts.inputs.problems import START, InputError, Mark, Problem
from scripts.inputs.strict_record import StrictRecord
from scripts.inputs.strict_yaml import Document
from scripts.inputs.yaml_keys import width_for
from scripts.sources.source import Zones

# Schema 2: a source may have summaries. Schema 3: its shards hold files as they came, of any size
# and mode. Older ones are read as they were.
SCHEMA = 3
# Thousands of classes and hundreds of batches fit.
MAX_BYTES = 1024 * 1024
MAX_DEPTH = 6
WIDTH = 100
CONFLICT = "<<<<<<< "
# Stands for all labels that are not listed. Where a class is called so, all labels are listed.
OTHERS = "*"

Md5 = Annotated[str, Field(pattern=r"^[0-9a-f]{32}\.dir$")]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Count = Annotated[int, Field(ge=1)]
LinePlace = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Size = Annotated[str, Field(pattern=r"^([1-9][0-9]{0,8}x[1-9][0-9]{0,8}|different)$")]
Mode = Literal["gray", "RGB", "different"]
DIFFERENT: Literal["different"] = "different"


class Shape(NamedTuple):
    """What the images of a source have in common.

    `size` is (height, width), None if it differs. `mode` is `different` if some are gray and others
    are not.
    """

    mode: Mode
    size: tuple[int, int] | None


class _Output(StrictRecord):
    """DVC's own fields: the folder, and the name of the object that lists its files."""

    md5: Md5
    size: Annotated[int, Field(ge=0)]
    nfiles: Annotated[int, Field(ge=0)]
    hash: Literal["md5"] = "md5"
    path: str


class BatchRecord(StrictRecord):
    """Images that were ingested together.

    `shards` are the numbers of images in each shard, `sha256` is the checksum of their digests,
    labels and splits. `zones` are those of `source.Zones`, by label, if the batch is closed.
    `skipped` is the number of invalid files that were left out.
    """

    shards: Annotated[list[Count], Field(min_length=1)]
    sha256: Sha256
    zones: dict[str, tuple[LinePlace, LinePlace, LinePlace]] = {}
    skipped: Annotated[int, Field(ge=0)] = 0

    @property
    def images(self) -> int:
        """The number of images."""
        return sum(self.shards)

    def zones_of(self, labels: Sequence[str]) -> dict[str, Zones]:
        """Return the zones of each of `labels`; none while the batch is open."""
        others = self.zones.get(OTHERS)
        found = {label: self.zones.get(label, others) for label in labels}
        return {label: Zones(*zones) for label, zones in found.items() if zones}


class _Meta(StrictRecord):
    schema_: Annotated[int, Field(alias="schema", ge=1, le=SCHEMA)] = SCHEMA
    mode: Mode
    size: Size
    sha256: Sha256
    counts: dict[str, Count]
    batches: Annotated[list[BatchRecord], Field(min_length=1)]

    @model_validator(mode="after")
    def _check(self) -> "_Meta":
        if self.sha256 != _checksum(self.batches):
            raise ValueError("the checksum does not match those of the batches")
        if sum(self.counts.values()) != sum(batch.images for batch in self.batches):
            raise ValueError("counts and batches have different numbers of images")
        return self


class Pointer(StrictRecord):
    """The content of `sources/NAME.dvc`."""

    outs: Annotated[list[_Output], Field(min_length=1, max_length=1)]
    meta: _Meta

    @property
    def md5(self) -> str:
        """The name of the object that lists the shards; it ends in `.dir`."""
        return self.outs[0].md5

    @property
    def batches(self) -> list[BatchRecord]:
        """The batches, oldest first."""
        return self.meta.batches

    @property
    def images(self) -> int:
        """The number of images."""
        return sum(batch.images for batch in self.batches)

    @property
    def shape(self) -> Shape:
        """The mode and size of the images."""
        if self.meta.size == DIFFERENT:
            return Shape(self.meta.mode, None)
        width, _, height = self.meta.size.partition("x")
        return Shape(self.meta.mode, (int(height), int(width)))

    def continues(self, older: "Pointer") -> bool:
        """Return whether this pointer has the batches of `older`, perhaps followed by others."""
        ours, theirs = (
            [(batch.shards, batch.sha256) for batch in one.batches] for one in (self, older)
        )
        return ours[: len(theirs)] == theirs


class PointerOutput(NamedTuple):
    """A folder in DVC's format: the manifest's object, and the size and number of files."""

    md5: str
    size: int
    nfiles: int


def path_of(name: str) -> str:
    """Return the path of the pointer of the source `name`."""
    return f"{SOURCES_FOLDER}/{name}.dvc"


def create(
    name: str,
    output: PointerOutput,
    shape: Shape,
    counts: Mapping[str, int],
    batches: Sequence[BatchRecord],
) -> Pointer:
    """Return the pointer of the source `name`."""
    size = f"{shape.size[1]}x{shape.size[0]}" if shape.size else DIFFERENT
    return Pointer(
        outs=[_Output(**output._asdict(), path=name)],
        meta=_Meta(
            mode=shape.mode,
            size=size,
            sha256=_checksum(batches),
            counts=dict(counts),
            batches=list(batches),
        ),
    )


def parse(content: bytes, name: str) -> Pointer:
    """Return the pointer of the source `name` in `content`.

    Raises `InputError` if it has conflict markers, was changed by hand, is damaged, or was written
    by newer machinery.
    """
    file = path_of(name)
    _refuse_conflict(content, name)
    document = strict_yaml.load(
        content, file, example="outs: []", max_bytes=MAX_BYTES, max_depth=MAX_DEPTH
    )
    _refuse_newer(document)
    try:
        pointer = Pointer.model_validate(_plain(document.data))
    except ValidationError as error:
        raise InputError([_problem(document, error)]) from None
    if pointer.outs[0].path != name:
        message = f"it names the folder {pointer.outs[0].path}, not {name}. {_restore(file)}"
        raise InputError([document.problem(("outs", "0", "path"), message)])
    return pointer


def render(pointer: Pointer) -> bytes:
    """Return `pointer` as the content of a `.dvc` file."""
    data = pointer.model_dump(by_alias=True)
    for batch in data["meta"]["batches"]:
        batch["shards"] = _in_one_line(batch["shards"])
        batch["zones"] = CommentedMap(
            {label: _in_one_line(zones) for label, zones in batch["zones"].items()}
        )
        for key in ("zones", "skipped"):
            if not batch[key]:
                del batch[key]
    buffer = io.BytesIO()
    yaml = YAML()
    yaml.width = width_for(data, WIDTH)
    yaml.dump(data, buffer)
    return buffer.getvalue()


def _checksum(batches: Sequence[BatchRecord]) -> str:
    return hashlib.sha256("".join(batch.sha256 for batch in batches).encode()).hexdigest()


def _in_one_line(values: Sequence[Any]) -> CommentedSeq:
    made = CommentedSeq(values)
    made.fa.set_flow_style()
    return made


def _plain(value: Any) -> Any:
    """Return `value` with zones as tuples; YAML has only lists."""
    meta = value.get("meta")
    batches = meta.get("batches") if isinstance(meta, dict) else None
    for batch in batches if isinstance(batches, list) else []:
        zones = batch.get("zones") if isinstance(batch, dict) else None
        if isinstance(zones, dict):
            batch["zones"] = {
                label: tuple(place) if isinstance(place, list) else place
                for label, place in zones.items()
            }
    return value


def _refuse_conflict(content: bytes, name: str) -> None:
    for number, line in enumerate(content.decode(errors="replace").splitlines(), 1):
        if line.startswith(CONFLICT):
            message = f"conflict markers: two branches ingested into {name}. {ingest_again(name)}"
            raise InputError([Problem(path_of(name), Mark(number, 1), message)])


def ingest_again(name: str) -> str:
    """Return advice for a source into which another branch has ingested too."""
    return (
        f"Merge main, take its version (git checkout origin/main -- {path_of(name)}) and ingest"
        f" your images again: python -m scripts ingest {name} LOCATION"
    )


def _refuse_newer(document: Document) -> None:
    meta = document.data.get("meta")
    schema = meta.get("schema") if isinstance(meta, dict) else None
    if isinstance(schema, int) and schema > SCHEMA:
        message = (
            f"it was written by a newer version of the machinery (schema {schema}; this one reads"
            f" up to {SCHEMA}). Update this branch from main."
        )
        raise InputError([document.problem(("meta", "schema"), message)])


def _problem(document: Document, error: ValidationError) -> Problem:
    detail = error.errors()[0]
    place = tuple(str(part) for part in detail["loc"])
    where = ".".join(place) or "the file"
    reason = str(detail.get("ctx", {}).get("error", "")) or detail["msg"]
    message = f"{where}: {reason}. It was changed by hand or is damaged. {_restore(document.file)}"
    return document.problem(place, message)


def _restore(file: str) -> str:
    return f"It is written by `ingest` only; restore it: git checkout origin/main -- {file}"


def not_readable(name: str, reason: str) -> InputError:
    """Return the error for a pointer that does not match its objects."""
    file = path_of(name)
    return InputError([Problem(file, START, f"{reason}. {_restore(file)}")])
