import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from sklearn import datasets

from scripts import isolated
from scripts.__main__ import main
from scripts.errors import UserError
from scripts.isolated import IsolatedError, Limits
from tests.doubles import azure as azure_
from tests.doubles import s3 as s3_
from tests.doubles import storage
from tests.doubles.azure import Azure
from tests.doubles.s3 import S3
from tests.doubles.storage import Storage
from tests.repository import (
    PROJECT,
    Released,
    Repository,
    Result,
    Run,
    config_text,
    copy,
    create,
    git,
    release,
)
from tests.skips import pytest_make_collect_report, pytest_runtest_makereport

__all__ = ["pytest_make_collect_report", "pytest_runtest_makereport"]

IDENTITY = {"NAME": "Ada", "EMAIL": "ada@example.com"}
# What the tests' own commands need not do: each would start another process, or wait for the disk.
GIT_CONFIG = (
    "[gc]\nauto = 0\n[maintenance]\nauto = false\n[receive]\nautogc = false\n[core]\nfsync = none\n"
)
# Nothing listens there: a test that tries to reach the internet fails on every machine.
CLOSED = "http://127.0.0.1:9"
MNIST = os.environ.get("SCIKIT_LEARN_DATA")

# How long an example takes depends on what else the machine does, which is no fault of the code.
settings.register_profile(
    "untimed", deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("untimed")


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all workers of this run share."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@pytest.fixture(scope="session", autouse=True)
def _isolated(shared: Path) -> Iterator[None]:
    home = shared / "home"
    with pytest.MonkeyPatch.context() as patch:
        for role in ("AUTHOR", "COMMITTER"):
            for key, value in IDENTITY.items():
                patch.setenv(f"GIT_{role}_{key}", value)
        home.mkdir(exist_ok=True)
        (home / "gitconfig").write_text(GIT_CONFIG)
        patch.setenv("GIT_CONFIG_GLOBAL", str(home / "gitconfig"))
        patch.setenv("GIT_CONFIG_NOSYSTEM", "1")
        # Without examples of hooks, which would be copied thousands of times.
        patch.setenv("GIT_TEMPLATE_DIR", str(home / "none"))
        patch.setenv("XDG_CACHE_HOME", str(home / "cache"))
        patch.setenv("DVC_SITE_CACHE_DIR", str(home / "dvc"))
        patch.setenv("DVC_GLOBAL_CONFIG_DIR", str(home / "none"))
        patch.setenv("DVC_SYSTEM_CONFIG_DIR", str(home / "none"))
        patch.setenv("DVC_NO_ANALYTICS", "1")
        patch.setenv("SCIKIT_LEARN_DATA", str(home / "scikit_learn_data"))
        # Google's client would look for the credentials of a cloud machine, for minutes.
        patch.setenv("NO_GCE_CHECK", "true")
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
            patch.setenv(name, CLOSED)
        for name in ("NO_PROXY", "no_proxy"):
            patch.setenv(name, "127.0.0.1,localhost")
        for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "GITHUB_EVENT_PATH"):
            patch.delenv(name, raising=False)
        for name in ("GITHUB_ACTIONS", "GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
            patch.delenv(name, raising=False)
        patch.setenv("PYTHONPATH", str(PROJECT))
        # It parses text for 20 ms each time.
        patch.setattr(datasets, "load_digits", cache(datasets.load_digits))
        yield


@pytest.fixture(autouse=True)
def _in_this_process(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run isolated work in the process of the test, which saves a second or two each time.

    Tests that are marked `isolated`, and end-to-end tests, start a process as the product does.
    """
    is_unit_test = not {"e2e", "soak"} & {*request.path.parts}
    if request.node.get_closest_marker("isolated") or not is_unit_test:
        return

    def run(_: Limits, work: Callable[..., Any], *arguments: Any) -> Any:
        temporary = tempfile.tempdir
        try:
            return work(*arguments)
        except UserError as error:
            raise IsolatedError(str(error)) from None
        finally:
            tempfile.tempdir = temporary

    monkeypatch.setattr(isolated, "run", run)


@pytest.fixture(scope="session")
def _originals(tmp_path_factory: pytest.TempPathFactory) -> Released:
    """Return a repository for tests to copy; each is made once, from the one with a release less.

    Making one takes a second for each release, and copying it some milliseconds.
    """
    made: dict[tuple[str, ...], Repository] = {}

    def original(*configs: str) -> Repository:
        if configs not in made:
            place = tmp_path_factory.mktemp("original")
            made[configs] = (
                release(original(*configs[:-1]), place, configs[-1]) if configs else create(place)
            )
            # One file instead of one for each object: it is copied often.
            for folder in (made[configs].root, made[configs].origin):
                git(folder, "repack", "--quiet", "-a", "-d")
        return made[configs]

    return original


@pytest.fixture
def released_as(_originals: Released, tmp_path: Path) -> Released:
    """Return a repository in which each given config was merged and released; main is pulled."""

    def released_as(*configs: str) -> Repository:
        return copy(_originals(*configs), tmp_path)

    return released_as


@pytest.fixture
def repository(released_as: Released) -> Repository:
    """A repository on main with a folder as remote and a config for ten digits."""
    return released_as()


@pytest.fixture
def released(released_as: Released) -> Repository:
    """A repository whose config for ten digits is released as v0."""
    return released_as(config_text())


@pytest.fixture(scope="session")
def _untouched(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    return create(tmp_path_factory.mktemp("untouched"))


@pytest.fixture
def untouched(_untouched: Repository) -> Iterator[Repository]:
    """Such a repository for tests that change nothing but the files that people write."""
    yield _untouched
    git(_untouched.root, "checkout", "--quiet", ".")
    git(_untouched.root, "clean", "--quiet", "--force", "-d")


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a verb in the repository, or in the folder `where`."""

    def run(*arguments: str, where: Path | None = None) -> Result:
        monkeypatch.chdir(where or tmp_path / "work")
        capsys.readouterr()
        code = main(arguments)
        return Result(code, *capsys.readouterr())

    return run


@pytest.fixture(scope="session")
def emulator() -> Iterator[Storage]:
    """An emulated bucket. Tests share it, and each uses a path of its own."""
    with storage.running() as made:
        yield made


@pytest.fixture(scope="session")
def s3() -> Iterator[S3]:
    """An emulated bucket of S3, shared as well."""
    with pytest.MonkeyPatch.context() as patch, s3_.running() as made:
        for name, value in s3_.ENVIRONMENT.items():
            patch.setenv(name, value)
        yield made


@pytest.fixture(scope="session")
def azure() -> Iterator[Azure]:
    """An emulated container of Azure, shared as well."""
    if azure_.MISSING:
        pytest.skip(azure_.MISSING)
    with azure_.running() as made:
        yield made


@pytest.fixture(scope="session")
def mnist(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Real MNIST as scikit-learn stores it, in a copy that tests may change."""
    if not MNIST:
        pytest.skip("the MNIST files are not here: SCIKIT_LEARN_DATA is not set")
    copy = tmp_path_factory.mktemp("mnist") / "scikit_learn_data"
    shutil.copytree(MNIST, copy)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SCIKIT_LEARN_DATA", str(copy))
        yield
