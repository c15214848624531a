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
IMAGES = """\
## Cost per image

Build and push for the first time, measured once for each size. Images beyond 70,000 are shifted
copies of MNIST.

![Seconds for 1,000 images, by the number of images](benchmarks-images.svg)

"""
RELEASES = """\
## Cost per release

What a change of one image costs in processor time after more and more releases: the best of three
runs, because other work on the machine only adds.

![Seconds of processor time, by the number of releases](benchmarks-releases.svg)

"""
SHARDS = """\
## Shards

Bytes that a build of shards reads, in times of the bytes of its source, for images of 4 x 4 pixels
that are stored as they came. What is read between the two passes counts too.

"""
OBJECTS = """\
## Buckets

Pushes to a stand-in for Google Cloud Storage that adds 30 ms to each request: medians of 3, with
`dvc push` and with this project in turn.

![Seconds to push 100 more objects, by the number of others in the bucket](benchmarks-objects.svg)

"""


class Row(NamedTuple):
    """A case: seconds and MiB of both ways, None for a way that is not measured."""

    label: str
    by_hand: float | None
    here: float | None
    memory_by_hand: float | None
    memory_here: float | None


def render(machine: str, rows: Sequence[Row], repetitions: Mapping[int, int]) -> str:
    """Return the first part of the page: the comparison with the manual way."""
    counts = ", ".join(f"{count} for {size:,} images" for size, count in repetitions.items())
    lines = [
        INTRODUCTION.format(machine=machine, repetitions=counts),
        "| what | by hand | here | ratio | memory by hand | memory here |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
        *map(_line, rows),
    ]
    return "\n".join(lines) + "\n"


def growth_table(growth: Sequence[tuple[int, Cost]]) -> str:
    """Return what build and push cost for each number of images as Markdown."""
    lines = [
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
