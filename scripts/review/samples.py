"""Single samples for reviewers: curated and omitted samples, and near-duplicates."""

from collections.abc import Iterator, Sequence

from scripts.dataset import likely_groups
from scripts.dataset.columns import without_value
from scripts.dataset.dataset import Dataset
from scripts.dataset.near import NearPairs
from scripts.dataset.order import distinct
from scripts.inputs.config import SPLITS, TEST, VALIDATION
from scripts.inputs.curation import EXCLUDE, RELABEL
from scripts.releases import curated
from scripts.releases.curated import Position
from scripts.releases.leaks import PlacedLeak
from scripts.review.report import (
    MAX_CURATED,
    MAX_REASON,
    Curated,
    LeftOut,
    LikelyGroupsFact,
    ReportedChange,
    Selected,
    SmallClasses,
)
from scripts.review.report_samples import (
    MAX_LISTED,
    NearDuplicates,
    ReportedPair,
    ReportedPlace,
    ReportedSample,
)
from scripts.review.report_types import bounded


def curated_changes(changes: Sequence[curated.CuratedChange] | None) -> Curated | None:
    """Return the changes of the curation, as data of limited size; None if unknown."""
    if changes is None:
        return None
    return Curated(
        samples=len({change.decision.key for change in changes}),
        relabeled={
            split: count for split in SPLITS if (count := _relabeled(changes, split)) is not None
        },
        changes=[_change(change) for change in changes[:MAX_CURATED]],
        more=max(0, len(changes) - MAX_CURATED),
    )


def _relabeled(changes: Sequence[curated.CuratedChange], split: str) -> int | None:
    """Return the number of images of a split that get another class, None for none."""
    moved = {
        change.decision.key
        for change in changes
        if isinstance(before := change.sample.before, tuple)
        and isinstance(after := change.sample.after, tuple)
        and before != after
        and before[0] == after[0] == split
    }
    return len(moved) or None


def _change(change: curated.CuratedChange) -> ReportedChange:
    sample, decision = change.sample, change.decision
    return ReportedChange.model_validate(
        {
            "sample": sample.identifier,
            "action": decision.action,
            "change": change.kind,
            "label": sample.label,
            "new_label": decision.new_label,
            "before": _place(sample.before),
            "after": _place(sample.after),
            "reason": bounded(decision.reason, MAX_REASON),
        }
    )


def _place(position: Position) -> object:
    if not isinstance(position, tuple):
        return position
    split, folder = position
    return ReportedPlace.model_validate({"split": split, "class": folder})


def selected(dataset: Dataset, *, search_groups: bool = False) -> Selected:
    """Return facts about the selection of `dataset` in addition to the counts."""
    selection, source = dataset.selection, dataset.images.source
    start, images = len(source.labels), distinct(source)
    differing = [
        place
        for place, rows in selection.rows.items()
        if sum(row not in selection.on_top for row in rows) != selection.dealt[place]
    ]
    left_out = list(_left_out(dataset))
    return Selected(
        relabeled_counts=len(differing),
        pins=sum(row < start for row in selection.on_top),
        additions=sum(row >= start for row in selection.on_top),
        left_out=left_out[:MAX_LISTED],
        more_left_out=max(0, len(left_out) - MAX_LISTED),
        ambiguous=len(images.ambiguous),
        copies=start - len(images.first),
        groups=dataset.groups_by_split,
        waiting=dataset.waiting,
        without_value=without_value(dataset.config, dataset.whole),
        likely_groups=_likely_groups(dataset) if search_groups else None,
        small=list(_small(dataset)),
    )


def _small(dataset: Dataset) -> Iterator[SmallClasses]:
    """Yield the classes that have no images in a split, by split."""
    dealt = dataset.selection.dealt
    for split in (TEST, VALIDATION):
        names = [folder for (of, folder), count in dealt.items() if of == split and not count]
        elsewhere = (dealt.get((of, name)) for of in (TEST, VALIDATION) for name in names)
        if names:
            yield SmallClasses(
                split=split,
                count=len(names),
                names=names[:MAX_LISTED],
                only_train=not any(elsewhere),
            )


def _likely_groups(dataset: Dataset) -> LikelyGroupsFact | None:
    found = likely_groups.find(dataset)
    return LikelyGroupsFact(**found._asdict()) if found else None


def _left_out(dataset: Dataset) -> Iterator[LeftOut]:
    left_out, images = dataset.selection.left_out, dataset.images
    start, seen = len(dataset.source.labels), set()
    # A relabel first, because it shows the current label.
    for decision in sorted(
        dataset.inputs.curation.decisions, key=lambda one: one.action != RELABEL
    ):
        row = dataset.source.find(decision.sample)
        if row in left_out and row not in seen and row is not None and decision.action != EXCLUDE:
            seen.add(row)
            yield LeftOut.model_validate(
                {
                    "sample": images.identifier(row),
                    "label": decision.new_label or str(images.labels[row]),
                    "why": decision.action,
                }
            )
    for row in sorted(row for row in left_out if row >= start):
        yield LeftOut(sample=images.identifier(row), label=images.label(row), why="addition")


def near_duplicates(dataset: Dataset, near: NearPairs | None) -> NearDuplicates | None:
    """Return near-duplicates of `dataset` by name; None if they were not searched."""
    if near is None:
        return None
    pairs = near.pairs[:MAX_LISTED]
    train = _samples(dataset, [pair.train for pair in pairs])
    others = _samples(dataset, [pair.other for pair in pairs])
    return NearDuplicates(
        searched=near.searched,
        count=near.count,
        pairs=[
            ReportedPair(train=one, other=other, distance=round(pair.distance, 1))
            for one, other, pair in zip(train, others, pairs, strict=True)
        ],
    )


def placed_leaks(dataset: Dataset, leaks: Sequence[PlacedLeak]) -> list[ReportedSample]:
    """Return the first leaks of pinned images and additions."""
    return _samples(dataset, [leak.row for leak in leaks[:MAX_LISTED]])


def _samples(dataset: Dataset, rows: Sequence[int]) -> list[ReportedSample]:
    places, images = dataset.selection.places() if rows else {}, dataset.images
    return [
        ReportedSample.model_validate(
            {
                "sample": images.identifier(row),
                "label": str(images.labels[row]),
                "split": places[row][0],
                "class": places[row][1],
            }
        )
        for row in rows
    ]
