"""Parses issues that were opened with the form "Report samples".

Anybody can write an issue, so every value is checked and limited in size.
"""

import re
from dataclasses import dataclass, field
from typing import NamedTuple

from scripts.curation.proposals import Proposal
from scripts.errors import printable
from scripts.inputs.config import TEST
from scripts.inputs.curation import EXCLUDE, RELABEL, identifier_in

# As in .github/ISSUE_TEMPLATE/samples.yml. GitHub makes each label a heading of the issue.
SAMPLES, SUGGESTION, REASON = "Samples", "Suggestion", "What is wrong"
ACTIONS = {"move to test": TEST, "relabel": RELABEL, "exclude": EXCLUDE}
ADD = "add"
SUGGESTIONS = (*ACTIONS, ADD)
NO_ANSWER = "_No response_"

MAX_CHARACTERS = 65_536
MAX_SAMPLES = 100
MAX_LABEL = 100
MAX_REASON = 200
MAX_SHOWN = 60
NO_LABEL = "this is not a valid label"
# The address of an image in a bucket, without wildcards, and a label.
IMAGE = re.compile(r"(gs://[^*?\[\]{}]{1,400}?\.\w{3,4})\s+(.+)")


class Wrong(NamedTuple):
    """An invalid part of the issue, as shown, and the reason."""

    shown: str
    why: str


class ReportedImage(NamedTuple):
    """An image in a bucket that the source does not have, and its label."""

    address: str
    label: str


@dataclass(frozen=True)
class Form:
    """The proposals in an issue, the images to add, and its problems."""

    proposals: list[Proposal] = field(default_factory=list)
    images: list[ReportedImage] = field(default_factory=list)
    wrong: list[Wrong] = field(default_factory=list)


def parse(body: str, number: int) -> Form:
    """Return the proposals in the text `body` of the issue `number`."""
    if len(body) > MAX_CHARACTERS:
        message = f"it has {len(body):,} characters; at most {MAX_CHARACTERS:,} are read"
        return Form(wrong=[Wrong("the issue", message)])
    parts = _sections(body.replace("\r\n", "\n"))
    if parts is None:
        return Form(wrong=[Wrong("the issue", 'it was not opened with the form "Report samples"')])
    listed, suggestion, reason = parts
    lines = [line.strip() for line in listed.split("\n") if line.strip()]
    reason = "" if reason == NO_ANSWER else " ".join(reason.split())
    if wrong := _wrong_as_a_whole(lines, suggestion, reason):
        return Form(wrong=wrong)
    if suggestion == ADD:
        return _images(lines)
    action = ACTIONS[suggestion]
    because = f"reported in #{number}" + (f": {reason}" if reason else "")
    form = Form()
    for line in lines:
        sample, *rest = line.split()
        identifier = identifier_in(sample)
        if why := _wrong_line(identifier, rest, action):
            form.wrong.append(Wrong(printable(line)[:MAX_SHOWN], why))
        elif identifier:
            form.proposals.append(Proposal(identifier, action, "".join(rest), reason=because))
    return form


def _images(lines: list[str]) -> Form:
    """Return the images in `lines`: the address of each, then its label."""
    form = Form()
    for line in lines:
        found = IMAGE.fullmatch(line)
        if found is None or not line.isprintable():
            why = "to add it, expected the address of one image and its label: gs://photos/1.png 9"
        elif len(found[2]) > MAX_LABEL:
            why = NO_LABEL
        else:
            form.images.append(ReportedImage(found[1], found[2]))
            continue
        form.wrong.append(Wrong(printable(line)[:MAX_SHOWN], why))
    return form


def _sections(body: str) -> tuple[str, str, str] | None:
    """Return the answers in the order of the form, None if headings are missing."""
    answers, rest = [], f"\n{body}"
    for heading in (SAMPLES, SUGGESTION, REASON):
        before, found, rest = rest.partition(f"\n### {heading}\n")
        if not found:
            return None
        answers.append(before.strip())
    nothing, listed, suggestion = answers
    return None if nothing else (listed, suggestion, rest.strip())


def _wrong_as_a_whole(lines: list[str], suggestion: str, reason: str) -> list[Wrong]:
    wrong = []
    if not lines or len(lines) > MAX_SAMPLES:
        message = f"expected 1 to {MAX_SAMPLES} lines, found {len(lines):,}"
        wrong.append(Wrong(SAMPLES, message))
    if suggestion not in SUGGESTIONS:
        wrong.append(Wrong(SUGGESTION, f"expected {', '.join(SUGGESTIONS)}"))
    if not reason.isprintable():
        wrong.append(Wrong(REASON, "it has a character that cannot be printed"))
    if len(reason) > MAX_REASON:
        wrong.append(Wrong(REASON, f"at most {MAX_REASON} characters are allowed"))
    return wrong


def _wrong_line(identifier: str | None, rest: list[str], action: str) -> str | None:
    if identifier is None:
        return "expected the name of a file of the dataset, such as 00058"
    if action == RELABEL and len(rest) != 1:
        return "to relabel, expected the sample and its correct label, such as 60947 9"
    if action != RELABEL and rest:
        return "expected one sample per line; only a relabel has a label after the sample"
    if any(len(label) > MAX_LABEL or not label.isprintable() for label in rest):
        return NO_LABEL
    return None
