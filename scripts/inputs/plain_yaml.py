"""Reads YAML that this project or DVC wrote, much faster than `strict_yaml` reads a person's.

The parser is libyaml. It knows the syntax only; what a plain word means follows YAML 1.2, as in the
library that writes these files. See https://yaml.org/spec/1.2.2/#103-core-schema.
"""

import re
from collections.abc import Iterator
from typing import Any

import yaml  # type: ignore[import-untyped]

# Deeper values would exhaust the stack.
MAX_DEPTH = 50
PARSER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
WORDS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
# Other words than numbers do not begin like this.
NUMBER = re.compile(r"[-+.]?[0-9.]")
INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]*)")
FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
INFINITY = re.compile(r"([-+]?)\.(?:inf|Inf|INF)")


def load(content: bytes) -> Any:
    """Return the values in `content`; raises `ValueError` if it is not valid."""
    try:
        events = yaml.parse(content.decode(), PARSER)
        found = [
            _value(next(events), events, MAX_DEPTH)
            for event in events
            if isinstance(event, yaml.DocumentStartEvent)
        ]
    except yaml.YAMLError as error:
        raise ValueError(" ".join(str(error).split())) from None
    if len(found) != 1:
        raise ValueError(f"{len(found)} documents instead of one")
    return found[0]


def _value(event: yaml.Event, events: Iterator[yaml.Event], depth: int) -> Any:
    """Return the value that starts with `event`, and goes on in `events`."""
    if isinstance(event, yaml.ScalarEvent):
        if event.anchor is None and event.tag is None:
            return _meaning(event.value) if event.implicit[0] else event.value
    elif isinstance(event, yaml.CollectionStartEvent) and not (event.anchor or event.tag):
        if not depth:
            raise ValueError("nested too deeply")
        is_mapping = isinstance(event, yaml.MappingStartEvent)
        parts = list[Any]()
        while not isinstance(part := next(events), yaml.CollectionEndEvent):
            parts.append(_value(part, events, depth - 1))
        return _mapping(parts, event) if is_mapping else parts
    raise ValueError(f"an alias, an anchor or a tag in line {event.start_mark.line + 1}")


def _mapping(parts: list[Any], event: yaml.Event) -> dict[Any, Any]:
    keys = parts[::2]
    if any(isinstance(key, list | dict) for key in keys):
        raise ValueError(f"a key is not a word in the mapping in line {event.start_mark.line + 1}")
    found = dict(zip(keys, parts[1::2], strict=True))
    if len(found) < len(keys):
        raise ValueError(f"a key is twice in the mapping in line {event.start_mark.line + 1}")
    return found


def _meaning(word: str) -> Any:
    """Return the value of a plain word."""
    if word in WORDS:
        return WORDS[word]
    if not NUMBER.match(word):
        return word
    if INTEGER.fullmatch(word):
        return int(word)
    if FLOAT.fullmatch(word):
        return float(word)
    infinity = INFINITY.fullmatch(word)
    return float(f"{infinity[1]}inf") if infinity else word
