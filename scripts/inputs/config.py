"""The config: what `dataset_config.yaml` can say, the dataset that people ask for."""

import math
from fractions import Fraction
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, Tag, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from scripts.inputs.config_values import (
    ALL,
    SIZE,
    Column,
    Conditions,
    ImageSize,
    Label,
    Labels,
    License,
    ReleaseTag,
    SampleCounts,
    SmallClasses,
    SourceName,
    SplitSize,
    Text,
    Title,
    ValidationSize,
    by_shape,
    shape,
)
from scripts.inputs.paths import CONFIG_FILE
from scripts.inputs.policy import Policy
from scripts.inputs.problems import Problem
from scripts.inputs.strict_yaml import Document, Location

# The value of `split_by`.
SOURCE = "source"
FRACTIONS = "with group_by, expected one fraction such as 0.2, because a group can be in any folder"
# The values of `format`.
Format = Literal["png", "parquet"]
PNG: Format = "png"
PARQUET: Format = "parquet"
# The values of `encoding`.
EncodingName = Literal["png", "original"]
ORIGINAL: EncodingName = "original"
# The keys that say how large a split is.
SPLIT_SIZES = {"test_size", "validation_size"}

Split = Literal["train", "validation", "test"]
TRAIN: Split = "train"
VALIDATION: Split = "validation"
TEST: Split = "test"
SPLITS: tuple[Split, ...] = (TRAIN, VALIDATION, TEST)


class Sizes(NamedTuple):
    """The number of images of a folder in each split."""

    train: int
    validation: int
    test: int


class Config(BaseModel):
    """The config of a dataset."""

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

    source: SourceName = Field(
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
        description="Resizes every image: the side of a square, or `WIDTHxHEIGHT`.",
        examples=[28, "64x48"],
    )
    label_by: Column | None = Field(
        None,
        description="The column of metadata that holds the label, in place of the source's label.",
        examples=["species"],
    )
    where: Conditions | None = Field(
        None,
        description="Only samples that have this value, or one of these, in a column of metadata.",
        examples=[{"view": ["PA", "AP"]}],
    )
    group_by: Column | None = Field(
        None,
        description="The column of metadata with the group, all of whose samples are in one split.",
        examples=["patient"],
    )
    class_: Annotated[
        Annotated[Label, Tag("one")] | Annotated[Labels, Tag("list")],
        by_shape(shape, "expected one value or a list"),
    ] = Field(
        alias="class",
        description="The class or classes: `3` gives the folders 3 and no3, `[3, 5]` a folder for"
        " each of them, `all` one for each class of the source. With `format: parquet` the order is"
        " that of the class numbers, so another order is another version.",
        examples=[3, [3, 5, 8], "all"],
    )
    samples: SampleCounts = Field(
        description="Images in each folder, all splits together, or `all`; or by folder.",
        examples=[100, "all", {"3": 100, "no3": 120}],
    )
    split_by: Literal["source"] | None = Field(
        None,
        description="`source` keeps the train and test sets of the source.",
    )
    test_size: SplitSize | None = Field(
        None,
        validate_default=True,
        description="The test images of each folder: a count, or a fraction (rounded"
        " up, as in scikit-learn); or by folder. Not needed with `split_by: source` and `samples:"
        " all`, which take the source's whole test set.",
        examples=[20, 0.2, {"3": 20, "no3": 0.25}],
    )
    validation_size: ValidationSize | None = Field(
        None,
        description="The validation images of each folder, like `test_size`. The default is no "
        "validation set. With `split_by: source`, `all` takes the validation set of the source.",
        examples=[10, 0.1],
    )
    small_classes: SmallClasses | None = Field(
        None,
        description="`train` accepts classes with too few images for test or validation: they have"
        " none there, and always some in train. Needs `samples: all` and fractions.",
    )
    seed: int = Field(
        0,
        ge=0,
        lt=2**32,
        description="A different seed selects different images and splits. The number of images of "
        "each class in a folder such as no3 stays the same, up to a few images.",
        examples=[7],
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

    title: Title | None = Field(
        None, description="The name of the dataset, for its card.", examples=["MNIST, 3 or not 3"]
    )
    description: Text | None = Field(None, description="What the dataset is for, for its card.")
    license: License | None = Field(
        None,
        description="The license of the data, as in https://spdx.org/licenses/. It is not the "
        "license of the code.",
        examples=["CC-BY-SA-3.0"],
    )
    citation: Text | None = Field(None, description="How to cite the data, such as a BibTeX entry.")
    comparable_since: ReleaseTag | None = Field(
        None,
        description="The oldest release with which this version must be comparable; the default is "
        "the first one. A change that would not be comparable is refused.",
        examples=["v2"],
    )
    require: Policy | None = Field(
        None,
        description="What every version must meet; a change that does not is refused. A change of"
        " these rules alone makes no version.",
    )

    _document: Document = PrivateAttr(default=Document(CONFIG_FILE, {}, {}))

    def problem(self, at: Location, message: str) -> Problem:
        """Return a problem at a place in the file of this config."""
        return self._document.problem(at, message)

    def record(self) -> dict[str, Any]:
        """Return the config as plain data, as a lock holds it."""
        # Locks of older machinery do not have these keys.
        default = {key for key in ("format", "encoding") if getattr(self, key) == PNG}
        return self.model_dump(by_alias=True, exclude_none=True, exclude=default)

    @field_validator("test_size", mode="before")
    @classmethod
    def _require_test_size(cls, value: object, info: ValidationInfo) -> object:
        # The size follows from the source only with `split_by: source`. An invalid value is not in
        # the data here, and could have been that.
        splits, samples = info.data.get("split_by", SOURCE), info.data.get("samples", ALL)
        if value is None and (splits, samples) != (SOURCE, ALL):
            raise PydanticCustomError("missing", SIZE)
        return value

    @field_validator("split_by")
    @classmethod
    def _refuse_two_splits(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is not None and info.data.get("group_by") is not None:
            raise PydanticCustomError("split_by", "with group_by, the groups decide the splits")
        return value

    @field_validator("validation_size")
    @classmethod
    def _require_own_sets(cls, value: object, info: ValidationInfo) -> object:
        if value == ALL and info.data.get("split_by") != SOURCE:
            raise PydanticCustomError("all", f"{SIZE}; `all` needs split_by: source")
        return value

    @field_validator("test_size", "validation_size")
    @classmethod
    def _require_fractions(cls, value: object, info: ValidationInfo) -> object:
        is_grouped = info.data.get("group_by") is not None
        if value is not None and is_grouped and not isinstance(value, float):
            raise PydanticCustomError("fraction", FRACTIONS)
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
        """The (height, width) to which images are resized; None for no resizing."""
        if self.image_size is None:
            return None
        width, _, height = str(self.image_size).partition("x")
        return int(height or width), int(width)

    def takes_all(self, folder: str) -> bool:
        """Return whether `folder` gets all images of the source."""
        return bool(_of(self.samples, folder) == ALL)

    def fraction(self, split: Split, folder: str) -> Fraction | None:
        """Return the fraction of `folder` that is for test or validation.

        None if a count is given. It is the decimal number as written: 0.07 of 100 is 7, not the 8
        that floating point arithmetic gives.
        """
        size = self._size(split, folder)
        return Fraction(repr(size)) if isinstance(size, float) else None

    def sizes(self, folder: str, available: int = 0) -> Sizes:
        """Return the number of images of `folder` in each split.

        `available` is the number of its images in the source, which is needed for `samples: all`. A
        test fraction is rounded up, as in scikit-learn's `train_test_split`. A validation fraction
        g with a test fraction f is g / (1 - f) of the images that are not for test, so that
        rounding never moves a sample. If the sizes leave none for train, its number is 0 or less.
        """
        samples = _of(self.samples, folder)
        count = available if samples == ALL else samples
        of_test = self.fraction(TEST, folder)
        test = self._size(TEST, folder) or 0 if of_test is None else math.ceil(of_test * count)
        of_validation = self.fraction(VALIDATION, folder)
        if self.validation_size == ALL:
            validation = 0  # the source says how many
        elif of_validation is None:
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
