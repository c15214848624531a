from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import stamina

from scripts.setup import apply, keys, shell
from scripts.setup.step import Half, Store
from tests.doubles.cloud import Cloud
from tests.repository import Repository, Result, Run

OPTIONS = ("--yes", "--project", "acme-data", "--bucket", "acme-dataset")
OTHER_STORES = {
    Store.S3: ("--yes", "--bucket", "s3://acme-dataset"),
    Store.AZURE: ("--yes", "--bucket", "azure://acme-dataset", "--account", "acmedata"),
}
EVERYTHING = ("--with", "ingest,gc,catalogue,cluster", "--scheduler", "tls://dask.example:8786")
CERTIFICATES = ("DASK_CA", "DASK_CERTIFICATE", "DASK_KEY")

Use = Callable[[Cloud], Cloud]


@pytest.fixture
def run(run: Run, untouched: Repository) -> Run:
    """Run a verb in a clone."""
    return lambda *arguments: run(*arguments, where=untouched.root)


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> Iterator[Use]:
    """Use a cloud in place of `gh` and `gcloud`."""

    def used(cloud: Cloud) -> Cloud:
        monkeypatch.setattr(shell, "run", cloud)
        return cloud

    with stamina.set_testing(True, attempts=apply.ATTEMPTS):
        yield used


@pytest.fixture
def cloud(use: Use) -> Cloud:
    """A copy of the template, and an empty project."""
    return use(Cloud())


@pytest.fixture
def setup(cloud: Cloud, run: Run) -> Callable[..., Result]:
    """Run the setup without questions."""
    return lambda *more: run("setup", *OPTIONS, *more)


@pytest.fixture
def pairs(monkeypatch: pytest.MonkeyPatch) -> list[dict[Half, str]]:
    """The key pairs that are made."""
    made: list[dict[Half, str]] = []
    make = keys.pair

    def pair() -> dict[Half, str]:
        made.append(make())
        return made[-1]

    monkeypatch.setattr(keys, "pair", pair)
    return made


def files_below(folder: Path) -> Iterator[bytes]:
    for file in folder.rglob("*"):
        if file.is_file():
            yield file.read_bytes()
