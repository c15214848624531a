"""`make bench`: this project against the manual path, measured in one run on the real MNIST.

Writes benchmarks.md and its pictures into the folder that is its argument.
"""

import os
import platform
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import NamedTuple

import psutil  # type: ignore[import-untyped]

from tests.bench import (
    buckets,
    catalogue,
    chart,
    consumers,
    document,
    drifts,
    insight,
    photos,
    releases,
    shuffle,
)
from tests.bench.document import Row
from tests.bench.repositories import (
    LIMIT,
    PROJECT,
    PYTHON,
    THREES,
    ByHand,
    Cost,
    Here,
    output,
    run,
)
from tests.doubles import storage

ROWS = 70_000
# Each case is measured so often, both ways in turn: the first time, and what comes on top.
REPETITIONS = {200: 3, 14_000: 2, ROWS: 1}
MORE = 100
COPIES = 3
SIZES = [200, 2_000, 14_000, ROWS, 3 * ROWS]
# Makes a larger source of shifted copies, and keeps it as a local copy; prints its checksum.
SHIFT = f"""\
import sys
import numpy as np
from scripts.sources import copies
from scripts.sources.table import Table
source = copies.find("mnist_784", sys.argv[1])
shifts = [(y, x) for y in range(-2, 3) for x in (0, 1)][:{COPIES}]
pixels = np.concatenate([np.roll(source.pixels, shift, (1, 2)) for shift in shifts])
made = Table("mnist_shifted", pixels, np.tile(source.labels, {COPIES}))
copies.keep(made)
print(made.sha256)
"""


class Source(NamedTuple):
    """A source, the checksum of its local copy, and a lock that vouches for that."""

    name: str
    sha256: str
    lock: str


def main() -> None:
    """Measure everything and write the page."""
    folder = Path(sys.argv[1])
    with tempfile.TemporaryDirectory(prefix="bench-") as place:
        _isolate(Path(place))
        mnist = _warm(Path(place))
        rows = [
            *_compared(Path(place), mnist),
            *_on_a_runner(Path(place), mnist),
            *photos.measure(Path(place)),
        ]
        after = list(releases.measure(Path(place), mnist.lock))
        pushed = list(buckets.measure(Path(place) / "buckets", mnist.lock))
        growth = _growth(Path(place), mnist)
        read = list(shuffle.measure(Path(place)))
        consumed = "\n".join(consumers.measure(Path(place)))
        catalogued = catalogue.page(Path(place))
        found = insight.page(Path(place))
        drifted = drifts.page(Path(place))
    machine = (
        f"{platform.system()} with {os.cpu_count()} cores, Python {platform.python_version()}, in a"
        f" folder on {_file_system(Path(tempfile.gettempdir()))}"
    )
    parts = [
        document.render(machine, rows, REPETITIONS),
        document.IMAGES + document.growth_table(growth),
        document.RELEASES + releases.table(after),
        document.OBJECTS + buckets.table(pushed),
        document.SHARDS + shuffle.table(read),
        f"{consumed}\n",
        catalogued,
        found,
        drifted,
    ]
    (folder / "benchmarks.md").write_text("\n".join(parts))
    for name, picture in _pictures(growth, after, pushed).items():
        (folder / f"benchmarks-{name}.svg").write_text(picture)


def _pictures(
    growth: Sequence[tuple[int, Cost]],
    after: Sequence[releases.AfterReleases],
    pushed: Sequence[buckets.Case],
) -> dict[str, str]:
    """Return the charts, by name."""
    first = {"build and push": [(size, 1000 * cost.seconds / size) for size, cost in growth]}
    by_hand, here = buckets.points(pushed)
    return {
        "images": chart.draw("images", "seconds for 1,000 images", first),
        "releases": chart.draw("releases", "seconds of processor time", releases.points(after)),
        "objects": chart.draw(
            "other objects in the bucket", "seconds", {"dvc push": by_hand, "here": here}
        ),
    }


def _file_system(folder: Path) -> str:
    """Return the kind of file system that `folder` is on, such as ext4 or tmpfs."""
    mounted = {Path(one.mountpoint): one.fstype for one in psutil.disk_partitions(all=True)}
    return str(next(mounted[place] for place in (folder, *folder.parents) if place in mounted))


def _isolate(place: Path) -> None:
    """Keep what this machine has in its caches and settings out of the measurements."""
    os.environ.update(
        {
            "XDG_CACHE_HOME": str(place / "cache"),
            "DVC_SITE_CACHE_DIR": str(place / "site"),
            "DVC_GLOBAL_CONFIG_DIR": str(place / "none"),
            "DVC_SYSTEM_CONFIG_DIR": str(place / "none"),
            "DVC_NO_ANALYTICS": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            **storage.ENVIRONMENT,
            **{f"GIT_{role}_NAME": "bench" for role in ("AUTHOR", "COMMITTER")},
            **{f"GIT_{role}_EMAIL": "bench@example.com" for role in ("AUTHOR", "COMMITTER")},
        }
    )


def _warm(place: Path) -> Source:
    """Read MNIST once, so that its local copy is there."""
    here = Here(place / "warm", None)
    here.configure(20)
    here.verbs("template-lock")
    lock = (here.root / "dataset.dvc").read_text()
    [copy] = (place / "cache" / "dataset-sources" / "mnist_784").glob("*.npy")
    return Source("mnist_784", copy.stem, lock)


def _compared(place: Path, mnist: Source) -> Iterator[Row]:
    """Measure changes with a local folder as remote."""
    for size, repetitions in REPETITIONS.items():
        costs: dict[str, list[Cost]] = {}
        for number in range(repetitions):
            _measure(place / str(number), mnist, size, costs, check=number == 0)
        first = f"{size:,} images, first time"
        yield _row(first, costs["hand"], costs["here"])
        if size == ROWS:
            yield _row(f"{MORE} more on top of {size - MORE:,}", costs["more"], costs["here more"])
            yield _row(f"nothing changed, {size:,}", costs["same"], costs["here same"])
            yield _row(f"the limit for {size:,}: encode, hash and write", costs["limit"], [])
            yield _row(f"plan of {MORE} more on top of {size - MORE:,}", [], costs["plan"])


def _measure(
    place: Path, mnist: Source, size: int, costs: dict[str, list[Cost]], *, check: bool
) -> None:
    """Measure one size once, both ways in turn; `check` what a clone of the release gives."""

    def note(name: str, cost: Cost) -> None:
        costs.setdefault(name, []).append(cost)
        print(f"{size:,} {name}: {cost.seconds:.2f} s, {cost.memory:.0f} MiB", file=sys.stderr)

    start = size - MORE if size == ROWS else size
    by_hand, here = ByHand(place / "hand"), Here(place / "here", mnist.lock)
    _forget_encodings()
    note("hand", by_hand.change(start))
    note("here", here.change(start))
    here.release()
    if check:
        here.check_clone(start)
    if size == ROWS:
        note("limit", run(place, [PYTHON, "-c", LIMIT, mnist.sha256, str(size)], env=_environ()))
        here.configure(size)
        note("plan", here.verbs("plan"))
        note("more", by_hand.change(size))
        note("here more", here.change(size))
        here.release()
        if check:
            here.check_clone(size)
        note("same", by_hand.change(size))
        note("here same", here.change(size))
    by_hand.remove()
    here.remove()


def _environ() -> Mapping[str, str]:
    return {**os.environ, "PYTHONPATH": str(PROJECT)}


def _forget_encodings() -> None:
    """Forget what earlier builds encoded."""
    for file in Path(os.environ["XDG_CACHE_HOME"], "dataset-sources", "encodings").glob("*"):
        file.unlink()


def _on_a_runner(place: Path, mnist: Source) -> Iterator[Row]:
    """Measure a run for a pull request, from a machine with nothing but Python to the report."""
    here = Here(place / "runner", mnist.lock)
    here.configure(200)
    python = str(place / "runner-venv" / "bin" / "python")
    # As on a new machine: nothing downloaded, nothing compiled.
    os.environ |= {
        "UV_CACHE_DIR": str(place / "uv"),
        "PIP_NO_CACHE_DIR": "1",
        "PYTHONPYCACHEPREFIX": str(place / "pyc"),
    }
    hashes = ["--require-hashes", "--only-binary", ":all:"]
    uv = [str(Path(python).with_name("uv")), "pip", "install", "--quiet", "--python", python]
    uv += ["--no-build-isolation", *hashes, "--no-binary", "antlr4-python3-runtime"]
    base = str(Path(sys.base_prefix) / "bin" / "python3")
    pip = [base, "-m", "pip", "--python", python, "install", "--quiet", "--no-compile", *hashes]
    install = here.run(
        [base, "-m", "venv", "--without-pip", str(place / "runner-venv")],
        [*pip, "-r", str(PROJECT / "requirements-install.txt")],
        [*uv, "-r", str(PROJECT / "requirements.txt")],
    )
    work = here.run([python, "-m", "scripts", "workflow", "check", "--store", "true", "report"])
    for name in ("UV_CACHE_DIR", "PIP_NO_CACHE_DIR", "PYTHONPYCACHEPREFIX"):
        del os.environ[name]
    print(f"runner: {install}, {work}", file=sys.stderr)
    yield _row("a new runner: install", [], [install])
    yield _row("a new runner: check a pull request with 200 images", [], [work])
    here.remove()


def _growth(place: Path, mnist: Source) -> list[tuple[int, Cost]]:
    """Measure build and push of more and more images."""
    shift = [PYTHON, "-c", SHIFT, mnist.sha256]
    os.environ["PYTHONPATH"] = str(PROJECT)
    sha256 = output(place, shift)
    del os.environ["PYTHONPATH"]
    lock = mnist.lock.replace(mnist.name, "mnist_shifted").replace(mnist.sha256, sha256)
    shifted = Source("mnist_shifted", sha256, lock)
    growth = []
    for size in SIZES:
        source = mnist if size <= ROWS else shifted
        here = Here(place / f"growth-{size}", source.lock, source=source.name)
        _forget_encodings()
        here.configure(size, THREES * (COPIES if source is shifted else 1))
        cost = here.verbs("build", "push")
        here.remove()
        print(f"{size:,} images: {cost.seconds:.1f} s, {cost.memory:.0f} MiB", file=sys.stderr)
        growth.append((size, cost))
    return growth


def _row(label: str, by_hand: Sequence[Cost], here: Sequence[Cost]) -> Row:
    def middle(costs: Sequence[Cost], part: Callable[[Cost], float]) -> float | None:
        return median(map(part, costs)) if costs else None

    return Row(
        label,
        middle(by_hand, lambda cost: cost.seconds),
        middle(here, lambda cost: cost.seconds),
        middle(by_hand, lambda cost: cost.memory),
        middle(here, lambda cost: cost.memory),
    )


if __name__ == "__main__":
    main()
