import json
import math
import re
import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts import demo
from scripts.git.git import Git
from scripts.inputs import config_file, config_schema
from scripts.inputs.config import Config, Sizes
from scripts.inputs.config_schema import SCHEMA_FILE
from scripts.inputs.paths import CONFIG_FILE
from scripts.inputs.problems import InputError
from scripts.inputs.tree import WorkTree
from scripts.releases import resolve
from tests.repository import PROJECT, Repository, Run, config_text, snapshot

GOOD = {"source": "digits", "class": 3, "samples": 5, "test_size": 2, "seed": 0}
FRACTION = "a fraction must be between 0 and 1 (write a count without a decimal point)"
COUNT = "expected a whole number or `all`"
SIZE = "expected a count such as 20 or a fraction such as 0.2"
SIDES = "expected a side such as 28, or a width and a height such as 64x48"
TAG = "expected the tag of a release such as v2"
NOT_A_SOURCE = "source: not a valid dataset name (letters, digits and _ . , ( ) -), found "
NO_SETS = "split_by: digits has no known train and test sets"
NO_COLORS = (
    "source digits is not an OpenML table of color images; remove 'channels' from the config."
)
CLASSES = "it has 0, 1, 2, 3, 4, 5, 6, 7, 8, 9"
NO_ANCHORS = "anchors (&) and aliases (*) are not allowed; write the value out"
NOT_A_MAPPING = "expected a mapping such as 'samples: 100' at the top, found "


def unquoted(number: str) -> str:
    """Return the message for a number in place of a name."""
    return (
        f"expected text; without quotes, {number} is read as the number {number}. Write '{number}'"
    )


def with_line(key: str, written: str) -> bytes:
    """Return a config in which the value of `key` is `written`, not quoted."""
    lines = config_text().splitlines()
    return "\n".join(
        f"{key}: {written}" if line.startswith(f"{key}:") else line for line in [*lines, ""]
    ).encode()


def with_lines(**written: str) -> bytes:
    """Return a config in which some values are as written; `class_` stands for `class`."""
    values = {"source": "digits", "class_": "3", "samples": "5", "test_size": "2", "seed": "0"}
    return "".join(
        f"{key.rstrip('_')}: {value}\n" for key, value in (values | written).items()
    ).encode()


def and_line(written: str) -> bytes:
    """Return a config with one more line."""
    return f"{config_text()}{written}\n".encode()


# For each kind of invalid file its content and the problems in it: (line, column, message).
INVALID: dict[str, tuple[bytes, list[tuple[int, int, str]]]] = {
    "an empty file": (b"", [(1, 1, NOT_A_MAPPING + "nothing")]),
    "only a comment": (b"# nothing\n", [(1, 1, NOT_A_MAPPING + "nothing")]),
    "a list at the top": (b"- 1\n- 2\n", [(1, 1, NOT_A_MAPPING + "a list")]),
    "a number at the top": (b"3\n", [(1, 1, NOT_A_MAPPING + "a number")]),
    "binary": (bytes(range(256)), [(2, 118, "not UTF-8 text: byte 0x80")]),
    "another encoding": (
        b"source: digits\nclass: \xe9\n",
        [(2, 8, "not UTF-8 text: byte 0xe9")],
    ),
    "UTF-16": (config_text().encode("utf-16"), [(1, 1, "not UTF-8 text: byte 0xff")]),
    "a tab": (
        b"source: digits\n\tclass: 3\n",
        [
            (
                2,
                1,
                "not valid YAML: found character '\\t' that cannot start any token"
                " (a tab; indent YAML with spaces)",
            )
        ],
    ),
    "wrong indentation": (
        b"source: digits\n  class: 3\n",
        [(2, 8, "not valid YAML: mapping values are not allowed here")],
    ),
    "an unclosed bracket": (
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
                "tags are not allowed; write the value without"
                " tag:yaml.org,2002:python/object/apply:os.system",
            )
        ],
    ),
    "a directive": (
        b"%YAML 1.1\n---\nsource: digits\n",
        [(1, 1, "directives (%) are not allowed; remove this line")],
    ),
    "a directive for a version that there is not": (
        b"# comment\n%YAML 1.10\n---\nsource: digits\n",
        [(2, 1, "directives (%) are not allowed; remove this line")],
    ),
    "60,000 open brackets": (b"[" * 60_000, [(1, 4, "nested too deeply")]),
    "deep nesting": (
        with_line("samples", "{3: {a: {b: {c: 1}}}}"),
        [(3, 18, "nested too deeply")],
    ),
    "two documents": (
        f"{config_text()}---\n{config_text()}".encode(),
        [(6, 1, "a second document starts here; only one is allowed")],
    ),
    "a huge file": (
        b"#" * 70_000,
        [(1, 1, "the file has 70,000 bytes; at most 65,536 are allowed")],
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
        [
            (
                3,
                17,
                'not valid YAML: found duplicate key "3" with value "6" (original value: "5")',
            )
        ],
    ),
    "a misspelled key": (
        and_line("sample: 3"),
        [(6, 1, "unknown key 'sample'; did you mean samples?")],
    ),
    "an unknown key": (
        and_line("color: red"),
        [
            (
                6,
                1,
                "unknown key 'color'; known keys: source, channels, image_size, label_by, where,"
                " group_by, class, samples, split_by, test_size, validation_size, small_classes,"
                " seed, format, encoding, title, description, license, citation, comparable_since,"
                " require",
            )
        ],
    ),
    "a missing key": (
        config_text(samples=None).encode(),
        [(1, 1, "samples is missing; add a line such as 'samples: 100'")],
    ),
    "a count in quotes": (
        with_line("samples", "'5'"),
        [(3, 10, f"samples: {COUNT}, found '5'")],
    ),
    "a count with a decimal point": (
        with_line("samples", "5.0"),
        [(3, 10, f"samples: {COUNT}, found 5.0")],
    ),
    "a count that is true": (
        with_line("samples", "true"),
        [(3, 10, f"samples: {COUNT}, found true")],
    ),
    "a negative count": (
        with_line("samples", "-5"),
        [(3, 10, "samples: must be at least 1, found -5")],
    ),
    "a count of zero": (
        with_line("samples", "0"),
        [(3, 10, "samples: must be at least 1, found 0")],
    ),
    "more samples than the source has": (
        with_line("samples", "200"),
        [
            (
                3,
                10,
                "samples: folder 3 needs 200 images, but digits has only 183 for it",
            )
        ],
    ),
    "a huge count": (
        with_line("samples", "99999999999999999999"),
        [(3, 10, "samples: must be at most 1000000000, found 99999999999999999999")],
    ),
    "more samples than the source has, in both folders": (
        with_line("samples", "1000000000"),
        [
            (
                3,
                10,
                f"samples: folder {folder} needs 1,000,000,000 images, but digits has only"
                f" {count} for it",
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
        [(4, 12, f"test_size: {FRACTION}, found inf")],
    ),
    "not a number": (
        with_line("test_size", ".nan"),
        [(4, 12, f"test_size: {FRACTION}, found nan")],
    ),
    "a test count of zero": (
        with_line("test_size", "0"),
        [(4, 12, "test_size: must be at least 1, found 0")],
    ),
    "a test count that leaves no samples for train": (
        with_line("test_size", "5"),
        [
            (
                4,
                12,
                f"test_size: all 5 samples of folder {folder} would be for test and none for"
                " train; it must be smaller than samples",
            )
            for folder in ("3", "no3")
        ],
    ),
    "a test fraction that leaves no samples for train": (
        with_line("test_size", "0.99"),
        [
            (
                4,
                12,
                f"test_size: all 5 samples of folder {folder} would be for test and none for"
                " train; it must be smaller than samples",
            )
            for folder in ("3", "no3")
        ],
    ),
    "a test size in percent": (
        with_line("test_size", "20%"),
        [(4, 12, f"test_size: {SIZE}, found '20%'")],
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
    "an unknown class": (
        with_line("class", "11"),
        [(2, 8, f"class: digits has no class '11'; {CLASSES}")],
    ),
    "several unknown classes": (
        with_line("class", "[3, 12, x]"),
        [
            (2, 12, f"class: digits has no class '12'; {CLASSES}"),
            (2, 16, f"class: digits has no class 'x'; {CLASSES}"),
        ],
    ),
    "a class with a decimal point": (
        with_line("class", "3.0"),
        [(2, 8, f"class: {unquoted('3.0')}")],
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
    "a class with a long name": (
        with_line("class", "x" * 200),
        [(2, 8, f"class: too long for a name, found '{'x' * 39}…")],
    ),
    "a source that is a path": (
        with_line("source", "../../etc/passwd"),
        [(1, 9, f"{NOT_A_SOURCE}'../../etc/passwd'")],
    ),
    "a source that is the folder above": (
        with_line("source", ".."),
        [(1, 9, f"{NOT_A_SOURCE}'..'")],
    ),
    "a source that is a URL": (
        with_line("source", "http://x/y"),
        [(1, 9, f"{NOT_A_SOURCE}'http://x/y'")],
    ),
    "a source with a terminal escape sequence": (
        with_line("source", r'"\x1b[31m"'),
        [(1, 9, rf"{NOT_A_SOURCE}'\x1b[31m'")],
    ),
    "a source that is a number": (
        with_line("source", "554"),
        [(1, 9, f"source: {unquoted('554')}")],
    ),
    "half of a character": (
        and_line(r'title: "\ud800"'),
        [(6, 8, r"title: expected text; this is an incomplete character, found '\ud800'")],
    ),
    "an unknown folder": (
        with_line("samples", "{3: 5, no3: 5, 4: 5}"),
        [(3, 25, "samples: unknown folder '4'; the folders are 3, no3")],
    ),
    "a folder that is a path": (
        with_line("samples", "{3: 5, no3: 5, ../x: 5}"),
        [(3, 25, "samples: unknown folder '../x'; the folders are 3, no3")],
    ),
    "a missing folder": (
        with_line("samples", "{3: 5}"),
        [(3, 10, "samples: no value for no3")],
    ),
    "a folder's count that is text": (
        with_line("samples", "{3: 5, no3: x}"),
        [(3, 22, f"samples.no3: {COUNT}, found 'x'")],
    ),
    "a folder's fraction above 1": (
        with_line("test_size", "{3: 2, no3: 1.5}"),
        [(4, 24, f"test_size.no3: {FRACTION}, found 1.5")],
    ),
    "all samples in capitals": (
        with_line("samples", "ALL"),
        [(3, 10, f"samples: {COUNT}, found 'ALL'")],
    ),
    "a list of counts": (
        with_line("samples", "[all]"),
        [
            (
                3,
                10,
                "samples: expected one value or `all` or a mapping by folder, found a list",
            )
        ],
    ),
    "all samples for test": (
        with_line("test_size", "all"),
        [(4, 12, f"test_size: {SIZE}, found 'all'")],
    ),
    "a test size in percent for one folder": (
        with_line("test_size", "{3: 20%, no3: 2}"),
        [(4, 16, f"test_size.3: {SIZE}, found '20%'")],
    ),
    "a fraction that gives no test samples of all": (
        with_lines(samples="{3: all, no3: 5}", test_size="0.001"),
        [
            (
                4,
                12,
                "test_size: none of the 183 samples of folder 3 would be for test; it must be"
                " larger",
            )
        ],
    ),
    "a fraction that gives no train samples of all": (
        with_lines(class_="[3]", samples="all", test_size="0.999"),
        [
            (
                4,
                12,
                "test_size: all 183 samples of folder 3 would be for test and none for train; it"
                " must be smaller than samples",
            )
        ],
    ),
    "a test size of nothing": (
        with_line("test_size", ""),
        [(4, 1, f"test_size: {SIZE}, found nothing")],
    ),
    "no test size beside a split by the source": (
        config_text(test_size=None, split_by="source").encode(),
        [(1, 1, "test_size is missing; add a line such as 'test_size: 20'"), (5, 11, NO_SETS)],
    ),
    "no test size beside all samples of each folder": (
        config_text(test_size=None, split_by="source", samples={"3": "all", "no3": "all"}).encode(),
        [(1, 1, "test_size is missing; add a line such as 'test_size: 20'"), (5, 11, NO_SETS)],
    ),
    **{
        f"split by {written}": (
            with_lines(split_by=written),
            [(6, 11, f"split_by: expected 'source', found {shown}")],
        )
        for written, shown in {"foo": "'foo'", "true": "true", "[source]": "a list"}.items()
    },
    "a wrong split by and no test size": (
        # Whether one is missing is not known.
        config_text(test_size=None, split_by="sauce", samples="all").encode(),
        [(5, 11, "split_by: expected 'source', found 'sauce'")],
    ),
    "a split by the source and wrong samples": (
        config_text(test_size=None, split_by="source", samples="ALL").encode(),
        [(3, 10, f"samples: {COUNT}, found 'ALL'"), (5, 11, NO_SETS)],
    ),
    "a split by the source that has no sets of its own": (
        with_lines(split_by="source"),
        [(6, 11, NO_SETS)],
    ),
    **{
        f"channels {written}": (
            with_lines(channels=written),
            [
                (1, 9, NO_COLORS),
                (6, 11, f"channels: expected 'first' or 'last', found {shown}"),
            ],
        )
        for written, shown in {"x": "'x'", "3": "3", "[first]": "a list"}.items()
    },
    "channels of gray images": (with_lines(channels="last"), [(1, 9, NO_COLORS)]),
    "a validation size in percent": (
        with_lines(validation_size="20%"),
        [(6, 18, f"validation_size: {SIZE}, found '20%'")],
    ),
    "a validation size in percent for one folder": (
        with_lines(validation_size="{3: 20%, no3: 1}"),
        [(6, 22, f"validation_size.3: {SIZE}, found '20%'")],
    ),
    "a validation count of zero": (
        with_lines(validation_size="0"),
        [(6, 18, "validation_size: must be at least 1, found 0")],
    ),
    "a validation fraction above 1": (
        with_lines(validation_size="1.5"),
        [(6, 18, f"validation_size: {FRACTION}, found 1.5")],
    ),
    "all samples for validation": (
        with_lines(validation_size="all"),
        [(6, 18, f"validation_size: {SIZE}; `all` needs split_by: source, found 'all'")],
    ),
    "a validation size for one folder only": (
        with_lines(validation_size="{3: 1}"),
        [(6, 18, "validation_size: no value for no3")],
    ),
    "a validation size for an unknown folder": (
        with_lines(validation_size="{3: 1, no3: 1, no4: 1}"),
        [(6, 33, "validation_size: unknown folder 'no4'; the folders are 3, no3")],
    ),
    "test and validation that leave no samples for train": (
        with_lines(class_="[3]", test_size="2", validation_size="3"),
        [
            (
                6,
                18,
                "validation_size: all 5 samples of folder 3 would be for test or validation and"
                " none for train; it must be smaller than samples",
            )
        ],
    ),
    "fractions for test and validation that leave no samples for train": (
        with_lines(class_="[3]", samples="all", test_size="0.6", validation_size="0.4"),
        [
            (
                4,
                12,
                "test_size: all 183 samples of folder 3 would be for test or validation and none"
                " for train; it must be smaller than samples",
            )
        ],
    ),
    "a fraction that gives no validation samples of all": (
        with_lines(class_="[3]", samples="all", test_size="0.2", validation_size="0.001"),
        [
            (
                6,
                18,
                "validation_size: none of the 183 samples of folder 3 would be for validation; it"
                " must be larger",
            )
        ],
    ),
    "an image size of zero": (
        with_lines(image_size="0"),
        [(6, 13, "image_size: must be at least 1, found 0")],
    ),
    "an image size that is too large": (
        with_lines(image_size="4097"),
        [(6, 13, "image_size: must be at most 4096, found 4097")],
    ),
    "an image that is too high": (
        with_lines(image_size="28x4097"),
        [(6, 13, "image_size: a side must be at most 4096, found '28x4097'")],
    ),
    "an image that is much too wide": (
        with_lines(image_size="100000x1"),
        [(6, 13, "image_size: a side must be at most 4096, found '100000x1'")],
    ),
    **{
        f"image size {written}": (
            with_lines(image_size=written),
            [(6, 13, f"image_size: {SIDES}, found {shown}")],
        )
        for written, shown in {
            "28x": "'28x'",
            "28 x 28": "'28 x 28'",
            "28X28": "'28X28'",
            "028x28": "'028x28'",
            r'"28x28\n"': r"'28x28\n'",
            "28.5": "28.5",
            "true": "true",
        }.items()
    },
    "an image size in a list": (
        with_lines(image_size="[28, 28]"),
        [(6, 13, "image_size: expected one value or a size such as 64x48, found a list")],
    ),
    "a negative seed": (with_line("seed", "-1"), [(5, 7, "seed: must be at least 0, found -1")]),
    "a seed of 33 bits": (
        with_line("seed", "4294967296"),
        [(5, 7, "seed: must be below 4294967296, found 4294967296")],
    ),
    **{
        f"comparable since {written}": (
            with_lines(comparable_since=written),
            [(6, 19, f"comparable_since: {TAG}, found {shown}")],
        )
        for written, shown in {
            "2": "2",
            "V2": "'V2'",
            "v01": "'v01'",
            "v-1": "'v-1'",
            "v1.0": "'v1.0'",
            "v1234567890": "'v1234567890'",
            r'"v2\n"': r"'v2\n'",
            "main": "'main'",
            "''": "''",
            "true": "true",
            "[v2]": "a list",
        }.items()
    },
}

NO_CLASS_33 = f"class: digits has no class '33'; {CLASSES}"
TOO_FEW = "samples: folder 3 needs 500 images, but digits has only 183 for it"

# Files with several problems, some of which only the source shows.
INVALID |= {
    "an unknown class and a count of zero": (
        with_lines(class_="33", samples="0"),
        [(2, 8, NO_CLASS_33), (3, 10, "samples: must be at least 1, found 0")],
    ),
    "an unknown class and every other value invalid": (
        with_lines(class_="33", samples="x", test_size="20%", seed="-1", comparable_since="2"),
        [
            (2, 8, NO_CLASS_33),
            (3, 10, f"samples: {COUNT}, found 'x'"),
            (4, 12, f"test_size: {SIZE}, found '20%'"),
            (5, 7, "seed: must be at least 0, found -1"),
            (6, 19, f"comparable_since: {TAG}, found 2"),
        ],
    ),
    "an unknown format": (
        with_lines(format="jpeg"),
        [(6, 9, "format: expected 'png' or 'parquet', found 'jpeg'")],
    ),
    "every new kind of value invalid and an unknown class": (
        with_lines(class_="33", split_by="x", channels="x", validation_size="x", image_size="x"),
        [
            (1, 9, NO_COLORS),
            (6, 11, "split_by: expected 'source', found 'x'"),
            (7, 11, "channels: expected 'first' or 'last', found 'x'"),
            (8, 18, f"validation_size: {SIZE}, found 'x'"),
            (9, 13, f"image_size: {SIDES}, found 'x'"),
        ],
    ),
    "an invalid size of images, unknown classes and too few images": (
        with_lines(class_="[3, 33]", samples="500", image_size="28x", validation_size="-1"),
        [
            (2, 12, NO_CLASS_33),
            (3, 10, TOO_FEW),
            (6, 13, f"image_size: {SIDES}, found '28x'"),
            (7, 18, "validation_size: must be at least 1, found -1"),
        ],
    ),
    "an unknown class and a missing key": (
        config_text(class_=33, samples=None).encode(),
        [
            (1, 1, "samples is missing; add a line such as 'samples: 100'"),
            (2, 8, NO_CLASS_33),
        ],
    ),
    "an unknown class and an unknown key": (
        with_lines(class_="33", sample="5"),
        [(2, 8, NO_CLASS_33), (6, 1, "unknown key 'sample'; did you mean samples?")],
    ),
    "an unknown class and a key that is a number": (
        with_lines(class_="33") + b"3: 5\n",
        [(2, 8, NO_CLASS_33), (6, 1, "3: a key must be a name")],
    ),
    "an unknown class beside one with too few samples": (
        with_lines(class_="[3, 33]", samples="500"),
        [(2, 12, NO_CLASS_33), (3, 10, TOO_FEW)],
    ),
    "an unknown class and sizes by folder": (
        # Whether the class or the folders are wrong is not known.
        with_lines(class_="33", samples="{3: 5, no3: 5}"),
        [(2, 8, NO_CLASS_33)],
    ),
    "too few images and a test size in percent": (
        with_lines(class_="[3]", samples="500", test_size="20%"),
        [(3, 10, TOO_FEW), (4, 12, f"test_size: {SIZE}, found '20%'")],
    ),
    "too few images and an invalid seed": (
        with_lines(class_="[3]", samples="500", seed="-1"),
        [(3, 10, TOO_FEW), (5, 7, "seed: must be at least 0, found -1")],
    ),
    "an unknown folder, a missing one and a count of zero": (
        with_lines(samples="{3: 0, no4: 5}"),
        [
            (3, 10, "samples: no value for no3"),
            (3, 14, "samples.3: must be at least 1, found 0"),
            (3, 17, "samples: unknown folder 'no4'; the folders are 3, no3"),
        ],
    ),
    "an unknown folder and too few images for a known one": (
        with_lines(samples="{3: 500, no3: 5, no4: 5}"),
        [
            (3, 14, TOO_FEW),
            (3, 27, "samples: unknown folder 'no4'; the folders are 3, no3"),
        ],
    ),
    "an invalid count and too few images by folder": (
        with_lines(samples="{3: 500, no3: x}"),
        [(3, 14, TOO_FEW), (3, 24, f"samples.no3: {COUNT}, found 'x'")],
    ),
    "a folder whose name is a fraction": (
        with_lines(samples="{3.5: 5, no3: 500}", test_size="{3: 2, no4: 2}"),
        [
            (3, 11, f"samples.3.5: {unquoted('3.5')}"),
            (4, 12, "test_size: no value for no3"),
            (4, 19, "test_size: unknown folder 'no4'; the folders are 3, no3"),
        ],
    ),
    "problems of both sizes by folder": (
        with_lines(samples="{3: 0, no3: 5}", test_size="{3: 1.5, no4: 1}"),
        [
            (3, 14, "samples.3: must be at least 1, found 0"),
            (4, 12, "test_size: no value for no3"),
            (4, 16, f"test_size.3: {FRACTION}, found 1.5"),
            (4, 21, "test_size: unknown folder 'no4'; the folders are 3, no3"),
        ],
    ),
    "an invalid count and a fraction that suits a valid one": (
        with_lines(samples="0", test_size="0.001"),
        [(3, 10, "samples: must be at least 1, found 0")],
    ),
    "an invalid class and a count that suits a valid one": (
        # There are 183 images of 3, but only 174 of 8.
        with_lines(class_="[3, 3]", samples="180"),
        [(2, 8, "class: listed more than once: 3, found a list")],
    ),
    "an invalid class and sizes by folder": (
        with_lines(class_="{3: 1}", samples="{3: 5, no3: 5}", test_size="{3: 1, no3: 2}"),
        [(2, 8, "class: expected one value or a list, found a mapping")],
    ),
    "an invalid source": (
        with_lines(source="../x", class_="33", samples="0", test_size="{4: 2}"),
        [(1, 9, f"{NOT_A_SOURCE}'../x'"), (3, 10, "samples: must be at least 1, found 0")],
    ),
    "a missing source": (
        config_text(source=None, class_=33, samples=0).encode(),
        [
            (1, 1, "source is missing; add a line such as 'source: mnist_784'"),
            (2, 10, "samples: must be at least 1, found 0"),
        ],
    ),
}


# All verbs read the config in the same way, so that a few of the examples do for the others.
@pytest.mark.parametrize(
    ("verb", "example"),
    [(verb, example) for example in list(INVALID)[::6] for verb in ("validate", "build", "plan")],
)
def test_an_invalid_config_gives_its_problems_and_changes_nothing(
    untouched: Repository, run: Run, verb: str, example: str
) -> None:
    content, expected = INVALID[example]
    (untouched.root / CONFIG_FILE).write_bytes(content)
    before = snapshot(untouched.place)

    result = run(verb, where=untouched.root)

    lines = [f"{CONFIG_FILE}:{line}:{column}: {text}" for line, column, text in expected]
    assert result.err.splitlines() == lines
    assert (result.code, result.out) == (1, "")
    assert snapshot(untouched.place) == before


@pytest.mark.parametrize("example", INVALID)
def test_each_problem_of_an_invalid_config_is_named_at_its_place(
    tmp_path: Path, example: str
) -> None:
    content, expected = INVALID[example]
    (tmp_path / CONFIG_FILE).write_bytes(content)

    with pytest.raises(InputError) as caught:
        resolve.of_tree(Git(tmp_path), WorkTree(tmp_path), None)

    assert {problem.file for problem in caught.value.problems} == {CONFIG_FILE}
    assert [(*one.mark, one.message) for one in caught.value.problems] == expected


def test_at_least_forty_kinds_of_invalid_configs_are_tested() -> None:
    assert len(INVALID) >= 40


def problems_of(content: bytes) -> list[tuple[int, int, str]]:
    with pytest.raises(InputError) as caught:
        config_file.parse(content)
    assert {problem.file for problem in caught.value.problems} == {CONFIG_FILE}
    return [(*problem.mark, problem.message) for problem in caught.value.problems]


def test_all_problems_are_reported_at_once_in_the_order_of_the_file() -> None:
    content = b"source: ../x\nclass: []\nsamples: -1\ntest_size: 1.5\nseed: x\ncolor: red\n"

    assert [line for line, _, _ in problems_of(content)] == [1, 2, 3, 4, 5, 6]


def test_an_empty_value_is_reported_on_its_own_line() -> None:
    assert [line for line, _, _ in problems_of(with_line("samples", ""))] == [3]
    assert [line for line, _, _ in problems_of(with_line("seed", ""))] == [5]


@pytest.mark.parametrize("key", ["3", "1.5", "true", "~", "2024-01-01", "[a]"])
def test_a_key_that_is_not_a_name_is_reported_on_its_own_line(key: str) -> None:
    ((line, column, message),) = problems_of(and_line(f"{key}: 4"))

    assert (line, column) == (6, 1)
    assert message.endswith(": a key must be a name")


def test_a_number_of_5000_digits_is_reported_in_terms_of_the_config() -> None:
    assert problems_of(with_line("samples", "9" * 5000)) == [
        (3, 10, "the value has 5,000 characters; at most 1,000 are allowed")
    ]


def test_a_merge_key_cannot_set_a_key_twice() -> None:
    assert problems_of(and_line("<<: {seed: 3}")) == [
        (6, 1, "merge keys (<<) are not allowed; write the values out")
    ]


def test_a_folder_name_cannot_add_a_line_to_the_message() -> None:
    content = with_line("samples", r'{"a\ndataset_config.yaml:1:1: forged": x, no3: 5}')

    with pytest.raises(InputError) as caught:
        config_file.parse(content)

    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("written", ["3", "'3'", '"3"'])
def test_a_class_may_be_written_as_a_number_or_as_text(written: str) -> None:
    assert config_file.parse(with_line("class", written)).class_ == "3"


def test_windows_line_endings_and_a_byte_order_mark_are_accepted() -> None:
    content = b"\xef\xbb\xbf" + config_text().replace("\n", "\r\n").encode()
    assert config_file.parse(content) == config_file.parse(config_text().encode())


def test_the_default_seed_is_0() -> None:
    assert config_file.parse(config_text(seed=None).encode()).seed == 0


def test_a_source_that_is_not_available_hides_no_problem_of_the_config(
    untouched: Repository, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "sleep", lambda _: None)
    content = with_lines(source="nowhere", class_="33", samples="0")
    (untouched.root / CONFIG_FILE).write_bytes(content)

    assert run("validate", where=untouched.root) == (
        1,
        "",
        f"{CONFIG_FILE}:3:10: samples: must be at least 1, found 0\n",
    )


@pytest.mark.parametrize(
    ("written", "counts"),
    [
        # A fraction applies to each class: 405 is the sum of the nine, each rounded.
        (
            {"samples": "all", "test_size": "0.25"},
            "train 3: 137, no3: 1,209; test 3: 46, no3: 405",
        ),
        (
            {"samples": "all", "test_size": "20"},
            "train 3: 163, no3: 1,594; test 3: 20, no3: 20",
        ),
        (
            {"samples": "{3: all, no3: 60}", "test_size": "{3: 0.5, no3: 10}"},
            "train 3: 91, no3: 50; test 3: 92, no3: 10",
        ),
    ],
)
def test_all_samples_may_be_asked_for(
    untouched: Repository, run: Run, written: dict[str, str], counts: str
) -> None:
    (untouched.root / CONFIG_FILE).write_bytes(with_lines(**written))

    assert run("validate", where=untouched.root) == (0, f"{CONFIG_FILE} is valid: {counts}\n", "")


@pytest.mark.parametrize(
    ("written", "counts"),
    [
        (
            {"validation_size": "1"},
            "train 3: 2, no3: 2; validation 3: 1, no3: 1; test 3: 2, no3: 2",
        ),
        (
            {"samples": "10", "test_size": "0.2", "validation_size": "{3: 0.2, no3: 1}"},
            "train 3: 6, no3: 7; validation 3: 2, no3: 1; test 3: 2, no3: 2",
        ),
        # Of the places of 183 images, 37 are from 0.8 on, and 18 between 0.7 and 0.8.
        (
            {"class_": "[3]", "samples": "all", "test_size": "0.2", "validation_size": "0.1"},
            "train 3: 128; validation 3: 18; test 3: 37",
        ),
        ({"image_size": "4x6"}, "train 3: 3, no3: 3; test 3: 2, no3: 2"),
    ],
)
def test_a_validation_set_and_another_image_size_may_be_asked_for(
    untouched: Repository, run: Run, written: dict[str, str], counts: str
) -> None:
    (untouched.root / CONFIG_FILE).write_bytes(with_lines(**written))

    assert run("validate", where=untouched.root) == (0, f"{CONFIG_FILE} is valid: {counts}\n", "")


@pytest.mark.parametrize(
    ("written", "size"),
    [(None, None), ("28", (28, 28)), ("64x48", (48, 64)), ("4096x1", (1, 4096))],
)
def test_an_image_size_is_a_side_or_width_and_height(
    written: str | None, size: tuple[int, int] | None
) -> None:
    content = with_lines(**{"image_size": written} if written else {})

    assert config_file.parse(content).size == size


FRACTIONS = st.integers(1, 98).map(lambda percent: percent / 100)


@given(FRACTIONS, FRACTIONS, st.integers(1, 3000))
def test_a_validation_fraction_is_of_what_is_not_for_test(
    validation: float, test: float, count: int
) -> None:
    wish = {"test_size": test, "validation_size": validation}

    def sizes(samples: int) -> Sizes:
        return Config.model_validate(GOOD | wish | {"samples": samples}).sizes("3")

    found, more = sizes(count), sizes(count + 1)

    g, f = Fraction(str(validation)), Fraction(str(test))
    assert found.test == math.ceil(f * count)
    assert found.validation == math.ceil(g / (1 - f) * (count - found.test))
    assert sum(found) == count
    if f + g < 1:
        # One more image is in one split, and rounding takes none from another.
        assert sorted(b - a for a, b in zip(found, more, strict=True)) == [0, 0, 1]


def test_comparable_since_may_be_the_version_itself_and_not_a_later_one(
    untouched: Repository, run: Run
) -> None:
    (untouched.root / CONFIG_FILE).write_bytes(with_lines(comparable_since="v0"))
    assert run("validate", where=untouched.root).code == 0

    (untouched.root / CONFIG_FILE).write_bytes(with_lines(comparable_since="v1"))
    assert run("validate", where=untouched.root) == (
        1,
        "",
        f"{CONFIG_FILE}:6:19: comparable_since: v1 is later than v0, which this version would be\n",
    )


def test_the_record_of_a_config_names_comparable_since_only_where_it_is_given() -> None:
    values = {"source": "digits", "class": "3", "samples": 5, "test_size": 2, "seed": 0}
    assert config_file.parse(with_lines()).record() == values

    given_one = config_file.parse(with_lines(comparable_since="v3"))
    assert given_one.record() == values | {"comparable_since": "v3"}


def test_the_record_of_a_config_names_only_another_format_than_png() -> None:
    assert (
        config_file.parse(with_lines(format="png")).record()
        == config_file.parse(with_lines()).record()
    )
    assert config_file.parse(with_lines(format="parquet")).record()["format"] == "parquet"


@pytest.mark.parametrize("verb", ["validate", "build", "plan"])
def test_a_missing_config_is_one_message(repository: Repository, run: Run, verb: str) -> None:
    (repository.root / CONFIG_FILE).unlink()

    assert run(verb) == (
        1,
        "",
        "dataset_config.yaml:1:1: the file is missing. Run this in a dataset repository\n",
    )


@pytest.mark.parametrize("verb", ["validate", "build", "plan"])
def test_a_folder_in_place_of_the_config_is_one_message(
    repository: Repository, run: Run, verb: str
) -> None:
    (repository.root / CONFIG_FILE).unlink()
    (repository.root / CONFIG_FILE).mkdir()

    assert run(verb) == (
        1,
        "",
        "dataset_config.yaml:1:1: not a regular file; links, folders and devices are not read\n",
    )


PIECES = st.sampled_from(
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
    | st.lists(PIECES, max_size=40).map(lambda pieces: "".join(pieces).encode())
    | st.tuples(
        st.sampled_from(["source", "class", "samples", "test_size", "seed", "x"]),
        st.lists(PIECES, max_size=12),
    ).map(lambda line: with_line(line[0], "".join(line[1])))
)
def test_any_content_is_a_config_or_gives_problems_with_their_places(content: bytes) -> None:
    try:
        parsed = config_file.parse(content)
    except InputError as error:
        message = str(error)
    else:
        assert isinstance(parsed, Config)
        return
    for line in message.split("\n"):
        assert re.match(rf"{CONFIG_FILE}:[1-9][0-9]*:[1-9][0-9]*: .", line)


def test_the_committed_schema_is_that_of_the_model() -> None:
    committed = (PROJECT / SCHEMA_FILE).read_text()
    assert committed == config_schema.json_schema(), "it is out of date; run: make schema"


def test_the_config_of_the_demo_points_editors_to_the_schema() -> None:
    assert demo.CONFIG.splitlines()[0] == f"# yaml-language-server: $schema={SCHEMA_FILE}"


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
        ({"samples": "all"}, True),
        ({"samples": {"3": "all", "no3": 6}}, True),
        ({"comparable_since": "v0"}, True),
        ({"comparable_since": "v999999999"}, True),
        ({"comparable_since": None}, True),
        ({"source": "mnist_784"}, True),
        ({"channels": "first"}, True),
        ({"channels": None}, True),
        ({"image_size": 28}, True),
        ({"image_size": "64x48"}, True),
        ({"split_by": "source"}, True),
        ({"split_by": "source", "samples": "all", "test_size": None}, True),
        ({"validation_size": 1}, True),
        ({"validation_size": 0.2}, True),
        ({"validation_size": {"3": 1, "no3": 0.5}}, True),
        ({"channels": "x"}, False),
        ({"channels": 1}, False),
        ({"image_size": 0}, False),
        ({"image_size": 4097}, False),
        ({"image_size": 28.5}, False),
        ({"image_size": "28x"}, False),
        ({"image_size": "028x28"}, False),
        ({"split_by": "label"}, False),
        ({"split_by": True}, False),
        ({"validation_size": 0}, False),
        ({"validation_size": 1.5}, False),
        ({"validation_size": "20%"}, False),
        ({"validation_size": {"3": 0}}, False),
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
        ({"samples": "All"}, False),
        ({"samples": ["all"]}, False),
        ({"samples": {"3": "x"}}, False),
        ({"test_size": "all"}, False),
        ({"test_size": "20%"}, False),
        ({"test_size": {"3": "all"}}, False),
        ({"comparable_since": "v01"}, False),
        ({"comparable_since": "v1000000000"}, False),
        ({"comparable_since": "1"}, False),
        ({"comparable_since": 1}, False),
        ({"comparable_since": "v1 v2"}, False),
        ({"color": "red"}, False),
    ],
    ids=str,
)
def test_schema_and_model_agree(change: dict[str, Any], *, valid: bool) -> None:
    candidate = GOOD | change
    validator = jsonschema.Draft202012Validator(json.loads(config_schema.json_schema()))
    try:
        config_file.parse(json.dumps(candidate).encode())
        accepted = True
    except InputError:
        accepted = False

    assert (accepted, validator.is_valid(candidate)) == (valid, valid)


@pytest.mark.parametrize("key", ["source", "class", "samples", "test_size"])
def test_schema_and_model_both_require_a_key(key: str) -> None:
    candidate = {name: value for name, value in GOOD.items() if name != key}

    assert not jsonschema.Draft202012Validator(json.loads(config_schema.json_schema())).is_valid(
        candidate
    )
    with pytest.raises(InputError, match=f"{key} is missing"):
        config_file.parse(json.dumps(candidate).encode())


def test_make_schema_writes_the_committed_schema() -> None:
    makefile = (PROJECT / "Makefile").read_text()
    recipe = re.search(
        r'^schema: .*\n\t\$\(BIN\)/python -c "(.*)" > \$\(SCHEMA\)\.new$', makefile, re.MULTILINE
    )
    assert recipe
    written = subprocess.run(
        [sys.executable, "-c", recipe.group(1)],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert written == (PROJECT / SCHEMA_FILE).read_text()
    assert f"\nSCHEMA = {SCHEMA_FILE}\n" in makefile


@given(
    count=st.integers(1, 10_000),
    share=st.integers(1, 99).map(lambda percent: percent / 100),
)
def test_a_test_fraction_is_computed_from_the_decimal_number_as_written(
    count: int, share: float
) -> None:
    parsed = config_file.parse(config_text(samples=count, test_size=share).encode())
    exact = Fraction(round(share * 100), 100) * count
    test = -(-exact.numerator // exact.denominator)
    assert parsed.sizes("3") == (count - test, 0, test)
