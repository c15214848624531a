"""The config: `dataset_config.yaml`, the dataset that people ask for."""

import json
import math
from fractions import Fraction
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    PrivateAttr,
    Tag,
    ValidationError,
    WithJsonSchema,
)

from scripts.inputs import strict_yaml, wording
from scripts.inputs.paths import CONFIG_FILE
from scripts.inputs.problems import InputError, Problem
from scripts.inputs.strict_yaml import Document, Location

SCHEMA_FILE = "scripts/inputs/dataset_config.schema.json"
ALL = "all"
MAX_NAME = 100


def _label(value: object) -> object:
    # The YAML 3 and '3' name the same class; True is an int to Python, but not a class.
    return str(value) if type(value) is int else value


def _shape(value: object) -> str:
    return "by folder" if isinstance(value, dict) else "list" if isinstance(value, list) else "one"


def _shape_or_fraction(value: object) -> str:
    return "fraction" if isinstance(value, float) else _shape(value)


def _unique_folders(by_folder: object) -> object:
    # The keys 3 and '3' differ in YAML, but name the same folder.
    if isinstance(by_folder, dict):
        _unique([str(key) for key in by_folder])
    return by_folder


def _unique(labels: list[str]) -> list[str]:
    repeated = sorted({label for label in labels if labels.count(label) > 1})
    if repeated:
        raise ValueError(f"listed more than once: {', '.join(repeated)}")
    return labels


Label = Annotated[
    str,
    BeforeValidator(_label),
    Field(min_length=1, max_length=MAX_NAME),
    WithJsonSchema({"type": ["integer", "string"], "minLength": 1, "maxLength": MAX_NAME}),
]
Labels = Annotated[list[Label], Field(min_length=1), AfterValidator(_unique)]
SampleCount = Annotated[int, Field(ge=1, le=10**9)]
TestFraction = Annotated[float, Field(gt=0, lt=1, allow_inf_nan=False)]
TestSize = Annotated[
    Annotated[SampleCount, Tag("one")] | Annotated[TestFraction, Tag("fraction")],
    Discriminator(_shape_or_fraction),
]
SampleCounts = Annotated[
    dict[Label, SampleCount], Field(min_length=1), BeforeValidator(_unique_folders)
]
TestSizes = Annotated[dict[Label, TestSize], Field(min_length=1), BeforeValidator(_unique_folders)]


class Config(BaseModel):
    """What the dataset should be."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, title="Dataset config")

    source: str = Field(
        pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.,()-]*$",
        max_length=MAX_NAME,
        description="An OpenML dataset by name, or `digits` (bundled with scikit-learn).",
        examples=["mnist_784", "digits"],
    )
    class_: Annotated[
        Annotated[Label, Tag("one")] | Annotated[Labels, Tag("list")], Discriminator(_shape)
    ] = Field(
        alias="class",
        description="The class or classes: `3` gives the folders 3 and no3, `[3, 5]` a folder for"
        " each of them, `all` one for each class of the source.",
        examples=[3, [3, 5, 8], "all"],
    )
    samples: Annotated[
        Annotated[SampleCount, Tag("one")] | Annotated[SampleCounts, Tag("by folder")],
        Discriminator(_shape),
    ] = Field(
        description="Images in each folder, train and test together; or by folder.",
        examples=[100, {"3": 100, "no3": 120}],
    )
    test_size: Annotated[
        Annotated[SampleCount, Tag("one")]
        | Annotated[TestFraction, Tag("fraction")]
        | Annotated[TestSizes, Tag("by folder")],
        Discriminator(_shape_or_fraction),
    ] = Field(
        description="How many of a folder's images are for test: a count, or a fraction (rounded"
        " up, as in scikit-learn); or by folder.",
        examples=[20, 0.2, {"3": 20, "no3": 0.25}],
    )
    seed: int = Field(
        0, ge=0, lt=2**32, description="A different seed selects different images and splits."
    )

    _document: Document = PrivateAttr(default=Document(CONFIG_FILE, {}, {}))

    def problem(self, at: Location, message: str) -> Problem:
        """Return a problem at a place of the file that this config was read from."""
        return self._document.problem(at, message)

    def record(self) -> dict[str, Any]:
        """Return the config as plain data, as a lock holds it."""
        return self.model_dump(by_alias=True)

    def train_and_test(self, folder: str) -> tuple[int, int]:
        """Return how many of `folder`'s images are for train and how many for test."""
        samples = self.samples
        count = samples[folder] if isinstance(samples, dict) else samples
        test = self.test_count(folder, count)
        return count - test, test

    def test_count(self, folder: str, count: int) -> int:
        """Return how many of the first `count` images of `folder` are for test, at most all.

        A fraction is rounded up, as in scikit-learn's `train_test_split`, but from the decimal
        number as written: 0.07 of 100 is 7, not the 8 that floating point arithmetic gives.
        """
        size = self.test_size[folder] if isinstance(self.test_size, dict) else self.test_size
        if isinstance(size, int):
            return min(size, count)
        return math.ceil(Fraction(repr(size)) * count)


def parse(content: bytes) -> Config:
    """Return the config that `content` holds.

    Raises `InputError` with every problem in it.
    """
    document = strict_yaml.load(content, CONFIG_FILE)
    try:
        config = Config.model_validate(document.data)
    except ValidationError as error:
        raise InputError(wording.problems(error, document, Config)) from None
    config._document = document
    return config


def json_schema() -> str:
    """Return the JSON Schema with which editors complete and check the config."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **Config.model_json_schema(by_alias=True),
    }
    return json.dumps(schema, indent=2) + "\n"
