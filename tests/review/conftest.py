import io
import shutil
from contextlib import chdir, redirect_stdout
from pathlib import Path

import pytest

from scripts.__main__ import main
from tests.repository import Repository, config_text, create

LARGER = config_text(samples=8, test_size=3)


@pytest.fixture(scope="session")
def released_once(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """A repository with the release v0, which tests copy."""
    made = create(tmp_path_factory.mktemp("released"))
    with chdir(made.root), redirect_stdout(io.StringIO()):
        assert main(["release"]) == 0
    return made


@pytest.fixture
def released(released_once: Repository, tmp_path: Path) -> Repository:
    """A repository with v0, and a work tree that asks for more; only plans are made of it."""
    for folder in (released_once.root, released_once.origin):
        shutil.copytree(folder, tmp_path / folder.name, symlinks=True)
    made = Repository(tmp_path)
    made.git("remote", "set-url", "origin", str(made.origin))
    made.configure(LARGER)
    return made
