"""Reads YAML that this project or DVC wrote, ten times as fast as `strict_yaml` reads a person's.

The parser is libyaml, which knows YAML 1.1: there, `no` is false. So the values of YAML 1.2 are
told apart here, as by the library that writes these files. See
https://yaml.org/spec/1.2.2/#103-core-schema.
"""

import re
from typing import Any

import yaml  # type: ignore[import-untyped]

MAX_DEPTH = 50
_Parser: type = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TAGS = {
    "null": (r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    "bool": (r"true|True|TRUE|false|False|FALSE", "tTfF"),
    "int": (r"[-+]?(?:0|[1-9][0-9]*)", "-+0123456789"),
    "float": (
        r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)",
        "-+.0123456789",
    ),
}


class _Loader(_Parser):  # type: ignore[misc]
    """Knows the values of YAML 1.2, and refuses a key that is there twice."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - as the library has it

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        found: dict[Any, Any] = super().construct_mapping(node, deep)
        if len(found) < len(node.value):
            raise ValueError(f"a key is twice in the mapping at line {node.start_mark.line + 1}")
        return found


for _tag, (_pattern, _first) in _TAGS.items():
    _Loader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), list(_first)
    )


def load(content: bytes) -> Any:
    """Return the values in `content`; raises `ValueError` if it is not valid."""
    try:
        text = content.decode()
        _refuse_deep(text)
        return yaml.load(text, _Loader)  # noqa: S506 - it makes plain values only
    except yaml.YAMLError as error:
        raise ValueError(" ".join(str(error).split())) from None


def _refuse_deep(text: str) -> None:
    """Raise `ValueError` for deep nesting, with which the library would exhaust the stack."""
    depth = 0
    for event in yaml.parse(text, _Loader):
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            raise ValueError("nested too deeply")
