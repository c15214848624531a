"""How long the catalogue takes, and how large it is, on the real MNIST.

A part of `make bench`.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.repository import PROJECT, Repository, config_text, create

SIZES = (200, 14_000, 70_000)
MNIST_CLASSES = 10
MEBI = 1 << 20


class Cost(NamedTuple):
    """What one catalogue costs.

    `first` are seconds with nothing made yet, `again` with the pictures in the remote. The size is
    in bytes; `page` is what the largest page of images loads.
    """

    images: int
    first: float
    again: float
    memory: float
    size: int
    page: int


def measure(place: Path, sizes: Sequence[int] = SIZES) -> Iterator[Cost]:
    """Yield the cost for each number of images; needs MNIST as scikit-learn keeps it."""
    for size in sizes:
        folder = place / f"site-{size}"
        folder.mkdir()
        repository = create(folder, _config(size))
        _verb(repository, "release")
        first, memory = _verb(repository, "site", "--out", str(folder / "site"))
        again, _ = _verb(repository, "site", "--out", str(folder / "site"))
        files = [path for path in (folder / "site").rglob("*") if path.is_file()]
        largest = _largest_page(folder / "site")
        yield Cost(size, first, again, memory, sum(map(_size, files)), largest)


def table(costs: Sequence[Cost]) -> str:
    """Return the costs as Markdown."""
    rows = [
        f"| {cost.images:,} images | {cost.first:.1f} s | {cost.again:.1f} s"
        f" | {cost.memory:.0f} MiB | {cost.size / 1e6:.1f} MB | {cost.page / 1e3:.0f} kB |\n"
        for cost in costs
    ]
    return (
        "| catalogue of one release | first | again | memory | size | largest page |\n"
        "| --- | ---: | ---: | ---: | ---: | ---: |\n" + "".join(rows)
    )


def page(place: Path) -> str:
    """Return the section of the page of benchmarks, measured below `place`."""
    return f"## Catalogue\n\n{table([*measure(place)])}"


def _config(size: int) -> str:
    if size == SIZES[-1]:
        return config_text(source="mnist_784", class_="all", samples="all", test_size=0.2)
    each = size // MNIST_CLASSES
    return config_text(source="mnist_784", class_="all", samples=each, test_size=each // 5)


def _verb(repository: Repository, *arguments: str) -> tuple[float, float]:
    """Run a verb; return its seconds, and its memory in MiB."""
    command, began = [sys.executable, "-m", "scripts", *arguments], time.perf_counter()
    environment = os.environ | {"PYTHONPATH": str(PROJECT)}
    process = subprocess.Popen(
        command, cwd=repository.root, stdout=subprocess.DEVNULL, env=environment
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{' '.join(command)[:80]} failed")
    return time.perf_counter() - began, usage.ru_maxrss * 1024 / MEBI


def _largest_page(site: Path) -> int:
    """Return the most that a page of images loads, beside what all pages share."""
    images = {path.stem: _size(path) for path in (site / "images").iterdir()}
    pages = site.glob("v0/*/*/*.html")
    return max(
        _size(page) + max(size for key, size in images.items() if key in page.read_text())
        for page in pages
    )


def _size(path: Path) -> int:
    return path.stat().st_size
