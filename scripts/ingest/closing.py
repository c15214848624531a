"""Closes the older batches of a source when a new one is added.

Releases have taken images from both ends of a batch. It is cut between their splits, so that each
split stays on its side of the cut.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from scripts.dataset.deal import VALIDATION_END
from scripts.dataset.order import Image, order
from scripts.git.git import Git, GitTree
from scripts.inputs import image_name, reader
from scripts.inputs.config import SOURCE, SPLITS, TEST, TRAIN, VALIDATION
from scripts.releases import comparison, continuity
from scripts.releases.history import History
from scripts.releases.releases import Release, number
from scripts.sources.own import Own
from scripts.sources.pointer import OTHERS, BatchRecord
from scripts.sources.source import Source, Zones
from scripts.sources.view import view

MIDDLE = float(VALIDATION_END)
# The default without releases: a fifth for test, and no validation set.
UNUSED = Zones(MIDDLE, MIDDLE, 1.0)

# A batch and a label.
Part = tuple[int, str]


@dataclass
class Span:
    """The highest used place below a cut, and the lowest one above it."""

    low: float = 0.0
    high: float = 1.0

    def below(self, place: float) -> None:
        """Add a place that must stay below the cut."""
        self.low = max(self.low, place)

    def above(self, place: float) -> None:
        """Add a place that must stay above the cut."""
        self.high = min(self.high, place)

    def clamp(self, cut: float, step: float) -> float:
        """Return `cut`, moved between the two; `step` is half of the distance of two places.

        A place at the cut is above it.
        """
        if cut <= self.low and self.low > 0:
            cut = self.low + step
        return min(cut, self.high)


@dataclass
class Use:
    """The images of one label in one batch that releases have used."""

    validation: Span = field(default_factory=Span)
    test: Span = field(default_factory=Span)
    own_validation: Span = field(default_factory=Span)

    def note(self, split: str, place: float) -> None:
        """Add an image that a release had in `split`."""
        (self.test.above if split == TEST else self.test.below)(place)
        if place < MIDDLE and split == VALIDATION:
            self.validation.above(place)
        elif place < MIDDLE:
            # Train, or test where it reached past validation.
            self.validation.below(place)

    def note_of_own(self, split: str, place: float) -> None:
        """Add an image of a release with `split_by: source`."""
        if split == TRAIN:
            self.own_validation.below(place)
        if split == VALIDATION:
            self.own_validation.above(place)

    def zones(self, cuts: Zones, step: float) -> Zones:
        """Return the zones for cuts that are wanted."""
        return Zones(
            validation=min(self.validation.clamp(cuts.validation, step), MIDDLE),
            test=self.test.clamp(cuts.test, step),
            own_validation=self.own_validation.clamp(cuts.own_validation, step),
        )


def closed(git: Git, source: Own, accepted: Sequence[Release]) -> list[BatchRecord]:
    """Return the batches of `source`, all of them closed.

    `accepted` are the releases, oldest first. Of those of this source, the newest one counts, and
    those that compare with it, that its config demands, and that look at the source in the same
    way: a new split owes nothing to others. Groups need no cuts. Raises `UserError` when one of
    them is not available.
    """
    used = [release for release in accepted if _is_of(git, source, release)]
    newest = used[-1] if used else None
    config = newest.lock.meta.config if newest else {}
    if newest and config.get("group_by"):
        newest, used = None, []
    if newest:
        used = [one for one in used if _view(one.lock.meta.config) == _view(config)]
        kept = comparison.without_leak(History(git, accepted), newest)
        since = number(str(config.get("comparable_since") or "v0"))
        used = [one for one in used if one.tag in kept and number(one.tag) >= since]
    seed = int(config.get("seed", 0)) if newest else 0
    seen = view(source, *_view(config)) if newest else source
    images = {image.row: image for line in order(seen, seed).values() for image in line}
    uses: dict[Part, Use] = defaultdict(Use)
    drawn: Counter[str] = Counter()
    for release in used:
        rows = [(split, row) for split, row in _rows(git, source, release) if row in images]
        drawn = Counter(split for split, _ in rows)
        is_own = release.lock.meta.config.get("split_by") == SOURCE
        if is_own and source.own_validation is not None:
            continue  # each set is one split, so there is no cut
        for split, row in rows:
            use = uses[_part(seen, images[row])]
            (use.note_of_own if is_own else use.note)(split, images[row].place)
    sizes = Counter(_part(seen, image) for image in images.values())
    wanted = _wanted(drawn)
    return [
        batch.model_copy(update={"zones": _zones(number, batch, wanted, uses, sizes)})
        for number, batch in enumerate(source.pointer.batches)
    ]


def _is_of(git: Git, source: Own, release: Release) -> bool:
    is_named = release.lock.meta.source.name == source.name
    return is_named and continuity.has_pointer(git, release)


def _rows(git: Git, source: Own, release: Release) -> Iterator[tuple[str, int]]:
    """Yield the split and the row of each image of `release`, from their names.

    Pinned rows are skipped, because they stay in their split with any cut.
    """
    inputs = reader.read(GitTree(git, release.commit), release.lock.meta.config)
    curation = inputs.curation
    pinned = {decision.sample for decision in curation.decisions if decision.action in SPLITS}
    for name in History(git, [release]).names(release):
        image = image_name.parse(name)
        if image.identifier not in pinned and (row := source.find(image.identifier)) is not None:
            yield image.split, row


def _view(config: Mapping[str, Any]) -> tuple[Any, Any]:
    """Return the keys of a config that choose labels and samples."""
    return config.get("label_by"), config.get("where")


def _part(source: Source, image: Image) -> Part:
    return image.batch, str(source.labels[image.row])


def _wanted(drawn: Mapping[str, int]) -> Zones:
    """Return the cuts that the shares of the splits in the newest release would give."""
    total = sum(drawn.values())
    if not total:
        return UNUSED
    validation, test = drawn.get(VALIDATION, 0), drawn.get(TEST, 0)
    return Zones(
        validation=max(MIDDLE - validation / total, 0.0),
        test=1 - test / total,
        own_validation=1 - validation / max(total - test, 1),
    )


def _zones(
    number: int,
    batch: BatchRecord,
    wanted: Zones,
    uses: Mapping[Part, Use],
    sizes: Mapping[Part, int],
) -> dict[str, Zones]:
    """Return the zones of a batch by label; most labels usually have those of `OTHERS`."""
    labels = [label for of, label in sizes if of == number]
    before = batch.zones_of(labels)
    found = {
        label: uses.get((number, label), Use()).zones(
            before.get(label, wanted), 1 / (2 * sizes[number, label])
        )
        for label in sorted(labels)
    }
    if OTHERS in found:
        return found
    shared = Counter(found.values()).most_common(1)
    others = shared[0][0] if shared else wanted
    listed = {label: zones for label, zones in found.items() if zones != others}
    return {OTHERS: others, **listed}
