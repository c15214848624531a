"""With which releases a version is comparable: between them there is no leak.

A leak is an image in the test or validation set of one version and in the train set of the other.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from scripts.build.dataset import Dataset
from scripts.errors import UserError
from scripts.inputs.config import SPLITS, TRAIN, Config
from scripts.inputs.curation import ACTION
from scripts.inputs.problems import InputError, Problem
from scripts.versions import releases
from scripts.versions.history import History
from scripts.versions.index import Index
from scripts.versions.releases import Release


@dataclass(frozen=True)
class Leak:
    """The same leak with one or more releases: `tags`, oldest first.

    `from_test` counts images of their test sets in the new train set, `from_train` images of their
    train sets in the new test set.
    """

    tags: tuple[str, ...]
    from_test: int
    from_train: int

    def __str__(self) -> str:
        """Say what leaks, in words."""
        theirs = f"of {some(self.tags)} would be in the"
        parts = []
        if self.from_test:
            parts.append(f"{images(self.from_test)} of the test set {theirs} train set")
        if self.from_train:
            parts.append(f"{images(self.from_train)} of the train set {theirs} test set")
        return ", and ".join(parts)


@dataclass(frozen=True)
class PlacedLeak:
    """A leak of one image that people put where it is: the curation pins it, or it is an addition.

    `seen` are the releases that have it on the other side, by the split in which they do.
    """

    row: int
    seen: dict[str, list[str]] = field(default_factory=dict)

    def __str__(self) -> str:
        """Say where it is, in words."""
        return " and ".join(
            f"in the {split} set of {some(tags)}" for split, tags in self.seen.items()
        )


@dataclass(frozen=True)
class Comparison:
    """How a version compares with the releases since `since`.

    `leaks` are all of them; `placed` are those of images that people put where they are, `others`
    all but those. `equal_to` is a release with the same images in the same splits, if there is one;
    `unknown` are releases whose images could not be read, and `reason` says why.
    """

    since: str
    leaks: Sequence[Leak] = ()
    placed: Sequence[PlacedLeak] = ()
    others: Sequence[Leak] = ()
    unknown: tuple[str, ...] = ()
    reason: str = ""
    equal_to: str | None = None

    def refuse_leaks(self, dataset: Dataset, tag: str) -> None:
        """Raise `InputError` for leaks, and where the config names a release that cannot be.

        `dataset` is the version that was compared; `tag` is what it would be called.
        """
        if problems := self.problems(dataset, tag):
            raise InputError(problems)

    def problems(self, dataset: Dataset, tag: str) -> list[Problem]:
        """Return what `refuse_leaks` raises: each at what causes it, otherwise in the config."""
        config = dataset.config
        since = config.comparable_since
        if since and releases.number(since) > releases.number(tag):
            message = f"comparable_since: {since} is later than {tag}, which this version would be"
            return [config.problem(("comparable_since",), message)]
        place = ("comparable_since",) if since else ("samples",)
        return [
            *_problems_of_placed(self.placed, dataset, tag),
            *(
                config.problem(
                    place,
                    f"leak: {leak}. Results on these versions could not be compared. Keep the seed,"
                    " the classes and the test set as they were, or accept it with"
                    f" comparable_since: {tag}",
                )
                for leak in self.others
            ),
        ]


def compare(dataset: Dataset, history: History, made: Index) -> Comparison:
    """Return how `dataset`, whose index is `made`, compares with the releases of `history`."""
    for release in reversed(history.releases):
        if _is_equal(release, made, dataset, history):
            return Comparison(release.lock.meta.comparable_since, equal_to=release.tag)
    found = _Leaks({dataset.images.digests[row]: PlacedLeak(row) for row in _placed(dataset)})
    unknown, reason = [], ""
    for release in comparable(dataset.config, history):
        try:
            found.add(release.tag, made, history.index(release, dataset.source))
        except UserError as error:
            unknown.append(release.tag)
            reason = reason or str(error)
    return Comparison(
        _since(dataset.config),
        leaks=_grouped(found.counts),
        placed=[leak for leak in found.placed.values() if leak.seen],
        others=_grouped(found.others),
        unknown=tuple(unknown),
        reason=reason,
    )


def comparable(config: Config, history: History) -> list[Release]:
    """Return the releases with which a version of `config` must be comparable, oldest first."""
    since = releases.number(_since(config))
    return [release for release in history.releases if releases.number(release.tag) >= since]


def some(tags: Sequence[str]) -> str:
    """Return `tags` in words, ranges of consecutive ones in short: `v0 to v4 and v7`."""
    runs: list[list[str]] = []
    for tag in tags:
        if runs and releases.number(tag) == releases.number(runs[-1][-1]) + 1:
            runs[-1].append(tag)
        else:
            runs.append([tag])
    words = [
        f"{run[0]} to {run[-1]}" if len(run) > 2 else " and ".join(run)  # noqa: PLR2004
        for run in runs
    ]
    return ", ".join(words)


def images(count: int) -> str:
    """Return a number of images in words."""
    return f"{count:,} image{'' if count == 1 else 's'}"


def _since(config: Config) -> str:
    return config.comparable_since or "v0"


def _is_equal(release: Release, made: Index, dataset: Dataset, history: History) -> bool:
    """Return whether `release` has the same images in the same splits and folders."""
    meta = release.lock.meta
    if meta.splits or meta.counts != dataset.selection.counts():
        return meta.splits == made.sha256
    try:
        return history.index(release, dataset.source).places == made.places
    except UserError:
        return False


@dataclass
class _Leaks:
    """The leaks with each release: how many of all images, and of all but the `placed` ones."""

    placed: dict[bytes, PlacedLeak]
    counts: dict[str, tuple[int, int]] = field(default_factory=dict)
    others: dict[str, tuple[int, int]] = field(default_factory=dict)

    def add(self, tag: str, made: Index, other: Index) -> None:
        """Note the leaks between the version with the index `made` and the release `tag`."""
        from_test = other.evaluation & made.split(TRAIN)
        from_train = other.split(TRAIN) & made.evaluation
        self.counts[tag] = len(from_test), len(from_train)
        placed = self.placed.keys()
        self.others[tag] = len(from_test - placed), len(from_train - placed)
        for digest in (from_test | from_train) & placed:
            split, _ = other.places[digest]
            self.placed[digest].seen.setdefault(split, []).append(tag)


def _placed(dataset: Dataset) -> Iterator[int]:
    """Yield the rows that people put where they are: pinned ones and additions."""
    start = len(dataset.source.labels)
    for decision in dataset.inputs.curation.decisions:
        row = dataset.source.find(decision.sample)
        if row is not None and decision.action in SPLITS:
            yield row
    yield from range(start, start + len(dataset.inputs.additions))


def _problems_of_placed(
    leaks: Sequence[PlacedLeak], dataset: Dataset, tag: str
) -> Iterator[Problem]:
    """Yield the problem of each leak, on its row of the curation or at its file."""
    source, start = dataset.source, len(dataset.source.labels)
    pins = {
        source.find(one.sample): one
        for one in dataset.inputs.curation.decisions
        if one.action in SPLITS
    }
    for leak in leaks:
        pin = pins.get(leak.row)
        message = (
            f"leak: {dataset.images.identifier(leak.row)} is {leak}. Results on these versions"
            f" could not be compared. Remove this {'row' if pin else 'file'}, or accept it with"
            f" comparable_since: {tag}"
        )
        if pin:
            yield pin.problem(ACTION, message)
        else:
            yield dataset.inputs.additions[leak.row - start].problem(message)


def _grouped(counts: dict[str, tuple[int, int]]) -> list[Leak]:
    tags: dict[tuple[int, int], list[str]] = {}
    for tag, both in counts.items():
        tags.setdefault(both, []).append(tag)
    return [Leak(tuple(named), *both) for both, named in tags.items() if any(both)]
