"""What a dataset changes compared with a release: counts, samples, bytes."""

from collections.abc import Sequence
from dataclasses import dataclass

from scripts.build import png
from scripts.build.dataset import Dataset
from scripts.build.selection import TEST, TRAIN, Selection
from scripts.storage import manifest
from scripts.storage.manifest import Manifest
from scripts.versions import lock
from scripts.versions.lock import Lock
from scripts.versions.recorded import recorded_selection
from scripts.versions.releases import Release


@dataclass(frozen=True)
class SampleDiff:
    """How single samples differ between two versions.

    `relabeled` samples stay in their split under another class; `to_train` and `to_test` change
    the split.
    """

    added: int
    removed: int
    relabeled: int = 0
    to_train: int = 0
    to_test: int = 0

    @property
    def moved(self) -> int:
        """How many samples change between train and test."""
        return self.to_train + self.to_test


@dataclass(frozen=True)
class Diff:
    """What `after` changes compared with the release `before` (None: it is the first).

    `samples` is None where they cannot be compared; `new_bytes` is what the remote gains; `leaks`
    counts, by release, former test samples that would be in the train set.
    """

    before: Release | None
    after: Lock
    version: str
    samples: SampleDiff | None
    new_bytes: int
    leaks: dict[str, int]

    @property
    def changed(self) -> bool:
        """Whether the bytes of the dataset differ."""
        return self.before is None or self.before.lock.md5 != self.after.md5


def compare(
    dataset: Dataset, before: Release | None, version: str, earlier: Sequence[Release] = ()
) -> Diff:
    """Return what `dataset` changes compared with `before`.

    `version` is the tag that it would get; test samples of the releases `earlier` are looked for in
    its train set.
    """
    selected, made = dataset.selection, dataset.manifest
    old = recorded_selection(before.lock, dataset.source) if before else None
    past = {one.tag: recorded_selection(one.lock, dataset.source) for one in earlier}
    leaks = {tag: len(_test_to_train(then, selected)) for tag, then in past.items() if then}
    return Diff(
        before=before,
        after=lock.of(dataset, made),
        version=version,
        samples=_sample_diff(before, old, dataset),
        new_bytes=_new_bytes(before, old, dataset, made),
        leaks={tag: count for tag, count in leaks.items() if count},
    )


def between(old: Selection, new: Selection) -> SampleDiff:
    """Return how the samples of two selections of one source differ."""
    before, after = old.splits(), new.splits()
    kept = before.keys() & after.keys()
    names = new.files().keys() & old.files().keys()
    to_train = sum(before[row] == TEST and after[row] == TRAIN for row in kept)
    to_test = sum(before[row] == TRAIN and after[row] == TEST for row in kept)
    return SampleDiff(
        added=len(after.keys() - before.keys()),
        removed=len(before.keys() - after.keys()),
        relabeled=len(kept) - len(names) - to_train - to_test,
        to_train=to_train,
        to_test=to_test,
    )


def _sample_diff(
    before: Release | None, old: Selection | None, dataset: Dataset
) -> SampleDiff | None:
    count = len(dataset.selection.files())
    if before is None:
        return SampleDiff(added=count, removed=0)
    if before.lock.meta.source.sha256 != dataset.source.sha256:
        return SampleDiff(added=count, removed=before.lock.nfiles)
    return between(old, dataset.selection) if old else None


def _test_to_train(old: Selection, new: Selection) -> set[int]:
    test = {row for row, split in old.splits().items() if split == TEST}
    return {row for row, split in new.splits().items() if split == TRAIN} & test


def _new_bytes(
    before: Release | None, old: Selection | None, dataset: Dataset, made: Manifest
) -> int:
    """Return the size of the objects that the release `before` does not have.

    Its objects are known if encoding its files again gives its manifest; where it does not (other
    code encoded them), every object counts as new.
    """
    objects = made.objects()
    if before and before.lock.md5 == made.md5:
        return 0
    if before and old:
        # A file of the same name has the same row of the same source: it is encoded already.
        names, source = old.files(), dataset.source
        kept = {name: made.files[name] for name in names.keys() & made.files.keys()}
        removed = (
            (name, png.encode(source.image(row))) for name, row in names.items() if name not in kept
        )
        rebuilt = Manifest(kept | manifest.of_files(removed).files)
        if rebuilt.md5 == before.lock.md5:
            had = rebuilt.objects()
            objects = {name: size for name, size in objects.items() if name not in had}
    return sum(objects.values()) + len(made.content())
