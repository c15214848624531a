"""What a push to Google Cloud Storage costs, and what it does when requests fail."""

import hashlib
import json
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from google.auth import external_account

from scripts.errors import UserError
from scripts.storage import google_bucket, remote_bucket, transfer
from scripts.storage.cache import Cache
from scripts.storage.manifest import Manifest
from scripts.storage.records import Records
from scripts.storage.remote import Remote
from scripts.storage.remote_kinds import of_settings, open_remote
from tests.doubles import bucket as buckets
from tests.doubles import proxy
from tests.doubles.bucket import BUCKET, Bucket, Others, Trouble
from tests.doubles.proxy import Harm
from tests.repository import TEMPLATE, Repository, Run, config_text

FOLDER = "data"
UPLOAD = "^POST /upload"


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    """An empty bucket; nothing waits before it is tried again."""
    monkeypatch.setattr(google_bucket, "FIRST_WAIT", 0)
    with buckets.running() as made:
        yield made


@pytest.fixture
def remote(bucket: Bucket) -> Remote:
    return of_settings({"url": f"gs://{BUCKET}/{FOLDER}", "endpointurl": bucket.url})


def version(cache: Cache, count: int) -> Manifest:
    """Return a version of so many files; each has the files of the smaller ones."""
    chance = random.Random(0)
    contents = [chance.randbytes(300) for _ in range(count)]
    made = Manifest({f"{n:05}.png": (cache.put(data), 300) for n, data in enumerate(contents)})
    cache.put_manifest(made)
    return made


def names_of(made: Manifest) -> set[str]:
    return {*made.objects(), made.md5}


def place(name: str) -> str:
    return f"{FOLDER}/files/md5/{name[:2]}/{name[2:]}"


def assert_complete(bucket: Bucket, made: Manifest) -> None:
    for name in names_of(made):
        content = bucket.stored[place(name)].content
        found = hashlib.md5(content, usedforsecurity=False).hexdigest()
        assert found == name.removesuffix(".dir")


# What it costs.


@pytest.mark.parametrize("others", [0, 100_000])
def test_what_is_new_costs_one_request_each_whatever_else_there_is(
    bucket: Bucket, remote: Remote, cache: Cache, others: int
) -> None:
    bucket.others = Others(FOLDER, others)
    released, made = version(cache, 50), version(cache, 150)
    transfer.push(cache, remote, released.md5)
    bucket.reset()

    assert transfer.push(cache, remote, made.md5, names_of(released)) == 101

    # And one look at each of the two manifests.
    assert (len(bucket.seen), bucket.listings) == (103, 0)
    assert_complete(bucket, made)


def test_nothing_to_do_costs_one_look(bucket: Bucket, remote: Remote, cache: Cache) -> None:
    made = version(cache, 20)
    transfer.push(cache, remote, made.md5)
    bucket.reset()

    assert transfer.push(cache, remote, made.md5, names_of(made)) == 0

    [request] = bucket.seen
    assert request.startswith(f"GET {buckets.OBJECTS}/")


def test_what_was_pushed_before_its_release_is_looked_at_but_not_sent_again(
    bucket: Bucket, remote: Remote, cache: Cache
) -> None:
    made = version(cache, 20)
    transfer.push(cache, remote, made.md5)
    bucket.delete(place(min(made.objects())))
    bucket.reset()

    assert transfer.push(cache, remote, made.md5) == 1

    assert (len(bucket.seen), bucket.listings) == (22, 0)
    assert_complete(bucket, made)


@pytest.fixture
def clouded(repository: Repository, bucket: Bucket) -> Repository:
    """A repository whose remote is the bucket."""
    bucket.others = Others(FOLDER, 100_000)
    address = f"gs://{BUCKET}/{FOLDER}\n    endpointurl = {bucket.url}"
    config = TEMPLATE[".dvc/config"].replace("url = storage", f"url = {address}")
    repository.merge_file(".dvc/config", config)
    return repository


def test_no_verb_of_a_change_lists_the_bucket(
    clouded: Repository, run: Run, bucket: Bucket
) -> None:
    for samples in (5, 8):
        clouded.merge(config_text(samples=samples))
        for verb in ("validate", "plan", "build", "push", "release", "release"):
            assert run(verb).code == 0, verb
    assert bucket.seen
    assert bucket.listings == 0

    clouded.git("pull", "--quiet", "--ff-only", "origin", "main")
    for verb in ("build", "plan", "push", "release"):
        bucket.reset()
        assert run(verb).code == 0
        assert len(bucket.seen) <= 1, verb
    assert run("verify").code == 0


def test_what_releases_share_is_looked_for_and_read_once(
    clouded: Repository, run: Run, bucket: Bucket
) -> None:
    for samples in (5, 8):
        clouded.merge(config_text(samples=samples))
        run("release")
    bucket.reset()

    assert run("verify").code == 0

    # 16 files, the first ten of which both releases have.
    of_files = [one for one in bucket.seen if "md5%2F" in one and ".dir" not in one]
    assert len(of_files) == 2 * 16


def test_in_another_bucket_nothing_is_taken_as_there(
    clouded: Repository, run: Run, bucket: Bucket
) -> None:
    run("release")
    with (clouded.root / ".dvc" / "config").open("a") as file:
        file.write("    jobs = 2\n")
    bucket.stored.clear()
    bucket._names.clear()
    run("build")

    assert run("push").out.endswith("(11 copied)\n")


@pytest.mark.parametrize("others", [0, 1_000_000])
def test_many_objects_are_found_with_as_few_requests_as_it_takes(
    bucket: Bucket, remote: Remote, others: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote_bucket, "MANY", 1_000)
    bucket.others = Others(FOLDER, others)
    names = {hashlib.md5(b"%d" % n, usedforsecurity=False).hexdigest() for n in range(1_100)}
    there = {hashlib.md5(b"%d" % n, usedforsecurity=False).hexdigest() for n in range(1_000)}
    for name in there:
        bucket.put(place(name), b"")

    assert remote.missing(names) == names - there

    # One page for each folder is enough for a small bucket. In a large one it is not worth more.
    folders = {name[:2] for name in names}
    assert bucket.listings == len(folders)
    assert len(bucket.seen) == len(folders) if not others else len(bucket.seen) < 256 + 1_100
    bucket.reset()
    assert remote.missing({*sorted(names)[:900]}) == {*sorted(names)[:900]} - there
    assert bucket.listings == 0


def test_many_objects_are_compared_with_their_checksums_in_a_listing(
    bucket: Bucket, remote: Remote, cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote_bucket, "MANY", 50)
    made = version(cache, 100)
    transfer.push(cache, remote, made.md5)
    one, two, three, *_ = sorted(made.objects())
    bucket.put(place(one), b"damaged")
    bucket.put(place(two), b"damaged", composite=True)
    bucket.put(place(three), cache.path(three).read_bytes(), composite=True)

    assert remote.mismatched(names_of(made)) == {one, two}

    bucket.delete(place(three))
    assert remote.missing(names_of(made)) == {three}


def test_a_listing_is_read_a_page_at_a_time(bucket: Bucket, remote: Remote) -> None:
    bucket.others = Others(FOLDER, 1_000_000)

    listed = remote.listing()
    first = [next(listed) for _ in range(2_500)]

    assert len(bucket.seen) == 3
    assert first == sorted(first)
    assert first[0].place == "files/md5/00/" + "0" * 30


# What can go wrong.


@pytest.mark.parametrize("trouble", [Trouble.LOST, Trouble.CLOSED, 408, 429, 500, 503], ids=str)
def test_a_request_that_failed_is_sent_again(
    bucket: Bucket, remote: Remote, cache: Cache, trouble: Trouble | int
) -> None:
    made = version(cache, 5)
    bucket.fail(trouble, UPLOAD, count=3)
    bucket.fail(trouble, "^GET")

    transfer.push(cache, remote, made.md5)

    assert_complete(bucket, made)
    # Nothing was stored twice.
    assert len({one.generation for one in bucket.stored.values()}) == 6
    assert max(one.generation for one in bucket.stored.values()) == 6


def test_a_bucket_that_fails_on_and_on_is_one_message(
    bucket: Bucket, remote: Remote, cache: Cache
) -> None:
    made = version(cache, 5)
    bucket.fail(503, UPLOAD, count=1000)

    with pytest.raises(UserError, match=r"^5 of 6 objects could not be copied to gs://bucket/data"):
        transfer.push(cache, remote, made.md5)

    assert sum(one.startswith("POST") for one in bucket.seen) == 5 * google_bucket.ATTEMPTS
    bucket.reset()
    assert transfer.push(cache, remote, made.md5) == 6


def test_an_object_that_another_run_has_stored_is_compared_by_its_metadata(
    bucket: Bucket, remote: Remote, cache: Cache
) -> None:
    made = version(cache, 5)
    one, two = sorted(made.objects())[:2]
    bucket.put(place(one), cache.path(one).read_bytes())
    bucket.put(place(two), cache.path(two).read_bytes(), composite=True)

    assert transfer.push(cache, remote, made.md5) == 4

    # A look at the manifest, six uploads, a look for each refusal, and a read without a checksum.
    assert len(bucket.seen) == 1 + 6 + 2 + 1
    assert_complete(bucket, made)


@pytest.mark.parametrize("composite", [False, True])
def test_another_object_under_the_same_name_is_an_error_and_stays(
    bucket: Bucket, remote: Remote, cache: Cache, composite: bool
) -> None:
    made = version(cache, 5)
    one = min(made.objects())
    bucket.put(place(one), b"planted", composite=composite)

    for _ in range(2):
        with pytest.raises(UserError) as caught:
            transfer.push(cache, remote, made.md5)
        assert str(caught.value) == (
            f"Checksum mismatch for 1 of 6 objects in {remote.url}. Remove them and run it again:"
            f"\n    gcloud storage rm gs://{BUCKET}/{place(one)}"
        )
    assert bucket.stored[place(one)].content == b"planted"
    # The manifest goes last.
    assert place(made.md5) not in bucket.stored
    bucket.delete(place(one))
    assert transfer.push(cache, remote, made.md5) == 2


def test_another_manifest_under_the_same_name_is_an_error(
    bucket: Bucket, remote: Remote, cache: Cache
) -> None:
    made = version(cache, 5)
    bucket.put(place(made.md5), b"[]")

    with pytest.raises(UserError, match=r"^Checksum mismatch for 1 of 6 objects"):
        transfer.push(cache, remote, made.md5)


def test_a_manifest_without_its_objects_is_not_believed(
    bucket: Bucket, remote: Remote, cache: Cache
) -> None:
    made = version(cache, 5)
    bucket.put(place(made.md5), made.content)

    assert transfer.push(cache, remote, made.md5) == 5

    assert_complete(bucket, made)


def test_what_the_bucket_stored_otherwise_is_an_error(
    bucket: Bucket, remote: Remote, cache: Cache
) -> None:
    made = version(cache, 5)
    bucket.fail(Trouble.DAMAGED, UPLOAD)

    with pytest.raises(UserError, match=r"^Checksum mismatch for 1 of 6 objects"):
        transfer.push(cache, remote, made.md5)


def test_what_was_damaged_on_its_way_is_not_stored(
    bucket: Bucket, cache: Cache, remote: Remote
) -> None:
    made = Manifest({"a": (cache.put(bytes(10_000)), 10_000)})
    cache.put_manifest(made)
    with proxy.before(int(bucket.url.rpartition(":")[2])) as network:
        settings = {"url": f"gs://{BUCKET}/{FOLDER}", "endpointurl": network.url}
        network.fail(Harm.DAMAGED_BEFORE, UPLOAD, count=1)
        with pytest.raises(UserError, match=r"^1 of 2 objects could not be copied"):
            transfer.push(cache, of_settings(settings), made.md5)
    assert not bucket.stored
    assert transfer.push(cache, remote, made.md5) == 2


def test_a_forgotten_object_is_copied_by_the_next_push(
    bucket: Bucket, remote: Remote, cache: Cache
) -> None:
    # The answer has the checksum and the generation of what was stored: there is no more to know.
    made = version(cache, 5)
    bucket.fail(Trouble.FORGOTTEN, UPLOAD)
    assert transfer.push(cache, remote, made.md5) == 6

    assert transfer.push(cache, remote, made.md5) == 1

    assert_complete(bucket, made)


@pytest.mark.parametrize(
    ("trouble", "text"),
    [(Trouble.FORGOTTEN, "was written to .*, but is missing"), (Trouble.DAMAGED, "mismatch")],
)
def test_a_record_is_looked_at_after_it_was_stored(
    bucket: Bucket, remote: Remote, tmp_path: Path, trouble: Trouble, text: str
) -> None:
    bucket.fail(trouble, UPLOAD)
    records = Records(tmp_path, lambda: remote)

    with pytest.raises(UserError, match=text):
        records.store(b"a record")

    assert not any("alt=media" in one for one in bucket.seen)


@pytest.mark.parametrize("exists", [True, False])
def test_a_refusal_without_permission_to_overwrite_is_no_error_where_the_object_exists(
    bucket: Bucket, remote: Remote, cache: Cache, exists: bool
) -> None:
    made = version(cache, 1)
    [name] = made.objects()
    if exists:
        bucket.put(place(name), cache.path(name).read_bytes())
    bucket.fail(403, f"{UPLOAD}.*{name[2:]}")

    if exists:
        assert transfer.push(cache, remote, made.md5) == 1
        return
    with pytest.raises(UserError, match=r"could not be copied .* \(Forbidden: gs://bucket: "):
        transfer.push(cache, remote, made.md5)


def test_an_object_that_is_deleted_after_the_refusal_is_an_error(
    bucket: Bucket, remote: Remote, cache: Cache
) -> None:
    made = version(cache, 1)
    [name] = made.objects()
    bucket.fail(412, f"{UPLOAD}.*{name[2:]}")

    with pytest.raises(UserError, match=r"^1 of 2 objects could not be copied"):
        transfer.push(cache, remote, made.md5)

    assert transfer.push(cache, remote, made.md5) == 2


def test_an_object_that_only_the_bucket_has_need_not_be_in_the_cache(
    bucket: Bucket, remote: Remote, cache: Cache
) -> None:
    made = version(cache, 3)
    one, two, _ = sorted(made.objects())
    bucket.put(place(one), cache.path(one).read_bytes())
    cache.path(one).unlink()
    assert transfer.push(cache, remote, made.md5) == 3

    cache = Cache(cache._root)
    cache.path(two).unlink()
    bucket.stored.clear()
    bucket._names.clear()
    with pytest.raises(UserError, match="was changed or removed after the build"):
        transfer.push(cache, remote, made.md5)
    assert not bucket.stored


@pytest.mark.parametrize("trouble", [None, Trouble.LOST, Trouble.CLOSED, 503])
def test_large_files_are_sent_in_parts(
    bucket: Bucket,
    remote: Remote,
    cache: Cache,
    monkeypatch: pytest.MonkeyPatch,
    trouble: Trouble | int | None,
) -> None:
    monkeypatch.setattr(google_bucket, "PART", 1_000)
    monkeypatch.setattr(remote_bucket, "LARGE", 1_000)
    # Also the ends of lines, and what looks like the end of a part.
    contents = [random.Random(n).randbytes(n) for n in (0, 999, 1_000, 1_001, 50_000)]
    contents += [b"\r\n--\r\n\n--==0==--" * 100, b"\n" * 2_000]
    files = {f"{n}": (cache.put(data), len(data)) for n, data in enumerate(contents)}
    made = Manifest(files)
    cache.put_manifest(made)
    if trouble:
        bucket.fail(trouble, UPLOAD, count=3)

    transfer.push(cache, remote, made.md5)

    assert_complete(bucket, made)
    for name, content in zip(files, contents, strict=True):
        assert remote.intact_object(files[name][0]) == content


# Who asks.


def test_requests_have_the_token_of_the_workload(
    bucket: Bucket, remote: Remote, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "subject").write_text("somebody")
    known = {
        "type": "external_account",
        "audience": "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/a/b",
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "token_url": f"{bucket.url}/token",
        "credential_source": {"file": str(tmp_path / "subject")},
    }
    (tmp_path / "credentials.json").write_text(json.dumps(known))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "credentials.json"))
    # It asks another service of Google.
    monkeypatch.setattr(external_account.Credentials, "get_project_id", lambda *_, **__: None)

    remote.missing({"0" * 32, "1" * 32})

    assert bucket.tokens == {"Bearer secret"}


@pytest.mark.filterwarnings("ignore:The load_credentials_from_file:DeprecationWarning")
def test_requests_have_the_token_of_the_account_in_the_configuration(
    bucket: Bucket, untouched: Repository, tmp_path: Path
) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    account = {
        "type": "service_account",
        "client_email": "a@example.com",
        "token_uri": f"{bucket.url}/token",
        "private_key": pem.decode(),
    }
    (tmp_path / "account.json").write_text(json.dumps(account))
    lines = [f"gs://{BUCKET}/{FOLDER}", f"endpointurl = {bucket.url}"]
    text = TEMPLATE[".dvc/config"].replace("url = storage", "url = " + "\n    ".join(lines))
    local = untouched.root / ".dvc" / "config.local"
    local.write_text(f"['remote \"storage\"']\n    credentialpath = {tmp_path}/account.json\n")
    try:
        opened = open_remote(untouched.root, text.encode())
    finally:
        local.unlink()

    opened.missing({"0" * 32})

    assert bucket.tokens == {"Bearer secret"}


@pytest.mark.filterwarnings("ignore:The load_credentials_from_file:DeprecationWarning")
def test_a_file_of_credentials_that_is_missing_is_one_message(bucket: Bucket) -> None:
    settings = {"url": f"gs://{BUCKET}/x", "endpointurl": bucket.url, "credentialpath": "/nowhere"}
    with pytest.raises(UserError, match=r"^cannot list .* gs://bucket/x: File /nowhere was not"):
        of_settings(settings).missing({"0" * 32})


def test_requests_go_through_the_proxy_of_the_environment(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.setenv(name, bucket.url)
    opened = of_settings({"url": f"gs://{BUCKET}/x", "endpointurl": "http://storage.example"})
    opened.missing({"0" * 32})
    assert bucket.seen[0].startswith("GET http://storage.example/storage/v1/")


def test_verbs_need_no_client_of_dvc(clouded: Repository, run: Run) -> None:
    # To import it takes longer than the rest of a push.
    run("release")
    program = (
        "import sys; from scripts.__main__ import main;"
        " print(*(main([verb]) for verb in sys.argv[1:]));"
        " print(*{'dvc.fs', 'fsspec', 'gcsfs', 'aiohttp'} & sys.modules.keys())"
    )
    command = [sys.executable, "-c", program, "build", "plan", "push"]
    done = subprocess.run(command, cwd=clouded.root, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-2:] == ["0 0 0", ""]
    assert done.stderr == ""
