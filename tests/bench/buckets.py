"""Pushes to a bucket, with DVC and with this project, for any number of other objects in it.

A part of `make bench`. The bucket is a stand-in that adds 30 ms to each
request, because an emulator in Python would measure itself.
"""

import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import NamedTuple

from tests.bench.repositories import ByHand, Cost, Here
from tests.doubles.bucket import BUCKET
from tests.doubles.process import free_port, serving, session

OTHERS = (0, 1_000, 10_000, 100_000, 1_000_000)
BASE, MORE, MANY = 200, 100, 2_000
DELAY = 0.03
REPETITIONS = 3
FOLDER = "data"
# With so many others, DVC and `verify` are asked whether everything is there.
CHECKED = 100_000


class Push(NamedTuple):
    """What a push cost: the process, its requests, and the bytes of their bodies."""

    cost: Cost
    requests: int
    listings: int
    received: int
    sent: int


class Case(NamedTuple):
    """What is pushed to a bucket with some other objects, and what it cost both ways."""

    label: str
    others: int
    by_hand: list[Push]
    here: list[Push]


def measure(place: Path, lock: str, sizes: Sequence[int] = OTHERS) -> Iterator[Case]:
    """Yield the cases; `lock` vouches for the local copy of MNIST."""
    bench = _Bench(place, lock)
    for others in sizes:
        case = Case(f"{MORE} more objects", others, [], [])
        for number in range(REPETITIONS):
            case.by_hand.append(bench.push("more", "hand", others))
            case.here.append(bench.push("more", "here", others, check=not number))
        yield case
    for others in (0, CHECKED):
        pairs = [
            (bench.push("base", "hand", others), bench.push("base", "here", others))
            for _ in range(REPETITIONS)
        ]
        yield Case("nothing", others, *(list(way) for way in zip(*pairs, strict=True)))
    pairs = [
        (bench.push("many", "hand", 0), bench.push("many", "here", 0)) for _ in range(REPETITIONS)
    ]
    yield Case(f"{MANY:,} objects", 0, *(list(way) for way in zip(*pairs, strict=True)))


def points(cases: Sequence[Case]) -> tuple[list[tuple[float, float]], list[tuple[float, float]]]:
    """Return the seconds of DVC and of this project for each number of others in the bucket."""
    more = [case for case in cases if str(MORE) in case.label]
    return (
        [(case.others, median(one.cost.seconds for one in case.by_hand)) for case in more],
        [(case.others, median(one.cost.seconds for one in case.here)) for case in more],
    )


def table(cases: Sequence[Case]) -> str:
    """Return the cases as Markdown: the median of each figure."""
    lines = [
        "| push of | others | with | seconds | processor | requests | listings | bytes up"
        " | bytes down | memory |",
        "| --- | ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for case in cases:
        for name, pushes in (("`dvc push`", case.by_hand), ("here", case.here)):
            lines.append(f"| {case.label} | {case.others:,} | {name} | {_figures(pushes)} |")
    return "\n".join(lines) + "\n"


def _figures(pushes: Sequence[Push]) -> str:
    costs = [one.cost for one in pushes]
    return " | ".join(
        [
            f"{median(cost.seconds for cost in costs):.2f} s",
            f"{median(cost.processor for cost in costs):.2f} s",
            f"{median(one.requests for one in pushes):,.0f}",
            f"{median(one.listings for one in pushes):,.0f}",
            f"{median(one.received for one in pushes) / 1e3:,.0f} kB",
            f"{median(one.sent for one in pushes) / 1e3:,.0f} kB",
            f"{median(cost.memory for cost in costs):.0f} MiB",
        ]
    )


class _Bench:
    """Repositories of both ways before each push, which are put back for each measurement."""

    def __init__(self, place: Path, lock: str) -> None:
        self._work, self._saved = place / "work", place / "saved"
        self._work.mkdir(parents=True)
        self._port = free_port()
        self._site = Path(os.environ["DVC_SITE_CACHE_DIR"])
        url, endpoint = f"gs://{BUCKET}/{FOLDER}", f"http://127.0.0.1:{self._port}"
        by_hand = ByHand(self._work / "hand", url, endpoint)
        here = self._here = Here(self._work / "here", lock, url, endpoint)
        self._by_hand = by_hand
        here.configure(MANY)
        here.verbs("build")
        by_hand.run(*by_hand.commands(MANY)[:-1])
        self._save("many")
        shutil.rmtree(by_hand.root / "dataset")
        for way in ("hand", "here"):
            shutil.rmtree(self._work / way / ".dvc" / "cache")
        with self._serving(0, ""):
            by_hand.change(BASE)
            here.change(BASE)
            here.release()
            here.verbs("build")
        self._save("base")
        by_hand.run(*by_hand.commands(BASE + MORE)[:-1])
        here.configure(BASE + MORE)
        here.verbs("build")
        self._save("more")

    def push(self, state: str, way: str, others: int, *, check: bool = False) -> Push:
        """Return what a push costs in a state of the repositories."""
        for folder, saved in ((self._work, "work"), (self._site, "site")):
            shutil.rmtree(folder, ignore_errors=True)
            shutil.copytree(self._saved / state / saved, folder, symlinks=True)
        base = (
            "" if state == "many" else str(self._saved / "base" / "work" / way / ".dvc" / "cache")
        )
        with self._serving(others, base) as address:
            session().get(f"{address}/counts")
            if way == "hand":
                cost = self._by_hand.run(self._by_hand.commands(0)[-1])
            else:
                cost = self._here.verbs("push")
            counts = session().get(f"{address}/counts").json()
            if check and others == CHECKED:
                self._here.release()
                self._here.check_clone(BASE + MORE)
        made = Push(cost, **counts)
        print(f"{state} {way}, {others:,} others: {made}", file=sys.stderr)
        return made

    def _save(self, state: str) -> None:
        for folder, saved in ((self._work, "work"), (self._site, "site")):
            folder.mkdir(exist_ok=True)
            shutil.copytree(folder, self._saved / state / saved, symlinks=True)

    @contextmanager
    def _serving(self, others: int, cache: str) -> Iterator[str]:
        command = [sys.executable, "-m", "tests.doubles.bucket", str(self._port), str(DELAY)]
        address = f"http://127.0.0.1:{self._port}"
        with serving([*command, str(others), FOLDER, cache], f"{address}/counts"):
            yield address
