"""Groups: samples that must be in one split, such as those of one patient.

Groups are numbered in the order of the batches in which they first appear, and the split of a group
follows from its number alone. So later batches never move one.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, lru_cache

from scripts.dataset.deal import Dealt
from scripts.dataset.order import Image
from scripts.inputs.config import SPLITS, TEST, TRAIN, VALIDATION, Config, Split
from scripts.inputs.curation import ACTION, Curation
from scripts.inputs.problems import Problem
from scripts.sources.own import Own
from scripts.sources.resized import Resized
from scripts.sources.source import Source
from scripts.sources.view import text

# Fibonacci hashing: multiples of the golden ratio modulo 1, in whole numbers. Among consecutive
# numbers, the share in any interval is its length, up to a few.
# See D. E. Knuth, The Art of Computer Programming, volume 3, section 6.4.
MODULUS = 2**64
GOLDEN = 11400714819323198485


@dataclass(frozen=True)
class Groups:
    """The group of each row, by number, and the shares of the groups that are for each split."""

    numbers: Sequence[int]
    values: Sequence[str]
    offset: int
    shares: Mapping[Split, Fraction]

    def place(self, row: int) -> int:
        """Return the place of a row's group, from 0 to `MODULUS`."""
        return ((self.numbers[row] + 1) * GOLDEN + self.offset) % MODULUS

    def split(self, row: int) -> Split:
        """Return the split of a row's group."""
        place = self.place(row)
        if place >= self._begin_of_test:
            return TEST
        return VALIDATION if place >= self._begin_of_validation else TRAIN

    @cached_property
    def _begin_of_test(self) -> Fraction:
        return (1 - self.shares[TEST]) * MODULUS

    @cached_property
    def _begin_of_validation(self) -> Fraction:
        return (1 - self.shares[TEST] - self.shares[VALIDATION]) * MODULUS

    def line(self, images: Sequence[Image]) -> list[Image]:
        """Return images by batch, then by the place of their group, then by key."""
        return sorted(images, key=lambda one: (one.batch, self.place(one.row), one.key))


def groups_of(source: Source, config: Config) -> Groups:
    """Return the groups of `source`, which has the column that `config` names.

    A sample without a value is a group of its own.
    """
    whole, column = named(source, config)
    numbers, values = _numbered(whole, column, config.seed)
    offset = hashlib.sha256(f"{config.seed}:groups".encode()).digest()[:8]
    shares = {split: config.fraction(split, "") or Fraction(0) for split in (VALIDATION, TEST)}
    return Groups(numbers, values, int.from_bytes(offset), shares)


def named(source: Source, config: Config) -> tuple[Own, str]:
    """Return the source of your own behind `source`, and the column of its groups."""
    whole = source.source if isinstance(source, Resized) else source
    if not isinstance(whole, Own) or config.group_by is None:
        raise ValueError("only a source of your own has groups")
    return whole, config.group_by


@lru_cache(maxsize=4)
def _numbered(source: Own, column: str, seed: int) -> tuple[list[int], list[str]]:
    """Return the number of each row's group, and its value, empty for a group of one sample."""
    values = [text(value) for value in source.column(column)]
    digests = source.digests
    names = [value or f"sample {digests[row].hex()}" for row, value in enumerate(values)]
    known: dict[str, int] = {}
    for batch in source.batches:
        new = {name for name in names[batch.start : batch.stop] if name not in known}
        for name in sorted(new, key=lambda one: _digest(seed, one)):
            known[name] = len(known)
    return [known[name] for name in names], values


def _digest(seed: int, name: str) -> bytes:
    return hashlib.sha256(f"{seed}:group:{name}".encode()).digest()


def deal(line: Sequence[Image], groups: Groups, counts: Mapping[Split, int]) -> Dealt:
    """Return the images of `line` that each split gets.

    Each takes its count from the front of the images whose groups are for it, or as many as there
    are.
    """
    of_split: Dealt = {split: [] for split in SPLITS}
    for image in line:
        of_split[groups.split(image.row)].append(image)
    return {split: images[: counts[split]] for split, images in of_split.items()}


def problems_of(curation: Curation, source: Source, groups: Groups) -> Iterator[Problem]:
    """Yield the pins to another split than that of their group, each on its row."""
    for decision in curation.decisions:
        row = source.find(decision.sample) if decision.action in SPLITS else None
        if row is not None and (split := groups.split(row)) != decision.action:
            named = f" ({groups.values[row]})" if groups.values[row] else ""
            yield decision.problem(
                ACTION,
                f"action: the group of {decision.sample}{named} is for {split}, and all of its"
                f" samples must be in one split; exclude the sample, or pin it to {split}",
            )
