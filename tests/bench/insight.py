"""How good the probe is on the real MNIST, and what insight adds to the cost of a comment.

A part of `make bench`.
"""

import os
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from scripts.dataset.dataset import Dataset
from scripts.inputs import config_file
from scripts.inputs.curation import NO_DECISIONS
from scripts.inputs.reader import Inputs
from scripts.insight import accuracy, probe
from scripts.insight.probe import Change
from scripts.releases import index
from scripts.sources import registry
from scripts.sources.source import Source, SourceRequest
from tests.bench.catalogue import MNIST_CLASSES, SIZES
from tests.bench.repositories import PYTHON, Cost, run
from tests.repository import PROJECT, Repository, config_text, create

SOURCE = "mnist_784"
TRAIN_SIZES = (160, 320, 640, 8_000)
# Of each class, 3 and not 3.
TESTS = 2_500
# Train images of each class that the change adds.
MORE = 10
PLAN = """\
import sys
from scripts.__main__ import main
from scripts.review import insights

if sys.argv[1] == "without":
    insights.with_insight = lambda planned, *rest, **named: planned
sys.exit(main(["plan", "--format", "markdown"]))
"""


class InsightCost(NamedTuple):
    """What a comment costs with and without insight, and what its verbs cost."""

    images: int
    without: Cost
    with_insight: Cost
    probe: Cost
    suspects: Cost


def page(place: Path) -> str:
    """Return the section of the page of benchmarks, measured below `place`."""
    return f"## Insight\n\n{_table_of_accuracy()}\n{_table([*measure(place)])}"


def measure(place: Path, sizes: Sequence[int] = SIZES) -> Iterator[InsightCost]:
    """Yield the cost for each number of images."""
    for size in sizes:
        folder = place / f"insight-{size}"
        folder.mkdir()
        repository = create(folder, config(size, 0))
        _run(repository, "-m", "scripts", "release")
        repository.git("pull", "--quiet", "--ff-only", "--tags", "origin", "main")
        repository.configure(config(size, MORE))
        # What the first plan of a change leaves in the caches is there for both.
        _run(repository, "-c", PLAN, "with")
        yield InsightCost(
            size,
            *(_run(repository, "-c", PLAN, how) for how in ("without", "with")),
            *(_run(repository, "-m", "scripts", verb) for verb in ("probe", "suspects")),
        )


def config(size: int, more: int) -> str:
    """Return a config of `size` images, and `more` for train in each class."""
    if size == SIZES[-1]:
        # All images, but for those that the change adds to train.
        counts = {"samples": "all", "test_size": 0.2} if more else {"samples": 6_000}
        return config_text(source=SOURCE, class_="all", **{"test_size": 1_200, **counts})
    each = size // MNIST_CLASSES
    return config_text(source=SOURCE, class_="all", samples=each + more, test_size=each // 5)


def _run(repository: Repository, *arguments: str) -> Cost:
    """Run Python; return what it and the processes that it starts took."""
    environ = os.environ | {"PYTHONPATH": str(PROJECT)}
    return run(repository.root, [PYTHON, *arguments], env=environ)


def _table(costs: Sequence[InsightCost]) -> str:
    rows = [
        f"| {one.images:,} images | "
        + " | ".join(f"{cost.seconds:.1f} s, {cost.memory:.0f} MiB" for cost in one[1:])
        + " |\n"
        for one in costs
    ]
    return (
        "A comment on a change that adds a few train images, without and with the probe, suspects"
        " and changed copies; and the verbs, of which `suspects` ranks the whole dataset:\n\n"
        "| images | comment without | comment | `probe` | `suspects` |\n"
        "| --- | ---: | ---: | ---: | ---: |\n" + "".join(rows)
    )


def _table_of_accuracy() -> str:
    source = registry.load(SourceRequest(SOURCE))
    datasets = [_of_train_size(source, size) for size in TRAIN_SIZES]
    changes = [_change(*pair) for pair in pairwise(datasets)]
    found = [one for change in changes if (one := probe.find(change).accuracy)]
    right = [found[0].before, *(one.after for one in found)]
    gains = [(0, 0.0, 0.0), *map(_gain, found)]
    rows = [
        f"| {size:,} | {100 * count / (2 * TESTS):.1f} % | "
        + (f"{gain:+.1f} ({low:+.1f} to {high:+.1f}) |\n" if gain else "|\n")
        for size, count, (gain, low, high) in zip(TRAIN_SIZES, right, gains, strict=True)
    ]
    return (
        f"Accuracy on {2 * TESTS:,} images of MNIST, 3 or not 3, half of each:\n\n"
        "| train images | accuracy | points more (95 % interval) |\n| ---: | ---: | ---: |\n"
        + "".join(rows)
    )


def _gain(found: accuracy.Accuracy) -> tuple[float, float, float]:
    low, high = accuracy.interval(found.samples, found.gained, found.lost)
    return 100 * (found.after - found.before) / found.samples, 100 * low, 100 * high


def _of_train_size(source: Source, size: int) -> Dataset:
    config = config_text(source=SOURCE, samples=TESTS + size // 2, test_size=TESTS)
    return Dataset(Inputs(config_file.parse(config.encode()), NO_DECISIONS), source)


def _change(old: Dataset, new: Dataset) -> Change:
    return Change(index.of_dataset(old), index.of_dataset(new), new, lambda: old)
