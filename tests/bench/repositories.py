"""Two repositories with the same images: one kept by hand, one with this project."""

import json
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

PROJECT = Path(__file__).parents[2]
PYTHON = sys.executable
DVC = [PYTHON, "-m", "dvc"]
# What one would write without this project.
BY_HAND = """\
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
# The least that has to be done: each image is encoded, hashed and written once.
LIMIT = """\
import sys, pathlib, hashlib
from scripts.dataset import png
from scripts.sources import copies
sha256, count = sys.argv[1], int(sys.argv[2])
source = copies.find("mnist_784", sha256)
pathlib.Path("written").mkdir()
for row in range(count):
    content = png.encode(source.image(row))
    hashlib.md5(content).hexdigest()
    with open(f"written/{row}", "wb") as file:
        file.write(content)
"""
# Runs a command and prints its exit code and what it took. What starts a process counts into its
# memory, so this is small.
MEASURE = """\
import json, resource, subprocess, sys, time
began = time.perf_counter()
code = subprocess.call(sys.argv[1:], stdout=subprocess.DEVNULL)
seconds, used = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps([code, seconds, used.ru_maxrss / 1024, used.ru_utime + used.ru_stime]))
"""
GITIGNORE = "/scripts\n/dataset\n/dataset.new\n/dataset.old\n"
# Images of 3 that MNIST has.
THREES = 7_141
MEBI = 1 << 20


class Cost(NamedTuple):
    """What some commands took: wall-clock seconds, the largest process's memory in MiB, and the
    seconds that processors were busy.
    """

    seconds: float
    memory: float
    processor: float


def test_size(size: int) -> int:
    """Return how many of `size` images are for test, in each of the two folders."""
    return min(size // 20, 1_000)


class Repository:
    """A repository with a local remote, or with `remote`, at an address of a server."""

    def __init__(self, root: Path, remote: str | None = None, endpoint: str | None = None) -> None:
        """Make it."""
        self.root = root
        root.mkdir(parents=True)
        git(root, "init", "--quiet", "--initial-branch=main")
        self.run([*DVC, "init", "--quiet"])
        url = remote or f"{root}.remote"
        self.run([*DVC, "remote", "add", "--quiet", "--default", "storage", url])
        if endpoint:
            self.run([*DVC, "remote", "modify", "storage", "endpointurl", endpoint])

    def run(self, *commands: Sequence[str]) -> Cost:
        """Run commands; return what they took together."""
        return run(self.root, *commands)

    def remove(self) -> None:
        """Remove it, its remote and its origin."""
        for end in ("", ".remote", ".git", ".clone"):
            shutil.rmtree(f"{self.root}{end}", ignore_errors=True)


class ByHand(Repository):
    """Kept with scikit-learn, Pillow and DVC."""

    def commands(self, size: int) -> list[list[str]]:
        """Return what makes the dataset have so many images, adds it, and pushes it."""
        script = [PYTHON, "-c", BY_HAND, str(size), str(test_size(size))]
        return [script, [*DVC, "add", "--quiet", "dataset"], [*DVC, "push", "--quiet"]]

    def change(self, size: int) -> Cost:
        """Make the dataset have so many images, and push it."""
        return self.run(*self.commands(size))


class Here(Repository):
    """Kept with this project, with a lock that vouches for the local copy of the source."""

    def __init__(
        self,
        root: Path,
        lock: str | None,
        remote: str | None = None,
        endpoint: str | None = None,
        source: str = "mnist_784",
    ) -> None:
        """Make it, with a bare repository as origin."""
        super().__init__(root, remote, endpoint)
        self.source = source
        (root / "scripts").symlink_to(PROJECT / "scripts")
        (root / ".gitignore").write_text(GITIGNORE)
        if lock:
            (root / "dataset.dvc").write_text(lock)
        git(root.parent, "init", "--quiet", "--bare", "--initial-branch=main", f"{root.name}.git")
        git(root, "remote", "add", "origin", f"{root}.git")

    @classmethod
    def again(cls, root: Path) -> "Here":
        """Return the repository at `root`, which exists already."""
        found = cls.__new__(cls)
        found.root, found.source = root, "mnist_784"
        return found

    def configure(self, size: int, threes: int = THREES) -> None:
        """Ask for so many images."""
        threes = min(size // 2, threes)
        (self.root / "dataset_config.yaml").write_text(
            f"source: {self.source}\nclass: 3\nsamples: {{3: {threes}, no3: {size - threes}}}\n"
            f"test_size: {test_size(size)}\n"
        )

    def verbs(self, *verbs: str) -> Cost:
        """Run verbs; return what they took together."""
        return self.run(*([PYTHON, "-m", "scripts", *verb.split()] for verb in verbs))

    def change(self, size: int) -> Cost:
        """Make the dataset have so many images, and push it."""
        self.configure(size)
        return self.verbs("build", "push")

    def release(self) -> None:
        """Merge and release what is configured, and check it as a consumer in a clone."""
        git(self.root, "add", "--all")
        git(self.root, "commit", "--quiet", "--allow-empty", "--message", "Change the dataset")
        git(self.root, "push", "--quiet", "origin", "HEAD:main")
        self.verbs("release")
        git(self.root, "pull", "--quiet", "--ff-only", "origin", "main")

    def check_clone(self, size: int) -> None:
        """Assert that DVC and `verify` agree about the newest release, in a clone."""
        clone = Path(f"{self.root}.clone")
        shutil.rmtree(clone, ignore_errors=True)
        git(self.root, "clone", "--quiet", f"{self.root}.git", str(clone))
        (clone / "scripts").symlink_to(PROJECT / "scripts")
        run(clone, [*DVC, "pull", "--quiet"])
        up_to_date = {
            ("status",): "Data and pipelines are up to date.",
            ("status", "-c"): "Cache and remote 'storage' are in sync.",
        }
        for root in (clone, self.root):
            if root == self.root:
                # What a build leaves is what DVC makes of the lock.
                self.verbs("build")
            for arguments, answer in up_to_date.items():
                assert output(root, [*DVC, *arguments]) == answer, arguments
        assert len(list((clone / "dataset").rglob("*.png"))) == size
        assert "complete and intact" in output(clone, [PYTHON, "-m", "scripts", "verify"])
        shutil.rmtree(clone)


def git(root: Path, *arguments: str) -> str:
    """Run git and return its output."""
    return output(root, ["git", *arguments])


def output(root: Path, command: Sequence[str]) -> str:
    """Run a command and return its output; it must succeed."""
    done = subprocess.run(command, cwd=root, check=False, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(command)[:80]} failed: {done.stderr}")
    return done.stdout.strip()


def run(root: Path, *commands: Sequence[str], env: Mapping[str, str] | None = None) -> Cost:
    """Run commands, which must succeed; return what they took together."""
    costs = []
    for command in commands:
        measure = [PYTHON, "-I", "-S", "-c", MEASURE, *command]
        done = subprocess.run(measure, cwd=root, stdout=subprocess.PIPE, env=env, check=True)
        code, *cost = json.loads(done.stdout)
        if code:
            sys.exit(f"{' '.join(command)[:80]} failed")
        costs.append(Cost(*cost))
    return Cost(
        sum(cost.seconds for cost in costs),
        max(cost.memory for cost in costs),
        sum(cost.processor for cost in costs),
    )
