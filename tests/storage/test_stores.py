"""What a push to a bucket of another store than Google's costs, and what goes wrong there."""

from pathlib import Path
from types import NoneType
from typing import Any

import pytest
from azure.identity import ClientSecretCredential, DefaultAzureCredential

from scripts.errors import UserError
from scripts.storage import (
    azure_container,
    manifest,
    range_file,
    remote_bucket,
    s3_bucket,
    transfer,
)
from scripts.storage import remote as remotes
from scripts.storage.cache import Cache
from scripts.storage.manifest import Manifest
from scripts.storage.remote import Remote
from scripts.storage.remote_bucket import BucketRemote
from scripts.storage.remote_kinds import open_remote
from tests.doubles.azure import KEY, Azure, connection
from tests.doubles.process import free_port
from tests.doubles.proxy import Harm
from tests.doubles.s3 import BUCKET, S3
from tests.repository import TEMPLATE
from tests.storage.test_bucket import version


@pytest.fixture(params=["s3", "azure"])
def store(request: pytest.FixtureRequest) -> Any:
    """A store, to which nothing was sent yet."""
    made = request.getfixturevalue(request.param)
    made.proxy.reset()
    return made


def opened(settings: str) -> BucketRemote:
    text = TEMPLATE[".dvc/config"].replace("url = storage", f"url = {settings}")
    made = open_remote(Path("/nowhere"), text.encode())
    assert isinstance(made, BucketRemote)
    return made


@pytest.fixture
def remote(store: Any, tmp_path: Path) -> BucketRemote:
    return opened(store.config(tmp_path.name))


def place(remote: Remote, name: str) -> str:
    return remote.path(name).partition("/")[2]


def methods(store: Any) -> list[str]:
    return sorted({one.partition(" ")[0] for one in store.proxy.seen})


def test_what_is_new_costs_one_request_each_and_nothing_is_read(
    store: Any, remote: BucketRemote, cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = version(cache, 12)
    names = {*made.objects(), made.md5}

    assert transfer.push(cache, remote, made.md5) == 13

    # And one look at the manifest.
    assert (len(store.proxy.seen), methods(store)) == (14, ["HEAD", "PUT"])
    store.proxy.reset()
    assert remote.mismatched(names) == set()
    assert (len(store.proxy.seen), methods(store)) == (13, ["HEAD"])
    monkeypatch.setattr(remote_bucket, "MANY", 10)
    store.proxy.reset()
    assert remote.mismatched(names) == set()
    assert len(store.proxy.seen) <= 13
    assert methods(store) == ["GET"]
    assert not any(one.partition("?")[0].endswith(min(names)[2:]) for one in store.proxy.seen)


def test_an_object_without_a_checksum_is_read(
    store: Any, remote: BucketRemote, cache: Cache
) -> None:
    made = version(cache, 3)
    one, two, _ = sorted(made.objects())
    store.without_checksum(place(remote, one), cache.path(one).read_bytes())
    store.without_checksum(place(remote, two), b"damaged")
    [stored] = [x for part in remote._bucket.pages(place(remote, one)) for x in part]

    assert stored.md5 is None
    assert remote.mismatched({one, two}) == {two}


def test_nothing_is_overwritten(store: Any, remote: BucketRemote, cache: Cache) -> None:
    made = version(cache, 3)
    name = min(made.objects())
    store.overwrite(place(remote, name), b"planted")

    with pytest.raises(UserError, match=r"^Checksum mismatch for 1 of 4 objects") as caught:
        transfer.push(cache, remote, made.md5)

    assert str(caught.value).endswith(f"    {remote.removal(name)}")
    assert store.content(place(remote, name)) == b"planted"
    # The manifest goes last.
    assert remote.missing({made.md5}) == {made.md5}
    with pytest.raises(FileExistsError):
        remote._bucket.create(place(remote, name), b"new", manifest.md5_of(b"new"))
    assert store.content(place(remote, name)) == b"planted"
    remote.write_record("0" * 64, b"first")
    remote.write_record("0" * 64, b"second")
    assert remote.read_record("0" * 64) == b"first"
    store.delete(place(remote, name))
    assert transfer.push(cache, remote, made.md5) == 2


def test_a_request_that_failed_is_sent_again(
    store: Any, remote: BucketRemote, cache: Cache
) -> None:
    made = version(cache, 2)
    store.proxy.fail(503, "^PUT", count=1)

    assert transfer.push(cache, remote, made.md5) == 3


def test_only_what_is_read_of_an_object_is_transferred(
    remote: BucketRemote, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(range_file, "BLOCK", 20)
    content = bytes(range(200))
    name = manifest.md5_of(content)
    remote.put(name, content)

    assert remote._bucket.read(place(remote, name), (150, 170)) == content[150:170]
    with remote.open(name) as file:
        assert file.seek(150) == 150
        assert file.read(5) == content[150:155]


def test_a_bucket_that_does_not_exist_is_one_message(store: Any, cache: Cache) -> None:
    made = version(cache, 1)
    remote = opened(store.config("path").replace("://bucket/", "://nobodys-bucket/"))

    with pytest.raises(UserError, match=r"could not be copied .*nobodys-bucket") as caught:
        transfer.push(cache, remote, made.md5)

    assert len(str(caught.value).splitlines()) == 1


def test_a_store_that_never_answers_is_one_message(
    store: Any, silent: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remotes, "TIME_LIMIT", 0.1)
    monkeypatch.setattr(s3_bucket, "ATTEMPTS", 1)
    monkeypatch.setattr(azure_container, "ATTEMPTS", 1)
    remote = opened(store.config("path").replace(store.proxy.url, silent))
    for call in (remote.missing, remote.damaged):
        with pytest.raises(UserError, match=r"/path: no answer within 0\.1 seconds$"):
            call({"0" * 32})


def test_a_store_that_is_unreachable_is_one_message(
    store: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3_bucket, "ATTEMPTS", 1)
    monkeypatch.setattr(azure_container, "ATTEMPTS", 1)
    address = f"http://127.0.0.1:{free_port()}"
    remote = opened(store.config("path").replace(store.proxy.url, address))
    with pytest.raises(UserError, match=r"^cannot list the objects in .*/path: "):
        remote.missing({"0" * 32})


# Of S3.


def test_what_s3_reports_of_an_encrypted_object_is_no_checksum(
    s3: S3, tmp_path: Path, cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    remote = opened(f"{s3.config(tmp_path.name)}\n    sse = aws:kms")
    made = version(cache, 2)
    # The server reports an MD5 all the same.
    monkeypatch.setattr(s3_bucket, "_md5_in", lambda _: "0" * 32)
    s3.proxy.reset()

    # S3 has compared what was sent.
    assert transfer.push(cache, remote, made.md5) == 3

    assert methods(s3) == ["HEAD", "PUT"]
    # Later on, the objects are read.
    assert remote.mismatched(set(made.objects())) == set()
    assert methods(s3) == ["GET", "HEAD", "PUT"]
    name = place(remote, made.md5)
    stored = s3.client.head_object(Bucket=BUCKET, Key=name)
    assert stored["ServerSideEncryption"] == "aws:kms"


def test_a_setting_of_s3_that_is_not_supported_is_one_message(s3: S3) -> None:
    remote = opened(f"{s3.config('path')}\n    sse_customer_key = x")
    with pytest.raises(UserError, match=r"^sse_customer_key: this setting of s3:// is not"):
        remote.missing({"0" * 32})


def test_who_asks_s3_is_in_the_settings(
    s3: S3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    # No machine of Amazon's is asked for credentials.
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("HOME", str(tmp_path))
    keys = "aws_access_key_id = a\naws_secret_access_key = b\n"
    (tmp_path / "mine").write_text(f"[default]\n{keys}[team]\n{keys}")
    file = f"credentialpath = {tmp_path}/mine"
    with pytest.raises(UserError, match=r"^cannot list .*: Unable to locate credentials"):
        opened(s3.config("path")).missing({"0" * 32})
    for setting in ("allow_anonymous_login = true", file, f"{file}\n    profile = team"):
        remote = opened(f"{s3.config('path')}\n    {setting}")
        assert remote.missing({"0" * 32}) == {"0" * 32}


# Of Azure.


def test_what_was_damaged_on_its_way_to_azure_is_not_stored(
    azure: Azure, tmp_path: Path, cache: Cache
) -> None:
    made = Manifest({"a": (cache.put(bytes(10_000)), 10_000)})
    cache.put_manifest(made)
    remote = opened(azure.config(tmp_path.name))
    azure.proxy.reset()
    azure.proxy.fail(Harm.DAMAGED_BEFORE, "^PUT", count=1)

    with pytest.raises(UserError, match=r"^1 of 2 objects could not be copied .*MD5 doesn't match"):
        transfer.push(cache, remote, made.md5)

    assert transfer.push(cache, remote, made.md5) == 2


def test_a_container_without_its_account_is_one_message() -> None:
    with pytest.raises(UserError, match=r"^azure://bucket needs .* azure://bucket/PATH --account"):
        opened("azure://bucket/path").missing({"0" * 32})


@pytest.mark.parametrize(
    ("settings", "kind"),
    [
        ({"allow_anonymous_login": True}, NoneType),
        ({"account_key": KEY}, str),
        ({"sas_token": "sig=x"}, str),
        (dict.fromkeys(azure_container.SERVICE_PRINCIPAL, "x"), ClientSecretCredential),
        ({"exclude_managed_identity_credential": True}, DefaultAzureCredential),
    ],
)
def test_who_asks_azure_is_in_the_settings(settings: dict[str, Any], kind: type) -> None:
    made = azure_container._credential({"account_name": "team", **settings})
    assert type(made) is kind


def test_settings_of_the_tools_of_azure_are_used_as_dvc_does(
    azure: Azure, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZURE_STORAGE_CONNECTION_STRING", connection(azure.proxy.port))
    assert opened("azure://bucket/nothing").missing({"0" * 32}) == {"0" * 32}
