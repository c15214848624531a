"""How the files of a location are arranged: what is said of it before any image is read."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath

from scripts.ingest import names
from scripts.ingest.findings import Findings
from scripts.ingest.labeled_image import LabeledImage
from scripts.ingest.locations import LocatedFile, Location
from scripts.ingest.options import IngestRequest
from scripts.inputs.config import SPLITS

MAX_CLASSES = 12
MAX_EXAMPLES = 3

# A split and a label.
Place = tuple[str | None, str | None]
Counts = Mapping[Place, int]


@dataclass(frozen=True)
class Listing:
    """All files of a location, what is asked of them, and where their problems are noted."""

    location: Location
    files: Sequence[LocatedFile]
    request: IngestRequest
    problems: Findings

    @cached_property
    def images(self) -> list[LocatedFile]:
        """The files whose names are those of images."""
        return [file for file in self.files if names.is_image(file.path)]


@dataclass(frozen=True)
class ExampleImage:
    """An image by its path, and what is taken from its place."""

    where: str
    place: Place

    def __str__(self) -> str:
        """Say it in words."""
        split, label = self.place
        return f"{self.where}: {label if label is not None else 'no label'}" + (
            f", {split}" if split else ""
        )


@dataclass(frozen=True)
class Arrangement:
    """What was recognized: its form in words, how many images there are, and how to read them.

    `passed_over` are files that are not read, `notes` is what else should be said.
    """

    form: str
    counts: Counts
    examples: Sequence[ExampleImage]
    passed_over: Sequence[PurePosixPath]
    read: Callable[[], Iterator[LabeledImage]]
    notes: Sequence[str] = ()

    def __str__(self) -> str:
        """Say it in lines."""
        lines = [f"recognized: {self.form}; {in_words(self.counts) or 'no images'}"]
        lines += [f"    {example}" for example in self.examples[:MAX_EXAMPLES]]
        if self.passed_over:
            lines.append(f"passed over: {names.endings(self.passed_over)}")
        return "\n".join([*lines, *self.notes])


def in_words(counts: Counts) -> str:
    """Return classes and their numbers by split, as in `train: cat 700, dog 699; test: cat 3`."""
    return "; ".join(
        (f"{split}: " if split else "") + classes_in_words(of_split)
        for split in (None, *SPLITS)
        if (of_split := {label: n for (one, label), n in counts.items() if one == split})
    )


def classes_in_words(counts: Mapping[str | None, int]) -> str:
    """Return classes and their numbers, sorted by name; of many, the first ones."""
    is_number = all(label is None or label.isdecimal() for label in counts)
    key = int if is_number else str
    ordered = sorted(counts.items(), key=lambda one: (one[0] is None, one[0] and key(one[0])))
    shown = [f"{'no label' if label is None else label} {n:,}" for label, n in ordered]
    more = len(shown) - MAX_CLASSES
    # One more class would be as short as the words that stand for it.
    return ", ".join(shown[:MAX_CLASSES]) + f" and {more:,} more" if more > 1 else ", ".join(shown)


def spread(examples: Iterable[ExampleImage]) -> list[ExampleImage]:
    """Return a few of `examples`, of different classes and splits as far as there are."""
    first: dict[Place, ExampleImage] = {}
    others: list[ExampleImage] = []
    for example in examples:
        if example.place not in first:
            first[example.place] = example
        elif len(others) < MAX_EXAMPLES:
            others.append(example)
    splits = {place[0]: example for place, example in reversed(first.items())}
    chosen = [*reversed(splits.values()), *first.values(), *others]
    return list(dict.fromkeys(chosen))[:MAX_EXAMPLES]


def counted(places: Iterable[Place]) -> Counts:
    """Return how many images there are at each place."""
    return Counter(places)
