"""The policy: what a config requires of every change, below `require`."""

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from scripts.inputs.config_values import License
from scripts.inputs.wording import says

NONE = "none"
AT_MOST = "expected `none` or the largest number that is accepted, such as 5"


def _as_number(value: object) -> object:
    return 0 if value == NONE else value


_AtLeast = Annotated[int, Field(ge=1, le=10**9)]
_AtMost = Annotated[
    int,
    BeforeValidator(_as_number),
    Field(ge=0, le=10**9),
    WithJsonSchema({"anyOf": [{"const": NONE}, {"type": "integer", "minimum": 0}]}),
    says(AT_MOST),
]


class Policy(BaseModel):
    """The rules of a config; one that is None is not checked."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, title="Policy")

    min_per_class: _AtLeast | None = Field(
        None,
        description="The images that each class has at least, all splits together.",
        examples=[100],
    )
    min_test_per_class: _AtLeast | None = Field(
        None,
        description="The images that each class has at least in the test set.",
        examples=[20],
    )
    max_imbalance: Annotated[float, Field(ge=1, allow_inf_nan=False)] | None = Field(
        None,
        description="How many times as large as the smallest class the largest one can be.",
        examples=[3],
    )
    removed_test_images: _AtMost | None = Field(
        None,
        description="The test images that a change can remove: `none`, or a number.",
        examples=[NONE],
    )
    near_duplicates: _AtMost | None = Field(
        None,
        description="The near-duplicates on both sides of the split that a change can bring:"
        " `none`, or a number of pairs.",
        examples=[NONE],
    )
    changed_copies: _AtMost | None = Field(
        None,
        description="The test and validation images that look like a train image of this or a"
        " comparable version, and that a change can bring: `none`, or a number.",
        examples=[NONE],
    )
    suspects: _AtMost | None = Field(
        None,
        description="The new images whose label the most similar images contradict: `none`, or a"
        " number.",
        examples=[5],
    )
    probe_drop: Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)] | None = Field(
        None,
        description="How many points the accuracy of the probe can fall, on the test images that"
        " both versions have.",
        examples=[1.0],
    )
    licenses: Annotated[list[License], Field(min_length=1)] | None = Field(
        None,
        description="The licenses that `license` can name.",
        examples=[["CC0-1.0", "MIT"]],
    )
