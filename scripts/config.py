"""The wanted state: `dataset_config.yaml`, read and checked strictly."""

import codecs
import difflib
import json
import math
from collections.abc import Mapping, Sequence
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, NamedTuple

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    PrivateAttr,
    Tag,
    ValidationError,
    WithJsonSchema,
)
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, StreamMark, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from scripts.errors import UserError

CONFIG_FILE = "dataset_config.yaml"
SCHEMA_FILE = "scripts/dataset_config.schema.json"

# A config is a handful of lines; whatever is larger or deeper is not one.
MAX_BYTES = 64 * 1024
MAX_DEPTH = 2
MAX_NAME = 100
MAX_VALUE = 1000
MAX_SHOWN = 40

Location = tuple[str, ...]
# Stands for a key that is a list or a mapping.
NO_NAME = "?"


class Mark(NamedTuple):
    """A place in a file, both numbers from 1."""

    line: int
    column: int


class Problem(NamedTuple):
    """One thing that is wrong, and where."""

    mark: Mark
    message: str


class ConfigError(UserError):
    """The config asks for what cannot be; holds every problem found, in the file's order."""

    def __init__(self, file: str, problems: Sequence[Problem]) -> None:
        """Keep `problems`, found in `file`."""
        self.file = file
        self.problems = sorted(set(problems))
        super().__init__(
            "\n".join(f"{file}:{mark.line}:{mark.column}: {text}" for mark, text in self.problems)
        )


def _label(value: object) -> object:
    # The YAML 3 and '3' name the same class; True is an int to Python, but no class.
    return str(value) if type(value) is int else value


def _shape(value: object) -> str:
    return "by folder" if isinstance(value, dict) else "list" if isinstance(value, list) else "one"


def _shape_or_fraction(value: object) -> str:
    return "fraction" if isinstance(value, float) else _shape(value)


def _without_twins(by_folder: object) -> object:
    # YAML tells the keys 3 and '3' apart, a folder's name does not.
    if isinstance(by_folder, dict):
        _without_repeats([str(key) for key in by_folder])
    return by_folder


def _without_repeats(labels: list[str]) -> list[str]:
    repeated = sorted({label for label in labels if labels.count(label) > 1})
    if repeated:
        raise ValueError(f"listed more than once: {', '.join(repeated)}")
    return labels


LABEL_SCHEMA = {"type": ["integer", "string"], "minLength": 1, "maxLength": MAX_NAME}
Label = Annotated[
    str,
    BeforeValidator(_label),
    Field(min_length=1, max_length=MAX_NAME),
    WithJsonSchema(LABEL_SCHEMA),
]
Labels = Annotated[list[Label], Field(min_length=1), AfterValidator(_without_repeats)]
Count = Annotated[int, Field(ge=1, le=10**9)]
Share = Annotated[float, Field(gt=0, lt=1, allow_inf_nan=False)]
TestSize = Annotated[
    Annotated[Count, Tag("one")] | Annotated[Share, Tag("fraction")],
    Discriminator(_shape_or_fraction),
]
Counts = Annotated[dict[Label, Count], Field(min_length=1), BeforeValidator(_without_twins)]
TestSizes = Annotated[dict[Label, TestSize], Field(min_length=1), BeforeValidator(_without_twins)]


class Config(BaseModel):
    """What the dataset should be."""

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, title="The dataset that we want"
    )

    source: str = Field(
        pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.,()-]*$",
        max_length=MAX_NAME,
        description="An OpenML dataset by name, or `digits` (bundled with scikit-learn).",
        examples=["mnist_784", "digits"],
    )
    class_: Annotated[
        Annotated[Label, Tag("one")] | Annotated[Labels, Tag("list")], Discriminator(_shape)
    ] = Field(
        alias="class",
        description="The wanted class: `3` gives the folders 3 and no3, `[3, 5]` a folder for each"
        " of them, `all` one for each class of the source.",
        examples=[3, [3, 5, 8], "all"],
    )
    samples: Annotated[
        Annotated[Count, Tag("one")] | Annotated[Counts, Tag("by folder")], Discriminator(_shape)
    ] = Field(
        description="Images in each folder, train and test together; or by folder.",
        examples=[100, {"3": 100, "no3": 120}],
    )
    test_size: Annotated[
        Annotated[Count, Tag("one")]
        | Annotated[Share, Tag("fraction")]
        | Annotated[TestSizes, Tag("by folder")],
        Discriminator(_shape_or_fraction),
    ] = Field(
        description="How many of a folder's images are for test: a count, or a fraction (rounded"
        " up, as in scikit-learn); or by folder.",
        examples=[20, 0.2, {"3": 20, "no3": 0.25}],
    )
    seed: int = Field(
        0, ge=0, lt=2**32, description="Another seed draws other images, into other splits."
    )

    _file: str = PrivateAttr(CONFIG_FILE)
    _marks: dict[Location, Mark] = PrivateAttr(default_factory=dict)

    def error(self, *problems: tuple[Location, str]) -> ConfigError:
        """Return an error that names the place in the file of each of `problems`."""
        return ConfigError(
            self._file, [Problem(_nearest(self._marks, at), text) for at, text in problems]
        )

    def record(self) -> dict[str, Any]:
        """Return the config as plain data, as it is kept in a lock."""
        return self.model_dump(by_alias=True)

    def train_and_test(self, folder: str) -> tuple[int, int]:
        """Return how many of `folder`'s images are for train and how many for test."""
        samples = self.samples
        count = samples[folder] if isinstance(samples, dict) else samples
        test = self.test_count(folder, count)
        return count - test, test

    def test_count(self, folder: str, count: int) -> int:
        """Return how many of the first `count` images of `folder` are for test, at most all.

        For a fraction it is rounded up, as in scikit-learn's `train_test_split`, but from the
        decimal number as written: 0.07 of 100 are 7, not the 8 that floating point makes of it.
        """
        share = self.test_size[folder] if isinstance(self.test_size, dict) else self.test_size
        if isinstance(share, int):
            return min(share, count)
        return math.ceil(Fraction(repr(share)) * count)


def read(file: Path) -> Config:
    """Return the config in `file`.

    Raises `ConfigError` with everything that is wrong with it, `UserError` when it is not there.
    """
    try:
        return parse(file.read_bytes(), file.name)
    except FileNotFoundError:
        raise UserError(
            f"{file.name}: there is no such file here. Run this in a dataset repository."
        ) from None
    except OSError as error:
        raise UserError(f"{file.name}: cannot be read: {error.strerror}") from None


def parse(content: bytes, file: str = CONFIG_FILE) -> Config:
    """Return the config that `content` holds; `file` is its name in messages.

    Raises `ConfigError` with everything that is wrong with it.
    """
    text = _decode(content, file)
    try:
        _refuse_tricks(text, file)
        data = YAML(typ="safe", pure=True).load(text)
        node = YAML(typ="safe", pure=True).compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = _mark(mark) if mark else Mark(1, 1)
        raise ConfigError(file, [Problem(place, f"not valid YAML: {_problem(error)}")]) from None
    except ReaderError as error:
        place = _mark_at(text, error.position)
        message = f"not valid YAML: {error.reason} (U+{ord(text[error.position]):04X})"
        raise ConfigError(file, [Problem(place, message)]) from None
    except (YAMLError, ValueError) as error:
        first = str(error).splitlines()[0]
        raise ConfigError(file, [Problem(Mark(1, 1), f"not valid YAML: {first}")]) from None
    if not isinstance(data, dict):
        found = "nothing" if data is None else f"a {_type_name(data)}"
        text = f"expected a mapping such as 'samples: 100' at the top, found {found}"
        raise ConfigError(file, [Problem(Mark(1, 1), text)])
    marks = dict(_marks(node))
    try:
        config = Config.model_validate(data)
    except ValidationError as error:
        problems = [_describe(dict(detail), marks) for detail in error.errors()]
        raise ConfigError(file, problems) from None
    config._file = file
    config._marks = marks
    return config


def json_schema() -> str:
    """Return the JSON Schema with which editors complete and check the config."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **Config.model_json_schema(by_alias=True),
    }
    return json.dumps(schema, indent=2) + "\n"


def _decode(content: bytes, file: str) -> str:
    if len(content) > MAX_BYTES:
        message = f"{len(content):,} bytes are too many for a config (at most {MAX_BYTES:,})"
        raise ConfigError(file, [Problem(Mark(1, 1), message)])
    content = content.removeprefix(codecs.BOM_UTF8)
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        place = _mark_at(content[: error.start].decode(), error.start)
        message = f"not text in UTF-8: byte 0x{content[error.start]:02x}"
        raise ConfigError(file, [Problem(place, message)]) from None


def _mark_at(text: str, position: int) -> Mark:
    before = text[:position]
    return Mark(before.count("\n") + 1, len(before) - before.rfind("\n"))


def _refuse_tricks(text: str, file: str) -> None:
    """Refuse what a config never needs, before anything is built from it.

    Aliases can blow a small file up to gigabytes, tags can ask for any type, and nesting can
    exhaust the stack; the parser's events show them while they are still harmless.
    """
    depth = documents = 0
    for event in YAML(typ="safe", pure=True).parse(text):
        depth += isinstance(event, MappingStartEvent | SequenceStartEvent)
        depth -= isinstance(event, MappingEndEvent | SequenceEndEvent)
        documents += isinstance(event, DocumentStartEvent)
        message = _trick(event)
        if depth > MAX_DEPTH:
            message = "nested too deeply for a config"
        elif documents > 1:
            message = "a second document begins here; one config is one document"
        if message:
            raise ConfigError(file, [Problem(_mark(event.start_mark), message)])


def _trick(event: Event) -> str | None:
    if isinstance(event, AliasEvent) or getattr(event, "anchor", None):
        return "anchors (&) and aliases (*) are not allowed here; write the value out"
    if tag := getattr(event, "tag", None):
        return f"tags are not allowed here; write the value without {tag}"
    if isinstance(event, ScalarEvent) and event.value == "<<":
        return "merge keys (<<) are not allowed here; write the values out"
    if isinstance(event, ScalarEvent) and len(event.value) > MAX_VALUE:
        return f"{len(event.value):,} characters are too many for a value"
    return None


def _problem(error: MarkedYAMLError) -> str:
    lines = (error.problem or error.context or "it cannot be read").strip().splitlines()
    text = lines[0]
    if "'\\t'" in text:
        text += " (a tab; YAML is indented with spaces)"
    return text


def _marks(node: Node, at: Location = ()) -> list[tuple[Location, Mark]]:
    """Return where each value of the config stands; ("x", "[key]") is where the key x stands."""
    found = [(at, _mark(node.start_mark))]
    if isinstance(node, MappingNode):
        for key, value in node.value:
            name = (*at, str(key.value) if isinstance(key, ScalarNode) else NO_NAME)
            found.append(((*name, "[key]"), _mark(key.start_mark)))
            # An empty value has no place of its own; its key has.
            empty = value.start_mark.index == value.end_mark.index
            found += [(name, _mark(key.start_mark))] if empty else _marks(value, name)
    elif isinstance(node, SequenceNode):
        for index, value in enumerate(node.value):
            found += _marks(value, (*at, str(index)))
    return found


def _mark(mark: StreamMark) -> Mark:
    return Mark(mark.line + 1, mark.column + 1)


def _nearest(marks: Mapping[Location, Mark], at: Location) -> Mark:
    while at and at not in marks:
        at = at[:-1]
    return marks.get(at, Mark(1, 1))


# The names of the union branches, which pydantic puts into an error's location.
BRANCHES = {"one", "list", "fraction", "by folder"}


def _describe(detail: Mapping[str, Any], marks: Mapping[Location, Mark]) -> Problem:
    """Return one error of pydantic's in the words of the config."""
    raw = tuple(str(part) for part in detail["loc"])
    at = tuple(
        part for index, part in enumerate(raw) if not (part in BRANCHES and _is_tag(raw, index))
    )
    name = _printable(".".join(part for part in at if part != "[key]"))
    if detail["type"] == "extra_forbidden":
        return Problem(_nearest(marks, (*at, "[key]")), _unknown_key(name))
    if detail["type"] == "missing":
        return Problem(Mark(1, 1), f"{name}: is missing; add a line such as '{_example(name)}'")
    if detail["type"] == "invalid_key":
        place = at if at in marks else (NO_NAME,)
        return Problem(_nearest(marks, (*place, "[key]")), f"{name}: a key must be a name")
    return Problem(_nearest(marks, at), f"{name}: {_expectation(detail)}")


def _printable(text: str) -> str:
    # What stands in a message must not break out of its line.
    return "".join(x if x.isprintable() else x.encode("unicode_escape").decode() for x in text)


def _is_tag(location: Location, index: int) -> bool:
    # A union's branch stands right behind its field, or behind a folder's name.
    return index in (1, 3) and location[0] in ("class", "samples", "test_size")


def _expectation(detail: Mapping[str, Any]) -> str:
    value, context = detail["input"], detail.get("ctx", {})
    kind = detail["type"]
    expected = {
        "int_type": "expected a whole number",
        "float_type": "expected a number",
        "string_type": "expected a name",
        "finite_number": "expected a fraction between 0 and 1",
        "greater_than_equal": f"must be at least {context.get('ge')}",
        "greater_than": "a fraction must lie between 0 and 1 (for a count write it without a dot)",
        "less_than_equal": f"must be at most {context.get('le')}",
        "less_than": f"must be below {context.get('lt')}",
        "string_pattern_mismatch": "is no name of a dataset (letters, digits and _ . , ( ) - only)",
        "too_short": "must not be empty",
        "string_too_short": "must not be empty",
        "too_long": "is too long for a name",
        "string_too_long": "is too long for a name",
        "union_tag_invalid": f"expected {_alternatives(context)}",
        "value_error": str(context.get("error", "")),
    }.get(kind) or detail["msg"]
    if kind == "less_than" and isinstance(value, float):
        expected = "a fraction must lie between 0 and 1 (for a count write it without a dot)"
    return f"{expected}, found {_shown(value)}"


def _alternatives(context: Mapping[str, Any]) -> str:
    words = {"one": "one value", "list": "a list", "by folder": "a mapping by folder"}
    tags = str(context.get("expected_tags", "")).replace("'", "").split(", ")
    return " or ".join(words.get(tag, f"a {tag}") for tag in tags)


def _shown(value: object) -> str:
    if isinstance(value, dict | list):
        return f"a {_type_name(value)}" if value else f"an empty {_type_name(value)}"
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, date):
        return f"the date {value}"
    text = repr(value)
    return text if len(text) <= MAX_SHOWN else text[:MAX_SHOWN] + "…"


def _type_name(value: object) -> str:
    return {dict: "mapping", list: "list", str: "text", int: "number", float: "number"}.get(
        type(value), type(value).__name__
    )


def _names() -> list[str]:
    return [field.alias or name for name, field in Config.model_fields.items()]


def _unknown_key(name: str) -> str:
    close = difflib.get_close_matches(name, _names(), n=1)
    hint = f"did you mean {close[0]}?" if close else f"known are {', '.join(_names())}"
    return f"{_shown(name)} is no key of the config; {hint}"


def _example(name: str) -> str:
    fields = {field.alias or key: field for key, field in Config.model_fields.items()}
    examples = fields[name].examples or [fields[name].default]
    return f"{name}: {examples[0]}"
