"""Collects the data of the catalogue from git, the remotes and the sources."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from scripts.assets import card, samples
from scripts.assets.package import MAX_FILE
from scripts.assets.samples import Version
from scripts.errors import UserError
from scripts.git.git import Git
from scripts.inputs.config import TRAIN
from scripts.inputs.paths import CONFIG_FILE
from scripts.inputs.releases_file import ReleasesFile
from scripts.publish import origin
from scripts.releases import comparison, curated, declared, releases
from scripts.releases.diff import Diff
from scripts.releases.history import History
from scripts.releases.releases import Release
from scripts.review import plan
from scripts.review.report import Plan
from scripts.site import changes, sheets
from scripts.site.bundle import NearRecord
from scripts.site.changes import Placed, ShownChange
from scripts.site.known import KnownSamples, SampleReader
from scripts.site.pictures import Pictures
from scripts.site.sheets import Sheets
from scripts.sources.source import classes


@dataclass(frozen=True)
class ShownPair:
    """Two near-duplicates in different splits, and their distance in gray levels."""

    distance: float
    train: Placed
    other: Placed


@dataclass(frozen=True)
class CatalogueEntry:
    """The data of one release.

    `before` is the previous release. `sheets` is empty if the release cannot be read, and
    `unreadable` is the reason. `change` is None if one of both cannot be read. `near` are the
    closest near-duplicates of this and earlier releases that still exist; `found` are the new ones.
    """

    release: Release
    date: str
    known: KnownSamples
    config_text: str
    plan: Plan
    before: "CatalogueEntry | None" = None
    card: str = ""
    sheets: Sheets = field(default_factory=dict)
    unreadable: str = ""
    change: ShownChange | None = None
    near: Sequence[ShownPair] = ()
    found: NearRecord = field(default_factory=NearRecord)

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
        return list(dict.fromkeys(label for of in self.counts.values() for label in of))

    @property
    def new_labels(self) -> list[str]:
        """The classes that a relabel can give; what the lock has where the source is unknown."""
        return classes(self.known.source) if self.known.source else self.labels


@dataclass(frozen=True)
class Catalogue:
    """All releases, oldest first, the content of `releases.yaml`, and the repository's address."""

    address: str
    declared: ReleasesFile
    entries: list[CatalogueEntry]

    @property
    def title(self) -> str:
        """The name of the dataset in the newest release."""
        newest = self.entries[-1]
        config = newest.known.inputs.config if newest.known.inputs else None
        return (config and config.title) or newest.release.lock.meta.source.name


def read(git: Git, pictures: Pictures) -> Catalogue:
    """Return the data of the catalogue; the images of all releases are added to `pictures`.

    Raises `UserError` if there is no release.
    """
    found = releases.scan(git).accepted
    if not found:
        raise UserError("there is no release yet, so there is nothing to show.")
    builder = _Builder(git, History(git, found), pictures)
    return Catalogue(origin.address(git), declared.on_main(git), [*builder.entries()])


def compare(before: CatalogueEntry, after: CatalogueEntry) -> ShownChange | None:
    """Return the changes between two releases; None if one of them cannot be read."""
    if before.unreadable or after.unreadable:
        return None
    old, new = before.release.lock.meta, after.release.lock.meta
    if old.samples == new.samples and old.source.sha256 == new.source.sha256:
        # Files of the same names, which may have been encoded by different code.
        return ShownChange(before=before.release.lock.images)
    same_rows = old.source.sha256 == new.source.sha256
    return changes.between(before.sheets, after.sheets, same_rows=same_rows)


class _Builder:
    def __init__(self, git: Git, history: History, pictures: Pictures) -> None:
        self._git, self._history, self._pictures = git, history, pictures
        self._known, self._address = SampleReader(git), origin.address(git)
        self._by_md5: dict[str, Sheets] = {}

    def entries(self) -> Iterator[CatalogueEntry]:
        """Yield all releases, oldest first."""
        entry: CatalogueEntry | None = None
        for release in self._history.releases:
            entry = self._with_samples(self._described(release, entry))
            entry = replace(entry, card=self._card(entry))
            yield entry

    def _described(self, release: Release, before: CatalogueEntry | None) -> CatalogueEntry:
        """Return the data of a release from git and its source."""
        git = self._git
        config_text = (git.file(release.commit, CONFIG_FILE) or b"").decode(errors="replace")
        return CatalogueEntry(
            release=release,
            date=releases.date_of(git, release),
            known=self._known.read(release),
            config_text=config_text,
            plan=self._plan(release, before),
            before=before,
        )

    def _plan(self, release: Release, before: CatalogueEntry | None) -> Plan:
        """Return the plan of `release`, without samples."""
        earlier = before.release if before else None
        difference = Diff(
            before=earlier,
            after=release.lock,
            version=release.tag,
            comparison=comparison.of_release_with_leaks(self._history, release),
            old=None,
            new=None,
            curated=curated.of_releases(earlier, release, self._history),
        )
        return plan.plan_of_diff(difference)

    def _card(self, entry: CatalogueEntry) -> str:
        inputs = entry.known.inputs
        if inputs is None:
            return ""
        return card.write(
            entry.release,
            inputs.config,
            inputs.curation,
            entry.plan,
            config_text=entry.config_text,
            address=self._address,
            parts={},
            without_archive=entry.release.lock.size > MAX_FILE,
        ).decode()

    def _with_samples(self, entry: CatalogueEntry) -> CatalogueEntry:
        """Return `entry` with its samples and pictures, if they can be read."""
        before = _readable(entry.before)
        try:
            version = samples.list_samples(self._git, entry.release).with_md5()
            found = self._sheets(version, before.sheets if before else {})
            near = self._pictures.provide(version, found, before.sheets if before else {})
        except UserError as error:
            return replace(entry, unreadable=str(error))
        entry = replace(entry, sheets=found, found=near)
        change = compare(entry.before, entry) if entry.before else changes.between({}, found)
        counts = change.counts if change else None
        return replace(
            entry,
            change=change,
            plan=entry.plan.model_copy(update={"samples": counts}),
            near=_near(entry, before),
        )

    def _sheets(self, version: Version, before: Sheets) -> Sheets:
        lock = version.release.lock
        if lock.md5 not in self._by_md5:
            mean = lock.size / max(1, lock.images)
            self._by_md5[lock.md5] = sheets.of_version(before, version.samples, mean)
        return self._by_md5[lock.md5]


def _readable(entry: CatalogueEntry | None) -> CatalogueEntry | None:
    """Return the newest readable release up to `entry`."""
    while entry and entry.unreadable:
        entry = entry.before
    return entry


def _near(entry: CatalogueEntry, before: CatalogueEntry | None) -> list[ShownPair]:
    """Return the near-duplicates of `entry`, closest first: earlier and new ones."""
    pairs = {(one, other): distance for distance, one, other in entry.found.pairs}
    # Their images are the same, whichever sheet they are on now.
    if before:
        pairs |= {(_md5(pair.train), _md5(pair.other)): pair.distance for pair in before.near}
    wanted = {md5 for pair in pairs for md5 in pair}
    there = {
        picture.md5: Placed(picture.identifier, *place, sheet, number)
        for place, of_place in (entry.sheets.items() if wanted else ())
        for sheet in of_place
        for number, picture in enumerate(sheet.pictures)
        if picture.md5 in wanted
    }
    found = [
        ShownPair(distance, there[one], there[other])
        for (one, other), distance in pairs.items()
        if one in there and other in there
    ]
    return sorted(
        (pair for pair in found if pair.train.split == TRAIN != pair.other.split),
        key=lambda pair: pair.distance,
    )


def _md5(placed: Placed) -> str:
    return placed.sheet.pictures[placed.number].md5
