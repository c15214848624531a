"""Proposed decisions for the curation, checked against the source and the releases."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from scripts.curation.samples import Samples
from scripts.dataset.dataset import Dataset
from scripts.dataset.folders import first_names
from scripts.inputs import curation
from scripts.inputs.config import TEST, TRAIN
from scripts.inputs.curation import EXCLUDE, RELABEL, Decision
from scripts.sources.source import classes


class Proposal(NamedTuple):
    """A proposed decision: to exclude, to relabel, or to test.

    `label` is the given label of the sample, or its class in the dataset; `predicted` is the
    prediction of a model. Missing values are empty. `line` is the line in the file.
    """

    sample: str
    action: str
    new_label: str = ""
    label: str = ""
    predicted: str = ""
    reason: str = ""
    line: int = 0


class Refusal(NamedTuple):
    """A rejected proposal and the reason.

    `is_tested` means that the sample is in the test set already.
    """

    proposal: Proposal
    why: str
    is_tested: bool = False


@dataclass(frozen=True)
class Checked:
    """Decisions to add to the curation, and refused proposals, each in the order given.

    `tested` are the proposed rows that are, or will be, in the test set.
    """

    decisions: list[Decision] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    tested: list[int] = field(default_factory=list)


def check(samples: Samples, proposals: Iterable[Proposal]) -> Checked:
    """Return the decisions for the valid `proposals`, and the refused ones.

    Raises `UserError` if a release that matters cannot be read.
    """
    checked = Checked()
    added: dict[int, list[Decision]] = {}
    for proposal in proposals:
        row = samples.source.find(proposal.sample)
        if row is None:
            checked.refusals.append(Refusal(proposal, _unknown(samples, proposal)))
            continue
        wrong = [*_wrong_labels(samples, proposal, row)]
        reasons = _reasons_against(samples, proposal, row, added.get(row, []))
        why = wrong[0] if wrong else next(reasons, None)
        if why is None:
            decision = decide(samples, row, proposal.action, proposal.reason, proposal.new_label)
            checked.decisions.append(decision)
            added.setdefault(row, []).append(decision)
        else:
            is_tested = proposal.action == TEST == samples.split(row) and not wrong
            checked.refusals.append(Refusal(proposal, why, is_tested))
            if not is_tested:
                continue
        if proposal.action == TEST and row not in checked.tested:
            checked.tested.append(row)
    return checked


def decide(samples: Samples, row: int, action: str, reason: str, new_label: str = "") -> Decision:
    """Return a decision about a row, with its label, so that a change of the source is detected."""
    return Decision(samples.identifier(row), action, samples.label(row), new_label, reason)


def extended(dataset: Dataset, content: bytes | None, decisions: Iterable[Decision]) -> bytes:
    """Return the `content` of the curation file with `decisions` added.

    Raises `InputError` if it would be invalid.
    """
    made = curation.extended(content, decisions)
    inputs = replace(dataset.inputs, curation=curation.parse(made))
    _ = Dataset(inputs, dataset.whole).selection  # raises what cannot be
    return made


def _unknown(samples: Samples, proposal: Proposal) -> str:
    if curation.ADDITION.fullmatch(proposal.sample):
        return "it is a file below additions/; move or remove the file instead"
    return f"{samples.source.name} has no such sample"


def _wrong_labels(samples: Samples, proposal: Proposal, row: int) -> Iterator[str]:
    # The class in the dataset is a label too: `no3` for a 5.
    known = samples.with_folders(row)
    if proposal.label and proposal.label not in known:
        yield f"its label in {samples.source.name} is {samples.label(row)}, not {proposal.label}"
    if proposal.predicted and proposal.predicted in ({proposal.label} - {""} or known):
        yield f"the prediction {proposal.predicted} is correct"


def _reasons_against(
    samples: Samples, proposal: Proposal, row: int, earlier: Sequence[Decision]
) -> Iterator[str]:
    """Yield reasons to refuse `proposal`; `earlier` are the accepted ones of the same sample."""
    if (first := samples.images.first[samples.source.digests[row]]) != row:
        yield f"it is a copy of {samples.identifier(first)}; use that one instead"
    for decision in samples.decisions(row):
        if not curation.go_together(decision.action, proposal.action):
            yield f"it is curated already: {decision.action} on line {decision.marks[0].line}"
    for decision in earlier:
        if not curation.go_together(decision.action, proposal.action):
            yield "it is listed more than once"
    if row in samples.images.ambiguous:
        yield f"{samples.source.name} has it with two labels, so it is left out"
    if proposal.action == RELABEL:
        yield from _against_relabel(samples, proposal.new_label, row)
    elif proposal.action != EXCLUDE:
        yield from _against_test(samples, row)


def _against_relabel(samples: Samples, new_label: str, row: int) -> Iterator[str]:
    known = classes(samples.source)
    if new_label not in known:
        yield f"{samples.source.name} has no class {new_label}; it has {first_names(known)}"
    if new_label == samples.label(row):
        yield f"{new_label} is its label already"


def _against_test(samples: Samples, row: int) -> Iterator[str]:
    if samples.split(row) == TEST:
        yield "it is in the test set already"
    if (label := samples.labels(row)[-1]) not in samples.folder_of:
        yield f"its class {label} is not in the dataset"
    if samples.must_be(row) == TRAIN:
        yield f"it is in the train set of {samples.source.name}, which split_by: source keeps"
    if tag := samples.trained_by(row):
        yield f"it is in the train set of {tag}"
