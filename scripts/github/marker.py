"""The hidden marker of a comment, with the data that later runs need."""

import json
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from scripts.review.report import Report, Stored
from scripts.review.report_types import Name, Tag

PREFIX, SUFFIX = "<!-- dataset-report ", " -->"
# Separates a note about the comment from the report itself.
BODY = "<!-- report -->\n"
# Separates the report from its picture.
PICTURE = "<!-- picture -->\n"
# Separates the section with the candidate.
CANDIDATE = "<!-- candidate -->\n"
SCHEMA = 1


class Marker(BaseModel):
    """The data of a comment that later runs need.

    The comment shows that the merge would publish `version` with the manifest `md5`, compared with
    the release `against`; without `changed` it would publish nothing. `sheet` is the address of the
    contact sheet, or of the run that has it; `stored` says whether the files are in the remote.
    `candidate` is the manifest of its candidate.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    schema_: Annotated[int, Field(alias="schema", ge=1, le=SCHEMA)] = SCHEMA
    version: Tag | None = None
    against: Name | None = None
    changed: bool = False
    md5: str | None = None
    sheet: str | None = None
    stored: Stored | None = None
    candidate: str | None = None


def marker_of(report: Report, sheet: str | None) -> Marker:
    """Return the marker of the comment that shows `report`."""
    plan = report.plan
    if plan is None:
        return Marker(sheet=sheet)
    return Marker(
        version=plan.version,
        against=plan.against,
        changed=plan.changed,
        md5=plan.md5,
        sheet=sheet,
        stored=report.stored,
    )


def compose(marker: Marker, body: str, note: str = "") -> str:
    """Return the text of a comment: marker, note and body."""
    data = json.dumps(marker.model_dump(by_alias=True, exclude_none=True))
    # Nothing in it may end the HTML comment early.
    data = data.replace("<", "\\u003c").replace(">", "\\u003e").replace("--", "-\\u002d")
    return f"{PREFIX}{data}{SUFFIX}\n{note}{BODY}{body}"


def with_candidate(text: str, md5: str, section: str) -> str:
    """Return a comment with `section`, the command that gets the candidate `md5`.

    A comment that shows a different dataset is returned unchanged.
    """
    known, body = parse(text)
    if known is None or known.md5 != md5:
        return text
    report = body.partition(CANDIDATE)[0]
    marked = known.model_copy(update={"candidate": md5})
    return compose(marked, f"{report}{CANDIDATE}{section}")


def with_picture(text: str, md5: str, section: str) -> str:
    """Return a comment with `section`, which shows a picture of the dataset `md5`.

    A comment that shows a different dataset is returned unchanged.
    """
    known, body = parse(text)
    if known is None or known.md5 != md5:
        return text
    before, separator, candidate = body.partition(CANDIDATE)
    report = before.partition(PICTURE)[0]
    return compose(known, f"{report}{PICTURE}{section}{separator}{candidate}")


def carry_candidate(old: str, new: str) -> str:
    """Return the comment `new` with the candidate of `old`, if both show the same dataset."""
    known, body = parse(old)
    section = body.partition(CANDIDATE)[2]
    return with_candidate(new, known.candidate, section) if known and known.candidate else new


def is_report(text: str) -> bool:
    """Return whether `text` is a comment that this project wrote."""
    return text.startswith(PREFIX)


def is_newer(text: str) -> bool:
    """Return whether this comment was written by newer code, so it must not be changed."""
    first = text.partition("\n")[0].strip()
    try:
        data = json.loads(first.removeprefix(PREFIX).removesuffix(SUFFIX))
    except ValueError:
        return False
    schema = data.get("schema") if isinstance(data, dict) else None
    return isinstance(schema, int) and schema > SCHEMA


def parse(text: str) -> tuple[Marker | None, str]:
    """Return the marker and the body of a comment.

    The marker is None where it is damaged, or holds data of a newer version.
    """
    # Editing in a browser changes line endings.
    text = text.replace("\r\n", "\n")
    first, _, rest = text.partition("\n")
    body = rest.partition(BODY)[2] or rest
    try:
        data = first.removeprefix(PREFIX).removesuffix(SUFFIX)
        return Marker.model_validate_json(data), body
    except ValidationError:
        return None, body
