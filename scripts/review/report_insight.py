"""What a report says about suspects and the policy."""

from typing import Annotated

from pydantic import Field

from scripts.dataset.dataset import Dataset
from scripts.inputs.config import Split
from scripts.inputs.strict_record import StrictRecord
from scripts.insight.policy_check import PolicyResult
from scripts.insight.suspects import Suspects
from scripts.review.report_types import Folder, Identifier, Label, Number, bounded

# The suspects that a comment lists.
MAX_SUSPECTS = 20
MAX_RULES = 50
MAX_FOUND = 300

Rule = Annotated[str, Field(pattern="^[a-z_]{1,40}$")]
Rules = Annotated[
    dict[Rule, Annotated[str, Field(max_length=MAX_FOUND)]], Field(max_length=MAX_RULES)
]


class ReportedSuspect(StrictRecord):
    """A sample whose label others contradict; see `insight.suspects.Suspect`."""

    sample: Identifier
    split: Split
    folder: Folder = Field(alias="class")
    label: Label
    suggested: Label
    own: Number
    other: Number


class ReportedSuspects(StrictRecord):
    """The suspects among the added images, the worst first; see `insight.suspects.Suspects`.

    Unless they are `is_telling`, none are listed.
    """

    judged: Number
    count: Number
    small: Number = 0
    is_complete: bool = True
    is_telling: bool = True
    contradicted: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] = 0.0
    worst: Annotated[list[ReportedSuspect], Field(max_length=MAX_SUSPECTS)] = []


class ReportedPolicy(StrictRecord):
    """The rules that are met, and the others, each with what was found or why it is unchecked."""

    met: Annotated[list[Rule], Field(max_length=MAX_RULES)] = []
    broken: Rules = {}
    unchecked: Rules = {}


def reported_suspects(dataset: Dataset, found: Suspects) -> ReportedSuspects:
    """Return the suspects of `dataset` as data of limited size."""
    places, images = dataset.selection.places(), dataset.images
    return ReportedSuspects(
        judged=found.judged,
        count=found.count,
        small=found.small,
        is_complete=found.is_complete,
        is_telling=found.is_telling,
        contradicted=round(found.contradicted, 3),
        worst=[
            ReportedSuspect.model_validate(
                {
                    **{"sample": images.identifier(one.row), "label": one.label},
                    **{"split": places[one.row][0], "class": places[one.row][1]},
                    **{"suggested": one.suggested, "own": one.own, "other": one.other},
                }
            )
            for one in (found.worst_of_all(MAX_SUSPECTS) if found.is_telling else ())
        ],
    )


def reported_policy(checked: PolicyResult) -> ReportedPolicy:
    """Return what was checked as data of limited size."""
    return ReportedPolicy(
        met=checked.met,
        broken={rule: bounded(text, MAX_FOUND) for rule, text in checked.broken.items()},
        unchecked=checked.unchecked,
    )
