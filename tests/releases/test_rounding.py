"""A fraction that moves an image by rounding: the message says which sizes keep the split."""

import re

import pytest

from tests.repository import Released, Run, config_text

# There are 183 threes. A tenth of 181 is 19, rounded up, but 18 of all places are above 0.9.
PART = config_text(class_=[3], samples=181, test_size=0.1)
ALL = config_text(class_=[3], samples="all", test_size=0.1)
SIZES = re.compile(r"Write (.+), which keeps the split, or accept it with comparable_since: v1\n")


@pytest.mark.parametrize(
    ("released", "wanted", "expected"),
    [
        (PART, ALL, {"test_size": "19"}),
        (ALL, PART, {"test_size": "18"}),
        (
            config_text(class_=[3, 8], samples=173, test_size=0.1),
            config_text(class_=[3, 8], samples="all", test_size=0.1),
            {"test_size": "{3: 19, 8: 18}"},
        ),
        (
            config_text(class_=[3], samples=182, test_size=0.07, validation_size=0.1),
            config_text(class_=[3], samples="all", test_size=0.07, validation_size=0.1),
            {"test_size": "13", "validation_size": "19"},
        ),
    ],
)
def test_sizes_in_numbers_keep_a_split_that_a_fraction_does_not(
    released_as: Released, run: Run, released: str, wanted: str, expected: dict[str, str]
) -> None:
    repository = released_as(released)
    repository.configure(wanted)

    refused = run("validate")

    assert refused.code == 1
    found = SIZES.search(refused.err)
    assert found, refused.err
    assert found[1] == " and ".join(f"{key}: {size}" for key, size in expected.items())
    text = wanted
    for key, size in expected.items():
        text = re.sub(f"(?m)^{key}: .*$", f"{key}: {size}", text)
    repository.configure(text)
    assert run("validate").code == 0


@pytest.mark.parametrize(
    "wanted",
    [
        config_text(class_=[3], samples="all", test_size=0.1, seed=1),
        config_text(class_=[3], samples="all", test_size=0.5),
        config_text(class_=[3], samples="all", test_size=40),
    ],
)
def test_what_no_rounding_explains_has_no_such_way_out(
    released_as: Released, run: Run, wanted: str
) -> None:
    repository = released_as(PART)
    repository.configure(wanted)

    refused = run("validate")

    assert refused.code == 1
    assert "Keep the seed, the classes and the test set as they were, or accept" in refused.err
