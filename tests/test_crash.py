import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.repository import PROJECT, Repository, Run, config_text, create

TINY = config_text(samples=2, test_size=1)
OTHER = config_text(samples=3, test_size=1)


@pytest.fixture
def tiny(tmp_path: Path) -> Repository:
    (tmp_path / "try").mkdir()
    return create(tmp_path / "try", TINY)


def kill_at_writes(repository: Repository, verb: str, every: int = 1) -> int:
    """Return how many points there were to kill `verb` at; fails when one of them did harm."""
    place = repository.place.parent
    shutil.move(place / "try", place / "prepared")
    done = subprocess.run(
        [sys.executable, "-m", "tests.killing", str(place), verb, str(every)],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    outcome = json.loads(done.stdout)
    assert outcome["failures"] == []
    return int(outcome["points"])


def test_a_first_build_killed_at_any_write_can_be_run_again(tiny: Repository) -> None:
    assert kill_at_writes(tiny, "build") > 25


def test_a_later_build_killed_at_any_write_can_be_run_again(tiny: Repository, run: Run) -> None:
    assert run("build", where=tiny.root).code == 0
    tiny.configure(OTHER)

    assert kill_at_writes(tiny, "build") > 25


def test_a_push_killed_at_any_write_can_be_run_again(tiny: Repository, run: Run) -> None:
    assert run("build", where=tiny.root).code == 0

    assert kill_at_writes(tiny, "push") > 15


# A release has many writes; `make soak` kills it before each of them.
EVERY = 4


def test_a_first_release_killed_at_any_write_can_be_run_again(tiny: Repository, run: Run) -> None:
    # With a warm cache: writing that is what the tests of `build` kill.
    assert run("build", where=tiny.root).code == 0

    assert kill_at_writes(tiny, "release", EVERY) > 25


def test_a_later_release_killed_at_any_write_can_be_run_again(tiny: Repository, run: Run) -> None:
    assert run("release", where=tiny.root).code == 0
    tiny.merge(OTHER)
    tiny.merge_file("README.md", "Main moves on\n")

    assert kill_at_writes(tiny, "release", EVERY) > 30
