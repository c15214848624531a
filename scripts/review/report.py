"""A report: the plan or the problems of a change, as plain data of limited size."""

from operator import attrgetter
from typing import Annotated, Literal

from pydantic import Field

from scripts.errors import UserError
from scripts.inputs.config import Split
from scripts.inputs.problems import InputError
from scripts.inputs.strict_record import StrictRecord
from scripts.review.report_accuracy import ReportedProbe
from scripts.review.report_copies import ChangedCopies
from scripts.review.report_insight import ReportedPolicy, ReportedSuspects
from scripts.review.report_samples import MAX_LISTED, NearDuplicates, ReportedPlace, ReportedSample
from scripts.review.report_types import Folder, Identifier, Label, Name, Number, Tag, bounded
from scripts.storage import faults

# Machinery-1.0.0 wrote 1; those between were never released.
SCHEMA = 9
MAX_PROBLEMS = 1_000
MAX_MESSAGE = 300
MAX_PATH = 300
# Decisions of the curation.
MAX_CURATED = 200
MAX_REASON = 120


Message = Annotated[str, Field(max_length=MAX_MESSAGE)]
Stored = Literal["yes", "no", "failed"]
Reason = Annotated[str, Field(max_length=MAX_REASON)]


class ClassCount(StrictRecord):
    """The number of images of one split and class, before and after."""

    split: Split
    folder: Folder = Field(alias="class")
    before: Number
    after: Number


class SampleChange(StrictRecord):
    """How single samples differ; see `versions.diff.SampleDiff`."""

    before: Number = 0
    added: Number
    removed: Number
    test_removed: Number = 0
    relabeled: Number
    to_train: Number
    to_test: Number


class Bytes(StrictRecord):
    """The size of all files before and after, and what the remote gains.

    `after` is None if there are too many files to make before the merge.
    """

    before: Number
    after: Number | None
    new: Number | None


class Leaks(StrictRecord):
    """A leak with one or more releases; see `releases.leaks.Leak`."""

    tags: Annotated[list[Tag], Field(min_length=1, max_length=10_000)]
    from_test: Number
    from_train: Number
    is_new: bool = True
    refused: bool = True


class ReportedChange(StrictRecord):
    """A decision that is new, has changed, or was removed; see `versions.curated`.

    `label` is that in the source, empty if unknown. A `before` or `after` of None means that the
    sample is not in the dataset.
    """

    sample: Identifier
    action: Literal["exclude", "relabel", "train", "validation", "test"]
    change: Literal["new", "changed", "removed"]
    label: Label
    new_label: Label
    before: ReportedPlace | Literal["unknown"] | None
    after: ReportedPlace | Literal["unknown"] | None
    reason: Reason


class Curated(StrictRecord):
    """What changes in the curation: the first decisions, how many more, and of how many samples.

    `relabeled` are the numbers of images whose class changes, by split.
    """

    samples: Number = 0
    relabeled: dict[Split, Number] = {}
    changes: Annotated[list[ReportedChange], Field(max_length=MAX_CURATED)] = []
    more: Number = 0


class LeftOut(StrictRecord):
    """A curated sample, or an addition, that is left out because there is no class for its label.

    `why` is the action that would add it, or the relabel that removed it.
    """

    sample: Identifier
    label: Label
    why: Literal["relabel", "train", "validation", "test", "addition"]


class SmallClasses(StrictRecord):
    """The classes that have too few images for a split, the first ones by name.

    `only_train` is whether all of their images are in train.
    """

    split: Split
    count: Number
    names: Annotated[list[Label], Field(max_length=MAX_LISTED)]
    only_train: bool


class LikelyGroupsFact(StrictRecord):
    """A column that looks like groups, and how many of its values are in train and elsewhere."""

    column: Label
    on_both_sides: Number


class Selected(StrictRecord):
    """What reviewers cannot see from the counts alone.

    The number of counts that differ from the config because of relabels; the numbers of `pins` and
    `additions`; samples that are left out, the first ones by name; images with two labels; rows
    that are exact copies of others. With groups: their number in each split, and the images that
    wait, because their group is for a split that has enough. `without_value` are the samples that
    have no value in a column that the config names. `small` are classes without images in a split.
    `likely_groups` is only searched when the source is new or has grown.
    """

    relabeled_counts: Number = 0
    pins: Number = 0
    additions: Number = 0
    left_out: Annotated[list[LeftOut], Field(max_length=MAX_LISTED)] = []
    more_left_out: Number = 0
    ambiguous: Number = 0
    copies: Number = 0
    groups: dict[Split, Number] = {}
    waiting: dict[Split, Number] = {}
    without_value: Annotated[dict[Label, Number], Field(max_length=MAX_LISTED)] = {}
    small: Annotated[list[SmallClasses], Field(max_length=2)] = []
    likely_groups: LikelyGroupsFact | None = None


class Promotion(StrictRecord):
    """What a change of `releases.yaml` does; see `versions.declared.Change`."""

    before: Tag | None
    after: Tag | None
    withdrawn: Annotated[list[Tag], Field(max_length=10_000)]
    restored: Annotated[list[Tag], Field(max_length=10_000)]


class Plan(StrictRecord):
    """What a change would do, compared with the version `against` (None: it is the first).

    `comparable` are the releases with which it is comparable, `incomparable` the others; both are
    empty for the first version, and `comparable` is None if it was not computed. `unknown` are
    releases whose images could not be read. `resized` means that the images have a different size
    than before. `placed_leaks` are leaks of pinned images and additions. `promotion` is the change
    of existing releases. `probe` is what a nearest-neighbor classifier says, `model` what the
    predictions of the team's own model say; None if there is nothing to compare. `suspects`,
    `changed_copies` and `policy` are None without a search and without rules. `curated`, `selected`
    and `near_duplicates` are None if unknown. `md5` is None if the files are made only after the
    merge.
    """

    version: Tag
    against: Name | None
    changed: bool
    counts: Annotated[list[ClassCount], Field(max_length=20_000)]
    samples: SampleChange | None
    bytes: Bytes
    md5: Annotated[str, Field(pattern=r"^[0-9a-f]{32}\.dir$")] | None
    source_changed: bool
    seed_changed: bool = False
    rule_changed: bool = False
    resized: bool = False
    comparable: Annotated[list[Tag], Field(max_length=10_000)] | None = None
    incomparable: Annotated[list[Tag], Field(max_length=10_000)] = []
    leaks: Annotated[list[Leaks], Field(max_length=10_000)] = []
    placed_leaks: Annotated[list[ReportedSample], Field(max_length=MAX_LISTED)] = []
    unknown: Annotated[list[Tag], Field(max_length=10_000)] = []
    curated: Curated | None = Curated()
    selected: Selected | None = None
    near_duplicates: NearDuplicates | None = None
    changed_copies: ChangedCopies | None = None
    promotion: Promotion | None = None
    probe: ReportedProbe | None = None
    suspects: ReportedSuspects | None = None
    policy: ReportedPolicy | None = None
    model: ReportedProbe | None = None


class ReportedProblem(StrictRecord):
    """One problem, and its place if it is in a file."""

    file: Annotated[str, Field(min_length=1, max_length=MAX_PATH)] | None
    line: Number
    column: Number
    message: Message


class Report(StrictRecord):
    """What reviewers see: a plan, or the problems because of which there is none.

    `stored` says whether the files are in the remote: `no` if they are pushed after the merge.
    `no_bucket` means that the remote is still the folder of the template. `onto_main` says whether
    the pull request targets main, `commits` is the number of commits that change the dataset.
    """

    schema_: Annotated[int, Field(alias="schema", ge=1, le=SCHEMA)] = SCHEMA
    plan: Plan | None = None
    problems: Annotated[list[ReportedProblem], Field(max_length=MAX_PROBLEMS)] = []
    stored: Stored | None = None
    no_bucket: bool = False
    onto_main: bool = True
    commits: Number = 1


def problems(error: UserError) -> list[ReportedProblem]:
    """Return the problems in `error`."""
    if not isinstance(error, InputError):
        return [
            ReportedProblem(file=None, line=0, column=0, message=bounded(str(error), MAX_MESSAGE))
        ]
    return [
        ReportedProblem.model_validate(
            {
                "file": bounded(file, MAX_PATH),
                "line": mark.line,
                "column": mark.column,
                "message": bounded(message, MAX_MESSAGE),
            }
        )
        for file, mark, message in faults.kinds_first(
            error.problems, attrgetter("message"), MAX_PROBLEMS
        )[:MAX_PROBLEMS]
    ]
