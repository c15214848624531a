"""What the README tells a consumer to type, in a folder that knows nothing of this project."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.repository import PROJECT, Repository, Run, contents, git

README = (PROJECT / "README.md").read_text()


@pytest.fixture
def consumer(repository: Repository, run: Run) -> Path:
    """An empty repository, after the release of v1 as the README has it."""
    assert run("release").code == 0
    repository.merge((repository.root / "dataset_config.yaml").read_text().replace("5", "6"))
    assert run("release").code == 0
    assert run("build").code == 0
    shutil.rmtree(repository.cache)
    folder = repository.place / "consumer"
    folder.mkdir()
    git(folder, "init", "--quiet")
    return folder


def typed(repository: Repository, command: str) -> list[str]:
    """Return a command of the README, with this repository's address."""
    (line,) = re.findall(rf"^    ({command} [^#\n]*)", README, flags=re.MULTILINE)
    return [sys.executable, "-m", *line.replace("REPOSITORY", str(repository.origin)).split()]


@pytest.mark.parametrize("command", ["dvc get", "dvc import"])
def test_the_commands_of_the_readme_fetch_a_release(
    repository: Repository, consumer: Path, command: str
) -> None:
    if command == "dvc import":
        subprocess.run([sys.executable, "-m", "dvc", "init", "--quiet"], cwd=consumer, check=True)
    subprocess.run(typed(repository, command), cwd=consumer, check=True, capture_output=True)
    assert contents(consumer / "dataset") == contents(repository.root / "dataset")
    assert (consumer / "dataset.dvc").exists() is (command == "dvc import")


def test_the_python_of_the_readme_fetches_a_release(repository: Repository, consumer: Path) -> None:
    example = re.search(r"```python\n(.*?)```", README, flags=re.DOTALL)
    assert example
    script = example.group(1).replace("REPOSITORY", str(repository.origin))
    subprocess.run([sys.executable, "-c", script], cwd=consumer, check=True, capture_output=True)
    assert contents(consumer / "dataset") == contents(repository.root / "dataset")
