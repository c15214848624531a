"""Collects the data of releases from git, the remotes and the sources, one release at a time."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property

from scripts.assets import card, samples
from scripts.assets.package import MAX_FILE
from scripts.assets.samples import Version
from scripts.errors import UserError
from scripts.git.git import Git, lines
from scripts.inputs.config import TRAIN
from scripts.inputs.paths import CONFIG_FILE
from scripts.publish import origin
from scripts.releases import comparison, curated
from scripts.releases.comparison import Comparison
from scripts.releases.diff import Diff
from scripts.releases.history import History
from scripts.releases.releases import Release
from scripts.review import plan, render, words
from scripts.review.report import Plan
from scripts.site import changes, sheets
from scripts.site.bundle import NearRecord
from scripts.site.changes import Placed, ShownChange
from scripts.site.known import KnownSamples, SampleReader
from scripts.site.pictures import Pictures
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
class EarlierRelease:
    """What the next release needs of the one before; samples are read only if it needs them."""

    release: Release
    read_known: Callable[[], KnownSamples]
    read_sheets: Callable[[], Sheets]
    near: NearDistances = field(default_factory=dict)
    is_readable: bool = True

    @property
    def tag(self) -> str:
        """The tag."""
        return self.release.tag

    @cached_property
    def known(self) -> KnownSamples:
        """The labels and decisions for its samples."""
        return self.read_known()

    @cached_property
    def sheets(self) -> Sheets:
        """Its sheets."""
        return self.read_sheets()


@dataclass(frozen=True)
class CatalogueEntry:
    """The data of one release.

    `before` is the previous release. `sheets` is empty if the release cannot be read, and
    `unreadable` is the reason. `change` is None if one of both cannot be read. `near` are the
    closest near-duplicates of this and earlier releases that still exist; `found` are the new ones.
    Unless `leaks_known`, a new leak can be missing in the plan.
    """

    release: Release
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
        return labels_of(self.release)

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


def labels_of(release: Release) -> list[str]:
    """Return the classes of a release, in the order of its lock."""
    counts = release.lock.meta.counts.values()
    return list(dict.fromkeys(label for of_split in counts for label in of_split))


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


class CatalogueReader:
    """Reads releases, oldest first; holds the samples of the newest ones only."""

    def __init__(self, git: Git, accepted: Sequence[Release], pictures: Pictures) -> None:
        """Read the releases `accepted`; their images are added to `pictures`."""
        self._git, self._history, self._pictures = git, History(git, accepted), pictures
        self._known, self._address = SampleReader(git), origin.address(git)
        self._before: EarlierRelease | None = None
        self._readable: EarlierRelease | None = None
        self._by_md5: dict[str, Callable[[], Sheets]] = {}

    def read(self, release: Release) -> CatalogueEntry:
        """Return the data of the next release."""
        entry = self._with_samples(self._described(release))
        return replace(entry, card=self._card(entry))

    def known_of(self, release: Release) -> KnownSamples:
        """Return the labels and decisions for the samples of `release`."""
        return self._known.read(release)

    def pass_by(self, earlier: EarlierRelease) -> None:
        """Note the release that was read, or that need not be; the next one is compared with it.

        The samples of `earlier` that were read are released when the next one is noted.
        """
        self._before = earlier
        if earlier.is_readable:
            self._readable = earlier
            self._by_md5.setdefault(earlier.release.lock.md5, earlier.read_sheets)

    def _described(self, release: Release) -> CatalogueEntry:
        """Return the data of a release from git and its source."""
        date, config_text = self._written[release.commit]
        compared = comparison.of_release_with_leaks(self._history, release)
        return CatalogueEntry(
            release=release,
            date=date,
            known=self._known.read(release),
            config_text=config_text,
            plan=self._plan(release, compared),
            leaks_known=self._leaks_known(release, compared),
            before=self._before,
        )

    @cached_property
    def _written(self) -> Mapping[str, tuple[str, str]]:
        """The day and the config of each release by commit, from two processes for all."""
        commits = [release.commit for release in self._history.releases]
        texts = self._git.contents(f"{commit}:{CONFIG_FILE}" for commit in commits)
        command = ("log", "--no-walk", "--format=%H %cs", "--stdin")
        days = dict(line.split() for line in self._git(*command, stdin=lines(commits)).splitlines())
        return {
            commit: (days[commit], (text or b"").decode(errors="replace"))
            for commit, text in zip(commits, texts, strict=True)
        }

    def _plan(self, release: Release, compared: Comparison) -> Plan:
        """Return the plan of `release`, without samples."""
        earlier = self._before.release if self._before else None
        difference = Diff(
            before=earlier,
            after=release.lock,
            version=release.tag,
            comparison=compared,
            old=None,
            new=None,
            curated=curated.of_releases(earlier, release, self._history),
        )
        return plan.plan_of_diff(difference)

    def _leaks_known(self, release: Release, compared: Comparison) -> bool:
        """Return whether the indexes that show the new leaks of `release` can be read."""
        if self._before is None or not compared.incomparable:
            return True
        kept = comparison.without_leak(self._history, self._before.release)
        earlier = self._history.before(release)
        leaking = [one for one in earlier if one.tag in kept & {*compared.incomparable}]
        with suppress(UserError):
            for one in (*leaking, release) if leaking else ():
                self._history.index(one)
            return True
        return False

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
        readable = self._readable
        try:
            version = samples.list_samples(self._git, entry.release).with_md5()
            before = readable.sheets if readable else {}
            found = self._sheets(version, before)
            near = self._pictures.provide(version, found, before)
        except UserError as error:
            return replace(entry, unreadable=str(error))
        entry = replace(entry, sheets=found, found=near)
        change = compare(entry.before, entry) if entry.before else changes.between({}, found)
        counts = change.counts if change else None
        return replace(
            entry,
            change=change,
            plan=entry.plan.model_copy(update={"samples": counts}),
            near=_near(entry, readable.near if readable else {}),
        )

    def _sheets(self, version: Version, before: Sheets) -> Sheets:
        """Return the sheets of a version; those of an earlier one with the same files."""
        lock = version.release.lock
        if lock.md5 in self._by_md5:
            return self._by_md5[lock.md5]()
        mean = lock.size / max(1, lock.images)
        return sheets.of_version(before, version.samples, mean)


def _near(entry: CatalogueEntry, earlier: NearDistances) -> list[ShownPair]:
    """Return the near-duplicates of `entry`, closest first: earlier and new ones."""
    # Their images are the same, whichever sheet they are on now.
    pairs = {(one, other): distance for distance, one, other in entry.found.pairs} | {**earlier}
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
