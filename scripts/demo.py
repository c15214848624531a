"""`make demo`: from the first pull request to a consumer, in a temporary folder.

It uses the bundled digits instead of MNIST, a folder instead of a bucket, and a bare repository
instead of GitHub. It shows every command before its output; they are the commands of people and
workflows.
"""

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scripts import output
from scripts.git.git_process import clean_environment

PROJECT = Path(__file__).parent.parent
# The initial config of a new repository.
TEMPLATE = (".dvc/.gitignore", ".dvcignore", ".gitignore", "requirements.txt")
DVC_CONFIG = "[core]\n    analytics = false\n    check_update = false\n"
CONFIG = """\
# yaml-language-server: $schema=scripts/inputs/dataset_config.schema.json
source: digits
class: 3
samples: 50
test_size: 10
seed: 0
"""
READ_PARQUET = """
import io, numpy, PIL.Image, pyarrow.parquet
rows = pyarrow.parquet.read_table("train.parquet").to_pylist()
images = [PIL.Image.open(io.BytesIO(row["image"]["bytes"])) for row in rows]
print("images:", numpy.stack(images).shape)
"""
# Stays after the demo; git ignores it.
CATALOGUE = PROJECT / "demo-catalogue"
# Ignore the git configuration of the user: no signing, no hooks, no name.
GIT = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "Demo",
    "GIT_AUTHOR_EMAIL": "demo@example.com",
    "GIT_COMMITTER_NAME": "Demo",
    "GIT_COMMITTER_EMAIL": "demo@example.com",
}


def main() -> None:
    """Run the demo, and delete everything except the catalogue."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="dataset-demo-") as folder:
        place = Path(folder)
        _say("A new repository: a bare repository is the origin, a folder is the bucket")
        work = _template(place)
        _verb(work, "remote", str(place / "bucket"))
        _commit(work, "Begin")
        _git(work, "push", "--quiet", "origin", "main")

        _say("The first pull request: 3 and not 3, 50 images of each, 10 of them for test")
        _release(place, work, "v0", "first-dataset", CONFIG)

        _say("The second pull request: twice as many images")
        twice = CONFIG.replace("samples: 50", "samples: 100").replace("size: 10", "size: 20")
        _release(place, work, "v1", "twice-as-many", twice)
        _git(work, "log", "--oneline", "--graph", "--decorate", shown=True)

        _say("QA verifies that every release is complete and intact")
        _verb(work, "verify")

        _say("A consumer in an empty folder needs only DVC")
        _consume(place)

        _say("Another consumer downloads a file of the release, without this project")
        _verb(work, "package", "v1", "--out", str(place / "files"))
        _read_parquet(place / "files")

        _say("A catalogue of all releases")
        _verb(work, "site", "--out", str(CATALOGUE))
    output.say(
        f"\nDone in {time.monotonic() - began:.0f} s; all but the catalogue is deleted. Open it:"
    )
    output.say((CATALOGUE / "index.html").as_uri())


def _template(place: Path) -> Path:
    _git(place, "init", "--quiet", "--bare", "--initial-branch=main", "origin.git")
    work = place / "work"
    _git(place, "clone", "--quiet", "origin.git", "work")
    _git(work, "checkout", "--quiet", "-B", "main")
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(PROJECT / "scripts", work / "scripts", ignore=ignored)
    for name in TEMPLATE:
        (work / name).parent.mkdir(exist_ok=True)
        shutil.copy(PROJECT / name, work / name)
    (work / ".dvc" / "config").write_text(DVC_CONFIG)
    return work


def _release(place: Path, work: Path, tag: str, branch: str, config: str) -> None:
    """All that happens between a new config and its release."""
    _pull_request(work, branch, config)
    _check(place, branch)
    _say(f"The merge publishes {tag}")
    _merge(place, work, branch)


def _pull_request(work: Path, branch: str, config: str) -> None:
    """Edit and commit the config."""
    _git(work, "switch", "--quiet", "--create", branch, shown=True)
    (work / "dataset_config.yaml").write_text(config)
    _git(work, "add", "--intent-to-add", "dataset_config.yaml")
    _git(work, "--no-pager", "diff", "--unified=0", shown=True)
    _commit(work, branch.replace("-", " ").capitalize())
    _git(work, "push", "--quiet", "origin", branch, shown=True)


def _check(place: Path, branch: str) -> None:
    """Run the commands of the workflow for pull requests."""
    with _runner(place, branch) as runner:
        _verb(runner, "validate")
        _verb(runner, "build")
        _verb(runner, "push")
        _verb(runner, "plan", "--format", "markdown")


def _merge(place: Path, work: Path, branch: str) -> None:
    """Merge, and run the commands of the release workflow."""
    _git(work, "switch", "--quiet", "main")
    _git(work, "merge", "--quiet", "--no-ff", "--message", f"Merge {branch}", branch, shown=True)
    _git(work, "push", "--quiet", "origin", "main")
    with _runner(place, "main") as runner:
        _verb(runner, "release")
    _git(work, "pull", "--quiet")


@contextmanager
def _runner(place: Path, branch: str) -> Iterator[Path]:
    """Make a new clone, as in a workflow."""
    with tempfile.TemporaryDirectory(dir=place) as folder:
        _git(place, "clone", "--quiet", "--branch", branch, "origin.git", folder)
        yield Path(folder)


def _consume(place: Path) -> None:
    consumer = place / "consumer"
    consumer.mkdir()
    origin = str(place / "origin.git")
    for tag in ("v0", "v1"):
        command = ["dvc", "get", "--quiet", origin, "dataset", "--rev", tag, "--out", tag]
        # The dvc of this environment, which may not be on the PATH.
        _run(command, consumer, [sys.executable, "-m", *command])
        files = consumer.glob(f"{tag}/*/*/*.png")
        counts = Counter(str(file.parent.relative_to(consumer)) for file in files)
        for folder, count in sorted(counts.items()):
            output.say(f"{count:5} images in {folder}")


def _read_parquet(folder: Path) -> None:
    output.say(f"$ python -c '{READ_PARQUET}'")
    subprocess.run([sys.executable, "-c", READ_PARQUET], cwd=folder, check=True)


def _say(text: str) -> None:
    output.say(f"\n== {text} ==\n\n")


def _verb(where: Path, *arguments: str) -> None:
    rest = ["-m", "scripts", *arguments]
    _run(["python", *rest], where, [sys.executable, *rest])


def _commit(work: Path, message: str) -> None:
    _git(work, "add", "--all")
    _git(work, "commit", "--quiet", "--message", message)


def _git(where: Path, *arguments: str, shown: bool = False) -> None:
    if shown:
        _run(["git", *arguments], where)
    else:
        subprocess.run(
            ["git", *arguments], cwd=where, env=_environment(), check=True, capture_output=True
        )


def _run(command: list[str], where: Path, actual: list[str] | None = None) -> None:
    """Show `command`, run it (or `actual` instead), and print its output."""
    output.say(f"$ {shlex.join(command)}")
    subprocess.run(
        actual or command, cwd=where, env=_environment(), check=True, stderr=subprocess.STDOUT
    )


def _environment() -> dict[str, str]:
    return clean_environment() | GIT


if __name__ == "__main__":
    main()
