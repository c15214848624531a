"""Verbs while storage fails at random: a bucket behind a faulty network, and a folder.

Each round is repeatable from its number as far as threads take turns in the same order.
"""

import builtins
import errno
import io
import os
import re
from collections.abc import Callable, Iterator
from contextlib import chdir, contextmanager, redirect_stdout
from pathlib import Path
from random import Random
from typing import Any

import pytest

from scripts.__main__ import main
from scripts.dataset import record
from scripts.releases import lock
from scripts.storage import google_bucket
from tests.doubles import proxy, storage
from tests.doubles.proxy import Fault, Harm
from tests.doubles.storage import BUCKET, Storage
from tests.killing import broken, incomplete
from tests.repository import (
    REMOTE_URL,
    Repository,
    Result,
    Run,
    config_text,
    create,
)
from tests.soak import NUMBERS

STEPS = 6
# Some in a row, because one needs what another leaves.
VERBS = (("build", "push"), ("release",), ("release",), ("verify",), ("verify --quick",))
# Each keeps the splits of the others.
CONFIGS = [config_text(samples=samples) for samples in (5, 6, 8, 4)]
# Without the slow answer, which costs too much time here; the tests of the remote have it.
FAULTS = [*(harm for harm in Harm if harm is not Harm.SLOW), 403, 408, 429, 500, 503]
ERRORS = (errno.EIO, errno.EACCES, errno.ENOSPC)
REMOVAL = re.compile(rf"gcloud storage rm gs://{BUCKET}/(\S+)")


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The MD5 of the manifest that each config gives when nothing fails."""
    repository = create(tmp_path_factory.mktemp("expected"))
    made = {}
    for text in CONFIGS:
        repository.configure(text)
        with chdir(repository.root), redirect_stdout(io.StringIO()):
            assert main(["build"]) == 0
        made[text] = record.read(repository.root).md5
    return made


class History:
    """A repository to which random things happen, and the configs that are merged there."""

    def __init__(self, repository: Repository, run: Run, chance: Random) -> None:
        """Begin with a config that is not released."""
        self.repository = repository
        self.chance = chance
        self.merged = [config_text()]
        self._run = run

    def merge(self) -> None:
        text = self.chance.choice([one for one in CONFIGS if one != self.merged[-1]])
        self.repository.merge(text)
        self.merged.append(text)

    def run(self, verb: str) -> Result:
        """Run a verb; anything but success or a message fails the test."""
        result = self._run(*verb.split())
        assert result.code in (0, 1), (verb, result)
        if result.code:
            assert "error: " in result.err or "  broken\n" in result.out, (verb, result)
        return result

    def disturb(self) -> None:
        for verb in self.chance.choice(VERBS):
            self.run(verb)

    def assert_released(self, expected: dict[str, str]) -> None:
        """Assert that each merge is a release, in order, with the files that its config gives."""
        tags = self.repository.releases()
        configs = [self.repository.at_origin("show", f"{tag}:dataset_config.yaml") for tag in tags]
        locks = [self.repository.at_origin("show", f"{tag}:dataset.dvc") for tag in tags]
        # Before the first release the newest config alone is due.
        assert [f"{text}\n" for text in configs] == self.merged[-len(tags) :]
        assert [lock.parse(text.encode()).md5 for text in locks] == [
            expected[f"{text}\n"] for text in configs
        ]


def happen(
    history: History,
    faulty: Callable[[float], Any],
    wrong: Callable[[], list[str]],
    recovered: Callable[[str], None],
) -> None:
    """Let random things happen, then run everything again without faults.

    `faulty` makes storage fail in a block, `wrong` tells what must never be, and `recovered` does
    what the message of a verb says to do.
    """
    for _ in range(STEPS):
        if history.chance.random() < 0.5:
            history.merge()
        with faulty(history.chance.choice([0.02, 0.1, 0.5])):
            history.disturb()
        assert wrong() == []
    for verb in ("release", "release", "build", "push", "verify"):
        result = history.run(verb)
        if result.code:
            recovered(result.err)
            result = history.run(verb)
        assert result.code == 0, (verb, result)
    assert wrong() == []


@pytest.fixture(scope="module")
def bucket() -> Iterator[Storage]:
    with storage.running() as made, pytest.MonkeyPatch.context() as patch:
        # Before Google's client is imported.
        for name, value in storage.ENVIRONMENT.items():
            patch.setenv(name, value)
        yield made


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for nothing."""
    monkeypatch.setattr(google_bucket, "FIRST_WAIT", 0)
    monkeypatch.setattr(proxy, "PAUSE", 0.02)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("number", NUMBERS)
def test_no_fault_of_a_bucket_breaks_a_promise(
    repository: Repository, run: Run, bucket: Storage, expected: dict[str, str], number: int
) -> None:
    chance, path = Random(number), f"round{number}"
    history = History(repository, run, chance)
    config = (repository.root / ".dvc" / "config").read_text()
    address = f"gs://{BUCKET}/{path}\n    endpointurl = {bucket.proxy.url}"
    repository.merge_file(".dvc/config", config.replace(REMOTE_URL, address))

    @contextmanager
    def faulty(probability: float) -> Iterator[None]:
        def fault(_request: str) -> Fault | None:
            if chance.random() > probability:
                return None
            return Fault(chance.choice(FAULTS), late=chance.random() < 0.5)

        bucket.proxy.chance = fault
        yield
        bucket.proxy.recover()

    def there() -> dict[str, bytes]:
        folder = f"{path}/files/md5/"
        names = [name for name in bucket.objects() if name.startswith(folder)]
        return {name.removeprefix(folder).replace("/", ""): bucket.content(name) for name in names}

    def recovered(message: str) -> None:
        for name in REMOVAL.findall(message):
            bucket.delete(name)

    happen(history, faulty, lambda: incomplete(repository, there()), recovered)
    history.assert_released(expected)


@contextmanager
def faulty_disk(folder: Path, chance: Random, probability: float) -> Iterator[None]:
    """Let calls of the system fail at random for what is below `folder`."""

    def failing(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            paths = [one for one in arguments[:2] if isinstance(one, str | os.PathLike)]
            below = any(os.path.abspath(one).startswith(str(folder)) for one in paths)  # noqa: PTH100 - real paths need the disk
            if below and chance.random() < probability:
                raise OSError(chance.choice(ERRORS), "a fault of the disk", str(paths[0]))
            return function(*arguments, **options)

        return call

    with pytest.MonkeyPatch.context() as patch:
        for module, name in (
            *((io, "open"), (builtins, "open")),
            *((os, one) for one in ("open", "replace", "mkdir", "stat", "scandir", "chmod")),
        ):
            patch.setattr(module, name, failing(getattr(module, name)))
        yield


@pytest.mark.parametrize("number", NUMBERS)
def test_no_fault_of_a_folder_breaks_a_promise(
    repository: Repository, run: Run, expected: dict[str, str], number: int
) -> None:
    chance = Random(number)
    history = History(repository, run, chance)

    happen(
        history,
        lambda probability: faulty_disk(repository.bucket, chance, probability),
        lambda: broken(repository),
        pytest.fail,
    )
    history.assert_released(expected)
