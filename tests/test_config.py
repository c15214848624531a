import json
import re
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts import config
from scripts.config import CONFIG_FILE, SCHEMA_FILE, Config, ConfigError
from tests.repository import PROJECT, Repository, Run, config_text, snapshot

FRACTION = "a fraction must lie between 0 and 1 (for a count write it without a dot)"
NOT_A_SOURCE = "source: is no name of a dataset (letters, digits and _ . , ( ) - only), found "
CLASSES = "it has 0, 1, 2, 3, 4, 5, 6, 7, 8, 9"
NO_ANCHORS = "anchors (&) and aliases (*) are not allowed here; write the value out"
NOT_A_MAPPING = "expected a mapping such as 'samples: 100' at the top, found "


def with_line(key: str, written: str) -> bytes:
    """Return a config in which the value of `key` is `written`, as it stands."""
    lines = config_text().splitlines()
    return "\n".join(
        f"{key}: {written}" if line.startswith(f"{key}:") else line for line in [*lines, ""]
    ).encode()


def and_line(written: str) -> bytes:
    return f"{config_text()}{written}\n".encode()


# What is wrong with the file, and the messages it gets: (line, column, text).
BAD: dict[str, tuple[bytes, list[tuple[int, int, str]]]] = {
    "an empty file": (b"", [(1, 1, NOT_A_MAPPING + "nothing")]),
    "only a comment": (b"# nothing\n", [(1, 1, NOT_A_MAPPING + "nothing")]),
    "a list at the top": (b"- 1\n- 2\n", [(1, 1, NOT_A_MAPPING + "a list")]),
    "a number at the top": (b"3\n", [(1, 1, NOT_A_MAPPING + "a number")]),
    "binary": (bytes(range(256)), [(2, 118, "not text in UTF-8: byte 0x80")]),
    "another encoding": (
        b"source: digits\nclass: \xe9\n",
        [(2, 8, "not text in UTF-8: byte 0xe9")],
    ),
    "UTF-16": (config_text().encode("utf-16"), [(1, 1, "not text in UTF-8: byte 0xff")]),
    "a tab": (
        b"source: digits\n\tclass: 3\n",
        [
            (
                2,
                1,
                "not valid YAML: found character '\\t' that cannot start any token"
                " (a tab; YAML is indented with spaces)",
            )
        ],
    ),
    "wrong indentation": (
        b"source: digits\n  class: 3\n",
        [(2, 8, "not valid YAML: mapping values are not allowed here")],
    ),
    "a bracket left open": (
        with_line("samples", "{3: 5"),
        [(4, 10, "not valid YAML: expected ',' or '}', but got ':'")],
    ),
    "a YAML bomb": (
        b"a: &a [x,x]\nb: &b [*a,*a]\nc: &c [*b,*b]\nd: [*c,*c]\n",
        [(1, 4, NO_ANCHORS)],
    ),
    "an alias": (with_line("test_size", "*x"), [(4, 12, NO_ANCHORS)]),
    "a tag that runs code": (
        with_line("samples", "!!python/object/apply:os.system ['id']"),
        [
            (
                3,
                10,
                "tags are not allowed here; write the value without"
                " tag:yaml.org,2002:python/object/apply:os.system",
            )
        ],
    ),
    "brackets without end": (b"[" * 60_000, [(1, 3, "nested too deeply for a config")]),
    "deep nesting": (
        with_line("samples", "{3: {a: {b: 1}}}"),
        [(3, 14, "nested too deeply for a config")],
    ),
    "two documents": (
        f"{config_text()}---\n{config_text()}".encode(),
        [(6, 1, "a second document begins here; one config is one document")],
    ),
    "a huge file": (
        b"#" * 70_000,
        [(1, 1, "70,000 bytes are too many for a config (at most 65,536)")],
    ),
    "a key given twice": (
        and_line("seed: 1"),
        [
            (
                6,
                1,
                'not valid YAML: found duplicate key "seed" with value "1" (original value: "0")',
            )
        ],
    ),
    "a folder given twice, as number and as text": (
        with_line("samples", "{3: 5, '3': 6, no3: 5}"),
        [(3, 10, "samples: listed more than once: 3, found a mapping")],
    ),
    "a typing error in a key": (
        and_line("sample: 3"),
        [(6, 1, "'sample' is no key of the config; did you mean samples?")],
    ),
    "an unknown key": (
        and_line("colour: red"),
        [
            (
                6,
                1,
                "'colour' is no key of the config;"
                " known are source, class, samples, test_size, seed",
            )
        ],
    ),
    "a missing key": (
        config_text(samples=None).encode(),
        [(1, 1, "samples: is missing; add a line such as 'samples: 100'")],
    ),
    "a count in quotes": (
        with_line("samples", "'5'"),
        [(3, 10, "samples: expected a whole number, found '5'")],
    ),
    "a count with a dot": (
        with_line("samples", "5.0"),
        [(3, 10, "samples: expected a whole number, found 5.0")],
    ),
    "a count that is true": (
        with_line("samples", "true"),
        [(3, 10, "samples: expected a whole number, found true")],
    ),
    "a negative count": (
        with_line("samples", "-5"),
        [(3, 10, "samples: must be at least 1, found -5")],
    ),
    "a count of zero": (
        with_line("samples", "0"),
        [(3, 10, "samples: must be at least 1, found 0")],
    ),
    "more samples than there are": (
        with_line("samples", "200"),
        [
            (
                3,
                10,
                "samples: 200 for folder 3 are more than the 183 that digits can give it",
            )
        ],
    ),
    "a huge count": (
        with_line("samples", "99999999999999999999"),
        [(3, 10, "samples: must be at most 1000000000, found 99999999999999999999")],
    ),
    "more than the source has": (
        with_line("samples", "1000000000"),
        [
            (
                3,
                10,
                f"samples: 1,000,000,000 for folder {folder} are more than the"
                f" {count} that digits can give it",
            )
            for folder, count in [("3", "183"), ("no3", "1,614")]
        ],
    ),
    "a test fraction of 0": (
        with_line("test_size", "0.0"),
        [(4, 12, f"test_size: {FRACTION}, found 0.0")],
    ),
    "a test fraction of 1": (
        with_line("test_size", "1.0"),
        [(4, 12, f"test_size: {FRACTION}, found 1.0")],
    ),
    "a negative test fraction": (
        with_line("test_size", "-0.2"),
        [(4, 12, f"test_size: {FRACTION}, found -0.2")],
    ),
    "a test fraction above 1": (
        with_line("test_size", "2.5"),
        [(4, 12, f"test_size: {FRACTION}, found 2.5")],
    ),
    "infinity": (
        with_line("test_size", ".inf"),
        [(4, 12, "test_size: expected a fraction between 0 and 1, found inf")],
    ),
    "no number": (
        with_line("test_size", ".nan"),
        [(4, 12, "test_size: expected a fraction between 0 and 1, found nan")],
    ),
    "a test count of zero": (
        with_line("test_size", "0"),
        [(4, 12, "test_size: must be at least 1, found 0")],
    ),
    "nothing left to train on": (
        with_line("test_size", "5"),
        [
            (
                4,
                12,
                f"test_size: all 5 samples of folder {folder} would be for test and none to train"
                " on; it must be smaller than samples",
            )
            for folder in ("3", "no3")
        ],
    ),
    "a fraction that leaves nothing to train on": (
        with_line("test_size", "0.99"),
        [
            (
                4,
                12,
                f"test_size: all 5 samples of folder {folder} would be for test and none to train"
                " on; it must be smaller than samples",
            )
            for folder in ("3", "no3")
        ],
    ),
    "a test size in percent": (
        with_line("test_size", "20%"),
        [(4, 12, "test_size: expected a whole number, found '20%'")],
    ),
    "a list of test sizes": (
        with_line("test_size", "[1]"),
        [
            (
                4,
                12,
                "test_size: expected one value or a fraction or a mapping by folder, found a list",
            )
        ],
    ),
    "a class that is not there": (
        with_line("class", "11"),
        [(2, 8, f"class: digits has no class '11'; {CLASSES}")],
    ),
    "several classes that are not there": (
        with_line("class", "[3, 12, x]"),
        [
            (2, 12, f"class: digits has no class '12'; {CLASSES}"),
            (2, 16, f"class: digits has no class 'x'; {CLASSES}"),
        ],
    ),
    "a class with a dot": (
        with_line("class", "3.0"),
        [(2, 8, "class: expected a name, found 3.0")],
    ),
    "a mapping of classes": (
        with_line("class", "{3: 1}"),
        [(2, 8, "class: expected one value or a list, found a mapping")],
    ),
    "an empty list of classes": (
        with_line("class", "[]"),
        [(2, 8, "class: must not be empty, found an empty list")],
    ),
    "a class listed twice": (
        with_line("class", "[3, '3']"),
        [(2, 8, "class: listed more than once: 3, found a list")],
    ),
    "a class that is a path": (
        with_line("class", "../../etc"),
        [(2, 8, f"class: digits has no class '../../etc'; {CLASSES}")],
    ),
    "a class without end": (
        with_line("class", "x" * 200),
        [(2, 8, f"class: is too long for a name, found '{'x' * 39}…")],
    ),
    "a source that is a path": (
        with_line("source", "../../etc/passwd"),
        [(1, 9, f"{NOT_A_SOURCE}'../../etc/passwd'")],
    ),
    "a source that is the folder above": (
        with_line("source", ".."),
        [(1, 9, f"{NOT_A_SOURCE}'..'")],
    ),
    "a source that is an address": (
        with_line("source", "http://x/y"),
        [(1, 9, f"{NOT_A_SOURCE}'http://x/y'")],
    ),
    "a source that moves the cursor": (
        with_line("source", r'"\x1b[31m"'),
        [(1, 9, rf"{NOT_A_SOURCE}'\x1b[31m'")],
    ),
    "a source by number": (
        with_line("source", "554"),
        [(1, 9, "source: expected a name, found 554")],
    ),
    "a folder that is not there": (
        with_line("samples", "{3: 5, no3: 5, 4: 5}"),
        [(3, 25, "samples: there is no folder '4'; there are 3, no3")],
    ),
    "a folder that is a path": (
        with_line("samples", "{3: 5, no3: 5, ../x: 5}"),
        [(3, 25, "samples: there is no folder '../x'; there are 3, no3")],
    ),
    "a folder left out": (
        with_line("samples", "{3: 5}"),
        [(3, 10, "samples: says nothing for no3")],
    ),
    "a folder's count that is text": (
        with_line("samples", "{3: 5, no3: x}"),
        [(3, 22, "samples.no3: expected a whole number, found 'x'")],
    ),
    "a folder's fraction above 1": (
        with_line("test_size", "{3: 2, no3: 1.5}"),
        [(4, 24, f"test_size.no3: {FRACTION}, found 1.5")],
    ),
    "a negative seed": (with_line("seed", "-1"), [(5, 7, "seed: must be at least 0, found -1")]),
    "a seed of 33 bits": (
        with_line("seed", "4294967296"),
        [(5, 7, "seed: must be below 4294967296, found 4294967296")],
    ),
}


@pytest.mark.parametrize("verb", ["validate", "build", "plan"])
@pytest.mark.parametrize(("content", "expected"), BAD.values(), ids=BAD)
def test_a_bad_config_gives_its_messages_and_changes_nothing(
    untouched: Repository,
    run: Run,
    verb: str,
    content: bytes,
    expected: list[tuple[int, int, str]],
) -> None:
    (untouched.root / CONFIG_FILE).write_bytes(content)
    before = snapshot(untouched.place)

    result = run(verb, where=untouched.root)

    lines = [f"{CONFIG_FILE}:{line}:{column}: {text}" for line, column, text in expected]
    assert result.err.splitlines() == lines
    assert (result.code, result.out) == (1, "")
    assert snapshot(untouched.place) == before


def test_there_are_at_least_forty_bad_configs() -> None:
    assert len(BAD) >= 40


def test_all_errors_come_at_once_in_the_order_of_the_file() -> None:
    content = b"source: ../x\nclass: []\nsamples: -1\ntest_size: 1.5\nseed: x\ncolour: red\n"

    with pytest.raises(ConfigError) as caught:
        config.parse(content)

    assert [problem.mark.line for problem in caught.value.problems] == [1, 2, 3, 4, 5, 6]


def problems_of(content: bytes) -> list[tuple[int, int, str]]:
    with pytest.raises(ConfigError) as caught:
        config.parse(content)
    return [(*problem.mark, problem.message) for problem in caught.value.problems]


def test_an_empty_value_is_reported_on_its_own_line() -> None:
    assert [line for line, _, _ in problems_of(with_line("samples", ""))] == [3]
    assert [line for line, _, _ in problems_of(with_line("seed", ""))] == [5]


def test_a_forbidden_character_is_reported_on_its_own_line() -> None:
    assert [line for line, _, _ in problems_of(with_line("samples", "5\0"))] == [3]


def test_a_key_that_is_no_name_is_reported_on_its_own_line() -> None:
    assert [(line, column) for line, column, _ in problems_of(and_line("3: 4"))] == [(6, 1)]
    assert [(line, column) for line, column, _ in problems_of(and_line("[a]: 4"))] == [(6, 1)]


def test_a_number_of_5000_digits_is_reported_in_the_words_of_the_config() -> None:
    ((line, _, text),) = problems_of(with_line("samples", "9" * 5000))
    assert line == 3
    assert "sys." not in text


def test_a_merge_key_is_no_way_around_duplicate_keys() -> None:
    problems_of(and_line("<<: {seed: 3}"))


def test_an_odd_folder_name_cannot_forge_a_line_of_the_message() -> None:
    content = with_line("samples", r'{"a\ndataset_config.yaml:1:1: forged": x, no3: 5}')

    with pytest.raises(ConfigError) as caught:
        config.parse(content)

    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("written", ["3", "'3'", '"3"'])
def test_a_class_is_the_same_as_number_and_as_text(written: str) -> None:
    assert config.parse(with_line("class", written)).class_ == "3"


def test_windows_line_ends_and_a_byte_order_mark_are_welcome() -> None:
    content = b"\xef\xbb\xbf" + config_text().replace("\n", "\r\n").encode()
    assert config.parse(content) == config.parse(config_text().encode())


def test_the_seed_is_zero_where_nothing_is_said() -> None:
    assert config.parse(config_text(seed=None).encode()).seed == 0


def test_a_missing_config_is_a_clear_error(repository: Repository, run: Run) -> None:
    (repository.root / CONFIG_FILE).unlink()

    result = run("validate")

    assert result.code == 1
    assert result.err.startswith("error: dataset_config.yaml: there is no such file here.")


WORDS = st.sampled_from(
    [
        *("source", "class", "samples", "test_size", "seed", "sample", "digits", "all", "no3"),
        *("3", "0.5", "-1", "1.0", "1e400", "0x1F", "1_0", "1:30", ".inf", "~", "true"),
        *(": ", "\n", " ", "  ", ", ", "{", "}", "[", "]", "- ", "? ", "'", '"', "#", "%", "@"),
        *("&a ", "*a", "!!int ", "!x ", "<<", "|", ">", "---\n", "...\n", "2024-01-01", "`"),
        *("\t", "\r\n", "\u2028", "\x85"),
        *("\0", "\x1b", "\ufeff", "\\", "é", "😀", "9" * 5000),
    ]
)  # fmt: skip


@given(
    st.binary(max_size=200)
    | st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass"))
    | st.lists(WORDS, max_size=40).map(lambda words: "".join(words).encode())
    | st.tuples(
        st.sampled_from(["source", "class", "samples", "test_size", "seed", "x"]),
        st.lists(WORDS, max_size=12),
    ).map(lambda line: with_line(line[0], "".join(line[1])))
)
def test_whatever_the_file_holds_it_is_a_config_or_a_config_error(content: bytes) -> None:
    try:
        parsed = config.parse(content)
    except ConfigError as error:
        message = str(error)
    else:
        assert isinstance(parsed, Config)
        return
    for line in message.split("\n"):
        assert re.match(rf"{CONFIG_FILE}:[1-9][0-9]*:[1-9][0-9]*: .", line)


def test_the_committed_schema_is_the_one_of_the_model() -> None:
    committed = (PROJECT / SCHEMA_FILE).read_text()
    assert committed == config.json_schema(), "it is stale; run: make schema"


def test_the_config_points_editors_at_the_schema() -> None:
    first = (PROJECT / CONFIG_FILE).read_text().splitlines()[0]
    assert first == f"# yaml-language-server: $schema={SCHEMA_FILE}"


GOOD = {"source": "digits", "class": 3, "samples": 5, "test_size": 2, "seed": 0}


@pytest.mark.parametrize(
    ("change", "valid"),
    [
        ({}, True),
        ({"class": "all"}, True),
        ({"class": [3, "5"]}, True),
        ({"samples": {"3": 5, "no3": 6}}, True),
        ({"test_size": 0.2}, True),
        ({"test_size": {"3": 1, "no3": 0.5}}, True),
        ({"seed": 2**32 - 1}, True),
        ({"source": "mnist_784"}, True),
        ({"source": "../x"}, False),
        ({"source": ""}, False),
        ({"source": 3}, False),
        ({"source": "x" * 101}, False),
        ({"class": []}, False),
        ({"class": {"3": 1}}, False),
        ({"class": None}, False),
        ({"class": 3.5}, False),
        ({"class": True}, False),
        ({"class": ""}, False),
        ({"class": "x" * 101}, False),
        ({"class": [""]}, False),
        ({"samples": 0}, False),
        ({"samples": -1}, False),
        ({"samples": "5"}, False),
        ({"samples": {}}, False),
        ({"samples": {"3": 0}}, False),
        ({"samples": [5]}, False),
        ({"test_size": 0}, False),
        ({"test_size": 0.0}, False),
        ({"test_size": 1.5}, False),
        ({"test_size": -0.5}, False),
        ({"test_size": {}}, False),
        ({"test_size": {"3": 2.5}}, False),
        ({"seed": -1}, False),
        ({"seed": 2**32}, False),
        ({"seed": "0"}, False),
        ({"colour": "red"}, False),
    ],
    ids=str,
)
def test_schema_and_model_agree(change: dict[str, Any], *, valid: bool) -> None:
    candidate = GOOD | change
    validator = jsonschema.Draft202012Validator(json.loads(config.json_schema()))
    try:
        config.parse(json.dumps(candidate).encode())
        accepted = True
    except ConfigError:
        accepted = False

    assert (accepted, validator.is_valid(candidate)) == (valid, valid)


@pytest.mark.parametrize("key", ["source", "class", "samples", "test_size"])
def test_schema_and_model_both_miss_a_key(key: str) -> None:
    candidate = {name: value for name, value in GOOD.items() if name != key}

    assert not jsonschema.Draft202012Validator(json.loads(config.json_schema())).is_valid(candidate)
    with pytest.raises(ConfigError, match=f"{key}: is missing"):
        config.parse(json.dumps(candidate).encode())


def test_make_schema_writes_what_is_committed() -> None:
    command = "from scripts import config; print(config.json_schema(), end='')"
    written = subprocess.run(
        [sys.executable, "-c", command], cwd=PROJECT, capture_output=True, text=True, check=True
    ).stdout
    assert written == (PROJECT / SCHEMA_FILE).read_text()


@given(
    count=st.integers(1, 10_000),
    share=st.integers(1, 99).map(lambda percent: percent / 100),
)
def test_a_test_fraction_is_the_decimal_number_as_written(count: int, share: float) -> None:
    parsed = config.parse(config_text(samples=count, test_size=share).encode())
    exact = Fraction(round(share * 100), 100) * count
    assert parsed.test_count("3", count) == -(-exact.numerator // exact.denominator)


def test_a_directory_in_place_of_the_config_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / CONFIG_FILE).mkdir()
    with pytest.raises(Exception, match=r"dataset_config.yaml: cannot be read"):
        config.read(tmp_path / CONFIG_FILE)


def test_bytes_that_are_no_text_are_reported_in_their_place_behind_a_byte_order_mark() -> None:
    with pytest.raises(ConfigError) as caught:
        config.parse(b"\xef\xbb\xbfa: 1\nb\xff")
    assert str(caught.value) == "dataset_config.yaml:2:2: not text in UTF-8: byte 0xff"
