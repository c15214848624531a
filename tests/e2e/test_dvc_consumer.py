"""What a consumer of a release types, in a folder that has nothing of this project."""

import re
import shutil
import subprocess
import sys
from contextlib import chdir
from pathlib import Path
from typing import NamedTuple

import pytest

from scripts.__main__ import main
from scripts.git.git import Git
from scripts.releases.history import History
from scripts.review import plan, render
from tests.repository import PROJECT, Repository, config_text, contents, create, dvc, git

DOCUMENT = (PROJECT / "docs" / "consume.md").read_text()


class Published(NamedTuple):
    """A repository with the releases v0 and v1, and the files of v1."""

    repository: Repository
    files: dict[str, bytes]
    notes: str


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Published:
    repository = create(tmp_path_factory.mktemp("published"))
    with chdir(repository.root):
        # A consumer of origin has no folder that a relative address could begin at.
        assert main(["remote", str(repository.bucket)]) == 0
        repository.git("commit", "--quiet", "--all", "--message", "Set the remote")
        repository.git("push", "--quiet", "origin", "main")
        assert main(["release"]) == 0
        repository.merge(config_text(samples=6))
        assert main(["release"]) == 0
        assert main(["build"]) == 0
        history = History(Git(repository.root))
        assert history.latest
        planned = plan.of_release(history, history.latest)
    files = contents(repository.root / "dataset")
    assert len(files) == 12
    # Everything has to come from origin and the remote.
    shutil.rmtree(repository.root)
    notes = render.notes(planned, history.latest, str(repository.origin))
    return Published(repository, files, notes)


@pytest.fixture
def consumer(tmp_path: Path) -> Path:
    """An empty git repository."""
    git(tmp_path, "init", "--quiet", "consumer")
    return tmp_path / "consumer"


def typed(command: str, document: str) -> list[str]:
    """Return a command as a document shows it."""
    (line,) = re.findall(rf"^ *({command} [^#\n]*)", document, flags=re.MULTILINE)
    return [sys.executable, "-m", *line.split()]


def readme(published: Published) -> str:
    return DOCUMENT.replace("REPOSITORY", str(published.repository.origin))


def test_dvc_get_of_the_readme_fetches_a_release(published: Published, consumer: Path) -> None:
    subprocess.run(
        typed("dvc get", readme(published)), cwd=consumer, check=True, capture_output=True
    )

    assert contents(consumer / "dataset") == published.files
    assert not (consumer / "dataset.dvc").exists()


def test_dvc_import_of_the_readme_fetches_a_release_and_records_its_origin(
    published: Published, consumer: Path
) -> None:
    dvc(consumer, "init", "--quiet")
    subprocess.run(
        typed("dvc import", readme(published)), cwd=consumer, check=True, capture_output=True
    )

    assert contents(consumer / "dataset") == published.files
    recorded = (consumer / "dataset.dvc").read_text()
    assert f"url: {published.repository.origin}" in recorded
    assert "rev: v1" in recorded


def test_the_python_of_the_readme_fetches_a_release(published: Published, consumer: Path) -> None:
    name = min(published.files)
    [example] = [
        text
        for text in re.findall(r"```python\n(.*?)```", readme(published), flags=re.DOTALL)
        if "import dvc.api" in text
    ]
    code = f"{example.replace('train/3/00007.png', name)}\nopen('one.png', 'wb').write(image)"

    subprocess.run([sys.executable, "-c", code], cwd=consumer, check=True, capture_output=True)

    assert contents(consumer / "dataset") == published.files
    assert (consumer / "one.png").read_bytes() == published.files[name]


def test_dvc_update_of_the_readme_changes_to_another_release(
    published: Published, consumer: Path
) -> None:
    dvc(consumer, "init", "--quiet")
    first = typed("dvc import", readme(published).replace("--rev v1", "--rev v0"))
    second = typed("dvc update", readme(published).replace("--rev v2", "--rev v1"))
    subprocess.run(first, cwd=consumer, check=True, capture_output=True)
    assert len(contents(consumer / "dataset")) == 10

    subprocess.run(second, cwd=consumer, check=True, capture_output=True)

    assert contents(consumer / "dataset") == published.files


def test_a_clone_of_a_release_pulls_its_files(published: Published, consumer: Path) -> None:
    assert "git checkout v1 && dvc pull" in DOCUMENT
    git(consumer.parent, "clone", "--quiet", str(published.repository.origin), "clone")
    clone = consumer.parent / "clone"
    git(clone, "checkout", "--quiet", "v1")

    dvc(clone, "pull", "--quiet")

    assert contents(clone / "dataset") == published.files


def test_dvc_get_of_the_release_notes_fetches_that_release(
    published: Published, consumer: Path
) -> None:
    subprocess.run(typed("dvc get", published.notes), cwd=consumer, check=True, capture_output=True)

    assert contents(consumer / "dataset") == published.files
