"""The pages of the config keys and of the verbs say what the code has."""

import json
import re

import jsonschema
import pytest
from ruamel.yaml import YAML

from scripts import reference
from scripts.inputs import config_schema
from scripts.inputs.config import Config
from scripts.inputs.policy import Policy
from tests.commands.test_main import VERBS
from tests.repository import PROJECT

SCHEMA = json.loads(config_schema.json_schema())


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    return reference.pages()


def headings(page: str) -> list[str]:
    return re.findall(r"^## `(.*)`$", page, flags=re.MULTILINE)


def test_the_pages_are_up_to_date(pages: dict[str, str]) -> None:
    committed = {name: (PROJECT / "docs" / name).read_text(encoding="utf-8") for name in pages}
    assert committed == pages, "they are out of date; run: make reference"


def test_every_key_is_there(pages: dict[str, str]) -> None:
    keys = [field.alias or name for name, field in Config.model_fields.items()]
    rules = [f"require.{name}" for name in Policy.model_fields]
    assert headings(pages["keys.md"]) == [*keys, *rules]
    assert "None" not in pages["keys.md"]


def test_every_verb_is_there_with_all_of_its_arguments(pages: dict[str, str]) -> None:
    assert {*VERBS} <= {*headings(pages["verbs.md"])}
    assert "`--similar N` | for each sample, add the N most similar" in pages["verbs.md"]
    assert "`--format {text,markdown,json}` | default: text" in pages["verbs.md"]
    # An argument without help.
    assert "None" not in pages["verbs.md"]


def test_the_examples_of_the_keys_are_valid(pages: dict[str, str]) -> None:
    sections = re.split(r"^## `(.*)`$", pages["keys.md"], flags=re.MULTILINE)[1:]
    examples = [
        (key, line)
        for key, text in zip(sections[::2], sections[1::2], strict=True)
        for example in re.findall(r"\*\*example\*\*: (.*)", text)
        for line in re.findall(r"`([^`]*)`", example)
    ]
    assert len(examples) > 30
    for key, line in examples:
        ((name, value),) = YAML(typ="safe", pure=True).load(line).items()
        *rule, last = key.split(".")
        part = SCHEMA["$defs"]["Policy"] if rule else SCHEMA
        assert name == last
        jsonschema.validate(value, {**part["properties"][name], "$defs": SCHEMA["$defs"]})


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"type": "integer", "minimum": 1, "maximum": 10**9}, "a whole number from 1"),
        ({"anyOf": [{"type": "number"}, {"type": "null"}]}, "a number"),
        (
            {"oneOf": [{"const": "all"}, {"type": ["string", "boolean"]}]},
            "`all`, text or a boolean",
        ),
        ({"type": "array", "items": {"enum": ["a", "b"]}}, "a list (`a` or `b`)"),
        ({"type": "object", "additionalProperties": {"type": "string"}}, "a mapping (text)"),
    ],
)
def test_types_are_said_in_words(schema: reference.Schema, words: str) -> None:
    assert reference._type(schema) == words
