import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from scripts.errors import UserError
from scripts.storage.derived import Derived
from scripts.storage.records import Records, digest
from scripts.storage.remote import Remote
from scripts.storage.remote_kinds import open_remote
from tests.doubles.storage import BUCKET, Storage
from tests.repository import TEMPLATE, Repository, Run, snapshot

CONTENT = b"a record"
NAME = hashlib.sha256(CONTENT).hexdigest()


@dataclass(frozen=True)
class Place:
    """Where records are kept, and a way to plant one in the remote."""

    cache: Path
    remote: Remote
    plant: Callable[[str, bytes], None]
    removal: str

    @property
    def records(self) -> Records:
        return Records(self.cache, lambda: self.remote)

    @property
    def offline(self) -> Records:
        def unavailable() -> Remote:
            raise UserError("the remote is not available")

        return Records(self.cache, unavailable)


def dvc_config(url: str, endpoint: str | None = None) -> bytes:
    text = TEMPLATE[".dvc/config"].replace("url = storage", f"url = {url}")
    return (text + (f"    endpointurl = {endpoint}\n" if endpoint else "")).encode()


@pytest.fixture(params=["folder", "bucket"])
def place(
    request: pytest.FixtureRequest, untouched: Repository, tmp_path: Path, emulator: Storage
) -> Place:
    """An empty cache and an empty remote."""
    if request.param == "folder":
        bucket = tmp_path / "bucket"

        def plant(name: str, content: bytes) -> None:
            (bucket / "records").mkdir(parents=True, exist_ok=True)
            (bucket / "records" / name).write_bytes(content)

        opened = open_remote(untouched.root, dvc_config(str(bucket)))
        return Place(tmp_path / "cache", opened, plant, f"rm -f {bucket}/records/{NAME}")
    path = tmp_path.name
    opened = open_remote(untouched.root, dvc_config(f"gs://{BUCKET}/{path}", emulator.url))
    return Place(
        tmp_path / "cache",
        opened,
        lambda name, content: emulator.overwrite(f"{path}/records/{name}", content),
        f"gcloud storage rm gs://{BUCKET}/{path}/records/{NAME}",
    )


def test_a_record_is_named_by_its_sha256_and_kept_in_the_cache_and_the_remote(
    place: Place,
) -> None:
    assert place.records.store(CONTENT) == NAME == digest(CONTENT)

    assert place.offline.read(NAME) == CONTENT
    assert (place.cache / NAME).read_bytes() == CONTENT
    assert place.remote.read_record(NAME) == CONTENT


def test_a_record_that_was_read_once_is_read_from_the_cache(place: Place) -> None:
    place.plant(NAME, CONTENT)
    assert place.offline.cached(NAME) is None

    assert place.records.read(NAME) == CONTENT

    assert place.offline.cached(NAME) == place.offline.read(NAME) == CONTENT


def test_a_damaged_record_in_the_cache_is_read_from_the_remote_and_replaced(
    place: Place,
) -> None:
    place.records.store(CONTENT)
    (place.cache / NAME).write_bytes(b"damaged")
    assert place.offline.cached(NAME) is None

    assert place.records.read(NAME) == CONTENT

    assert (place.cache / NAME).read_bytes() == CONTENT


def test_a_missing_record_is_an_error(place: Place) -> None:
    with pytest.raises(UserError) as caught:
        place.records.read(NAME)
    assert str(caught.value) == f"the record {NAME} is missing in {place.remote.url}"


def test_a_damaged_record_in_the_remote_is_an_error_and_not_kept(place: Place) -> None:
    place.plant(NAME, b"damaged")

    with pytest.raises(UserError) as caught:
        place.records.read(NAME)

    assert str(caught.value) == f"checksum mismatch for the record {NAME} in {place.remote.url}"
    assert not (place.cache / NAME).exists()


def test_a_planted_record_is_refused_with_the_command_that_removes_it(place: Place) -> None:
    place.plant(NAME, b"planted")

    with pytest.raises(UserError) as caught:
        place.records.store(CONTENT)

    assert str(caught.value) == (
        f"Checksum mismatch for the record {NAME} in {place.remote.url}."
        f" Remove it and run it again:\n    {place.removal}"
    )
    assert place.remote.read_record(NAME) == b"planted"


@pytest.mark.parametrize("arrives", [b"a recorD", None], ids=["damaged", "lost"])
def test_a_record_is_verified_in_the_remote_after_it_was_written(
    place: Place, monkeypatch: pytest.MonkeyPatch, arrives: bytes | None
) -> None:
    def write(name: str, _: bytes) -> None:
        if arrives is not None:
            place.plant(name, arrives)

    monkeypatch.setattr(place.remote, "write_record", write)

    with pytest.raises(UserError) as caught:
        place.records.store(CONTENT)

    assert str(caught.value) == (
        f"the record {NAME} was written to {place.remote.url}, but is missing"
        if arrives is None
        else f"Checksum mismatch for the record {NAME} in {place.remote.url}."
        f" Remove it and run it again:\n    {place.removal}"
    )


def test_a_cache_that_cannot_be_written_costs_only_time(place: Place) -> None:
    place.cache.write_text("a file where the folder should be")

    assert place.records.store(CONTENT) == NAME
    assert place.records.keep(CONTENT) == NAME
    assert place.records.read(NAME) == CONTENT
    assert place.offline.cached(NAME) is None


def test_a_record_that_is_stored_already_is_not_written_again(
    untouched: Repository, tmp_path: Path
) -> None:
    bucket = tmp_path / "bucket"
    remote = open_remote(untouched.root, dvc_config(str(bucket)))
    Records(tmp_path / "one", lambda: remote).store(CONTENT)
    before = snapshot(bucket)
    assert list(before) == [f"records/{NAME}"]

    Records(tmp_path / "two", lambda: remote).store(CONTENT)

    assert snapshot(bucket) == before


@pytest.mark.parametrize("late", [True, False], ids=["another run was faster", "forbidden"])
def test_a_record_that_another_run_stores_at_the_same_time_is_no_error(
    untouched: Repository, tmp_path: Path, emulator: Storage, late: bool
) -> None:
    # Nobody may overwrite an object, so that the second one to write it is refused.
    url = f"gs://{BUCKET}/{tmp_path.name}"
    remote = open_remote(untouched.root, dvc_config(url, emulator.proxy.url))
    emulator.proxy.fail(403, "^POST /upload", late=late)
    records = Records(tmp_path / "cache", lambda: remote)
    try:
        if late:
            assert records.store(CONTENT) == NAME
        else:
            with pytest.raises(UserError, match=f"^cannot write to {url}: Forbidden"):
                records.store(CONTENT)
    finally:
        emulator.proxy.reset()


def test_a_release_needs_no_cache_for_records(repository: Repository, run: Run) -> None:
    repository.cache.mkdir()
    (repository.cache / "records").write_text("a file where the folder should be")

    for verb in ("build", "release", "plan", "verify"):
        result = run(verb)
        assert result.code == 0, result.err

    assert repository.tags() == ["v0"]
    names = [file.name for file in (repository.bucket / "records").iterdir()]
    assert names
    for name in names:
        assert digest((repository.bucket / "records" / name).read_bytes()) == name


def derived(place: Place, cache: str = "cache") -> Derived:
    return Derived("drawings", place.cache / cache, place.remote)


def test_derived_records_are_found_by_what_they_were_made_from(place: Place) -> None:
    assert [*derived(place).read("v0")] == []

    made = derived(place)
    made.store("v0", CONTENT)
    made.store("v0", b"another one")
    made.store("v1", CONTENT)

    assert {*derived(place).read("v0")} == {CONTENT, b"another one"}
    assert [*derived(place, "another clone").read("v1")] == [CONTENT]
    assert [*derived(place).read("v2")] == []
    # Where the one that stored them looks again, they are there too.
    assert {*made.read("v0")} == {CONTENT, b"another one"}


def test_a_derived_record_is_stored_once(place: Place) -> None:
    derived(place).store("v0", CONTENT)
    place.plant(f"drawings/v0/{NAME}", CONTENT)

    derived(place, "another clone").store("v0", CONTENT)

    assert place.remote.records_below("drawings") == [f"v0/{NAME}"]


def test_a_damaged_derived_record_is_not_there(place: Place) -> None:
    derived(place).store("v0", CONTENT)
    (place.cache / "cache" / "drawings" / "v0" / NAME).write_bytes(b"damaged")
    assert [*derived(place).read("v0")] == [CONTENT]

    place.plant(f"drawings/v0/{NAME}", b"damaged")
    assert [*derived(place, "another clone").read("v0")] == []
