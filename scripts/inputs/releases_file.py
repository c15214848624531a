"""`releases.yaml`: the stable release and the withdrawn ones."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, StringConstraints, ValidationError

from scripts.inputs import strict_yaml, wording
from scripts.inputs.config_values import QUOTED, ReleaseTag
from scripts.inputs.paths import RELEASES_FILE
from scripts.inputs.problems import InputError, Problem
from scripts.inputs.strict_yaml import Document, Location
from scripts.inputs.wording import says

MAX_REASON = 200

Reason = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_REASON),
    says("expected a reason such as 'seven wrong labels'", "string_type"),
    says("the reason must not be empty", "string_too_short"),
    says(f"the reason must have at most {MAX_REASON} characters", "string_too_long"),
    QUOTED,
]
Reasons = Annotated[
    dict[ReleaseTag, Reason],
    says("expected a reason for each tag, such as {v2: seven wrong labels}", "dict_type"),
]


class ReleasesFile(BaseModel):
    """The content of `releases.yaml`: `stable` is recommended, `withdrawn` has reasons by tag."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    stable: ReleaseTag | None = Field(None, examples=["v3"])
    withdrawn: Reasons = Field({}, examples=[{"v2": "seven wrong labels"}])

    _document: Document = PrivateAttr(default=Document(RELEASES_FILE, {}, {}))

    def problem(self, at: Location, message: str) -> Problem:
        """Return a problem at a place in the file."""
        return self._document.problem(at, message)


def parse(content: bytes | None) -> ReleasesFile:
    """Return the parsed `content`; empty without a file.

    Raises `InputError` with every problem in it.
    """
    if content is None:
        return ReleasesFile()
    document = strict_yaml.load(content, RELEASES_FILE, example="stable: v3", is_text=_is_reason)
    try:
        parsed = ReleasesFile.model_validate(document.data)
    except ValidationError as error:
        raise InputError(wording.problems(error, document, ReleasesFile)) from None
    parsed._document = document
    return parsed


def _is_reason(at: Location) -> bool:
    return at[0] == "withdrawn" and len(at) == len(("withdrawn", "v2"))
