"""`make reference`: write the pages of the config keys and of the verbs.

Both are made of what the code has: the JSON Schema of the config, and the parsers of the verbs.
"""

import argparse
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from scripts.__main__ import parser_of
from scripts.inputs.config_schema import json_schema
from scripts.inputs.paths import CONFIG_FILE

DOCS = Path(__file__).parent.parent / "docs"
NOTE = "<!-- `make reference` writes this page from the code. -->"
KEYS_INTRODUCTION = f"""\
# Config keys

{NOTE}

The keys of `{CONFIG_FILE}`. An editor that knows JSON Schema completes and explains them as
you type. Every other key is an error.
"""
VERBS_INTRODUCTION = f"""\
# Verbs

{NOTE}

People and workflows run the same commands, in a clone of the repository. `make .venv` installs what
they need. Each exits with 0, with 1 for errors that you can fix, with 2 if its arguments are wrong,
and with 3 for an error in the machinery.
"""
Schema = dict[str, Any]


def main() -> None:
    """Write both pages."""
    for name, text in pages().items():
        (DOCS / name).write_text(text, encoding="utf-8")


def pages() -> dict[str, str]:
    """Return the text of each page by its file name."""
    schema = json.loads(json_schema())
    return {
        "keys.md": "\n".join([KEYS_INTRODUCTION, *_keys(schema, schema, "")]),
        "verbs.md": "\n".join([VERBS_INTRODUCTION, *_verbs([])]),
    }


# The keys of the config.


def _keys(whole: Schema, part: Schema, before: str) -> Iterator[str]:
    """Yield the sections of the keys in `part`, whose names begin with `before`."""
    for name, schema in part["properties"].items():
        key = f"{before}{name}"
        below = _referred(whole, schema)
        kind = f"the keys `{key}.*` below" if below else _type(schema)
        needed = name in part.get("required", [])
        default = "none; the key is required" if needed else "none"
        if schema.get("default") is not None:
            default = _code(schema["default"])
        yield f"## `{key}`\n\n{schema['description']}\n"
        yield f"- **type**: {kind}\n- **default**: {default}"
        if examples := _examples(schema):
            yield f"- **example**: {', '.join(_code(one, f'{name}: ') for one in examples)}"
        yield ""
        if below:
            yield from _keys(whole, below, f"{key}.")


def _referred(whole: Schema, schema: Schema) -> Schema | None:
    """Return the schema of the keys below a key, None if it has none."""
    for one in schema.get("anyOf", []):
        if "$ref" in one:
            found: Schema = whole["$defs"][one["$ref"].rpartition("/")[2]]
            return found
    return None


def _type(schema: Schema) -> str:
    """Say in words which values `schema` accepts."""
    *first, last = dict.fromkeys(_types(schema))
    return f"{', '.join(first)} or {last}" if first else last


def _types(schema: Schema) -> Iterator[str]:
    """Yield each kind of value that `schema` accepts."""
    if choices := schema.get("anyOf") or schema.get("oneOf"):
        for one in choices:
            yield from _types(one)
    elif fixed := _fixed(schema):
        yield from map(_code, fixed)
    elif isinstance(schema["type"], list):
        for one in schema["type"]:
            yield from _types({**schema, "type": one})
    elif schema["type"] == "array":
        yield f"a list ({_type(schema['items'])})"
    elif schema["type"] == "object":
        yield f"a mapping ({_type(schema['additionalProperties'])})"
    elif schema["type"] != "null":
        words = {"integer": "a whole number", "number": "a number", "boolean": "a boolean"}
        yield f"{words.get(schema['type'], 'text')}{_range(schema)}"


def _fixed(schema: Schema) -> list[Any]:
    """Return the values of a schema that lists them."""
    values: list[Any] = schema.get("enum", [schema["const"]] if "const" in schema else [])
    return values


def _range(schema: Schema) -> str:
    """Say which numbers `schema` accepts, except for the largest count, one billion."""
    words = {
        "minimum": "from",
        "exclusiveMinimum": "above",
        "maximum": "to",
        "exclusiveMaximum": "and below",
    }
    said = (f" {word} {schema[key]:,}" for key, word in words.items() if key in schema)
    return "".join(said).removesuffix(" to 1,000,000,000")


def _examples(schema: Schema) -> list[Any]:
    """Return values of a key: the examples of its schema, otherwise those that it lists."""
    listed = [value for one in [schema, *schema.get("anyOf", [])] for value in _fixed(one)]
    examples: list[Any] = schema.get("examples", listed)
    return examples


def _code(value: Any, key: str = "") -> str:
    """Return `value`, or the line of the config with it, as YAML in code."""
    return f"`{key}{value if isinstance(value, str) else json.dumps(value)}`"


# The verbs.


def _verbs(group: list[str]) -> Iterator[str]:
    """Yield the sections of the verbs below `group`, such as `workflow`; [] is all of them."""
    for name in _choices(parser_of(group), group):
        verb = [*group, name]
        parser = _choices(parser_of(verb), group)[name]
        yield f"## `{' '.join(verb)}`\n\n{parser.description}\n"
        if _subparsers(parser):
            yield from _verbs(verb)
            continue
        usage = " ".join(parser.format_usage().split())
        yield f"    {usage.removeprefix('usage: ').replace(' [-h]', '')}\n"
        if rows := list(_arguments(parser)):
            yield "\n".join(["| argument | meaning |", "| --- | --- |", *rows, ""])


def _choices(
    parser: argparse.ArgumentParser, group: Iterable[str]
) -> dict[str, argparse.ArgumentParser]:
    """Return the parsers of the verbs below `group` by name."""
    for name in group:
        parser = _subparsers(parser)[name]
    return _subparsers(parser)


# argparse has no public way to list arguments.


def _subparsers(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            return dict(action.choices)
    return {}


def _arguments(parser: argparse.ArgumentParser) -> Iterator[str]:
    """Yield a row for each argument."""
    for action in parser._actions:
        if isinstance(action, argparse._HelpAction):
            continue
        metavar = action.metavar if isinstance(action.metavar, tuple) else [action.metavar or ""]
        values = [f"{{{','.join(action.choices)}}}"] if action.choices else metavar
        shown = " ".join([*action.option_strings, *values]).strip()
        yield f"| `{shown}` | {action.help} |"


if __name__ == "__main__":
    main()
