from tests.e2e.forge import Forge, config

PASSED = {"changes": "success", "dataset": "success", "passed": "success"}
CONFIG = "dataset_config.yaml"


def test_a_fresh_copy_of_the_template_works_without_a_bucket_and_says_so(fresh: Forge) -> None:
    assert fresh.on_push().jobs == {"release": "success"}
    pull = fresh.open_pull("more", {CONFIG: config(samples=20)})
    run = fresh.on_pull_request(pull, "opened")
    assert run.jobs == PASSED
    (notice,) = run.annotations
    assert notice["title"] == "No bucket yet"
    assert "python -m scripts remote gs://BUCKET/PATH" in notice["message"]
    assert "authenticated" not in run.log
    body = fresh.hub.comments(pull.number)[0]["body"]
    assert "### dataset v0: +40 samples, 2 classes" in body
    assert (
        "> The remote is still the local folder of the template, so nothing is stored or released. "
        "See `docs/setup.md` to set up a bucket." in body
    )
    assert "Merging publishes" not in body

    fresh.merge(pull)
    run = fresh.on_push()
    assert run.jobs == {"release": "success"}
    assert [note["title"] for note in run.annotations] == ["No bucket yet"]
    assert "nothing to release: there is no bucket yet" in run.log
    assert fresh.tags() == []
    assert fresh.hub.releases() == []


def test_the_first_release_follows_as_soon_as_there_is_a_bucket(fresh: Forge) -> None:
    settings = fresh.file("main", ".dvc/config").replace(
        "url = storage", f"url = gs://bucket/data\n    endpointurl = {fresh.bucket.proxy.url}"
    )
    pull = fresh.open_pull("bucket", {".dvc/config": settings})
    run = fresh.on_pull_request(pull, "opened")
    assert run.jobs == PASSED
    assert run.annotations == []
    fresh.merge(pull)
    assert fresh.on_push().jobs == {"release": "success"}
    assert fresh.tags() == ["v0"]
