"""A dataset in another store than Google's, from the first push to its consumers."""

import shutil
import time
from pathlib import Path
from typing import Any

import pytest

from tests.doubles import azure, s3
from tests.e2e.forge import Forge
from tests.repository import Repository, Run, config_text, contents, create, dvc, git
from tests.storage.test_remote_google import place_of

DAYS = 86_400


@pytest.fixture(params=["s3", "azure"])
def store(request: pytest.FixtureRequest) -> Any:
    return request.getfixturevalue(request.param)


@pytest.fixture
def stored(store: Any, tmp_path: Path, run: Run) -> Repository:
    """A repository whose remote is a bucket of the store."""
    repository = create(tmp_path)
    address, *settings = store.config(tmp_path.name).split("\n")
    account = ["--account", azure.ACCOUNT] if address.startswith("azure") else []
    assert run("remote", address, *account).code == 0
    with (repository.root / ".dvc" / "config").open("a") as file:
        file.writelines(f"{line}\n" for line in settings)
    repository.git("commit", "--quiet", "--all", "--amend", "--no-edit")
    repository.git("push", "--quiet", "--force", "origin", "main")
    return repository


def test_a_dataset_lives_in_the_store(stored: Repository, store: Any, run: Run) -> None:
    run("build")
    assert run("push").out.endswith("(11 copied)\n")
    assert run("release").code == 0
    stored.merge(config_text(samples=8))
    assert run("release").code == 0
    assert stored.tags() == ["v0", "v1"]
    assert run("verify").code == 0

    # What is damaged is found, and named with the command that removes it.
    place, name = place_of(stored)
    store.overwrite(place, b"damaged")
    found = run("verify")
    assert found.code == 1
    assert f"dataset/{name}: checksum mismatch in " in found.out
    store.delete(place)
    assert run("repair", "v0").code == 0
    assert run("verify").code == 0
    assert run("site", "--out", str(stored.place / "site")).code == 0
    assert (stored.place / "site" / "index.html").is_file()


def test_plain_dvc_fetches_releases_from_the_store(
    stored: Repository, store: Any, run: Run
) -> None:
    assert run("release").code == 0
    run("build")
    expected = contents(stored.root / "dataset")
    shutil.rmtree(stored.cache)
    consumer = stored.place / "consumer"
    consumer.mkdir()

    dvc(consumer, "get", "--quiet", str(stored.origin), "dataset", "--rev", "v0", "-o", "got")
    git(stored.place, "clone", "--quiet", "--branch", "v0", str(stored.origin), "clone")
    dvc(stored.place / "clone", "pull", "--quiet")

    assert contents(consumer / "got") == expected
    assert contents(stored.place / "clone" / "dataset") == expected


def test_what_nothing_needs_is_deleted_from_the_store(
    stored: Repository, store: Any, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("release").code == 0
    before = {*store.objects()}
    stored.configure(config_text(samples=9))
    run("build")
    assert run("push").code == 0
    stored.git("checkout", "--quiet", ".")
    assert "younger than 14 days" in run("gc", "--yes").out
    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() + 15 * DAYS)

    deleted = run("gc", "--yes")

    assert deleted.code == 0, deleted.err
    assert "deleted 9 objects (" in deleted.out
    assert {*store.objects()} == before
    assert run("verify").code == 0


VARIABLES = {
    "s3": {
        "AWS_REGION": "eu-central-1",
        "AWS_PULL_REQUEST_ROLE": "arn:aws:iam::1:role/pull-request",
        "AWS_RELEASE_ROLE": "arn:aws:iam::1:role/release",
    },
    "azure": {
        "AZURE_TENANT_ID": "tenant",
        "AZURE_SUBSCRIPTION_ID": "subscription",
        "AZURE_PULL_REQUEST_CLIENT": "pull-request",
        "AZURE_RELEASE_CLIENT": "release",
    },
}
WHO = {
    "s3": "authenticated as arn:aws:iam::1:role/{} in eu-central-1",
    "azure": "authenticated as {} of tenant for subscription",
}


def test_workflows_log_in_to_the_store_and_release_there(
    fresh: Forge, store: Any, request: pytest.FixtureRequest
) -> None:
    kind = request.node.callspec.params["store"]
    fresh.variables = VARIABLES[kind]
    fresh.environment |= s3.ENVIRONMENT
    path = fresh.place.name
    before = fresh.file("main", ".dvc/config")
    settings = before.replace("url = storage", f"url = {store.config(path)}")
    pull = fresh.open_pull("bucket", {".dvc/config": settings})

    checked = fresh.on_pull_request(pull, "opened")
    assert checked.succeeded, checked.log
    assert WHO[kind].format("pull-request") in checked.log
    assert f"-r requirements.txt -r requirements-{kind}.txt" in checked.log
    fresh.merge(pull)
    released = fresh.on_push()

    assert released.succeeded, released.log
    assert WHO[kind].format("release") in released.log
    assert fresh.tags() == ["v0"]
    assert any(name.startswith(f"{path}/files/md5/") for name in store.objects())
