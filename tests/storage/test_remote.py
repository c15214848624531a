"""What every kind of remote does alike: a folder, a bucket, and a kind without a class here."""

import asyncio
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from scripts.errors import UserError
from scripts.storage import google_bucket, remote_kinds
from scripts.storage import remote as remotes
from scripts.storage.cache import Cache
from scripts.storage.manifest import Manifest
from scripts.storage.remote import Remote, reason
from scripts.storage.remote_azure import AzureRemote
from scripts.storage.remote_dvc import DvcRemote
from scripts.storage.remote_folder import FolderRemote
from scripts.storage.remote_google import GoogleRemote
from scripts.storage.remote_kinds import open_remote
from scripts.storage.remote_s3 import S3Remote
from tests.doubles import proxy
from tests.doubles.process import free_port
from tests.doubles.storage import BUCKET, Storage
from tests.repository import TEMPLATE, Repository

KINDS = {
    "folder": FolderRemote,
    "google": GoogleRemote,
    "s3": S3Remote,
    "azure": AzureRemote,
    "other": DvcRemote,
}
# The fixtures of the others are the emulator of Google's.
STORES = {"s3": "s3", "azure": "azure"}
FILES = {f"train/3/{number:05}.png": f"image {number}".encode() for number in range(5)}


@dataclass(frozen=True)
class Stored:
    """A version in a remote, and ways to damage it there."""

    remote: Remote
    cache: Cache
    made: Manifest
    delete: Callable[[str], None]
    overwrite: Callable[[str, bytes], None]

    @property
    def names(self) -> set[str]:
        return {*self.made.objects(), self.made.md5}

    @property
    def one(self) -> str:
        return next(iter(self.made.objects()))


def dvc_config(url: str, endpoint: str | None = None) -> bytes:
    text = TEMPLATE[".dvc/config"].replace("url = storage", f"url = {url}")
    return (text + (f"    endpointurl = {endpoint}\n" if endpoint else "")).encode()


@pytest.fixture(params=KINDS)
def empty(
    request: pytest.FixtureRequest, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> Stored:
    """An empty remote, and a version in the cache."""
    cache = Cache(repository.root)
    files = {name: (cache.put(data), len(data)) for name, data in FILES.items()}
    made = Manifest(files)
    cache.put_manifest(made)
    if request.param == "folder":

        def delete(name: str) -> None:
            repository.object_file(name).unlink()

        def overwrite(name: str, content: bytes) -> None:
            delete(name)
            repository.object_file(name).write_bytes(content)

        opened = open_remote(repository.root, dvc_config(str(repository.bucket)))
        return Stored(opened, cache, made, delete, overwrite)
    if request.param == "other":
        # A bucket without the class that knows it stands for all other kinds.
        monkeypatch.delitem(remote_kinds.KINDS, "gs")
    path = repository.place.name
    store = request.getfixturevalue(STORES.get(request.param, "emulator"))
    opened = open_remote(repository.root, dvc_config(store.config(path)))

    def place(name: str) -> str:
        return f"{path}/files/md5/{name[:2]}/{name[2:]}"

    return Stored(
        opened,
        cache,
        made,
        lambda name: store.delete(place(name)),
        lambda name, content: store.overwrite(place(name), content),
    )


@pytest.fixture
def stored(empty: Stored) -> Stored:
    """A remote that holds the version."""
    assert empty.remote.upload(empty.cache, empty.names) == []
    return empty


def test_each_kind_of_remote_has_its_class_and_address(
    empty: Stored, repository: Repository, request: pytest.FixtureRequest
) -> None:
    kind = request.node.callspec.params["empty"]
    is_folder = kind == "folder"
    assert type(empty.remote) is KINDS[kind]
    assert empty.remote.is_folder is is_folder
    scheme = STORES.get(kind, "gs")
    url = str(repository.bucket) if is_folder else f"{scheme}://{BUCKET}/{repository.place.name}"
    assert empty.remote.url == url


def test_an_empty_remote_lacks_every_object(empty: Stored) -> None:
    assert empty.remote.missing(empty.names) == empty.names
    assert empty.remote.missing(set()) == set()


def test_uploaded_objects_are_available_and_intact(stored: Stored) -> None:
    assert stored.remote.missing(stored.names) == set()
    assert stored.remote.mismatched(stored.names) == set()
    assert stored.remote.damaged(stored.names) == set()
    assert stored.remote.manifest(stored.made.md5) == {
        name: md5 for name, (md5, _) in stored.made.files.items()
    }


def test_nothing_to_upload_is_no_error(empty: Stored) -> None:
    assert empty.remote.upload(empty.cache, set()) == []
    assert empty.remote.mismatched(set()) == empty.remote.damaged(set()) == set()


def test_a_missing_object_is_found(stored: Stored) -> None:
    stored.delete(stored.one)
    assert stored.remote.missing(stored.names) == {stored.one}


def test_a_damaged_object_is_found_and_left_as_it_is(stored: Stored) -> None:
    stored.overwrite(stored.one, b"damaged")

    for _ in range(2):
        assert stored.remote.missing(stored.names) == set()
        assert stored.remote.mismatched(stored.names) == {stored.one}
        assert stored.remote.damaged(stored.names) == {stored.one}


def test_many_objects_are_read_in_parts(stored: Stored, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remotes, "READ_AT_ONCE", 2)
    last = max(stored.names)
    stored.overwrite(last, b"damaged")

    assert stored.remote.damaged(stored.names) == {last}


def test_a_single_object_is_read(stored: Stored) -> None:
    assert stored.remote.damaged({stored.one}) == set()
    stored.overwrite(stored.one, b"damaged")
    assert stored.remote.damaged({stored.one}) == {stored.one}


def test_an_object_that_disappears_while_reading_is_an_error(stored: Stored) -> None:
    stored.delete(stored.one)
    with pytest.raises(UserError, match=f"^cannot read from {stored.remote.url}: "):
        stored.remote.damaged(stored.names)


def test_a_missing_manifest_is_an_error(stored: Stored) -> None:
    md5 = stored.made.md5
    stored.delete(md5)
    with pytest.raises(UserError) as caught:
        stored.remote.manifest(md5)
    assert str(caught.value) == f"the manifest {md5} is missing in {stored.remote.url}"


def test_a_damaged_manifest_is_an_error(stored: Stored) -> None:
    md5 = stored.made.md5
    stored.overwrite(md5, b"[]")
    with pytest.raises(UserError) as caught:
        stored.remote.manifest(md5)
    assert str(caught.value) == f"checksum mismatch for the manifest {md5} in {stored.remote.url}"


def test_objects_that_cannot_be_uploaded_are_reported(empty: Stored) -> None:
    file = empty.cache.path(empty.one)
    file.unlink()

    errors = empty.remote.upload(empty.cache, empty.names)

    assert len(errors) == 1
    assert file.name in reason(errors)
    assert empty.remote.missing(empty.names) == {empty.one}


def test_an_unreachable_remote_is_one_message(
    untouched: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Google's client waits for a minute in all between its six attempts.
    sleep = asyncio.sleep
    monkeypatch.setattr(asyncio, "sleep", lambda _seconds: sleep(0))
    monkeypatch.setattr(google_bucket, "FIRST_WAIT", 0)
    for kinds in (remote_kinds.KINDS, {}):
        monkeypatch.setattr(remote_kinds, "KINDS", kinds)
        endpoint = f"http://127.0.0.1:{free_port()}"
        remote = open_remote(untouched.root, dvc_config(f"gs://{BUCKET}/path", endpoint))
        for call in (remote.missing, remote.mismatched, remote.damaged):
            with pytest.raises(UserError, match=f"^cannot .* gs://{BUCKET}/path: "):
                call({"0" * 32})


def test_storage_that_never_answers_is_one_message(
    untouched: Repository, silent: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remotes, "TIME_LIMIT", 0.3)
    one, two = "0" * 32, "1" * 32
    remote = open_remote(untouched.root, dvc_config(f"gs://{BUCKET}/path", silent))
    calls: list[Callable[[], object]] = [
        lambda: remote.missing({one}),
        lambda: remote.missing({one, two}),
        lambda: remote.mismatched({one, two}),
        lambda: remote.damaged({one, two}),
        lambda: remote.manifest(one),
        lambda: remote.read_record(one),
        lambda: remote.write_record(one, b"content"),
        lambda: remote.write_record(one, bytes(10_000_000)),
    ]
    for call in calls:
        begun = time.monotonic()
        with pytest.raises(UserError) as caught:
            call()
        assert time.monotonic() - begun < 30
        assert re.fullmatch(
            f"cannot (list the objects in|read from|write to) gs://{BUCKET}/path:"
            r" no answer within 0\.3 seconds",
            str(caught.value),
        )


MANY = {f"train/3/{number:05}.png": f"image {number}".encode() for number in range(60)}
JOBS = 4


@pytest.fixture
def many(repository: Repository) -> tuple[Cache, list[str]]:
    """A cache with many objects."""
    cache = Cache(repository.root)
    return cache, [cache.put(data) for data in MANY.values()]


def few_jobs(url: str, endpoint: str) -> bytes:
    return dvc_config(url, endpoint) + f"    jobs = {JOBS}\n".encode()


@pytest.mark.parametrize("kind", ["google", "other"])
def test_only_a_few_objects_are_read_or_written_at_the_same_time(
    repository: Repository,
    many: tuple[Cache, list[str]],
    emulator: Storage,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
) -> None:
    if kind == "other":
        monkeypatch.delitem(remote_kinds.KINDS, "gs")
    cache, names = many
    guard = threading.Lock()
    counts = {"now": 0, "most": 0}

    def slowly(_method: str, _path: str) -> None:
        with guard:
            counts["now"] += 1
            counts["most"] = max(counts["most"], counts["now"])
        time.sleep(0.01)
        with guard:
            counts["now"] -= 1

    with proxy.before(emulator.port, slowly) as network:
        url = f"gs://{BUCKET}/{repository.place.name}"
        remote = open_remote(repository.root, few_jobs(url, network.url))
        assert remote.upload(cache, names) == []
        assert 1 < counts["most"] <= JOBS

        counts["most"] = 0
        assert remote.damaged(names) == set()
        assert 1 < counts["most"] <= JOBS


def test_nothing_more_is_begun_once_the_storage_does_not_answer(
    repository: Repository,
    many: tuple[Cache, list[str]],
    emulator: Storage,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(remotes, "TIME_LIMIT", 0.3)
    cache, names = many
    url = f"gs://{BUCKET}/{repository.place.name}"
    over = threading.Event()

    def stall(_method: str, _path: str) -> None:
        over.wait(10)

    with proxy.before(emulator.port, stall) as network:
        remote = open_remote(repository.root, few_jobs(url, network.url))
        try:
            for call in (lambda: remote.upload(cache, names), lambda: remote.damaged(names)):
                network.seen.clear()
                with pytest.raises(UserError, match=r"no answer within 0\.3 seconds$"):
                    call()
                assert 0 < len(network.seen) <= 3 * JOBS
        finally:
            over.set()


def test_the_address_of_a_folder_has_no_detours(repository: Repository) -> None:
    for url in ("../storage/../../bucket/", f"{repository.root}/.dvc/../../bucket"):
        assert open_remote(repository.root, dvc_config(url)).url == str(repository.bucket)


@pytest.mark.parametrize(
    ("errors", "text"),
    [
        ([], "they were copied, but are missing"),
        ([OSError("two\nlines"), OSError("another")], "two lines"),
        ([TimeoutError()], "no answer within 120 seconds"),
        ([ValueError()], "ValueError"),
        ([OSError("x" * 1000)], "x" * 300),
    ],
)
def test_a_reason_is_one_short_line(errors: list[BaseException], text: str) -> None:
    assert reason(errors) == text


@pytest.mark.parametrize(
    ("url", "text"),
    [("ssh://host/path", "requires 'dvc-ssh' to be installed"), ("remote://x/y", "doesn't exist")],
)
def test_a_remote_that_cannot_be_used_names_the_file(
    untouched: Repository, url: str, text: str
) -> None:
    with pytest.raises(UserError) as caught:
        open_remote(untouched.root, dvc_config(url), ".dvc/config at v0")
    assert str(caught.value).startswith(".dvc/config at v0: the remote cannot be used (")
    assert text in str(caught.value)
