"""The changes of a version compared with a release: counts, samples, bytes."""

from dataclasses import dataclass, field
from functools import cached_property

from scripts.dataset import near
from scripts.dataset.dataset import Dataset
from scripts.dataset.near import NearPairs
from scripts.errors import UserError
from scripts.inputs.config import TEST, TRAIN
from scripts.releases import comparison, curated, gain, index
from scripts.releases.comparison import Comparison
from scripts.releases.curated import CuratedChange
from scripts.releases.history import History
from scripts.releases.index import Index
from scripts.releases.lock import Lock
from scripts.releases.new_lock import new_lock
from scripts.releases.releases import Release
from scripts.runner import LOCAL, Runner
from scripts.sources.own import Own
from scripts.sources.source import Source
from scripts.storage.manifest import Manifest


@dataclass(frozen=True)
class SampleDiff:
    """The differences between the images of two versions, by pixels before or after resizing.

    `before` is the earlier number. `relabeled` images keep their split and change their class;
    `to_train` and `to_test` change their split; `test_removed` are the removed ones that were in
    the test set.
    """

    before: int
    added: int
    removed: int
    test_removed: int = 0
    relabeled: int = 0
    to_train: int = 0
    to_test: int = 0


@dataclass(frozen=True)
class Diff:
    """The changes of `after` compared with `before` (None if it is the first).

    `version` is the tag of `after`, or the one that it would get. `old` and `new` are the indexes
    of both, None if they are not available; `samples` then is None too. `new_bytes` is what the
    remote gains, None if it is unknown. `curated` is what changes in the curation, None if that of
    a version is unknown; `near` are the near-duplicates that the change brings, None if they are
    not searched. Unless it `is_made`, the files of `after` are unknown. A custom source
    `has_grown` if it has all batches of the older one.
    """

    before: Release | None
    after: Lock
    version: str
    comparison: Comparison
    old: Index | None
    new: Index | None
    new_bytes: int | None = None
    curated: list[CuratedChange] | None = field(default_factory=list)
    near: NearPairs | None = None
    is_made: bool = True
    has_grown: bool = False

    @property
    def changed(self) -> bool:
        """Whether the bytes of the dataset differ; if they are not known, whether the images do."""
        if self.before is None:
            return True
        old, new = self.before.lock, self.after
        if self.is_made:
            return old.md5 != new.md5
        before, after = ((one.meta.samples, one.meta.splits, one.is_sharded) for one in (old, new))
        return before != after

    @cached_property
    def samples(self) -> SampleDiff | None:
        """The differences between the images, None if unknown."""
        return between(self.old, self.new) if self.old and self.new else None

    @cached_property
    def added(self) -> frozenset[bytes]:
        """The added images in the index `new`; none if unknown."""
        return _only_in(self.new, self.old)

    @cached_property
    def removed(self) -> frozenset[bytes]:
        """The removed images in the index `old`; none if unknown."""
        return _only_in(self.old, self.new)


def compare(
    dataset: Dataset,
    before: Release | None,
    version: str,
    history: History,
    runner: Runner = LOCAL,
    *,
    sizes: bool = True,
) -> Diff:
    """Return what `dataset` changes compared with `before`; `version` is the tag it would get.

    Without `sizes` the bytes that the remote gains are not computed.
    """
    is_made = runner.makes(len(dataset.selection.identifiers))
    new = index.of_dataset(dataset)
    made = dataset.planned if is_made else Manifest({})
    compared = comparison.compare(dataset, history, new)
    old = available_index(history, before, dataset.source)
    after = new_lock(dataset, made, comparable=compared.comparable, splits=new.sha256, copy=None)
    pointer = dataset.whole.pointer if isinstance(dataset.whole, Own) else None
    return Diff(
        before=before,
        after=after,
        version=version,
        comparison=compared,
        old=old,
        new=new,
        new_bytes=gain.bytes_to_store(dataset, made, new, history) if is_made and sizes else None,
        curated=curated.of_dataset(dataset, before, old, new, history),
        near=near_duplicates(dataset, old) if is_made else NearPairs(searched=False),
        is_made=is_made,
        has_grown=history.has_grown(before, dataset.whole.name, pointer),
    )


def of_releases(before: Release | None, after: Release, history: History) -> Diff:
    """Return the changes between two releases."""
    return Diff(
        before=before,
        after=after.lock,
        version=after.tag,
        comparison=comparison.of_release_with_leaks(history, after),
        old=available_index(history, before),
        new=available_index(history, after),
        curated=curated.of_releases(before, after, history),
        has_grown=history.has_grown(before, after.lock.meta.source.name, history.pointer(after)),
    )


def between(old: Index, new: Index) -> SampleDiff:
    """Return the differences between the images of two versions."""
    same = dict(new.shared(old))
    moved = [
        (old.places[was], new.places[now])
        for now, was in same.items()
        if old.places[was] != new.places[now]
    ]
    removed = old.places.keys() - same.values()
    return SampleDiff(
        before=len(old.places),
        added=len(new.places) - len(same),
        removed=len(removed),
        test_removed=sum(old.places[image][0] == TEST for image in removed),
        relabeled=sum(was[0] == now[0] for was, now in moved),
        to_train=sum(was[0] == TEST and now[0] == TRAIN for was, now in moved),
        to_test=sum(was[0] == TRAIN and now[0] == TEST for was, now in moved),
    )


def available_index(
    history: History, release: Release | None, source: Source | None = None
) -> Index | None:
    """Return the index of `release`, as `History.index` does; None if it is not available.

    Without a release it is empty.
    """
    if release is None:
        return Index({})
    try:
        return history.index(release, source)
    except UserError:
        return None


def near_duplicates(dataset: Dataset, old: Index | None) -> NearPairs:
    """Return the near-duplicates of which one image is new in its split."""
    new = new_in_split(dataset, old)
    if not new:
        return NearPairs()
    return near.find(dataset.images, *both_sides(dataset), new)


def new_in_split(dataset: Dataset, old: Index | None) -> set[int]:
    """Return the rows that are new in their split, compared with the index `old`."""
    keys, digests = dataset.images.keys, dataset.images.digests
    return {
        row
        for row, (split, _) in dataset.selection.places().items()
        if not (old and (was := old.place(keys[row], digests[row])) and was[0] == split)
    }


def both_sides(dataset: Dataset) -> tuple[list[int], list[int]]:
    """Return the rows in train, and the others, in the order of the source.

    In this order it is read sequentially.
    """
    places = dataset.selection.places()
    rows = sorted(places)
    train = [row for row in rows if places[row][0] == TRAIN]
    return train, [row for row in rows if places[row][0] != TRAIN]


def _only_in(one: Index | None, other: Index | None) -> frozenset[bytes]:
    """Return the images of `one` that `other` does not have; none if one is unknown."""
    if one is None or other is None:
        return frozenset()
    return frozenset(one.places.keys() - {image for image, _ in one.shared(other)})
