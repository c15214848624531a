"""Leaks: images in the test or validation set of one version and in the train set of another."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from scripts.inputs.config import TEST
from scripts.releases.index import Index
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


@dataclass
class LeakCounts:
    """The leaks of the version with the index `made`, with each release.

    `counts` has how many of all images, `others` how many of all but the `placed` ones.
    """

    made: Index
    placed: dict[bytes, PlacedLeak]
    counts: dict[str, tuple[int, int]] = field(default_factory=dict)
    others: dict[str, tuple[int, int]] = field(default_factory=dict)

    def add(self, tag: str, other: Index, demanded: set[str]) -> None:
        """Note the leaks between the version and the release `tag`, whose index is `other`."""
        from_test, from_train = self.made.leaks(other)
        self.counts[tag] = len(from_test), len(from_train)
        if tag not in demanded:
            return
        placed = self.placed.keys()
        self.others[tag] = len(from_test - placed), len(from_train - placed)
        for image in (from_test | from_train) & placed:
            place = other.place(image, self.made.resized.get(image, image))
            split, _ = place or (TEST, "")
            self.placed[image].seen.setdefault(split, []).append(tag)


def grouped(
    counts: dict[str, tuple[int, int]], demanded: set[str], kept: set[str]
) -> Iterator[Leak]:
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
