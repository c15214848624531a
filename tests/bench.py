"""`make bench`: this project against the manual path, measured in one run on the real MNIST.

Prints docs/benchmarks.md.
"""

import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from tests import bench_consumers

PROJECT = Path(__file__).parent.parent
PYTHON = sys.executable
INTRODUCTION = """\
# Benchmarks

`make bench` writes this page; a ratio compares two measurements of the same run.

*By hand* is what one would write without this project: load MNIST with scikit-learn, save the
images in a Pillow loop, `dvc add`, `dvc push`. *Here* is `build` and `push`. Each way uses its own
repository with a local folder as remote, and reads MNIST from the disk: by hand from scikit-learn's
cache, here from the local copy that the first load keeps. Memory is that of the largest process.
"""
MANUAL = """\
import sys, pathlib
import numpy as np
from PIL import Image
from sklearn.datasets import fetch_openml
count, test = map(int, sys.argv[1:])
data = fetch_openml("mnist_784", as_frame=False, parser="auto")
threes = np.flatnonzero(data.target == "3")
others = np.flatnonzero(data.target != "3")
parts = {"3": threes[:count // 2], "no3": others[:count - len(threes[:count // 2])]}
for folder, rows in parts.items():
    for position, row in enumerate(rows):
        split = "test" if position < test else "train"
        file = pathlib.Path("dataset", split, folder, f"{row:05}.png")
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(data.data[row].reshape(28, 28).astype(np.uint8)).save(file)
"""
CONFIG = "source: mnist_784\nclass: 3\nsamples: {{3: {threes}, no3: {others}}}\ntest_size: {test}\n"
ROWS, THREES = 70_000, 7_141
MEBI = 1 << 20


class Cost(NamedTuple):
    """What some commands took: wall-clock seconds, and the largest process's memory in MiB."""

    seconds: float
    memory: float


def main() -> None:
    """Measure each size both ways and print the table."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        place = Path(folder)
        _cost(place, _project(place, "warm"), ["build"], 20, 5)
        table = []
        for label, sizes in {
            "200 images": [200],
            "400 images, after 200": [200, 400],
            "14,000 images": [14_000],
            "70,000 images": [ROWS],
        }.items():
            by_hand, here = _repository(place, f"hand-{label}"), _project(place, f"here-{label}")
            for size in sizes:
                manual = _manual(by_hand, size, size // 10)
                ours = _cost(place, here, ["build", "push"], size, size // 10)
            table.append((label, manual, ours))
            print(f"{label}: {manual.seconds:.1f} s, {ours.seconds:.1f} s", file=sys.stderr)
    print(INTRODUCTION)
    machine = f"{platform.system()} with {os.cpu_count()} cores, Python {platform.python_version()}"
    print(f"On {machine}:\n")
    print("| what | by hand | here | ratio | memory by hand | memory here |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    for label, manual, ours in table:
        print(
            f"| {label} | {manual.seconds:.1f} s | {ours.seconds:.1f} s"
            f" | {manual.seconds / ours.seconds:.1f} | {manual.memory:.0f} MiB"
            f" | {ours.memory:.0f} MiB |"
        )
    print()
    print("\n".join(bench_consumers.measure()))


def _repository(place: Path, name: str) -> Path:
    root = place / name.replace(" ", "-")
    root.mkdir()
    dvc = [PYTHON, "-m", "dvc"]
    for command in (
        ["git", "init", "--quiet"],
        [*dvc, "init", "--quiet"],
        [*dvc, "remote", "add", "--quiet", "--default", "storage", f"{root}.remote"],
    ):
        subprocess.run(command, cwd=root, check=True, capture_output=True)
    return root


def _project(place: Path, name: str) -> Path:
    root = _repository(place, name)
    (root / "scripts").symlink_to(PROJECT / "scripts")
    return root


def _manual(root: Path, size: int, test: int) -> Cost:
    script = [PYTHON, "-c", MANUAL, str(size), str(test)]
    dvc = [PYTHON, "-m", "dvc"]
    return _run(root, [script, [*dvc, "add", "-q", "dataset"], [*dvc, "push", "-q"]])


def _cost(place: Path, root: Path, verbs: list[str], size: int, test: int) -> Cost:
    threes = min(size // 2, THREES)
    config = CONFIG.format(threes=threes, others=size - threes, test=test)
    (root / "dataset_config.yaml").write_text(config)
    return _run(root, [[PYTHON, "-m", "scripts", verb] for verb in verbs])


def _run(root: Path, commands: list[list[str]]) -> Cost:
    began, memory = time.perf_counter(), 0
    for command in commands:
        process = subprocess.Popen(command, cwd=root, stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            sys.exit(f"{' '.join(command)[:80]} failed")
        memory = max(memory, usage.ru_maxrss)
    return Cost(time.perf_counter() - began, memory * 1024 / MEBI)


if __name__ == "__main__":
    main()
