"""What a dataset changes against a release: lock against lock, sample against sample."""

from collections.abc import Sequence
from dataclasses import dataclass

from scripts import images
from scripts.config import Config
from scripts.dataset import Dataset, recorded_selection
from scripts.lock import Lock
from scripts.releases import Release
from scripts.selection import TEST, TRAIN, Selection
from scripts.store import Listing, list_files


@dataclass(frozen=True)
class Samples:
    """How single samples fare between two versions.

    `refiled` stay in their split under another class; `to_train` and `to_test` change the split.
    """

    added: int
    removed: int
    refiled: int = 0
    to_train: int = 0
    to_test: int = 0

    @property
    def moved(self) -> int:
        """How many samples change between train and test."""
        return self.to_train + self.to_test


@dataclass(frozen=True)
class Diff:
    """What `after` changes against the release `before` (None: it is the first).

    `samples` is None where it cannot be told which they were; `new_bytes` is what the remote
    gains; `retrained` counts, by release, former test samples that would now be trained on.
    """

    before: Release | None
    after: Lock
    version: str
    samples: Samples | None
    new_bytes: int
    retrained: dict[str, int]

    @property
    def changed(self) -> bool:
        """Whether the dataset's bytes differ."""
        return self.before is None or self.before.lock.md5 != self.after.md5


def compare(
    dataset: Dataset,
    listing: Listing,
    before: Release | None,
    version: str,
    earlier: Sequence[Release] = (),
) -> Diff:
    """Return what `dataset`, whose files are those of `listing`, changes against `before`.

    `version` is the tag it would get, `earlier` are all releases to look for test samples in.
    """
    chosen = dataset.selection
    old = recorded_selection(before.lock, dataset.source) if before else None
    past = {one.tag: recorded_selection(one.lock, dataset.source) for one in earlier}
    retrained = {tag: len(_retrained(then, chosen)) for tag, then in past.items() if then}
    return Diff(
        before=before,
        after=dataset.lock(listing),
        version=version,
        samples=_samples(before, old, dataset),
        new_bytes=_new_bytes(before, old, dataset, listing),
        retrained={tag: count for tag, count in retrained.items() if count},
    )


def refuse_moves(dataset: Dataset, before: Release | None) -> None:
    """Raise `ConfigError` when samples of `before` would change between train and test.

    The selection never does that as long as a class has images left. Where it runs out, only the
    release before can tell, so it is asked. A new seed or source is a new split on purpose.
    """
    if before is None or before.lock.meta.config.get("seed") != dataset.config.seed:
        return
    old = recorded_selection(before.lock, dataset.source)
    if old and (moved := _fate(old, dataset.selection).moved):
        raise dataset.config.error((("samples",), _too_few_left(moved, before, dataset.config)))


def say_images(count: int) -> str:
    """Return a number of images in words."""
    return f"{count:,} image{'' if count == 1 else 's'}"


def _too_few_left(moved: int, before: Release, config: Config) -> str:
    return (
        f"samples: {say_images(moved)} of {before.tag} would change between train and test, because"
        f" {config.source} has too few others left; ask for fewer, keep test_size as it was, or"
        " choose another seed for a new split on purpose"
    )


def _samples(before: Release | None, old: Selection | None, dataset: Dataset) -> Samples | None:
    count = len(dataset.selection.files())
    if before is None:
        return Samples(added=count, removed=0)
    if before.lock.meta.source.sha256 != dataset.source.sha256:
        return Samples(added=count, removed=before.lock.nfiles)
    return _fate(old, dataset.selection) if old else None


def _fate(old: Selection, new: Selection) -> Samples:
    before, after = old.splits(), new.splits()
    kept = before.keys() & after.keys()
    names = new.files().keys() & old.files().keys()
    to_train = sum(before[row] == TEST and after[row] == TRAIN for row in kept)
    to_test = sum(before[row] == TRAIN and after[row] == TEST for row in kept)
    return Samples(
        added=len(after.keys() - before.keys()),
        removed=len(before.keys() - after.keys()),
        refiled=len(kept) - len(names) - to_train - to_test,
        to_train=to_train,
        to_test=to_test,
    )


def _retrained(old: Selection, new: Selection) -> set[int]:
    test = {row for row, split in old.splits().items() if split == TEST}
    return {row for row, split in new.splits().items() if split == TRAIN} & test


def _new_bytes(
    before: Release | None, old: Selection | None, dataset: Dataset, listing: Listing
) -> int:
    """Return the size of the objects that `before` does not have yet.

    Which objects it has is proven by making its files again and arriving at its MD5; where that
    fails (they were drawn by other code), everything counts as new.
    """
    objects = listing.objects()
    if before and before.lock.md5 == listing.md5:
        return 0
    if before and old:
        # A file of the same name has the same row of the same source: it is drawn already.
        names, pixels = old.files(), dataset.source.pixels
        kept = {name: listing.files[name] for name in names.keys() & listing.files.keys()}
        gone = (
            (name, images.encode(pixels[row])) for name, row in names.items() if name not in kept
        )
        made_again = Listing(kept | list_files(gone, None).files)
        if made_again.md5 == before.lock.md5:
            had = made_again.objects()
            objects = {name: size for name, size in objects.items() if name not in had}
    return sum(objects.values()) + len(listing.content())
