"""The decisions of the curation about the rows of a source."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from scripts.dataset.folders import first_names
from scripts.dataset.order import distinct
from scripts.inputs.config import Split
from scripts.inputs.curation import (
    ACTION,
    EXCLUDE,
    LABEL,
    NEW_LABEL,
    RELABEL,
    SAMPLE,
    Curation,
    Decision,
)
from scripts.inputs.problems import Problem
from scripts.sources.source import Source, classes


@dataclass(frozen=True)
class Decisions:
    """Excluded rows, new labels, and the splits of pinned rows."""

    excluded: set[int] = field(default_factory=set)
    relabeled: dict[int, str] = field(default_factory=dict)
    pins: dict[int, Split] = field(default_factory=dict)


def decisions_of(
    curation: Curation, source: Source, splits: Collection[Split]
) -> tuple[Decisions, list[Problem]]:
    """Return the decisions of `curation` about the rows of `source`, and its problems.

    `splits` are those of the dataset.
    """
    decisions, problems = Decisions(), []
    known = classes(source) if curation.decisions else []
    for row in curation.decisions:
        index = source.find(row.sample)
        wrong = list(_problems(row, index, source, known, splits))
        problems += wrong
        if wrong or index is None:
            continue
        if row.action == EXCLUDE:
            decisions.excluded.add(index)
        elif row.action == RELABEL:
            decisions.relabeled[index] = row.new_label
        else:
            decisions.pins[index] = next(split for split in splits if split == row.action)
    return decisions, problems


def _problems(
    row: Decision,
    index: int | None,
    source: Source,
    known: Collection[str],
    splits: Collection[Split],
) -> Iterator[Problem]:
    if index is None:
        yield row.problem(SAMPLE, f"sample: {source.name} has no sample {row.sample}")
        return
    images = distinct(source)
    first = images.first[source.digests[index]]
    if first != index:
        message = (
            f"sample: {row.sample} is a copy of {source.identifier(first)}; use that one instead"
        )
        yield row.problem(SAMPLE, message)
    if row.label and row.label != (found := str(source.labels[index])):
        message = f"label: the label of {row.sample} in {source.name} is {found}, not {row.label}"
        yield row.problem(LABEL, message)
    if row.action == RELABEL and row.new_label not in known:
        message = (
            f"new_label: {source.name} has no class {row.new_label!r}; it has {first_names(known)}"
        )
        yield row.problem(NEW_LABEL, message)
    if row.action == EXCLUDE:
        return
    if index in images.ambiguous:
        message = (
            f"sample: {source.name} has {row.sample} with two labels, so it is left out; remove"
            " this row"
        )
        yield row.problem(SAMPLE, message)
    if row.action != RELABEL and row.action not in splits:
        message = f"action: there is no {row.action} set; add {row.action}_size to the config"
        yield row.problem(ACTION, message)
