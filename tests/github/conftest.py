import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import stamina

from scripts.github import retries
from tests.doubles import github
from tests.doubles.github import REPOSITORY, Server


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A GitHub with one repository, for all tests of one worker."""
    if github.MISSING:
        pytest.skip(github.MISSING)
    with github.running(tmp_path_factory.mktemp("github")) as made:
        yield made


@pytest.fixture
def server(emulator: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A GitHub without open pull requests, and the environment of a workflow that uses it."""
    emulator.reset()
    monkeypatch.setenv("GITHUB_TOKEN", github.TOKEN)
    monkeypatch.setenv("GITHUB_REPOSITORY", REPOSITORY)
    monkeypatch.setenv("GITHUB_API_URL", emulator.url)
    # Retries as often as usual, but without waiting.
    monkeypatch.setattr(retries, "FIRST_WAIT", 0.0)
    with stamina.set_testing(True, attempts=retries.MAX_RETRIES):
        yield emulator


@pytest.fixture
def event(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Set the event that started the workflow."""
    file = tmp_path / "event.json"
    monkeypatch.setenv("GITHUB_EVENT_PATH", str(file))

    def write(**content: Any) -> None:
        file.write_text(json.dumps(content))

    return write
