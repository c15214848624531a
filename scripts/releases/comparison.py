"""Finds leaks between versions, and the releases with which a version is comparable.

A leak is an image in the test or validation set of one version and in the train set of the other.
Comparability is computed release by release, for every version, and nothing is inherited. What the
config demands, and the previous release had, must not be lost.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from scripts.dataset.dataset import Dataset
from scripts.errors import UserError
from scripts.inputs.config import SPLITS, Config
from scripts.inputs.curation import ACTION
from scripts.inputs.problems import InputError, Problem
from scripts.releases import index, releases
from scripts.releases.cumulative import Leaking
from scripts.releases.history import History
from scripts.releases.index import Index
from scripts.releases.indexes import name_of
from scripts.releases.leaks import Leak, PlacedLeak, count_leaks, grouped
from scripts.releases.releases import Release
from scripts.releases.rounding import sizes_that_keep


@dataclass(frozen=True)
class Comparison:
    """The comparison of a version with the releases before it.

    `comparable` are the tags of those with which there is no leak, `incomparable` of those with
    which there is one; `leaks` are all leaks. Of the refused ones, `placed` are those of images
    that people put where they are, `others` all but those. `equal_to` is a release with the same
    images in the same splits, if there is one; then nothing is refused. `unknown` are releases
    whose images could not be read, and `reason` says why; `unknown_demanded` are those of them with
    which the version must be comparable. `sizes` are those that the config could have instead of
    its fractions, which move an image by rounding.
    """

    comparable: Sequence[str] = ()
    incomparable: Sequence[str] = ()
    leaks: Sequence[Leak] = ()
    placed: Sequence[PlacedLeak] = ()
    others: Sequence[Leak] = ()
    unknown: Sequence[str] = ()
    unknown_demanded: Sequence[str] = ()
    reason: str = ""
    equal_to: str | None = None
    sizes: str = ""

    def refuse_leaks(self, dataset: Dataset, tag: str) -> None:
        """Raise `InputError` for refused leaks, and for an invalid `comparable_since`.

        `dataset` is the compared version; `tag` is the tag that it would get.
        """
        if problems := self.problems(dataset, tag):
            raise InputError(problems)

    def problems(self, dataset: Dataset, tag: str) -> list[Problem]:
        """Return the problems that `refuse_leaks` raises, each at its cause or in the config."""
        config = dataset.config
        since = config.comparable_since
        if since and releases.number(since) > releases.number(tag):
            message = f"comparable_since: {since} is later than {tag}, which this version would be"
            return [config.problem(("comparable_since",), message)]
        place = ("comparable_since",) if since else ("samples",)
        way_out = (
            f"Write {self.sizes}, which keeps the split"
            if self.sizes
            else "Keep the seed, the classes and the test set as they were"
        )
        return [
            *_problems_of_placed(self.placed, dataset, tag),
            *(
                config.problem(
                    place,
                    f"leak: {leak}. Results on these versions would not be comparable. {way_out}, "
                    f"or"
                    f" accept it with comparable_since: {tag}",
                )
                for leak in self.others
            ),
        ]


def compare(dataset: Dataset, history: History, made: Index) -> Comparison:
    """Compare `dataset`, with the index `made`, with the releases of `history`."""
    compared = _compare(dataset, history, made)
    if not compared.others:
        return compared

    def keeps(other: Dataset) -> bool:
        found = _compare(other, history, index.of_dataset(other))
        return not (found.others or found.unknown)

    return replace(compared, sizes=sizes_that_keep(dataset, keeps))


def _compare(dataset: Dataset, history: History, made: Index) -> Comparison:
    together, unknown = history.cumulative(dataset.source)
    names = {
        release.tag: name_of(release) for release in history.releases if release.tag not in unknown
    }
    # Of a release that cannot be read, only its lock tells.
    same, counts = together.holding(made) | {None}, dataset.selection.counts()
    equal_to = next(
        (
            release.tag
            for release in reversed(history.releases)
            if release.lock.meta.counts == counts
            and names.get(release.tag) in same
            and _is_equal(release, made, dataset, history)
        ),
        None,
    )
    demanded = set() if equal_to else {one.tag for one in required(dataset.config, history)}
    placed = {dataset.images.keys[row]: row for row in _placed(dataset)}
    found = count_leaks(made, together, names, demanded, placed)
    return Comparison(
        comparable=[tag for tag, both in found.counts.items() if not any(both)],
        incomparable=[tag for tag, both in found.counts.items() if any(both)],
        leaks=[*grouped(found.counts, demanded, _kept(history))],
        placed=found.placed,
        others=[*grouped(found.others, demanded, demanded)],
        unknown=list(unknown),
        unknown_demanded=[tag for tag in unknown if tag in demanded],
        reason=next(iter(unknown.values()), ""),
        equal_to=equal_to,
    )


def of_release(history: History, release: Release) -> Comparison:
    """Compare `release` with the ones before it in `history`.

    The result is read from its lock, or computed from the indexes for older locks.
    """
    earlier = history.before(release)
    if release.lock.meta.comparable_with is not None:
        listed = {one.tag: release.lock.is_comparable_with(one.tag) for one in earlier}
        return Comparison(
            [tag for tag, is_listed in listed.items() if is_listed],
            [tag for tag, is_listed in listed.items() if not is_listed],
        )
    comparable: list[str] = []
    incomparable: list[str] = []
    unknown: list[str] = []
    reason = ""
    for other in earlier:
        try:
            has_leak = any(history.index(release).leaks(history.index(other)))
            (incomparable if has_leak else comparable).append(other.tag)
        except UserError as error:
            unknown.append(other.tag)
            reason = reason or str(error)
    return Comparison(comparable, incomparable, unknown=unknown, reason=reason)


def of_release_with_leaks(history: History, release: Release) -> Comparison:
    """Return the result of `of_release`, with the leaks that are new in `release`.

    They were accepted. Leaks with a release whose index cannot be read are left out.
    """
    compared = of_release(history, release)
    earlier = history.before(release)
    kept = without_leak(history, earlier[-1]) if earlier else set()
    counts = {}
    for other in earlier:
        if other.tag in kept and other.tag in compared.incomparable:
            with suppress(UserError):
                from_test, from_train = history.index(release).leaks(history.index(other))
                counts[other.tag] = Leaking(len(from_test), len(from_train))
    return replace(compared, leaks=[*grouped(counts, set(), kept)])


def required(config: Config, history: History) -> list[Release]:
    """Return the releases with which a version of `config` must not have a leak, oldest first.

    These are the ones that the config requires, except for withdrawn ones, and those with which the
    newest release is not comparable either.
    """
    kept = _kept(history) - history.withdrawn
    since = releases.number(config.comparable_since or "v0")
    return [
        release
        for release in history.releases
        if release.tag in kept and releases.number(release.tag) >= since
    ]


def _kept(history: History) -> set[str]:
    """Return the newest release, and those with which it has no known leak."""
    return without_leak(history, history.latest) if history.latest else set()


def without_leak(history: History, release: Release) -> set[str]:
    """Return `release`, and earlier ones with which it has no known leak."""
    compared = of_release(history, release)
    return {release.tag, *compared.comparable, *compared.unknown}


def _is_equal(release: Release, made: Index, dataset: Dataset, history: History) -> bool:
    """Return whether `release` has the same images in the same splits and folders."""
    try:
        other = history.index(release, dataset.source)
    except UserError:
        return release.lock.meta.splits == made.sha256
    return other.as_shown.places == made.as_shown.places


def _placed(dataset: Dataset) -> Iterator[int]:
    """Yield the pinned rows and the additions."""
    start = len(dataset.source.labels)
    for decision in dataset.inputs.curation.decisions:
        row = dataset.source.find(decision.sample)
        if row is not None and decision.action in SPLITS:
            yield row
    yield from range(start, start + len(dataset.inputs.additions))


def _problems_of_placed(
    leaks: Sequence[PlacedLeak], dataset: Dataset, tag: str
) -> Iterator[Problem]:
    """Yield the problem of each leak, at its row of the curation or its file."""
    source, start = dataset.source, len(dataset.source.labels)
    pins = {
        source.find(one.sample): one
        for one in dataset.inputs.curation.decisions
        if one.action in SPLITS
    }
    for leak in leaks:
        pin = pins.get(leak.row)
        message = (
            f"leak: {dataset.images.identifier(leak.row)} is {leak}. Results on these versions "
            f"would not be comparable. Remove this {'row' if pin else 'file'}, or accept it with"
            f" comparable_since: {tag}"
        )
        if pin:
            yield pin.problem(ACTION, message)
        else:
            yield dataset.inputs.additions[leak.row - start].problem(message)
