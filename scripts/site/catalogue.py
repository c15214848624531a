"""Collects the data of releases from git, the remotes and the sources, one release at a time."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
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
from scripts.review import plan
from scripts.review.report import Plan
from scripts.site import changes, sheets
from scripts.site.changes import Placed
from scripts.site.entries import CatalogueEntry, EarlierRelease, NearDistances, ShownPair, compare
from scripts.site.known import KnownSamples, SampleReader
from scripts.site.pictures import Pictures
from scripts.site.sheets import Sheets


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
