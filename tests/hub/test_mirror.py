"""The real client mirrors releases to an emulated Hub."""

import hashlib
import re
import sys
from pathlib import Path
from typing import Any

import datasets
import pyarrow.parquet as pq
import pytest
from huggingface_hub import HfApi, constants

from scripts.hub import mirror
from tests.conftest import CLOSED
from tests.doubles.hub import NAME, TOKEN, Hub
from tests.repository import Released, Repository, Result, Run, config_text, contents

CARD = "README.md"
# The client uploads in a way that its library for requests will not support for ever.
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=<...>':DeprecationWarning")
FAILED = f"error: cannot write {NAME} at the Hugging Face Hub: "


@pytest.fixture
def repository(released_as: Released) -> Repository:
    """A repository with the releases v0 and v1."""
    return released_as(config_text(), config_text(samples=6))


@pytest.fixture
def sync(repository: Repository, run: Run) -> Run:
    """Run the verb."""

    def sync(*lines: str) -> Result:
        found = run("workflow", "mirror-hub")
        if lines:
            assert found == (0, "".join(f"{line}\n" for line in lines), "")
        return found

    return sync


def declare(repository: Repository, text: str) -> None:
    repository.merge_file("releases.yaml", text)
    repository.git("fetch", "--quiet", "origin")


def package(run: Run, tag: str, folder: Path) -> dict[str, bytes]:
    """Return the files of a release."""
    assert run("package", tag, "--out", str(folder)).code == 0
    return contents(folder)


# Releases.


def test_each_release_is_a_commit_with_its_files_and_a_tag(
    hub: Hub, sync: Run, run: Run, tmp_path: Path
) -> None:
    sync("v0 is mirrored", "v1 is mirrored")

    assert hub.history() == ["initial commit", "v0", "v1"]
    assert hub.history("v0") == ["initial commit", "v0"]
    assert hub.branches == {"main": hub.tags["v1"]}
    for tag in ("v0", "v1"):
        assert hub.files(tag) == package(run, tag, tmp_path / tag)


def test_a_second_run_changes_nothing(hub: Hub, sync: Run) -> None:
    sync()
    hub.seen.clear()

    sync(f"{NAME} is up to date")

    asked = [one for one in hub.seen if NAME in one]
    assert asked == [f"GET /api/datasets/{NAME}/refs", f"GET /api/datasets/{NAME}/commits/main"]


def test_large_files_go_to_the_large_storage_once(
    hub: Hub, repository: Repository, sync: Run
) -> None:
    sync()
    files = {**hub.files("v0"), **{f"{name} of v1": x for name, x in hub.files("v1").items()}}
    large = {x for name, x in files.items() if re.search(r"\.(parquet|zip)\b", name)}

    # The test set of both is the same.
    assert len(large) == 5
    assert hub.objects == {hashlib.sha256(content).hexdigest(): content for content in large}
    assert sum(one.startswith("PUT /objects/") for one in hub.seen) == 5


@pytest.mark.parametrize("request_", ["POST .*/commit/", "POST .*/tag/", "PUT /objects/"])
def test_what_a_failed_run_has_left_is_completed_by_the_next(
    hub: Hub, sync: Run, request_: str
) -> None:
    hub.fail(request_, 400)

    failed = sync()

    assert (failed.code, failed.out) == (1, "")
    assert failed.err == f"{FAILED}server error. The next run continues (400 fault)\n"
    assert hub.tags == {}
    sync("v0 is mirrored", "v1 is mirrored")
    assert hub.history() == ["initial commit", "v0", "v1"]


def test_a_release_whose_tag_is_missing_is_tagged_again_at_its_commit(hub: Hub, sync: Run) -> None:
    sync()
    before = dict(hub.tags)
    del hub.tags["v0"]

    sync("v0 is mirrored")

    assert hub.tags == before
    assert hub.history() == ["initial commit", "v0", "v1"]


def test_a_missing_older_release_is_added_and_main_has_the_newest_again(
    hub: Hub, repository: Repository, sync: Run, run: Run, tmp_path: Path
) -> None:
    declare(repository, "withdrawn: {v0: seven wrong labels}\n")
    sync("v1 is mirrored", "main has the files of v1")
    declare(repository, "withdrawn: {}\n")

    sync("v0 is mirrored", "main has the files of v1")

    assert hub.files("v0") == package(run, "v0", tmp_path / "v0")
    assert hub.files("main") == hub.files("v1")
    sync(f"{NAME} is up to date")


def test_a_run_mirrors_a_few_releases_in_order_and_the_next_one_continues(
    hub: Hub, sync: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mirror, "MAX_RELEASES", 1)

    sync("v0 is mirrored", "left for the next run: v1")
    sync("v1 is mirrored")

    assert hub.history() == ["initial commit", "v0", "v1"]


def test_what_others_have_put_on_main_is_replaced(hub: Hub, sync: Run) -> None:
    hub.add({"notes.txt": b"ours", "data/old.parquet": b"old", CARD: b"# Ours\n"}, "Begin")
    sync("v0 is mirrored", "v1 is mirrored")
    hub.add({**hub.files("v1"), CARD: b"# Ours\n", "notes.txt": b"ours"}, "Edit")

    sync("main has the files of v1")

    assert hub.files("main") == hub.files("v1")
    assert hub.history() == ["initial commit", "Begin", "v0", "v1", "Edit", "files of v1"]


def test_a_tag_of_somebody_else_is_named_and_nothing_is_changed(hub: Hub, sync: Run) -> None:
    hub.tags["v1"] = hub.add({CARD: b"# Another\n"}, "v1", "md5 of dataset/: 0.dir")
    hub.seen.clear()

    result = sync()

    assert result.code == 1
    assert "the tag v1 at the Hugging Face Hub is not the release v1 of this" in result.err
    assert hub.writes() == []


def test_tags_are_known_also_when_the_history_of_main_was_squashed(hub: Hub, sync: Run) -> None:
    sync()
    del hub.branches["main"]
    hub.add(hub.files("v1"), "Squash")

    sync(f"{NAME} is up to date")


def test_the_license_in_the_card_is_one_that_the_hub_accepts(
    hub: Hub, released_as: Released, run: Run
) -> None:
    released_as(config_text() + "license: CC-BY-4.0\n")

    assert run("workflow", "mirror-hub").out == "v0 is mirrored\n"

    assert b"\nlicense: cc-by-4.0\n" in hub.files("v0")[CARD]


# `releases.yaml`.


def test_the_branch_stable_follows(hub: Hub, repository: Repository, sync: Run) -> None:
    declare(repository, "stable: v0\n")
    sync("v0 is mirrored", "v1 is mirrored", "stable is now v0")
    assert hub.branches["stable"] == hub.tags["v0"]

    for tag in ("v1", "v0"):
        declare(repository, f"stable: {tag}\n")
        sync(f"stable is now {tag}")
        assert hub.files("stable") == hub.files(tag)
        sync(f"{NAME} is up to date")
    # No moment was without the branch.
    assert not [one for one in hub.seen if one.startswith("DELETE")]

    declare(repository, "withdrawn: {}\n")
    sync("stable is removed")
    assert hub.branches == {"main": hub.tags["v1"]}


def test_stable_waits_for_its_release(
    hub: Hub, repository: Repository, sync: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    declare(repository, "stable: v1\n")
    monkeypatch.setattr(mirror, "MAX_RELEASES", 1)

    sync("v0 is mirrored", "left for the next run: v1")
    sync("v1 is mirrored", "stable is now v1")


def test_the_card_on_main_names_withdrawn_releases_and_their_tags_stay(
    hub: Hub, repository: Repository, sync: Run
) -> None:
    sync()
    tags, released = dict(hub.tags), hub.files("v1")
    declare(repository, "withdrawn: {v0: 'seven <b>wrong</b> labels', v1: \"a leak\"}\n")

    sync("main has the files of v1")

    header, text = hub.files("main")[CARD].decode().split("\n---\n", 1)
    assert text.startswith(
        "\n> [!CAUTION]\n> - v0 is withdrawn: `seven <b>wrong</b> labels`\n"
        "> - v1 is withdrawn: `a leak`\n\n# "
    )
    assert released[CARD].decode().startswith(f"{header}\n---\n")
    assert {**hub.files("main"), CARD: b""} == {**released, CARD: b""}
    assert (hub.tags, hub.files("v1")) == (tags, released)
    sync(f"{NAME} is up to date")

    declare(repository, "withdrawn: {}\n")
    sync("main has the files of v1")
    assert hub.files("main") == released


def test_what_was_withdrawn_before_is_not_mirrored(
    hub: Hub, repository: Repository, sync: Run
) -> None:
    declare(repository, "withdrawn: {v1: a leak}\n")

    sync("v0 is mirrored", "main has the files of v0")

    assert hub.tags.keys() == {"v0"}
    assert b"v1 is withdrawn" in hub.files("main")[CARD]


# Errors.


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (403, "the token has no permission for it (403 fault)"),
        (404, "not found, or the token has no access to it (404 fault)"),
        (412, "somebody else changes it. The next run continues (412 fault)"),
        (503, "server error. The next run continues (503 fault)"),
    ],
)
def test_a_refusal_is_one_message(hub: Hub, sync: Run, status: int, reason: str) -> None:
    hub.fail("POST .*/commit/", status)

    assert sync() == (1, "", f"{FAILED}{reason}\n")


def test_a_hub_that_cannot_be_reached_is_one_message(
    hub: Hub, sync: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, "ENDPOINT", CLOSED)

    result = sync()

    assert (result.code, result.err.count("\n")) == (1, 1)
    assert re.match(f"error: cannot read {NAME} .*refused.*The next run continues", result.err)


def test_a_wrong_token_is_one_message_without_the_token(
    hub: Hub, sync: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUGGINGFACE_TOKEN", "hf_wrong")

    result = sync()

    assert result == (
        1,
        "",
        f"error: cannot read {NAME} at the Hugging Face Hub: the token is not valid. Set another"
        " one: gh secret set HUGGINGFACE_TOKEN --env release (401 Invalid credentials in"
        " Authorization header)\n",
    )


def test_without_the_secret_the_message_says_how_to_set_it(
    hub: Hub, sync: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUGGINGFACE_TOKEN", "")

    assert sync().err == (
        "error: the secret HUGGINGFACE_TOKEN is not set: gh secret set HUGGINGFACE_TOKEN"
        " --env release\n"
    )


def test_without_the_client_the_message_says_how_to_install_it(
    hub: Hub, sync: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)

    result = sync()

    assert result.code == 1
    assert result.err.endswith("pip install --require-hashes -r requirements-hub.txt\n")
    assert hub.seen == []


@pytest.mark.parametrize("name", ["our-team/none", "our team/mnist"])
def test_a_wrong_name_is_one_message(
    hub: Hub, sync: Run, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("HUGGINGFACE_REPOSITORY", name)

    result = sync()

    assert result.code == 1
    assert result.err.startswith(f"error: cannot read {name} at the Hugging Face Hub: ")
    assert result.err.count("\n") == 1
    assert ("not found" in result.err) is (name == "our-team/none")


# As a consumer.


def test_a_consumer_reads_a_release_by_its_tag(hub: Hub, sync: Run, tmp_path: Path) -> None:
    sync()
    api = HfApi(endpoint=hub.url, token=TOKEN)
    cache = tmp_path / "cache"

    for tag, count in (("v0", 6), ("v1", 8)):
        where: dict[str, Any] = {"repo_type": "dataset", "revision": tag, "cache_dir": cache}
        file = api.hf_hub_download(NAME, "train.parquet", **where)
        assert pq.read_metadata(file).num_rows == count
        folder = api.snapshot_download(NAME, **where)
        data = datasets.load_dataset(folder, cache_dir=str(tmp_path / "datasets"))
        assert {split: len(rows) for split, rows in data.items()} == {"train": count, "test": 4}
        assert data["test"].features["label"].names == ["3", "no3"]
        assert data["train"][0]["image"].size == (8, 8)
