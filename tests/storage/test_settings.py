import errno
import os
import re
import shutil
import sys
from pathlib import Path

import pytest
from dvc.config_schema import REMOTE_SCHEMAS

from scripts.errors import UserError
from scripts.storage import settings
from tests.repository import REMOTE_URL, TEMPLATE, Repository, Run, objects

BUCKET = b"""\
[core]
    remote = storage
['remote "storage"']
    url = gs://team-bucket/mnist
"""
FOLDER = BUCKET.replace(b"gs://team-bucket/mnist", b"/mnt/mnist")


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for a repository; DVC's configuration of this machine is in folders beside it."""
    (tmp_path / "work" / ".dvc").mkdir(parents=True)
    for level in ("system", "global"):
        (tmp_path / level).mkdir()
        monkeypatch.setenv(f"DVC_{level.upper()}_CONFIG_DIR", str(tmp_path / level))
    return tmp_path / "work"


# Where DVC reads the configuration of one machine, later ones win.
OWN = ["../system/config", "../global/config", ".dvc/config.local"]


def say(root: Path, file: str, **options: str) -> None:
    """Let the machine's own configuration set options of the remote."""
    lines = [f"    {key} = {value}\n" for key, value in options.items()]
    (root / file).write_text("".join(["['remote \"storage\"']\n", *lines]))


def test_a_folder_becomes_the_remote(repository: Repository, run: Run) -> None:
    folder = repository.place / "another"

    result = run("remote", str(folder))

    assert result == (
        0,
        f"the remote is now {folder}; commit .dvc/config so that everyone uses it\n",
        "",
    )
    assert f"url = {folder}" in (repository.root / ".dvc" / "config").read_text()


@pytest.mark.parametrize("below", [".", "docs"])
def test_a_relative_folder_is_resolved_from_the_repository(
    repository: Repository, run: Run, below: str
) -> None:
    (repository.root / "docs").mkdir()

    assert run("remote", "../another", where=repository.root / below).code == 0

    run("build")
    assert run("push").code == 0
    assert len(objects(repository.place / "another")) == 11


@pytest.mark.parametrize(
    ("url", "path"),
    [("~/mnist", "home/mnist"), ("file:///mnt/mnist", "/mnt/mnist"), ("./mnist", "work/mnist")],
)
def test_folders_are_written_as_absolute_paths(
    repository: Repository, run: Run, monkeypatch: pytest.MonkeyPatch, url: str, path: str
) -> None:
    monkeypatch.setenv("HOME", str(repository.place / "home"))

    assert run("remote", url).code == 0

    text = (repository.root / ".dvc" / "config").read_text()
    assert f"url = {repository.place / path}\n" in text


def test_a_bucket_becomes_the_remote(repository: Repository, run: Run) -> None:
    result = run("remote", "gs://team-bucket/mnist")

    assert (result.code, result.err) == (0, "")
    assert result.out.startswith("the remote is now gs://team-bucket/mnist; ")
    text = (repository.root / ".dvc" / "config").read_text()
    assert "url = gs://team-bucket/mnist" in text
    assert text.count("[") == 2


def test_a_container_of_azure_becomes_the_remote_with_its_account(
    repository: Repository, run: Run
) -> None:
    config = repository.root / ".dvc" / "config"
    before = config.read_text()
    url = "azure://team-container/mnist"

    for arguments, message in (
        ([url], f"azure:// needs .* python -m scripts remote {url} --account NAME"),
        (["gs://bucket/mnist", "--account", "team"], "--account is for azure:// only"),
    ):
        refused = run("remote", *arguments)
        assert refused.code == 1
        assert re.match(f"error: {message}", refused.err)
        assert config.read_text() == before
    result = run("remote", url, "--account", "team")

    assert (result.code, result.err) == (0, "")
    assert f"url = {url}\n    account_name = team\n" in config.read_text()
    # It is kept with the next address.
    assert run("remote", "azure://other-container/mnist").code == 0
    assert "account_name = team\n" in config.read_text()


def test_a_remote_is_set_where_there_was_none(repository: Repository, run: Run) -> None:
    (repository.root / ".dvc" / "config").write_text("")

    assert run("remote", "gs://team-bucket/mnist").code == 0

    assert (repository.root / ".dvc" / "config").read_bytes() == BUCKET


def test_options_are_kept_only_for_the_same_kind_of_remote(
    repository: Repository, run: Run
) -> None:
    config = repository.root / ".dvc" / "config"
    run("remote", "gs://team-bucket/mnist")
    config.write_text(config.read_text() + "    projectname = team\n")

    assert run("remote", "gs://other-bucket/mnist").code == 0
    assert "projectname = team" in config.read_text()

    assert run("remote", str(repository.bucket)).code == 0
    assert "projectname" not in config.read_text()


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("gs://", "names no bucket; write it as gs://bucket/path"),
        ("gs:///path", "names no bucket; write it as gs://bucket/path"),
        ("ftps://host/path", "cannot be used as a remote"),
        ("ssh://host/path", "cannot be used as a remote"),
        ("gs://[bucket/path", "is not a valid address"),
        ("", "the address is empty; write one such as gs://bucket/path"),
        (" ", "the address is empty; write one such as gs://bucket/path"),
        ("bucket/path", "write gs://bucket/path for a bucket in Google Cloud Storage, ./bucket/p"),
        ("https://user:secret@host/path", "must not contain a password or line breaks"),
        ("https://token@host/path", "must not contain a password or line breaks"),
        ("gs://bucket/path\nurl = other", "must not contain a password or line breaks"),
    ],
)
def test_an_address_that_cannot_be_used_is_refused_and_changes_nothing(
    repository: Repository, run: Run, url: str, message: str
) -> None:
    before = (repository.root / ".dvc" / "config").read_text()

    result = run("remote", url)

    assert (result.code, result.out) == (1, "")
    assert result.err.startswith("error: ")
    assert message in result.err
    assert "secret" not in result.err
    assert len(result.err.splitlines()) == 1
    assert (repository.root / ".dvc" / "config").read_text() == before


def test_a_disk_that_is_full_leaves_the_config_as_it_was(
    repository: Repository, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = (repository.root / ".dvc" / "config").read_text()

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "replace", full)

    result = run("remote", str(repository.place / "another"))

    assert result.code == 1
    assert (repository.root / ".dvc" / "config").read_text() == before


def test_a_relative_folder_in_the_config_is_resolved_from_the_dvc_folder(
    repository: Repository, run: Run
) -> None:
    (repository.root / ".dvc" / "config").write_text(
        TEMPLATE[".dvc/config"].replace("url = storage", "url = ../../another")
    )
    run("build")

    result = run("push")

    assert result.out.startswith(f"{repository.place / 'another'} holds all 10 files")
    assert len(objects(repository.place / "another")) == 11


@pytest.mark.parametrize("url", ["storage", "./storage", "../.dvc/storage"])
def test_the_remote_of_the_template_is_known(root: Path, url: str) -> None:
    committed = TEMPLATE[".dvc/config"].replace("url = storage", f"url = {url}").encode()
    assert settings.is_template(root, committed)


@pytest.mark.parametrize("committed", [None, b"", BUCKET, FOLDER, b"[damaged"])
def test_other_remotes_are_not_that_of_the_template(root: Path, committed: bytes | None) -> None:
    assert not settings.is_template(root, committed)


@pytest.mark.parametrize("file", OWN)
def test_another_address_in_the_configuration_of_a_machine_is_ignored(
    root: Path, file: str
) -> None:
    expected = settings.remote_section(root, BUCKET)
    say(root, file, url="gs://mine/path", endpointurl="http://127.0.0.1:9", version_aware="true")

    assert settings.remote_section(root, BUCKET) == expected
    assert expected["url"] == "gs://team-bucket/mnist"
    assert "endpointurl" not in expected


@pytest.mark.parametrize("file", OWN)
def test_another_remote_in_the_configuration_of_a_machine_is_ignored(root: Path, file: str) -> None:
    (root / file).write_text("[core]\n remote = mine\n['remote \"mine\"']\n url = gs://mine/path\n")
    assert settings.remote_section(root, BUCKET)["url"] == "gs://team-bucket/mnist"


@pytest.mark.parametrize("file", OWN)
def test_credentials_in_the_configuration_of_a_machine_are_used(root: Path, file: str) -> None:
    say(root, file, credentialpath="/keys/mine.json", projectname="mine")

    section = settings.remote_section(root, BUCKET)

    assert section["url"] == "gs://team-bucket/mnist"
    assert section["credentialpath"] == "/keys/mine.json"
    assert section["projectname"] == "mine"


def test_the_credentials_nearest_to_the_clone_win(root: Path) -> None:
    committed = BUCKET + b"    credentialpath = /keys/committed.json\n"
    assert settings.remote_section(root, committed)["credentialpath"] == "/keys/committed.json"
    for number, file in enumerate(OWN):
        key = f"/keys/{number}.json"
        say(root, file, credentialpath=key)
        assert settings.remote_section(root, committed)["credentialpath"] == key


def test_relative_paths_are_resolved_from_the_file_that_names_them(root: Path) -> None:
    committed = BUCKET + b"    credentialpath = key.json\n"
    section = settings.remote_section(root, committed)
    assert section["credentialpath"] == str(root / ".dvc" / "key.json")

    say(root, "../global/config", credentialpath="key.json")

    section = settings.remote_section(root, committed)
    assert section["credentialpath"] == str(root.parent / "global" / "key.json")


def test_credentials_of_another_kind_of_remote_are_left_out(root: Path) -> None:
    # The remote of an older release can be a folder that had the same name as today's bucket.
    say(root, ".dvc/config.local", credentialpath="/keys/mine.json")
    assert "credentialpath" not in settings.remote_section(root, FOLDER)


def test_each_credential_is_an_option_of_dvc_and_none_is_an_address() -> None:
    known = {str(option) for options in REMOTE_SCHEMAS.values() for option in options}
    assert known > settings.CREDENTIALS
    addresses = {"url", "endpointurl", "oss_endpoint", "account_name", "connection_string", "port"}
    assert known > addresses
    assert not settings.CREDENTIALS & addresses


def test_every_option_of_dvc_that_sounds_like_a_credential_is_one() -> None:
    known = {str(option) for options in REMOTE_SCHEMAS.values() for option in options}
    words = (
        "user|pass|secret|token|credential|key|auth|cert_|profile|projectname|tenant|client|service"
    )
    others = {
        # How the server encrypts what it stores, and what is not tried to log in.
        *("sse_customer_key", "sse_kms_key_id", "gss_auth", "gdrive_service_account_user_email"),
        *(option for option in known if option.startswith("exclude_")),
    }
    found = {option for option in known if re.search(words, option)}
    assert found - others == settings.CREDENTIALS


def test_the_committed_address_is_used_and_not_that_of_the_machine(
    repository: Repository, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DVC_GLOBAL_CONFIG_DIR", str(tmp_path / "global"))
    (tmp_path / "global").mkdir()
    for number, file in enumerate([".dvc/config.local", "../global/config"]):
        say(repository.root, file, url=str(tmp_path / f"mine{number}"))

    for verb in ("build", "push", "release"):
        assert run(verb).code == 0
    verified = run("verify")

    assert verified == (0, "v0  complete and intact: 10 files\n", "")
    assert len(objects(repository.bucket)) == 11
    assert not list(tmp_path.glob("mine*"))


def test_the_name_of_a_remote_is_compared_as_dvc_does(root: Path) -> None:
    committed = BUCKET.replace(b"remote = storage", b"remote = Storage")
    assert settings.remote_section(root, committed)["url"] == "gs://team-bucket/mnist"


@pytest.mark.parametrize(
    "committed",
    [
        None,
        b"",
        b"[core]\n    analytics = false\n",
        b"[core]\n    remote = other\n" + BUCKET.partition(b"storage\n")[2],
        b"[core]\n    remote = a, b\n",
        BUCKET.replace(b"gs://team-bucket/mnist", b""),
    ],
)
def test_a_config_without_a_remote_says_how_to_set_one(root: Path, committed: bytes | None) -> None:
    with pytest.raises(UserError) as caught:
        settings.remote_section(root, committed, ".dvc/config at v0")
    assert str(caught.value) == (
        ".dvc/config at v0 has no remote, so nobody could get the files."
        " Set one: python -m scripts remote URL"
    )


DAMAGED = [
    b"[damaged",
    b"\xff\xfe",
    b"core = 3\n",
    b"remote = 3\n",
    b"unknown = 3\n",
    b"[core]\n    remote = %(unknown)s\n",
    BUCKET.replace(b"gs://team-bucket/mnist", b"%(x)s"),
    BUCKET.replace(b"team-bucket", b"%(url)s"),
    BUCKET + b"['remote \"other\"']\n    url = %(x)s\n",
    BUCKET.replace(b"url", b"address"),
    BUCKET.replace(b"gs:", b"ftps:"),
    BUCKET.replace(b"/mnist", b", b"),
    BUCKET + b"    jobs = many\n",
]


@pytest.mark.parametrize("committed", DAMAGED)
def test_a_damaged_config_is_one_message(root: Path, committed: bytes) -> None:
    with pytest.raises(UserError) as caught:
        settings.remote_section(root, committed, ".dvc/config at v0")
    assert str(caught.value).startswith(".dvc/config at v0 is not a valid DVC configuration (")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("committed", DAMAGED)
def test_a_damaged_config_is_one_message_of_every_verb(
    released: Repository, run: Run, committed: bytes
) -> None:
    run("build")
    config = released.root / ".dvc" / "config"
    config.write_bytes(committed)

    failed = {
        verb: result.err
        for verb in ("build", "push", "plan", "verify", f"remote {released.bucket}")
        if (result := run(*verb.split())).code
    }

    assert {"push", f"remote {released.bucket}"} <= failed.keys()
    for message in failed.values():
        assert message.startswith("error: ")
        assert len(message.splitlines()) == 1
    assert config.read_bytes() == committed


@pytest.mark.parametrize(
    ("scheme", "message"),
    [
        ("s3", "s3:// needs: pip install -r requirements-s3.txt"),
        ("azure", "azure:// needs: pip install -r requirements-azure.txt"),
        ("ssh", "the remote cannot be used (ssh is supported, but requires "),
        ("hdfs", "the remote cannot be used (hdfs is supported, but requires "),
    ],
)
def test_a_bucket_without_its_client_is_one_message_of_every_verb(
    repository: Repository, run: Run, monkeypatch: pytest.MonkeyPatch, scheme: str, message: str
) -> None:
    for client in ("dvc_s3", "dvc_azure"):
        monkeypatch.setitem(sys.modules, client, None)
    url = f"{scheme}://bucket/path"
    text = BUCKET.replace(b"gs://team-bucket/mnist", url.encode()).decode()
    repository.merge_file(".dvc/config", text)
    run("build")

    for verb in ("push", "release"):
        result = run(verb)
        assert (result.code, result.out) == (1, "")
        assert message in result.err
        assert len(result.err.splitlines()) == 1
    assert repository.tags() == []
    if scheme in ("s3", "azure"):
        assert run("remote", url).err == f"error: {message}\n"
    assert run("remote", str(repository.bucket)).code == 0


def test_an_address_that_dvc_takes_for_a_folder_below_the_current_one_is_refused(
    repository: Repository, run: Run
) -> None:
    config = repository.root / ".dvc" / "config"
    config.write_text(config.read_text().replace(REMOTE_URL, f"file://{repository.bucket}"))
    run("build")

    result = run("push")

    assert result == (
        1,
        "",
        f"error: .dvc/config: DVC takes the remote file://{repository.bucket} for a folder below"
        " the current one. Set it again, without file://: python -m scripts remote FOLDER\n",
    )
    assert not (repository.root / "file:").exists()
    assert run("remote", str(repository.bucket)).code == 0
    assert run("push").code == 0


@pytest.mark.parametrize("content", [b"[damaged", b"\xff\xfe", b"remote = 3\n"])
@pytest.mark.parametrize("file", OWN)
def test_a_damaged_configuration_of_the_machine_names_its_file(
    root: Path, file: str, content: bytes
) -> None:
    (root / file).write_bytes(content)

    with pytest.raises(UserError) as caught:
        settings.remote_section(root, BUCKET)

    name = str((root / file).resolve())
    assert str(caught.value).startswith(f"{name} is not a valid DVC configuration (")


def test_a_damaged_config_in_the_work_tree_does_not_hide_the_one_that_was_released(
    released: Repository, run: Run
) -> None:
    (released.root / ".dvc" / "config").write_text("[damaged")

    assert run("verify") == (0, "v0  complete and intact: 10 files\n", "")
    result = run("remote", str(released.bucket))

    assert result.code == 1
    assert len(result.err.splitlines()) == 1


def test_a_repository_without_a_config_of_dvc_names_no_remote(
    repository: Repository, run: Run
) -> None:
    run("build")
    shutil.move(repository.root / ".dvc" / "config", repository.place / "config")

    result = run("push")

    assert result.code == 1
    assert result.err.startswith("error: .dvc/config has no remote")
