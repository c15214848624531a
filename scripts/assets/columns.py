"""The columns of metadata in the files of a release, with their types."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import pyarrow as pa

from scripts.assets.samples import ReleasedSample
from scripts.inputs.values import MetadataValue

TEXT, LIST = "string", "list"
# The types of Parquet, and those of Croissant.
ARROW = {
    "bool": pa.bool_(),
    "int64": pa.int64(),
    "float64": pa.float64(),
    TEXT: pa.string(),
    LIST: pa.list_(pa.string()),
}
CROISSANT = {"bool": "sc:Boolean", "int64": "sc:Integer", "float64": "sc:Float"}


class MetadataColumn(NamedTuple):
    """A column: its name in the files, its name in the source, and its type, a key of `ARROW`."""

    name: str
    key: str
    kind: str

    def value(self, sample: ReleasedSample) -> MetadataValue:
        """Return the value of a sample, None where it has none."""
        found = sample.metadata.get(self.key)
        if found is None:
            return None
        if self.kind == LIST:
            return found if isinstance(found, list) else [_text(found)]
        if self.kind == "float64":
            return float(found)  # type: ignore[arg-type]
        return _text(found) if self.kind == TEXT else found

    def cell(self, sample: ReleasedSample) -> str:
        """Return the value of a sample as CSV has it."""
        found = self.value(sample)
        return "" if found is None else _text(found)

    @property
    def feature(self) -> Any:
        """The column as `datasets` describes it."""
        if self.kind == LIST:
            return [{"dtype": TEXT, "_type": "Value"}]
        return {"dtype": self.kind, "_type": "Value"}

    @property
    def croissant(self) -> str:
        """The type that Croissant gives a value."""
        return CROISSANT.get(self.kind, "sc:Text")


def columns_of(
    samples: Iterable[ReleasedSample], reserved: Collection[str]
) -> Sequence[MetadataColumn]:
    """Return the columns that any of `samples` has, by name; none of them has a `reserved` name."""
    kinds: dict[str, set[str]] = {}
    for sample in samples:
        for key, value in sample.metadata.items():
            found = kinds.setdefault(key, set())
            if value is not None:
                found.add(_kind(value))
    names: dict[str, str] = {}
    for key in sorted(kinds):
        name = key
        while name in reserved or name in names.values():
            name += "_"
        names[key] = name
    return [MetadataColumn(names[key], key, _common(found)) for key, found in kinds.items()]


def _kind(value: MetadataValue) -> str:
    # True is an int to Python, too.
    kinds: Mapping[type, str] = {bool: "bool", int: "int64", float: "float64", list: LIST}
    return kinds.get(type(value), TEXT)


def _common(kinds: Collection[str]) -> str:
    """Return the type that has values of all `kinds`."""
    if len(kinds) == 1:
        return next(iter(kinds))
    if LIST in kinds:
        return LIST
    return "float64" if kinds and {*kinds} <= {"int64", "float64"} else TEXT


def _text(value: MetadataValue) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
