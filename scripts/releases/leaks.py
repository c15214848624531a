"""Leaks: images in the test or validation set of one version and in the train set of another."""

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, field

from scripts.inputs.config import SPLITS, TRAIN
from scripts.releases.cumulative import EVALUATION, CumulativeIndex, Leaking
from scripts.releases.index import BITS, Index
from scripts.releases.tag_ranges import tags_in_words


@dataclass(frozen=True)
class Leak:
    """The same leak with one or more releases: `tags`, oldest first.

    `from_test` counts images of their test sets in the new train set, `from_train` images of their
    train sets in the new test set. A leak `is_new` if the release before does not have it. It is
    `refused` if it is new, with a release that the config demands and that is not withdrawn.
    """

    tags: tuple[str, ...]
    from_test: int
    from_train: int
    is_new: bool = True
    refused: bool = True

    def __str__(self) -> str:
        """Say what leaks, in words."""
        theirs = f"of {tags_in_words(self.tags)} would be in the"
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
            f"in the {split} set of {tags_in_words(tags)}" for split, tags in self.seen.items()
        )


@dataclass(frozen=True)
class LeakCounts:
    """The leaks of a version with each release, by tag.

    `counts` has those of all images; `others`, with the demanded releases, those of all but the
    `placed` ones.
    """

    counts: dict[str, Leaking]
    others: dict[str, Leaking]
    placed: list[PlacedLeak]


def count_leaks(
    made: Index,
    together: CumulativeIndex,
    names: Mapping[str, str],
    demanded: Set[str],
    placed: Mapping[bytes, int],
) -> LeakCounts:
    """Return the leaks of the version with the index `made`.

    `together` has the releases under their `names`, by tag; `placed` are the rows of the images
    that people put where they are, by digest.
    """
    all_images, others = together.leaks(made), together.leaks(made, without=placed)
    leaking = []
    for image, row in placed.items():
        is_for_train = made.places.get(image, ("", ""))[0] == TRAIN
        there = together.splits_of(made, image) if image in made.places else {}
        seen: dict[str, list[str]] = {}
        for tag, name in names.items():
            bits = there.get(name, 0) & (EVALUATION if is_for_train else BITS[TRAIN])
            split = next((one for one in SPLITS if bits & BITS[one]), None)
            if split and tag in demanded:
                seen.setdefault(split, []).append(tag)
        leaking += [PlacedLeak(row, seen)] if seen else []
    return LeakCounts(
        {tag: all_images[name] for tag, name in names.items()},
        {tag: others[name] for tag, name in names.items() if tag in demanded},
        leaking,
    )


def grouped(counts: Mapping[str, Leaking], demanded: Set[str], kept: Set[str]) -> Iterator[Leak]:
    """Yield the leaks in `counts`, those that are the same with several releases as one.

    They are refused with the releases in `demanded`, and new with those in `kept`.
    """
    tags: dict[tuple[int, int, bool, bool], list[str]] = {}
    for tag, both in counts.items():
        tags.setdefault((*both, tag in kept, tag in demanded), []).append(tag)
    for (from_test, from_train, *kind), named in tags.items():
        if from_test or from_train:
            yield Leak(tuple(named), from_test, from_train, *kind)


def images(count: int) -> str:
    """Return a number of images in words."""
    return f"{count:,} image{'' if count == 1 else 's'}"
