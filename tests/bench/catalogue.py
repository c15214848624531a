"""How long the catalogue takes, and how large it is, on the real MNIST and after many releases.

A part of `make bench`.
"""

import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.bench.repositories import PYTHON, Cost, run
from tests.repository import ORIGIN_URL, PROJECT, Repository, config_text, create, git

SIZES = (200, 14_000, 70_000)
# How many releases there are when the catalogue is written again, with up to so many images each.
RELEASES = (1, 50, 200)
MOST_OF_RELEASES = 340
MNIST_CLASSES = 10


class FirstCost(NamedTuple):
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


class AgainCost(NamedTuple):
    """What the catalogue costs after the newest of some releases.

    `again` is a run where the one before left a catalogue, `fresh` one in a new clone. `processes`
    are the git processes of the first.
    """

    releases: int
    again: Cost
    fresh: Cost
    processes: int


def measure(place: Path, sizes: Sequence[int] = SIZES) -> Iterator[FirstCost]:
    """Yield the cost for each number of images; needs MNIST as scikit-learn keeps it."""
    for size in sizes:
        folder = place / f"site-{size}"
        folder.mkdir()
        repository = create(folder, _config(size))
        _verb(repository, "release")
        first = _verb(repository, "site", "--out", str(folder / "site"))
        # In another folder, so that nothing but the pictures in the remote is there.
        again = _verb(repository, "site", "--out", str(folder / "again"))
        files = [path for path in (folder / "site").rglob("*") if path.is_file()]
        largest = _largest_page(folder / "site")
        size_ = sum(map(_size, files))
        yield FirstCost(size, first.seconds, again.seconds, first.memory, size_, largest)


def measure_again(place: Path, numbers: Sequence[int] = RELEASES) -> Iterator[AgainCost]:
    """Yield the cost of the catalogue after each number of releases of the digits."""
    for number in numbers:
        folder = place / f"again-{number}"
        folder.mkdir()
        repository = _with_releases(folder, number)
        out = str(folder / "site")
        newest = f"v{number - 1}"
        if number > 1:
            # What the run after the release before left.
            repository.git("tag", "--delete", newest)
            _verb(repository, "site", "--out", out)
            repository.git("fetch", "--quiet", "--tags", "origin")
        else:
            _verb(repository, "site", "--out", out)
        traces = folder / "traces"
        traces.mkdir()
        again = _verb(repository, "site", "--out", out, GIT_TRACE2_EVENT=str(traces))
        clone = _cloned(repository, folder / "clone")
        fresh = _verb(clone, "site", "--out", str(clone.place / "site"))
        yield AgainCost(number, again, fresh, sum(1 for _ in traces.iterdir()))


def _with_releases(folder: Path, number: int) -> Repository:
    """Return a repository with releases of the digits, each of one image more."""
    start = MOST_OF_RELEASES - number
    repository = create(folder, _digits(start))
    _verb(repository, "release")
    repository.git("pull", "--quiet", "--ff-only", "--tags", "origin", "main")
    for more in range(1, number):
        repository.configure(_digits(start + more))
        repository.git("commit", "--quiet", "--all", "--message", "One image more")
    repository.git("push", "--quiet", "origin", "main")
    _verb(repository, "release")
    repository.git("fetch", "--quiet", "--tags", "origin")
    return repository


def _digits(images: int) -> str:
    of_no3 = images // 2
    samples = {"3": images - of_no3, "no3": of_no3}
    return config_text(samples=samples, test_size=20)


def _cloned(repository: Repository, place: Path) -> Repository:
    """Return a new clone, beside copies of its origin and its remote."""
    clone = Repository(place)
    for folder in (repository.origin, repository.bucket):
        shutil.copytree(folder, place / folder.name)
    git(place, "clone", "--quiet", "origin.git", "work")
    clone.git("remote", "set-url", "origin", ORIGIN_URL)
    return clone


def table(costs: Sequence[FirstCost]) -> str:
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


def table_of_again(costs: Sequence[AgainCost]) -> str:
    """Return the costs of the catalogue after the newest of some releases as Markdown."""
    rows = [
        f"| {cost.releases} | {cost.again.processor:.1f} s | {cost.again.seconds:.1f} s"
        f" | {cost.again.memory:.0f} MiB | {cost.processes} | {cost.fresh.processor:.1f} s"
        f" | {cost.fresh.seconds:.1f} s | {cost.fresh.memory:.0f} MiB |\n"
        for cost in costs
    ]
    return (
        "| releases | again: processor | time | memory | git processes | new clone: processor"
        " | time | memory |\n"
        "| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n" + "".join(rows)
    )


def page(place: Path) -> str:
    """Return the section of the page of benchmarks, measured below `place`."""
    after = (
        f"Written again after the newest of some releases, each of up to {MOST_OF_RELEASES} images:"
        " over the catalogue of the release before, and in a new clone.\n"
    )
    again = table_of_again([*measure_again(place)])
    return f"## Catalogue\n\n{table([*measure(place)])}\n{after}\n{again}"


def _config(size: int) -> str:
    if size == SIZES[-1]:
        return config_text(source="mnist_784", class_="all", samples="all", test_size=0.2)
    each = size // MNIST_CLASSES
    return config_text(source="mnist_784", class_="all", samples=each, test_size=each // 5)


def _verb(repository: Repository, *arguments: str, **environment: str) -> Cost:
    """Run a verb; return what it and the processes that it starts took."""
    environ = os.environ | {"PYTHONPATH": str(PROJECT)} | environment
    return run(repository.root, [PYTHON, "-m", "scripts", *arguments], env=environ)


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
