"""The config: `dataset_config.yaml`, the dataset that people ask for."""

import json
import math
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from fractions import Fraction
from functools import cache
from typing import Annotated, Any, Literal, NamedTuple

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
    ValidationInfo,
    WithJsonSchema,
    field_validator,
)
from pydantic_core import PydanticCustomError, PydanticKnownError

from scripts.inputs import strict_yaml, wording
from scripts.inputs.paths import CONFIG_FILE
from scripts.inputs.problems import InputError, Problem
from scripts.inputs.strict_yaml import KEY, Document, Location, Unquoted

SCHEMA_FILE = "scripts/inputs/dataset_config.schema.json"
ALL = "all"
# The value of `split_by`.
SOURCE = "source"
MAX_NAME = 100
MAX_SIDE = 4096
MAX_TITLE = 200
LICENSE_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9.+-]{0,60}$"
SIZE_PATTERN = r"^[1-9][0-9]*x[1-9][0-9]*$"
# The values of `format`.
Format = Literal["png", "parquet"]
PNG: Format = "png"
PARQUET: Format = "parquet"
# The values of `encoding`.
EncodingName = Literal["png", "original"]
ORIGINAL: EncodingName = "original"
# The keys that say how large a split is.
SPLIT_SIZES = {"test_size", "validation_size"}
# The keys that hold text, and those with a folder as the key of each value.
TEXTS = {"source", "class", "title", "description", "license", "citation"}
BY_FOLDER = {"samples", *SPLIT_SIZES}
# A number that names a class as it is written.
NUMBER_AS_NAME = re.compile(r"-?[0-9]+")
# Context of the validation: a number names the class that has its value as name, so 01 means 1.
AS_NUMBERS = "numbers by value"
# Values in place of those that are invalid, so that the rest of a config can be checked. A config
# always has those that are required.
REQUIRED = {"class": ALL, "samples": ALL, "test_size": 1}
STAND_INS = {**REQUIRED, "validation_size": 1, "channels": "first"}

Split = Literal["train", "validation", "test"]
TRAIN: Split = "train"
VALIDATION: Split = "validation"
TEST: Split = "test"
SPLITS: tuple[Split, ...] = (TRAIN, VALIDATION, TEST)
# Within a mapping by folder pydantic places a problem at: its branch, folder, branch of the value.
FOLDER_PLACE = 3


def _quoted(value: object) -> object:
    if isinstance(value, Unquoted):
        raise PydanticCustomError(wording.UNQUOTED, "not text without quotes")
    return value


def _label(value: object, info: ValidationInfo) -> object:
    # A class called 3 or 01 needs no quotes. True is an int to Python, but not a class.
    if type(value) is int:
        return str(value)
    if isinstance(value, Unquoted):
        if info.context == AS_NUMBERS and type(value.value) is int:
            return str(value.value)
        if NUMBER_AS_NAME.fullmatch(value):
            return str(value)
    return _quoted(value)


def _shape(value: object) -> str:
    return "by folder" if isinstance(value, dict) else "list" if isinstance(value, list) else "one"


def _shape_or_all(value: object) -> str:
    return ALL if value == ALL else _shape(value)


def _shape_or_fraction(value: object) -> str:
    return "fraction" if isinstance(value, float) else _shape(value)


def _shape_or_text(value: object) -> str:
    return "text" if isinstance(value, str) else _shape(value)


def _bounded_size(size: str) -> str:
    if max(map(int, size.split("x"))) > MAX_SIDE:
        raise ValueError(f"a side must be at most {MAX_SIDE}")
    return size


def _unique(labels: list[str]) -> list[str]:
    repeated = sorted({label for label in labels if labels.count(label) > 1})
    if repeated:
        raise ValueError(f"listed more than once: {', '.join(repeated)}")
    return labels


QUOTED = BeforeValidator(_quoted)
Label = Annotated[
    str,
    BeforeValidator(_label),
    Field(min_length=1, max_length=MAX_NAME),
    WithJsonSchema({"type": ["integer", "string"], "minLength": 1, "maxLength": MAX_NAME}),
]
Labels = Annotated[list[Label], Field(min_length=1), AfterValidator(_unique)]
SampleCount = Annotated[int, Field(ge=1, le=10**9)]
AllSamples = Literal["all"]
ReleaseTag = Annotated[str, Field(pattern=r"^v(0|[1-9][0-9]{0,8})$")]
TestFraction = Annotated[float, Field(gt=0, lt=1, allow_inf_nan=False)]
TestSize = Annotated[
    Annotated[SampleCount, Tag("one")] | Annotated[TestFraction, Tag("fraction")],
    Discriminator(_shape_or_fraction),
]
Samples = Annotated[
    Annotated[SampleCount, Tag("one")] | Annotated[AllSamples, Tag(ALL)],
    Discriminator(_shape_or_all),
]
SampleCounts = Annotated[dict[Label, Samples], Field(min_length=1)]
TestSizes = Annotated[dict[Label, TestSize], Field(min_length=1)]
# The images of a split: a count, a fraction, or one of them for each folder.
SplitSize = Annotated[
    Annotated[SampleCount, Tag("one")]
    | Annotated[TestFraction, Tag("fraction")]
    | Annotated[TestSizes, Tag("by folder")],
    Discriminator(_shape_or_fraction),
]
ImageSize = Annotated[
    Annotated[int, Field(ge=1, le=MAX_SIDE), Tag("one")]
    | Annotated[str, Field(pattern=SIZE_PATTERN), AfterValidator(_bounded_size), Tag("text")],
    Discriminator(_shape_or_text),
]


class Sizes(NamedTuple):
    """How many images of a folder are in each split."""

    train: int
    validation: int
    test: int


class Config(BaseModel):
    """What the dataset should be."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        frozen=True,
        title="Dataset config",
        json_schema_extra={
            "anyOf": [
                {"required": ["test_size"]},
                {
                    "required": ["split_by"],
                    "properties": {"split_by": {"const": SOURCE}, "samples": {"const": ALL}},
                },
            ]
        },
    )

    source: Annotated[str, QUOTED] = Field(
        pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.,()-]*$",
        max_length=MAX_NAME,
        description="A source of your own by its name below `sources/`, an OpenML dataset by name,"
        " or `digits` (bundled with scikit-learn).",
        examples=["mnist_784", "digits"],
    )
    channels: Literal["first", "last"] | None = Field(
        None,
        description="How an OpenML table of color images lists the values of an image: one color"
        " after the other (`first`), or one pixel after the other (`last`). Known for CIFAR_10.",
    )
    image_size: ImageSize | None = Field(
        None,
        description="Resizes every image: the side of a square, or `WIDTHxHEIGHT`. Needed where the"
        " images of the source differ in size.",
        examples=[28, "64x48"],
    )
    class_: Annotated[
        Annotated[Label, Tag("one")] | Annotated[Labels, Tag("list")], Discriminator(_shape)
    ] = Field(
        alias="class",
        description="The class or classes: `3` gives the folders 3 and no3, `[3, 5]` a folder for"
        " each of them, `all` one for each class of the source. With `format: parquet` the order is"
        " that of the class numbers, so another order is another version.",
        examples=[3, [3, 5, 8], "all"],
    )
    samples: Annotated[
        Annotated[SampleCount, Tag("one")]
        | Annotated[AllSamples, Tag(ALL)]
        | Annotated[SampleCounts, Tag("by folder")],
        Discriminator(_shape_or_all),
    ] = Field(
        description="Images in each folder, all splits together, or `all` that the source has;"
        " or by folder.",
        examples=[100, "all", {"3": 100, "no3": 120}],
    )
    split_by: Literal["source"] | None = Field(
        None,
        description="`source` keeps the train and test sets that the source itself has: test images"
        " come from its test set, all others from its train set.",
    )
    test_size: SplitSize | None = Field(
        None,
        validate_default=True,
        description="How many of a folder's images are for test: a count, or a fraction (rounded"
        " up, as in scikit-learn); or by folder. Not needed with `split_by: source` and `samples:"
        " all`, which take the source's whole test set.",
        examples=[20, 0.2, {"3": 20, "no3": 0.25}],
    )
    validation_size: SplitSize | None = Field(
        None,
        description="How many of a folder's images are for validation, like `test_size`. Without it"
        " there is no validation set.",
        examples=[10, 0.1],
    )
    seed: int = Field(
        0,
        ge=0,
        lt=2**32,
        description="A different seed selects different images and splits. How many images of each"
        " class a folder such as no3 has does not depend on it, give or take a few.",
    )
    format: Format = Field(
        PNG,
        description="What `dataset/` holds: a file for each image (`png`, for all encodings), or"
        " Parquet files with many images each (`parquet`), for hundreds of thousands of images.",
    )
    encoding: EncodingName = Field(
        "png",
        description="What the file of an image is: an 8-bit PNG made of its pixels (`png`), or the"
        " file as it came, of any size, mode and format (`original`), for a source of your own.",
    )

    title: Annotated[str, Field(min_length=1, max_length=MAX_TITLE), QUOTED] | None = Field(
        None, description="The name of the dataset, for its card.", examples=["MNIST, 3 or not 3"]
    )
    description: Annotated[str, Field(min_length=1), QUOTED] | None = Field(
        None, description="What the dataset is for, for its card."
    )
    license: Annotated[str, Field(pattern=LICENSE_PATTERN), QUOTED] | None = Field(
        None,
        description="The license of the data, as in https://spdx.org/licenses/. That of the code is"
        " another.",
        examples=["CC-BY-SA-3.0"],
    )
    citation: Annotated[str, Field(min_length=1), QUOTED] | None = Field(
        None, description="How to cite the data, such as a BibTeX entry."
    )
    comparable_since: ReleaseTag | None = Field(
        None,
        description="The oldest release whose results compare with this version's. Without it, all"
        " releases must: a change after which they would not is refused.",
        examples=["v2"],
    )

    _document: Document = PrivateAttr(default=Document(CONFIG_FILE, {}, {}))

    def problem(self, at: Location, message: str) -> Problem:
        """Return a problem at a place of the file that this config was read from."""
        return self._document.problem(at, message)

    def record(self) -> dict[str, Any]:
        """Return the config as plain data, as a lock holds it."""
        # Locks of older machinery do not have these keys.
        default = {key for key in ("format", "encoding") if getattr(self, key) == PNG}
        return self.model_dump(by_alias=True, exclude_none=True, exclude=default)

    @field_validator("test_size", mode="before")
    @classmethod
    def _require_test_size(cls, value: object, info: ValidationInfo) -> object:
        # Only where the test set is the source's own does the size follow from the source. An
        # invalid value, which is not in the data here, may have been meant so.
        splits, samples = info.data.get("split_by", SOURCE), info.data.get("samples", ALL)
        if value is None and (splits, samples) != (SOURCE, ALL):
            raise PydanticKnownError("missing")
        return value

    @field_validator("encoding")
    @classmethod
    def _refuse_resized_files(cls, value: str, info: ValidationInfo) -> str:
        if value == ORIGINAL and info.data.get("image_size") is not None:
            raise ValueError("original files are not resized; remove image_size, or use png")
        return value

    @property
    def splits(self) -> tuple[Split, ...]:
        """The splits of the dataset."""
        return SPLITS if self.validation_size is not None else (TRAIN, TEST)

    @property
    def size(self) -> tuple[int, int] | None:
        """The (height, width) to which images are resized; None keeps theirs."""
        if self.image_size is None:
            return None
        width, _, height = str(self.image_size).partition("x")
        return int(height or width), int(width)

    def takes_all(self, folder: str) -> bool:
        """Return whether `folder` gets every image that the source has for it."""
        return bool(_of(self.samples, folder) == ALL)

    def fraction(self, split: Split, folder: str) -> Fraction | None:
        """Return the fraction of `folder` that is for test or validation.

        None where a count is given. It is the decimal number as written: 0.07 of 100 is 7, not the
        8 that floating point arithmetic gives.
        """
        size = self._size(split, folder)
        return Fraction(repr(size)) if isinstance(size, float) else None

    def sizes(self, folder: str, available: int = 0) -> Sizes:
        """Return how many of `folder`'s images are in each split.

        `available` is how many the source has for it, which is needed for `samples: all`. A test
        fraction is rounded up, as in scikit-learn's `train_test_split`. A validation fraction g
        beside a test fraction f is g / (1 - f) of what is not for test, so that rounding never
        moves a sample. Sizes that leave none for train give 0 or less for it.
        """
        samples = _of(self.samples, folder)
        count = available if samples == ALL else samples
        of_test = self.fraction(TEST, folder)
        test = self._size(TEST, folder) or 0 if of_test is None else math.ceil(of_test * count)
        of_validation = self.fraction(VALIDATION, folder)
        if of_validation is None:
            validation = self._size(VALIDATION, folder) or 0
        elif of_test is None:
            validation = math.ceil(of_validation * count)
        else:
            validation = math.ceil(of_validation / (1 - of_test) * (count - test))
        return Sizes(count - validation - test, validation, test)

    def _size(self, split: Split, folder: str) -> Any:
        return _of(self.test_size if split == TEST else self.validation_size, folder)


def _of(setting: Any, folder: str) -> Any:
    return setting[folder] if isinstance(setting, dict) else setting


class InvalidConfigError(InputError):
    """The config is invalid.

    `valid_part` is the config without its problems, so that the rest of it can be checked too; None
    where too little is left.
    """

    def __init__(self, problems: Iterable[Problem], valid_part: Config | None) -> None:
        """Keep both."""
        super().__init__(problems)
        self.valid_part = valid_part


# A run that looks at all releases meets the same configs again and again.
@cache
def parse(content: bytes, context: str | None = None) -> Config:
    """Return the config that `content` holds.

    Raises `InputError` with every problem in it, where possible as `InvalidConfigError`.
    """
    document = strict_yaml.load(content, CONFIG_FILE, is_text=_is_text)
    try:
        config = Config.model_validate(document.data, context=context)
    except ValidationError as error:
        problems = wording.problems(error, document, Config)
        raise InvalidConfigError(problems, _valid_part(document, error)) from None
    config._document = document
    return config


def parse_recorded(content: bytes, recorded: Mapping[str, Any] | None) -> Config:
    """Return the config that `content` holds, which a lock records as `recorded`, if there is one.

    Locks are older than the rule that a number names a class as it is written. Raises as `parse`
    does.
    """
    if recorded is not None:
        for context in (None, AS_NUMBERS):
            with suppress(InputError):
                if (config := parse(content, context)).record() == recorded:
                    return config
    return parse(content)


def _is_text(at: Location) -> bool:
    is_folder = len(at) == len(("samples", "3", KEY)) and at[-1] == KEY
    return at[0] in BY_FOLDER if is_folder else at[0] in TEXTS


def _valid_part(document: Document, error: ValidationError) -> Config | None:
    """Return the config with values that cause no problem in place of those that do.

    There is none without a valid source.
    """
    invalid: dict[str, list[tuple[int | str, ...]]] = {}
    for detail in error.errors():
        invalid.setdefault(str(detail["loc"][0]), []).append(detail["loc"][1:])
    values: dict[str, Any] = {
        key: value for key, value in STAND_INS.items() if key in document.data or key in REQUIRED
    }
    for key, value in document.data.items():
        if "class" in invalid and key in ("samples", *SPLIT_SIZES):
            # Which folders they are for, and how many images those have, is not known.
            continue
        if isinstance(key, str) and key not in invalid:
            values[key] = value
        elif folders := _invalid_folders(invalid.get(key, [])):
            values[key] = value | dict.fromkeys(folders, values[key])
    if "samples" in invalid:
        # Whether the size of a split is too large depends on the samples that it is a part of.
        for key in SPLIT_SIZES & values.keys():
            sizes = values[key]
            values[key] = dict.fromkeys(sizes, 1) if isinstance(sizes, dict) else 1
    try:
        config = Config.model_validate(values)
    except ValidationError:
        return None
    config._document = document
    return config


def _invalid_folders(places: list[tuple[int | str, ...]]) -> list[int | str]:
    """Return the folders whose values are invalid; none where the mapping itself is."""
    if any(len(place) != FOLDER_PLACE or place[-1] == KEY for place in places):
        return []
    return [place[1] for place in places]


def json_schema() -> str:
    """Return the JSON Schema with which editors complete and check the config."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **Config.model_json_schema(by_alias=True),
    }
    return json.dumps(schema, indent=2) + "\n"
