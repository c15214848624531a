"""The changes of the curation in a version."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

from scripts.dataset.dataset import Dataset
from scripts.errors import UserError
from scripts.inputs import image_name
from scripts.inputs.curation import NO_DECISIONS, RELABEL, Curation, Decision
from scripts.releases.history import History
from scripts.releases.index import Index
from scripts.releases.releases import Release

# The split and folder of a sample, None if it is not in the dataset.
Position = tuple[str, str] | Literal["unknown"] | None
UNKNOWN: Literal["unknown"] = "unknown"


@dataclass(frozen=True)
class CuratedSample:
    """A sample of two versions: its identifier, its label in the source, its positions.

    The label is empty if unknown. `row` is the row in the source, None if unknown.
    """

    identifier: str
    label: str
    before: Position
    after: Position
    row: int | None = None


@dataclass(frozen=True)
class CuratedChange:
    """A decision that is new, changed or removed; a removed one is the earlier decision."""

    kind: Literal["new", "changed", "removed"]
    decision: Decision
    sample: CuratedSample


# Returns the sample of a decision in the newer or the older version.
Find = Callable[[Decision, bool], CuratedSample]


def of_dataset(
    dataset: Dataset, before: Release | None, old: Index | None, new: Index, history: History
) -> list[CuratedChange] | None:
    """Return the changes of the curation of `dataset`; None if that of `before` is unknown.

    `old` and `new` are the indexes of both versions.
    """
    earlier = history.curation(before) if before else NO_DECISIONS
    if earlier is None:
        return None
    # Of another source, the same row number is another image.
    same = before is None or before.lock.meta.source.name == dataset.source.name

    def find(decision: Decision, is_there: bool) -> CuratedSample:
        row = dataset.source.find(decision.sample)
        if row is None or not (same or is_there):
            return CuratedSample(decision.sample, decision.label, UNKNOWN, UNKNOWN)
        pixels = dataset.images.keys[row], dataset.images.digests[row]
        return CuratedSample(
            dataset.source.identifier(row),
            str(dataset.source.labels[row]),
            old.place(*pixels) if old else UNKNOWN,
            new.place(*pixels),
            row,
        )

    return list(_changes(earlier, dataset.inputs.curation, find, same=same))


def of_releases(
    before: Release | None, after: Release, history: History
) -> list[CuratedChange] | None:
    """Return the changes of the curation of `after`; None if one of both is unknown.

    The samples are found by the names of the files, without loading any source.
    """
    earlier = history.curation(before) if before else NO_DECISIONS
    later = history.curation(after)
    if earlier is None or later is None:
        return None
    same = before is None or before.lock.meta.source.name == after.lock.meta.source.name
    if earlier == later and same:
        return []
    old, new = _names(history, before), _names(history, after)

    def find(decision: Decision, is_there: bool) -> CuratedSample:
        was, now = _named(old, decision), _named(new, decision)
        if not same:
            was, now = (UNKNOWN, now) if is_there else (was, UNKNOWN)
        name = next((one[2] for one in (was, now) if isinstance(one, tuple)), decision.sample)
        return CuratedSample(name, decision.label, _position(was), _position(now))

    return list(_changes(earlier, later, find, same=same))


# The split, the folder and the identifier of a sample, by its key.
_Names = dict[str, tuple[str, str, str]]
_Named = tuple[str, str, str] | Literal["unknown"] | None


def _names(history: History, release: Release | None) -> _Names | None:
    """Return the samples of `release`, None if they are unknown."""
    if release is None:
        return {}
    with suppress(UserError):
        names = map(image_name.parse, history.names(release))
        return {_key(one.identifier): (*one.place, one.identifier) for one in names}
    return None


def _key(name: str) -> str:
    return Decision(name, "", "", "", "").key


def _named(names: _Names | None, decision: Decision) -> _Named:
    return UNKNOWN if names is None else names.get(decision.key)


def _position(named: _Named) -> Position:
    return named[:2] if isinstance(named, tuple) else named


def _changes(old: Curation, new: Curation, find: Find, *, same: bool) -> Iterator[CuratedChange]:
    """Yield the changes in the order of the new file, then the removed decisions.

    Reasons are not compared. Unless both have the `same` source, all decisions are new.
    """
    earlier, later = _by_sample(old), _by_sample(new)
    for key, decision in later.items():
        other = earlier.get(key) if same else None
        if other is None or _meaning(other) != _meaning(decision):
            yield CuratedChange("changed" if other else "new", decision, find(decision, True))
    for key, decision in earlier.items():
        if not same or key not in later:
            yield CuratedChange("removed", decision, find(decision, False))


def _by_sample(curation: Curation) -> dict[tuple[str, bool], Decision]:
    """Return the decisions by sample: a sample can have a relabel and a pin."""
    return {(one.key, one.action == RELABEL): one for one in curation.decisions}


def _meaning(decision: Decision) -> tuple[str, str]:
    return decision.action, decision.new_label
