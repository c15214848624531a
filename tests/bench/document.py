"""The page with the results."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from tests.bench.repositories import Cost

INTRODUCTION = """\
# Benchmarks

`make bench` writes this page. Everything is measured in one run, on {machine}.

*By hand* is the manual way: load MNIST with scikit-learn, save the images in a Pillow loop,
`dvc add`, `dvc push`. *Here* is `build` and `push`. Each uses a separate repository with a local
folder as remote, and reads MNIST from the disk: by hand from scikit-learn's cache, here from the
local copy that the first load writes. "First time" starts without stored encodings. "On top" starts
after a release. The two are measured alternately; times are medians of {repetitions}. Memory is the
peak of the largest process.

*The limit* is one process that encodes each image, hashes it and writes it to one file.

After each release a fresh clone is checked: `dvc pull`, `dvc status`, `dvc status -c` and `verify`
agree, in the clone and after a build.
"""
GROWTH = """\
## Cost per image

Build and push for the first time, measured once for each size. Images beyond 70,000 are shifted
copies of MNIST.

![Seconds and memory for 1,000 images, by the number of images](benchmarks.svg)
"""


class Row(NamedTuple):
    """A case: seconds and MiB of both ways, None for a way that is not measured."""

    label: str
    by_hand: float | None
    here: float | None
    memory_by_hand: float | None
    memory_here: float | None


def render(
    machine: str,
    rows: Sequence[Row],
    growth: Sequence[tuple[int, Cost]],
    repetitions: Mapping[int, int],
) -> str:
    """Return the page."""
    counts = ", ".join(f"{count} for {size:,} images" for size, count in repetitions.items())
    lines = [
        INTRODUCTION.format(machine=machine, repetitions=counts),
        "| what | by hand | here | ratio | memory by hand | memory here |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
        *map(_line, rows),
        "",
        GROWTH,
        "| images | time | for 1,000 images | memory | for 1,000 images |",
        "| ---: | ---: | ---: | ---: | ---: |",
        *(
            f"| {size:,} | {cost.seconds:.1f} s | {1000 * cost.seconds / size:.3f} s"
            f" | {cost.memory:.0f} MiB | {1000 * cost.memory / size:.2f} MiB |"
            for size, cost in growth
        ),
    ]
    return "\n".join(lines) + "\n"


def _line(row: Row) -> str:
    ratio = f"{row.by_hand / row.here:.1f}" if row.by_hand and row.here else ""
    times = [f"{value:.2f} s" if value else "" for value in (row.by_hand, row.here)]
    memory = [f"{value:.0f} MiB" if value else "" for value in row[3:]]
    return f"| {' | '.join([row.label, *times, ratio, *memory])} |"
