"""Reads YAML strictly: limited in size, without anchors or tags, with positions."""

import codecs
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.constructor import SafeConstructor
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

from scripts.inputs.problems import START, InputError, Mark, Problem

# Inputs are short; anything larger or deeper is refused.
MAX_BYTES = 64 * 1024
MAX_DEPTH = 2
MAX_VALUE = 1000

# The path to a value: keys and list indexes as text. A last part `KEY` means the key itself.
Location = tuple[str, ...]
KEY = "[key]"
# Replaces a key that is a list or a mapping.
UNNAMED = "?"
TEXT = "tag:yaml.org,2002:str"
# YAML 1.1 has a special type for the value `=`.
EQUALS_SIGN = "tag:yaml.org,2002:value"


class Unquoted(str):
    """Text without the quotes that it needs: YAML reads it as `value`."""

    __slots__ = ("value",)

    value: object

    def __new__(cls, text: str, value: object) -> "Unquoted":
        """Keep both."""
        made = super().__new__(cls, text)
        made.value = value
        return made


@dataclass(frozen=True)
class Document:
    """A mapping read from YAML; `marks` has the place of every value and key."""

    file: str
    data: dict[Any, Any]
    marks: Mapping[Location, Mark]

    def problem(self, at: Location, message: str) -> Problem:
        """Return a problem at `at`, or at the nearest parent that is in the file."""
        while at and at not in self.marks:
            at = at[:-1]
        return Problem(self.file, self.marks.get(at, START), message)


def load(
    content: bytes,
    file: str,
    *,
    example: str = "samples: 100",
    max_bytes: int = MAX_BYTES,
    max_depth: int = MAX_DEPTH,
    is_text: Callable[[Location], bool] = lambda _: False,
) -> Document:
    """Return the mapping in `content`; `file` and an `example` are for messages.

    If a place `is_text`, a number or similar is `Unquoted`. Raises `InputError` if the content is
    not UTF-8, not valid YAML, not a mapping, or uses what is not allowed here.
    """
    text = _decode(content, file, max_bytes)
    try:
        _refuse_unsafe(text, file, max_depth)
        yaml = YAML(typ="safe", pure=True)
        yaml.Constructor = _Constructor
        root = yaml.compose(text)
        data = None
        if root is not None:
            yaml.constructor.unquoted = set(_unquoted(root, is_text))
            data = yaml.constructor.construct_document(root)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = _mark(mark) if mark else START
        raise InputError([Problem(file, place, f"not valid YAML: {_reason(error)}")]) from None
    except ReaderError as error:
        place = _mark_at(text, error.position)
        message = f"not valid YAML: {error.reason} (U+{ord(text[error.position]):04X})"
        raise InputError([Problem(file, place, message)]) from None
    except (YAMLError, ValueError) as error:
        first = str(error).splitlines()[0]
        raise InputError([Problem(file, START, f"not valid YAML: {first}")]) from None
    if not isinstance(data, dict):
        found = "nothing" if data is None else f"a {type_name(data)}"
        message = f"expected a mapping such as '{example}' at the top, found {found}"
        raise InputError([Problem(file, START, message)])
    return Document(file, data, dict(_marks(root, data)))


class _Constructor(SafeConstructor):
    """Constructs values from nodes; those in `unquoted` also keep their text."""

    unquoted: frozenset[Node] = frozenset()

    def construct_object(self, node: Node, deep: bool = False) -> Any:
        try:
            value = super().construct_object(node, deep)
        except ValueError as error:
            if node not in self.unquoted:
                raise MarkedYAMLError(problem=str(error), problem_mark=node.start_mark) from None
            value = node.value
        return Unquoted(node.value, value) if node in self.unquoted else value


_Constructor.add_constructor(EQUALS_SIGN, SafeConstructor.construct_yaml_str)


def _unquoted(node: Node, is_text: Callable[[Location], bool], at: Location = ()) -> Iterator[Node]:
    """Yield the values and keys that are not text although the place `is_text`."""
    if isinstance(node, MappingNode):
        for key, value in node.value:
            name = (*at, key.value if isinstance(key, ScalarNode) else UNNAMED)
            yield from _unquoted(key, is_text, (*name, KEY))
            yield from _unquoted(value, is_text, name)
    elif isinstance(node, SequenceNode):
        for index, item in enumerate(node.value):
            yield from _unquoted(item, is_text, (*at, str(index)))
    elif at and node.value and node.tag not in {TEXT, EQUALS_SIGN} and is_text(at):
        yield node


def type_name(value: object) -> str:
    """Return the name of a value's type in YAML."""
    return {dict: "mapping", list: "list", str: "text", int: "number", float: "number"}.get(
        type(value), type(value).__name__
    )


def _decode(content: bytes, file: str, max_bytes: int) -> str:
    if len(content) > max_bytes:
        message = f"the file has {len(content):,} bytes; at most {max_bytes:,} are allowed"
        raise InputError([Problem(file, START, message)])
    content = content.removeprefix(codecs.BOM_UTF8)
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        place = _mark_at(content[: error.start].decode(), error.start)
        message = f"not UTF-8 text: byte 0x{content[error.start]:02x}"
        raise InputError([Problem(file, place, message)]) from None


def _refuse_unsafe(text: str, file: str, max_depth: int) -> None:
    """Refuse aliases, tags and deep nesting in the events of the parser.

    Aliases can expand a small file to gigabytes, tags can construct any type, and nesting can
    exhaust the stack. Directives are refused earlier, because the parser fails on some.
    """
    for number, line in enumerate(text.splitlines(), start=1):
        if line.startswith("%"):
            refused = "directives (%) are not allowed; remove this line"
            raise InputError([Problem(file, Mark(number, 1), refused)])
    depth = documents = 0
    for event in YAML(typ="safe", pure=True).parse(text):
        depth += isinstance(event, MappingStartEvent | SequenceStartEvent)
        depth -= isinstance(event, MappingEndEvent | SequenceEndEvent)
        documents += isinstance(event, DocumentStartEvent)
        message = _unsafe(event)
        if depth > max_depth:
            message = "nested too deeply"
        elif documents > 1:
            message = "a second document starts here; only one is allowed"
        if message:
            raise InputError([Problem(file, _mark(event.start_mark), message)])


def _unsafe(event: Event) -> str | None:
    if isinstance(event, AliasEvent) or getattr(event, "anchor", None):
        return "anchors (&) and aliases (*) are not allowed; write the value out"
    if tag := getattr(event, "tag", None):
        return f"tags are not allowed; write the value without {tag}"
    if isinstance(event, ScalarEvent) and event.value == "<<":
        return "merge keys (<<) are not allowed; write the values out"
    if isinstance(event, ScalarEvent) and len(event.value) > MAX_VALUE:
        return f"the value has {len(event.value):,} characters; at most {MAX_VALUE:,} are allowed"
    return None


def _reason(error: MarkedYAMLError) -> str:
    text = (error.problem or error.context or "it cannot be parsed").strip().splitlines()[0]
    return f"{text} (a tab; indent YAML with spaces)" if "'\\t'" in text else text


def _marks(node: Node, data: object, at: Location = ()) -> Iterator[tuple[Location, Mark]]:
    """Yield the place of each value and key in `data`, which was made from `node`."""
    if isinstance(data, dict):
        for (of_key, of_value), (key, value) in zip(node.value, data.items(), strict=True):
            is_name = isinstance(key, str | int | float) and not isinstance(key, bool)
            name = (*at, str(key) if is_name else UNNAMED)
            key_mark = _mark(of_key.start_mark)
            yield (*name, KEY), key_mark
            # An empty value has no place.
            yield name, key_mark if value is None else _mark(of_value.start_mark)
            yield from _marks(of_value, value, name)
    elif isinstance(data, list):
        for index, (item, value) in enumerate(zip(node.value, data, strict=True)):
            yield (*at, str(index)), _mark(item.start_mark)
            yield from _marks(item, value, (*at, str(index)))


def _mark(mark: StreamMark) -> Mark:
    return Mark(mark.line + 1, mark.column + 1)


def _mark_at(text: str, position: int) -> Mark:
    before = text[:position]
    return Mark(before.count("\n") + 1, len(before) - before.rfind("\n"))
