"""From a pull request to consumers: its candidate, its release with files, and its promotion."""

import hashlib
import io

import pyarrow.parquet as pq

from scripts.releases import lock
from tests.doubles import storage
from tests.e2e.forge import Forge, config
from tests.repository import dvc, git

CONFIG = "dataset_config.yaml"


def get(forge: Forge, rev: str, target: str) -> dict[str, bytes]:
    """Return the files that `dvc get` gives a consumer, by name."""
    folder = forge.place / target
    options = ("--quiet", "--rev", rev, "--out", str(folder))
    dvc(forge.place, "get", str(forge.origin), "dataset", *options, **storage.ENVIRONMENT)
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*.png")}


def branches(forge: Forge) -> list[str]:
    return git(forge.origin, "for-each-ref", "--format=%(refname:strip=2)", "refs/heads").split()


def test_a_version_is_used_before_its_merge_after_it_and_as_stable(forge: Forge) -> None:
    forge.variables = {**forge.variables, "ATTESTATIONS": "true"}
    forge.release()
    pull = forge.open_pull("more", {CONFIG: config(samples=20)})
    run = forge.on_pull_request(pull, "opened")

    # Before the merge.
    made = forge.on_workflow_run(pull, run, "candidate.yml")
    assert made.jobs == {"candidate": "success"}
    assert "authenticated as pull-request@example.iam" in made.log
    candidate = f"candidate/{pull.number}"
    command = f"dvc get https://github.com/octo/ds dataset --rev {candidate}\n"
    shown = forge.hub.comments(pull.number)[0]["body"]
    assert command in shown
    # The picture is in the comment itself.
    (sheet,) = git(forge.origin, "ls-tree", "--name-only", "previews").splitlines()
    assert f"](https://github.com/octo/ds/blob/previews/{sheet}?raw=true)" in shown
    before = get(forge, candidate, "candidate")
    assert len(before) == 40
    assert forge.tags() == ["v0"]

    # After the merge.
    forge.merge(pull)
    only, forge.only = forge.only, {}
    released = forge.on_push()
    forge.only = only
    assert released.jobs == {
        "release": "success",
        "attest": "success",
        "catalogue": "success",
    }
    assert get(forge, "v1", "v1") == before
    assert forge.on_release_run(released).succeeded
    assert candidate not in branches(forge)
    assert "previews" not in branches(forge)
    (release,) = (one for one in forge.hub.releases() if one["tag_name"] == "v1")
    assert not release["draft"]
    names = {asset["name"] for asset in release["assets"]}
    assert names == {
        *("train.parquet", "test.parquet", "dataset-v1.zip"),
        *("croissant.json", "README.md", "SHA256SUMS"),
    }
    contents = {name: forge.hub.file("v1", name) for name in names}
    for name, content in contents.items():
        assert f"attested {hashlib.sha256(content).hexdigest()}  v1/{name}\n" in released.log
    rows = [
        row
        for split in ("train", "test")
        for row in pq.read_table(io.BytesIO(contents[f"{split}.parquet"])).to_pylist()
    ]
    assert {row["file"]: row["image"]["bytes"] for row in rows} == before

    # Promoted, and promoted again.
    for tag in ("v0", "v1"):
        promotion = forge.open_pull(f"promote-{tag}", {"releases.yaml": f"stable: {tag}\n"})
        assert forge.on_pull_request(promotion, "opened").jobs["dataset"] == "success"
        (comment,) = forge.hub.comments(promotion.number)
        words = "makes v0 stable" if tag == "v0" else "moves stable from v0 to v1"
        assert f"Merging {words}." in comment["body"]
        forge.merge(promotion)
        moved = forge.on_push()
        assert moved.jobs["release"] == "success"
        assert "nothing to release" in moved.log
    assert forge.tags() == ["v0", "v1"]
    assert get(forge, "stable", "stable") == before
    recorded = lock.parse(forge.file("stable", "dataset.dvc").encode())
    assert recorded == lock.parse(forge.file("v1", "dataset.dvc").encode())
    held = git(forge.origin, "ls-tree", "-r", "--name-only", "stable").split()
    assert held == [".dvc/.gitignore", ".dvc/config", "dataset.dvc", CONFIG]


def test_a_withdrawn_release_is_marked_and_cannot_be_stable(forge: Forge) -> None:
    forge.release()
    text = "stable: v0\nwithdrawn: {v0: seven wrong labels}\n"
    pull = forge.open_pull("both", {"releases.yaml": text})
    refused = forge.on_pull_request(pull, "opened")
    assert refused.jobs["dataset"] == "failure"
    (note,) = refused.annotations
    assert (note["file"], note["line"], note["col"]) == ("releases.yaml", "1", "9")

    forge.push_to(pull, {"releases.yaml": "withdrawn: {v0: seven wrong labels}\n"})
    assert forge.on_pull_request(pull).succeeded
    assert "Merging withdraws v0." in forge.hub.comments(pull.number)[0]["body"]
    forge.merge(pull)
    assert forge.on_push().jobs["release"] == "success"
    (release,) = forge.hub.releases()
    assert "> This release is withdrawn: `seven wrong labels`" in release["body"]
