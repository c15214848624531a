"""What it costs to compare images in a folder with a release of the real MNIST.

A part of `make bench`.
"""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from scripts.dataset import png
from scripts.insight.drift import MOST
from scripts.sources import registry
from scripts.sources.source import SourceRequest
from tests.bench.catalogue import SIZES
from tests.bench.insight import MORE, SOURCE, config
from tests.bench.repositories import PYTHON, Cost, run
from tests.repository import PROJECT, create


class DriftCost(NamedTuple):
    """What one comparison costs."""

    images: int
    cost: Cost


def page(place: Path) -> str:
    """Return the section of the page of benchmarks, measured below `place`."""
    return _table([*measure(place)])


def measure(place: Path, sizes: Sequence[int] = SIZES) -> Iterator[DriftCost]:
    """Yield the cost for each number of images in the release."""
    production = place / "production"
    production.mkdir()
    source = registry.load(SourceRequest(SOURCE))
    for row in range(MOST):
        (production / f"{row}.png").write_bytes(png.encode(source.image(row)))
    environ = os.environ | {"PYTHONPATH": str(PROJECT)}
    for size in sizes:
        folder = place / f"drift-{size}"
        folder.mkdir()
        repository = create(folder, config(size, MORE))
        for verb in (["release"], ["drift", str(production)]):
            cost = run(repository.root, [PYTHON, "-m", "scripts", *verb], env=environ)
        yield DriftCost(size, cost)


def _table(costs: Sequence[DriftCost]) -> str:
    rows = [
        f"| {one.images:,} images | {one.cost.seconds:.1f} s | {one.cost.processor:.1f} s"
        f" | {one.cost.memory:.0f} MiB |\n"
        for one in costs
    ]
    return (
        f"## Drift\n\nComparing {MOST:,} files in a folder with a release:\n\n"
        "| release | time | processor time | memory |\n| --- | ---: | ---: | ---: |\n"
        + "".join(rows)
    )
