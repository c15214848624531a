from pathlib import Path

from tests.doubles.storage import BUCKET
from tests.e2e.forge import Forge
from tests.ingest.pictures import labeled, write
from tests.repository import Repository, Run, config_text, contents, dvc, git

CONFIG = "dataset_config.yaml"
POINTER = "sources/shapes.dvc"


def test_a_workflow_ingests_from_a_bucket_and_its_branch_is_released(forge: Forge) -> None:
    for name, content in labeled(range(20), "cat", "dog").items():
        forge.bucket.overwrite(f"photos/{name}", content)
    forge.environment["STORAGE_EMULATOR_HOST"] = forge.bucket.url
    inputs = {"name": "pets", "location": f"gs://{BUCKET}/photos"}

    run = forge.on_dispatch("ingest.yml", inputs)

    assert run.jobs == {"ingest": "success"}, run.log
    assert "authenticated as ingest@example.iam" in run.log
    assert "batch 1 with 20 images in 1 shard" in run.summary
    link = "https://github.com/octo/ds/compare/main...ingest/pets?expand=1"
    assert f"[Open the pull request]({link})" in run.summary
    assert git(forge.origin, "diff", "--name-only", "main", "ingest/pets") == "sources/pets.dvc"
    # Until somebody merges it, another run would replace it.
    again = forge.on_dispatch("ingest.yml", inputs)
    assert again.jobs == {"ingest": "failure"}
    assert "error: the branch ingest/pets is not merged yet." in again.log

    pointer = {"sources/pets.dvc": forge.file("ingest/pets", "sources/pets.dvc") + "\n"}
    forge.git("fetch", "--quiet", "origin")
    (forge.work / "sources").mkdir()
    text = "source: pets\nclass: all\nsamples: 8\ntest_size: 2\n"
    pull = forge.open_pull("use-pets", {**pointer, CONFIG: text})
    assert forge.on_pull_request(pull, "opened").jobs["dataset"] == "success"
    (comment,) = forge.hub.comments(pull.number)
    assert "+16 samples, 2 classes" in comment["body"]
    forge.merge(pull)
    assert forge.on_push().jobs == {"release": "success"}
    assert forge.tags() == ["v0"]

    nothing = forge.on_dispatch("ingest.yml", inputs)
    assert nothing.jobs == {"ingest": "success"}, nothing.log
    assert "nothing to ingest" in nothing.summary


def test_the_inputs_of_a_run_are_never_part_of_a_command(forge: Forge) -> None:
    for name, location in (
        ("x; touch stolen", "gs://bucket/photos"),
        ("pets", "$(touch stolen)"),
        ("--help", "`touch stolen`"),
    ):
        run = forge.on_dispatch("ingest.yml", {"name": name, "location": location})
        assert run.jobs == {"ingest": "failure"}
        assert "Traceback" not in run.log
        assert "error: " in run.log
    assert not list(forge.place.rglob("stolen"))


def test_plain_dvc_agrees_with_an_ingest(repository: Repository, run: Run, tmp_path: Path) -> None:
    photos = write(tmp_path / "photos", labeled(range(20), "cat", "dog"))
    # `dvc get` opens origin somewhere else.
    assert run("remote", str(repository.bucket)).code == 0
    repository.git("add", ".dvc/config")
    run("ingest", "shapes", str(photos))
    assert dvc(repository.root, "status") == "Data and pipelines are up to date."
    assert dvc(repository.root, "status", "-c") == "Cache and remote 'storage' are in sync."
    repository.git("add", POINTER)
    repository.merge(config_text(source="shapes", class_="all", samples=4, test_size=1))
    assert run("release").code == 0
    shards = contents(repository.root / "sources" / "shapes")

    clone = repository.place / "clone"
    git(repository.place, "clone", "--quiet", str(repository.origin), str(clone))
    dvc(clone, "pull", POINTER)

    assert contents(clone / "sources" / "shapes") == shards
    assert dvc(clone, "status", POINTER) == "Data and pipelines are up to date."
    dvc(repository.place, "get", str(repository.origin), "dataset", "--rev", "v0", "-o", "got")
    assert len(contents(repository.place / "got")) == 8
