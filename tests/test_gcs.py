import asyncio
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts import lock
from tests.doubles import storage
from tests.doubles.process import free_port
from tests.doubles.storage import BUCKET, Storage
from tests.repository import Repository, Run, config_text, contents, create


@pytest.fixture(scope="module")
def emulator() -> Iterator[Storage]:
    with storage.running() as made:
        yield made


def point_at(repository: Repository, run: Run, address: str, path: str) -> None:
    run("remote", f"gs://{BUCKET}/{path}")
    subprocess.run(
        [sys.executable, "-m", "dvc", "remote", "modify", "storage", "endpointurl", address],
        cwd=repository.root,
        check=True,
        capture_output=True,
    )
    repository.git("commit", "--quiet", "--all", "--amend", "--no-edit")
    repository.git("push", "--quiet", "--force", "origin", "main")


@pytest.fixture
def clouded(tmp_path: Path, run: Run, emulator: Storage) -> Repository:
    """A repository whose remote is a bucket, under a path of its own."""
    repository = create(tmp_path)
    point_at(repository, run, emulator.url, tmp_path.name)
    return repository


def place_of(repository: Repository, tag: str = "v0") -> tuple[str, str]:
    """Return where the bucket keeps the first file of a release, and that file's name."""
    recorded = lock.parse(repository.at_origin("show", f"{tag}:dataset.dvc").encode())
    listing = repository.cached_file(recorded.md5).read_text()
    md5, name = listing.split('"md5": "')[1].split('"')[0], listing.split('"relpath": "')[1]
    return f"{repository.place.name}/files/md5/{md5[:2]}/{md5[2:]}", name.split('"')[0]


def test_a_push_copies_to_the_bucket_once(clouded: Repository, run: Run) -> None:
    run("build")

    first, second = run("push"), run("push")

    assert first.err == second.err == ""
    assert first.out.startswith(f"gs://{BUCKET}/{clouded.place.name} holds all 10 files of ")
    assert first.out.endswith("(11 copied)\n")
    assert second.out.endswith("(0 copied)\n")


def test_releases_in_a_bucket_are_whole_and_fetched_with_plain_dvc(
    clouded: Repository, run: Run
) -> None:
    assert run("release").code == 0
    clouded.merge(config_text(samples=8))
    released = run("release")
    assert (released.code, clouded.tags()) == (0, ["v0", "v1"]), released.err
    whole = (0, "v0  whole: 10 files\nv1  whole: 16 files\n")
    assert run("verify") == (*whole, "")
    assert run("verify", "--quick") == (*whole, "")

    run("build")
    shutil.rmtree(clouded.cache)
    consumer = clouded.place / "consumer"
    consumer.mkdir()
    for tag, count in [("v0", 10), ("v1", 16)]:
        command = ["dvc", "get", "--quiet", str(clouded.origin), "dataset", "--rev", tag]
        subprocess.run(
            [sys.executable, "-m", *command, "-o", tag],
            cwd=consumer,
            check=True,
            capture_output=True,
        )
        assert len(contents(consumer / tag)) == count
    clouded.configure(config_text(samples=8))
    run("build")
    assert contents(consumer / "v1") == contents(clouded.root / "dataset")


def test_a_runner_may_release_into_a_bucket(
    clouded: Repository, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    assert run("release").code == 0
    assert clouded.tags() == ["v0"]


@pytest.mark.parametrize("options", [[], ["--quick"]], ids=["full", "quick"])
def test_verify_names_the_file_whose_object_is_gone(
    clouded: Repository, run: Run, emulator: Storage, options: list[str]
) -> None:
    run("release")
    place, name = place_of(clouded)
    emulator.delete(place)

    result = run("verify", *options)

    assert result.code == 1
    assert result.out == (
        f"v0  broken\n    dataset/{name}: not in gs://{BUCKET}/{clouded.place.name}\n"
    )


def test_verify_names_the_file_whose_object_was_tampered_with(
    clouded: Repository, run: Run, emulator: Storage
) -> None:
    run("release")
    place, name = place_of(clouded)
    emulator.overwrite(place, b"other bytes")

    assert run("verify", "--quick").code == 0
    result = run("verify")

    assert result.code == 1
    assert result.out == (
        f"v0  broken\n    dataset/{name}: damaged in gs://{BUCKET}/{clouded.place.name}\n"
    )


def test_a_push_brings_back_the_one_object_that_is_gone(
    clouded: Repository, run: Run, emulator: Storage
) -> None:
    run("release")
    emulator.delete(place_of(clouded)[0])
    run("build")

    assert run("push").out.endswith("(1 copied)\n")
    assert run("verify").code == 0


@pytest.mark.parametrize("verb", ["push", "release"])
def test_a_bucket_that_does_not_answer_is_one_message_and_no_tag(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    repository = create(tmp_path)
    point_at(repository, run, f"http://127.0.0.1:{free_port()}", "path")
    run("build")
    # Google's client waits for a minute in all between its six attempts.
    sleep = asyncio.sleep
    monkeypatch.setattr(asyncio, "sleep", lambda _seconds: sleep(0))

    result = run(verb)

    assert result.code == 1
    *_, last = result.err.splitlines()
    assert last.startswith(f"error: cannot push to gs://{BUCKET}/path: ")
    assert "Traceback" not in result.err
    assert repository.tags() == []


def test_a_release_in_a_folder_can_be_verified_after_the_move_to_a_bucket(
    repository: Repository, run: Run, emulator: Storage
) -> None:
    run("release")
    repository.git("pull", "--quiet", "--ff-only", "origin", "main")
    point_at(repository, run, emulator.url, "moved")

    result = run("verify")

    assert (result.out, result.err) == ("v0  whole: 10 files\n", "")


def test_a_bucket_that_is_not_there_is_one_message(
    tmp_path: Path, run: Run, emulator: Storage
) -> None:
    repository = create(tmp_path)
    point_at(repository, run, emulator.url, "path")
    config = repository.root / ".dvc" / "config"
    config.write_text(config.read_text().replace(f"gs://{BUCKET}/", "gs://nobodys-bucket/"))
    run("build")

    result = run("push")

    assert result.code == 1
    assert len(result.err.splitlines()) == 1
    assert "nobodys-bucket" in result.err
