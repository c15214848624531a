"""The fast reader of machine-written YAML reads what the library that wrote it reads."""

import io
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from scripts.inputs import plain_yaml

# Words that YAML 1.1 and 1.2 read differently, or that look like something else.
WORDS = ["no", "yes", "on", "null", "~", "", "007", "0o7", "0x1f", "1_000", "1e3", "1:30", "<<"]
TEXTS = st.sampled_from(WORDS) | st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=9)
NUMBERS = st.integers() | st.floats(allow_nan=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=12,
)


@given(values=st.dictionaries(TEXTS, VALUES, max_size=4))
@example(values={"config": {"class": "no", "samples": {"007": 3, "on": 0.25, "2": True}}})
def test_what_was_written_is_read(values: dict[str, Any]) -> None:
    buffer = io.StringIO()
    yaml = YAML()
    yaml.default_flow_style = False
    yaml.dump(values, buffer)

    assert plain_yaml.load(buffer.getvalue().encode()) == values


DEEP = [b"[" * 100_000, b"- " * 100_000, b"{a: " * 100_000]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"a: 1\na: 2\n", "a key is twice in the mapping in line 1"),
        (b"a: &x 1\nb: *x\n", "an alias, an anchor or a tag in line 1"),
        (b"a: 1\n---\nb: 2\n", "2 documents instead of one"),
        (b"", "0 documents instead of one"),
        (b"[a]: 1\n", "a key is not a word in the mapping in line 1"),
        (b"\xff", "invalid start byte"),
        (b"a: [", "did not find expected node content"),
        (b"!!python/object:os.system {}", "an alias, an anchor or a tag in line 1"),
        (b"a: \x00", "control characters are not allowed"),
        *((content, "nested too deeply") for content in DEEP),
    ],
)
def test_anything_else_is_refused(content: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        plain_yaml.load(content)
