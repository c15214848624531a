import re
from collections.abc import Callable, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.inputs import strict_yaml
from scripts.inputs.problems import InputError, Mark, Problem
from scripts.inputs.strict_yaml import KEY, MAX_BYTES, MAX_VALUE, Location

FILE = "some.yaml"
BOM = b"\xef\xbb\xbf"


def problem_in(content: bytes) -> tuple[int, int, str]:
    """Return the only problem in a file: line, column, message."""
    with pytest.raises(InputError) as caught:
        strict_yaml.load(content, FILE)
    (problem,) = caught.value.problems
    assert problem.file == FILE
    assert str(caught.value) == f"{FILE}:{problem.mark.line}:{problem.mark.column}: " + (
        problem.message
    )
    return (*problem.mark, problem.message)


def marks_of(text: str) -> Mapping[Location, tuple[int, int]]:
    return strict_yaml.load(text.encode(), FILE).marks


def test_values_keep_their_types() -> None:
    document = strict_yaml.load(b"a: 3\nb: 0.5\nc: [x, '3']\nd: {3: true}\ne:\n", FILE)

    assert document.file == FILE
    assert document.data == {"a": 3, "b": 0.5, "c": ["x", "3"], "d": {3: True}, "e": None}
    assert type(document.data) is dict
    assert type(document.data["a"]) is int
    assert type(document.data["b"]) is float


def test_every_value_and_key_has_its_place() -> None:
    text = "# a comment\na: 3\nb:\n  - x\n  - y\nc: {3: 1, no3: 2}\n"

    assert marks_of(text) == {
        ("a",): (2, 4),
        ("a", KEY): (2, 1),
        ("b",): (4, 3),
        ("b", KEY): (3, 1),
        ("b", "0"): (4, 5),
        ("b", "1"): (5, 5),
        ("c",): (6, 4),
        ("c", KEY): (6, 1),
        ("c", "3"): (6, 8),
        ("c", "3", KEY): (6, 5),
        ("c", "no3"): (6, 16),
        ("c", "no3", KEY): (6, 11),
    }


@pytest.mark.parametrize("empty", ["", "~", "null"])
def test_an_empty_value_has_the_place_of_its_key(empty: str) -> None:
    assert marks_of(f"a: 1\nb: {empty}\nc: 2\n")["b",] == (2, 1)


@pytest.mark.parametrize("empty", ["{}", "[]"])
def test_an_empty_mapping_or_list_has_a_place(empty: str) -> None:
    assert marks_of(f"a: 1\nb: {empty}\n")["b",] == (2, 4)


def test_places_are_the_same_with_windows_line_endings_and_a_byte_order_mark() -> None:
    text = "a: 3\nb: [x, y]\n"
    windows = strict_yaml.load(BOM + text.replace("\n", "\r\n").encode(), FILE)

    assert windows == strict_yaml.load(text.encode(), FILE)


def test_only_the_first_bytes_are_a_byte_order_mark() -> None:
    assert strict_yaml.load(BOM + b"a: x" + BOM + b"y\n", FILE).data == {"a": "x\ufeffy"}


@pytest.mark.parametrize(
    ("at", "mark"),
    [
        (("a", "3"), (2, 8)),
        (("a", "4"), (2, 4)),
        (("a", "3", "x", "y"), (2, 8)),
        (("x",), (1, 1)),
        (("x", KEY), (1, 1)),
        ((), (1, 1)),
    ],
)
def test_a_problem_without_a_place_gets_that_around_it(at: Location, mark: tuple[int, int]) -> None:
    document = strict_yaml.load(b"z: 1\na: {3: 5}\n", FILE)

    assert document.problem(at, "wrong") == Problem(FILE, Mark(*mark), "wrong")


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"a: 1\nb\xff", (2, 2, "not UTF-8 text: byte 0xff")),
        (BOM + b"a: 1\nb\xff", (2, 2, "not UTF-8 text: byte 0xff")),
        ("a: é\xff".encode("latin-1"), (1, 4, "not UTF-8 text: byte 0xe9")),
        ("é: 1\né".encode() + b"\xff", (2, 2, "not UTF-8 text: byte 0xff")),
    ],
)
def test_a_byte_that_is_not_text_is_reported_in_its_place(
    content: bytes, problem: tuple[int, int, str]
) -> None:
    assert problem_in(content) == problem


def test_a_forbidden_character_is_reported_in_its_place() -> None:
    assert problem_in(b"a: 1\nb: 5\0") == (
        2,
        5,
        "not valid YAML: special characters are not allowed (U+0000)",
    )


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("&x a: 1", (1, 1, "anchors (&) and aliases (*) are not allowed; write the value out")),
        ("a: &x [1]", (1, 4, "anchors (&) and aliases (*) are not allowed; write the value out")),
        ("a: *x", (1, 4, "anchors (&) and aliases (*) are not allowed; write the value out")),
        ("<<: {a: 1}", (1, 1, "merge keys (<<) are not allowed; write the values out")),
        ("a: !x 1", (1, 4, "tags are not allowed; write the value without !x")),
        (
            "a: !!int 1",
            (1, 4, "tags are not allowed; write the value without tag:yaml.org,2002:int"),
        ),
        ("a: [[[1]]]", (1, 5, "nested too deeply")),
        ("a: 1\n---\nb: 1", (2, 1, "a second document starts here; only one is allowed")),
    ],
)
def test_unsafe_yaml_is_refused_in_its_place(text: str, problem: tuple[int, int, str]) -> None:
    assert problem_in(text.encode()) == problem


@pytest.mark.parametrize(
    ("make", "limit", "refusal"),
    [
        (
            lambda size: b"a: 1\n".ljust(size, b"#"),
            MAX_BYTES,
            (1, 1, "the file has 65,537 bytes; at most 65,536 are allowed"),
        ),
        (
            lambda size: b"a: " + b"x" * size,
            MAX_VALUE,
            (1, 4, "the value has 1,001 characters; at most 1,000 are allowed"),
        ),
    ],
    ids=["bytes", "characters of a value"],
)
def test_sizes_up_to_the_limit_are_accepted(
    make: Callable[[int], bytes], limit: int, refusal: tuple[int, int, str]
) -> None:
    assert strict_yaml.load(make(limit), FILE).data
    assert problem_in(make(limit + 1)) == refusal


PIECES = st.sampled_from(
    [
        *("a", "b", "3", "1.5", ".nan", "1e400", "0x1F", "~", "true", "2024-01-01", "x"),
        *(": ", ":", "\n", "\n  ", "\n- ", " ", ", ", "{", "}", "{}", "[", "]", "[]", "- ", "? "),
        *("'", '"', "#", " # c\n", "%", "@", "&a ", "*a", "!x ", "<<", "|", ">", "---\n", "...\n"),
        *("\t", "\r\n", "\u2028", "\x85", "\0", "\ufeff", "\\", "é", "😀"),
    ]
)  # fmt: skip


@given(
    st.binary(max_size=100)
    | st.text(max_size=100).map(str.encode)
    | st.lists(PIECES, max_size=30).map(lambda pieces: "".join(pieces).encode())
)
def test_any_content_is_a_document_or_gives_a_problem_inside_the_file(content: bytes) -> None:
    try:
        marks = set(strict_yaml.load(content, FILE).marks.values())
    except InputError as error:
        marks = {problem.mark for problem in error.problems}
    last = len(re.split("\r\n|[\n\r\x85\u2028\u2029]", content.decode(errors="replace")))
    for mark in marks:
        assert 1 <= mark.line <= last
        assert 1 <= mark.column <= len(content) + 1
