"""What the catalogue shows of a release, and what of it the next one is compared with."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from scripts.releases.releases import Release
from scripts.review import render, words
from scripts.review.report import Plan
from scripts.site import changes
from scripts.site.bundle import NearRecord
from scripts.site.changes import Placed, ShownChange
from scripts.site.known import KnownSamples
from scripts.site.sheets import Sheets
from scripts.sources.source import classes

# The distances of near-duplicates, by the MD5s of both: the one in train, and the other.
NearDistances = Mapping[tuple[str, str], float]


@dataclass(frozen=True)
class ShownPair:
    """Two near-duplicates in different splits, and their distance in gray levels."""

    distance: float
    train: Placed
    other: Placed


@dataclass(frozen=True)
class OfRelease:
    """What the catalogue has of a release."""

    release: Release

    @property
    def tag(self) -> str:
        """The tag."""
        return self.release.tag

    @property
    def counts(self) -> Mapping[str, Mapping[str, int]]:
        """The number of images by split and class."""
        return self.release.lock.meta.counts

    @property
    def labels(self) -> list[str]:
        """The classes, in the order of the lock."""
        return list(dict.fromkeys(label for of_split in self.counts.values() for label in of_split))


@dataclass(frozen=True)
class EarlierRelease(OfRelease):
    """What the next release needs of the one before; samples are read only if it needs them."""

    read_known: Callable[[], KnownSamples]
    read_sheets: Callable[[], Sheets]
    near: NearDistances = field(default_factory=dict)
    is_readable: bool = True

    @cached_property
    def known(self) -> KnownSamples:
        """The labels and decisions for its samples."""
        return self.read_known()

    @cached_property
    def sheets(self) -> Sheets:
        """Its sheets."""
        return self.read_sheets()


@dataclass(frozen=True)
class CatalogueEntry(OfRelease):
    """The data of one release.

    `before` is the previous release. `sheets` is empty if the release cannot be read, and
    `unreadable` is the reason. `change` is None if one of both cannot be read. `near` are the
    closest near-duplicates of this and earlier releases that still exist; `found` are the new ones.
    Unless `leaks_known`, a new leak can be missing in the plan.
    """

    date: str
    known: KnownSamples
    config_text: str
    plan: Plan
    leaks_known: bool = True
    before: EarlierRelease | None = None
    card: str = ""
    sheets: Sheets = field(default_factory=dict)
    unreadable: str = ""
    change: ShownChange | None = None
    near: Sequence[ShownPair] = ()
    found: NearRecord = field(default_factory=NearRecord)

    @cached_property
    def new_labels(self) -> list[str]:
        """The classes that a relabel can give; what the lock has where the source is unknown."""
        return classes(self.known.source) if self.known.source else self.labels

    @property
    def title(self) -> str:
        """The name of the dataset in this release."""
        config = self.known.inputs.config if self.known.inputs else None
        return (config and config.title) or self.release.lock.meta.source.name

    @property
    def headline(self) -> str:
        """What it changes, in a few words."""
        if self.before is None:
            return f"The first release: {self.release.lock.images:,} samples"
        return render.headline(self.plan)

    @property
    def comparable(self) -> str:
        """The releases that it is comparable with, in words."""
        return f"with {words.comparable(self.plan)}" if self.before else "first release"

    @property
    def missing(self) -> tuple[bool, bool, tuple[str, ...], bool]:
        """What could not be read now, and perhaps can be later."""
        is_unknown = self.known.source is None
        return bool(self.unreadable), is_unknown, tuple(self.plan.unknown), not self.leaks_known

    @property
    def is_complete(self) -> bool:
        """Whether everything could be read."""
        return not any(self.missing)

    @property
    def distances(self) -> NearDistances:
        """The distances of its near-duplicates."""
        return {(_md5(pair.train), _md5(pair.other)): pair.distance for pair in self.near}


def compare(before: EarlierRelease, after: CatalogueEntry) -> ShownChange | None:
    """Return the changes between two releases; None if one of them cannot be read.

    `static/compare.js` does the same in the browser.
    """
    if after.unreadable or not before.is_readable:
        return None
    old, new = before.release.lock.meta, after.release.lock.meta
    if old.samples == new.samples and old.source.sha256 == new.source.sha256:
        # Files of the same names, which may have been encoded by different code.
        return ShownChange(before=before.release.lock.images)
    same_rows = old.source.sha256 == new.source.sha256
    return changes.between(before.sheets, after.sheets, same_rows=same_rows)


def _md5(placed: Placed) -> str:
    return placed.sheet.pictures[placed.number].md5
