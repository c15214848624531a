"""What a change costs in a repository with more and more releases, in processor time.

A part of `make bench`.
"""

import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple

from tests.bench.repositories import PROJECT, PYTHON, Cost, Here, git, run

# The numbers of releases, by the number of images that the last one has. Each has one image more
# than the one before it.
NUMBERS = {600: (1, 50, 200, 500), 70_000: (1, 10)}
# Releases versions of some sizes, one after the other, in one process, which saves its starts.
RELEASE = """\
import sys
from contextlib import chdir, redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from scripts.__main__ import main
from tests.bench.repositories import Here, git
here = Here.again(Path(sys.argv[1]))
for size in range(int(sys.argv[2]), int(sys.argv[3])):
    here.configure(size)
    git(here.root, "add", "--all")
    git(here.root, "commit", "--quiet", "--message", "Change the dataset")
    git(here.root, "push", "--quiet", "origin", "HEAD:main")
    with chdir(here.root), redirect_stdout(StringIO()), redirect_stderr(StringIO()):
        assert main(["release"]) == 0
    git(here.root, "pull", "--quiet", "--ff-only", "origin", "main")
"""
VERBS = ("validate", "plan", "build")
TIMES = 3


class AfterReleases(NamedTuple):
    """What each of the verbs takes after some releases; `fresh` is the first one in a new clone."""

    images: int
    releases: int
    verbs: dict[str, Cost]
    fresh: Cost


def measure(place: Path, lock: str) -> Iterator[AfterReleases]:
    """Yield the costs, with images of MNIST, for whose local copy `lock` vouches."""
    for images, numbers in NUMBERS.items():
        here = Here(place / f"releases-{images}", lock)
        made = 0
        for number in numbers:
            first, last = (images - max(numbers) + one for one in (made, number))
            # In a process of its own: the memory of this one counts for all that it starts.
            run(PROJECT, [PYTHON, "-c", RELEASE, str(here.root), str(first), str(last)])
            made = number
            here.configure(last)
            cost = _measured(here, images, number)
            print(cost, file=sys.stderr)
            yield cost
        here.remove()


def table(costs: Sequence[AfterReleases]) -> str:
    """Return the costs as Markdown."""
    lines = [
        "| images | releases | `validate` | `plan` | `build` | memory | `validate`, new clone |",
        "| ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
        *(
            f"| {one.images:,} | {one.releases} | {_seconds(one.verbs.values())}"
            f" | {max(cost.memory for cost in one.verbs.values()):.0f} MiB"
            f" | {one.fresh.processor:.2f} s |"
            for one in costs
        ),
    ]
    return "\n".join(lines) + "\n"


def points(costs: Sequence[AfterReleases]) -> dict[str, list[tuple[float, float]]]:
    """Return the line of each verb, for the smaller dataset."""
    smaller = [one for one in costs if one.images == min(NUMBERS)]
    return {verb: [(one.releases, one.verbs[verb].processor) for one in smaller] for verb in VERBS}


def _seconds(costs: Iterable[Cost]) -> str:
    return " | ".join(f"{cost.processor:.2f} s" for cost in costs)


def _measured(here: Here, images: int, releases: int) -> AfterReleases:
    verbs = {verb: _cost(here.root, verb, TIMES) for verb in VERBS}
    clone = Path(f"{here.root}.clone")
    git(here.root, "clone", "--quiet", f"{here.root}.git", str(clone))
    (clone / "scripts").symlink_to(PROJECT / "scripts")
    fresh = _cost(clone, "validate", 1)
    shutil.rmtree(clone)
    return AfterReleases(images, releases, verbs, fresh)


def _cost(root: Path, verb: str, times: int) -> Cost:
    """Return the cheapest of some runs: other work on the machine only adds."""
    command = [sys.executable, "-m", "scripts", verb]
    return min((run(root, command) for _ in range(times)), key=attrgetter("processor"))
