"""With which releases a version is comparable: between them there is no leak.

A leak is an image in the test or validation set of one version and in the train set of the other.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from scripts.build.dataset import Dataset
from scripts.errors import UserError
from scripts.inputs.config import TRAIN, Config
from scripts.inputs.problems import InputError, Problem
from scripts.versions import index, releases
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
class Comparison:
    """How a version compares with the releases since `since`.

    `equal_to` is a release with the same images in the same splits, if there is one; `unknown` are
    releases whose images could not be read, and `reason` says why.
    """

    since: str
    leaks: list[Leak]
    unknown: tuple[str, ...] = ()
    reason: str = ""
    equal_to: str | None = None

    def refuse_leaks(self, config: Config, tag: str) -> None:
        """Raise `InputError` for leaks, and where `config` names a release that cannot be.

        `tag` is what the version would be called.
        """
        if problems := self.problems(config, tag):
            raise InputError(problems)

    def problems(self, config: Config, tag: str) -> list[Problem]:
        """Return what `refuse_leaks` raises."""
        since = config.comparable_since
        if since and releases.number(since) > releases.number(tag):
            message = f"comparable_since: {since} is later than {tag}, which this version would be"
            return [config.problem(("comparable_since",), message)]
        place = ("comparable_since",) if since else ("samples",)
        return [
            config.problem(
                place,
                f"leak: {leak}. Results on these versions could not be compared. Keep the seed, the"
                " classes and the test set as they were, or accept it with"
                f" comparable_since: {tag}",
            )
            for leak in self.leaks
        ]


def compare(dataset: Dataset, history: History) -> Comparison:
    """Return how `dataset` compares with the releases of `history`."""
    made = index.of_dataset(dataset)
    for release in reversed(history.releases):
        if _is_equal(release, made, dataset, history):
            return Comparison(release.lock.meta.comparable_since, [], equal_to=release.tag)
    counts: dict[str, tuple[int, int]] = {}
    unknown, reason = [], ""
    for release in comparable(dataset.config, history):
        try:
            counts[release.tag] = _leaks(made, history.index(release, dataset.source))
        except UserError as error:
            unknown.append(release.tag)
            reason = reason or str(error)
    return Comparison(_since(dataset.config), _grouped(counts), tuple(unknown), reason)


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


def _leaks(made: Index, other: Index) -> tuple[int, int]:
    return (
        len(other.evaluation & made.split(TRAIN)),
        len(other.split(TRAIN) & made.evaluation),
    )


def _grouped(counts: dict[str, tuple[int, int]]) -> list[Leak]:
    tags: dict[tuple[int, int], list[str]] = {}
    for tag, both in counts.items():
        tags.setdefault(both, []).append(tag)
    return [Leak(tuple(named), *both) for both, named in tags.items() if any(both)]
