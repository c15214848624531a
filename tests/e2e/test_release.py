import os
import re
import signal
import time

from scripts.releases import lock
from tests.doubles.github import BOT
from tests.e2e.forge import Forge, config
from tests.repository import TEMPLATE, git

CONFIG = "dataset_config.yaml"
SUCCESS = {"release": "success"}


def is_complete(forge: Forge, tag: str) -> bool:
    """Return whether the manifest that the lock at `tag` names, and as many objects, are stored."""
    recorded = lock.parse(forge.file(tag, "dataset.dvc").encode())
    stored = forge.stored()
    return recorded.md5 in stored and len(stored) > recorded.nfiles


def test_a_merge_publishes_a_tag_a_release_with_notes_and_the_lock_on_main(forge: Forge) -> None:
    pull = forge.open_pull("first", {CONFIG: config(samples=20)})
    forge.on_pull_request(pull, "opened")
    forge.merge(pull)
    run = forge.on_push()
    assert run.jobs == SUCCESS
    assert "authenticated as release@example.iam" in run.log
    assert forge.tags() == ["v0"]
    kind, message = git(
        forge.origin, "for-each-ref", "--format=%(objecttype)\t%(contents:subject)", "refs/tags/v0"
    ).split("\t")
    assert (kind, message) == ("tag", "version 0")
    assert is_complete(forge, "v0")
    assert forge.file("main", "dataset.dvc") == forge.file("v0", "dataset.dvc")
    (release,) = forge.hub.releases()
    assert (release["tag_name"], release["name"]) == ("v0", "v0: 40 samples")
    assert release["author"]["login"] == BOT
    assert "| 3 | 18 (+18) | 2 (+2) | 20 (+20) |" in release["body"]
    assert "dvc get https://github.com/octo/ds dataset --rev v0" in release["body"]


def test_two_quick_merges_get_a_version_each_in_order_from_one_run(forge: Forge) -> None:
    forge.release()
    for samples in (20, 30):
        forge.merge(forge.open_pull(f"to-{samples}", {CONFIG: config(samples=samples)}))
    assert forge.on_push().jobs == SUCCESS
    assert forge.tags() == ["v0", "v1", "v2"]
    names = [release["name"] for release in forge.hub.releases()]
    assert names == ["v0: 20 samples", "v1: +20 samples, 2 classes", "v2: +20 samples, 2 classes"]

    again = forge.on_dispatch()
    assert again.jobs == SUCCESS
    assert "nothing to release" in again.log
    assert forge.tags() == ["v0", "v1", "v2"]
    assert len(forge.hub.releases()) == 3


def test_a_merge_that_started_no_run_is_released_on_schedule_and_named(forge: Forge) -> None:
    run = forge.on_push()
    assert "which no earlier run released" not in run.log + run.summary
    # As with a message that has [skip ci].
    forge.merge(forge.open_pull("skipped", {CONFIG: config(samples=20)}))
    commit = git(forge.origin, "rev-parse", "main")

    run = forge.on_schedule()

    assert run.jobs == SUCCESS
    assert forge.tags() == ["v0", "v1"]
    assert f"v1 releases {commit[:10]}, which no earlier run released" in run.log
    assert f"- v1: commit {commit}" in run.summary
    again = forge.on_schedule()
    assert "nothing to release" in again.log
    assert "Released late" not in again.summary


def test_on_a_protected_main_the_release_is_complete_and_the_run_says_how_to_update_main(
    forge: Forge,
) -> None:
    forge.protect_main()
    before = forge.git("rev-parse", "origin/main")
    run = forge.on_push()
    assert run.jobs == SUCCESS
    assert forge.tags() == ["v0"]
    assert is_complete(forge, "v0")
    assert len(forge.hub.releases()) == 1
    assert git(forge.origin, "rev-parse", "main") == before
    assert "deploy key" in run.log

    forge.merge(forge.open_pull("more", {CONFIG: config(samples=20)}))
    assert forge.on_push().jobs == SUCCESS
    assert forge.tags() == ["v0", "v1"]


def test_a_release_that_is_killed_is_completed_by_the_next_run(forge: Forge) -> None:
    forge.merge(forge.open_pull("more", {CONFIG: config(samples=100)}))
    process = forge.start_on_push()
    uploads = 0
    deadline = time.monotonic() + 60
    while uploads < 20 and time.monotonic() < deadline:
        uploads = sum(bool(re.match(r"(POST|PUT) /upload", one)) for one in forge.bucket.proxy.seen)
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert 20 <= uploads < 200
    assert forge.tags() == []
    assert 0 < len(forge.stored()) < 201

    assert forge.on_push().jobs == SUCCESS
    assert forge.tags() == ["v0"]
    assert len(forge.stored()) == 201
    assert is_complete(forge, "v0")


def test_without_the_bucket_nothing_is_tagged_until_a_later_run_releases_it(
    forge: Forge,
) -> None:
    forge.bucket.proxy.fail(403)
    run = forge.on_push()
    assert run.jobs == {"release": "failure"}
    assert "error: cannot push to gs://bucket/data: Forbidden" in run.log
    assert "Traceback" not in run.log
    assert forge.tags() == []
    assert forge.hub.releases() == []
    forge.bucket.proxy.recover()
    assert forge.on_dispatch().jobs == SUCCESS
    assert forge.tags() == ["v0"]


def test_a_folder_on_the_runner_is_refused_as_remote(forge: Forge) -> None:
    pull = forge.open_pull("folder", {".dvc/config": folder("elsewhere")})
    assert forge.on_pull_request(pull).jobs["dataset"] == "failure"
    forge.merge(pull)
    run = forge.on_push()
    assert run.jobs == {"release": "failure"}
    assert "python -m scripts remote gs://BUCKET/PATH" in run.log
    assert forge.tags() == []


def test_after_the_first_release_the_folder_of_the_template_is_refused_as_remote(
    forge: Forge,
) -> None:
    forge.release()
    changed = {".dvc/config": folder("storage"), CONFIG: config(samples=20)}
    pull = forge.open_pull("folder", changed)
    assert forge.on_pull_request(pull).jobs["dataset"] == "failure"
    forge.merge(pull)
    run = forge.on_push()
    assert run.jobs == {"release": "failure"}
    assert "python -m scripts remote gs://BUCKET/PATH" in run.log
    assert forge.tags() == ["v0"]


def folder(name: str) -> str:
    """Return a .dvc/config whose remote is a folder."""
    return TEMPLATE[".dvc/config"].replace("url = storage", f"url = {name}")


def test_after_a_release_the_comments_on_other_pull_requests_are_updated(forge: Forge) -> None:
    forge.release()
    other = forge.open_pull("other", {CONFIG: config(samples=30)})
    png = "scripts/dataset/png.py"
    code = forge.open_pull(
        "code", {png: forge.file("main", png) + "\n# new\n", CONFIG: config(samples=25)}
    )
    for pull in (other, code):
        forge.on_pull_request(pull, "opened")
        assert "### dataset v1:" in forge.hub.comments(pull.number)[0]["body"]
    docs = forge.open_pull("docs", {"README.md": "More.\n"})
    forge.merge(forge.open_pull("first", {CONFIG: config(samples=20)}))
    # The config conflicts with both, so only an update of the branch can show the new plan.
    run = forge.on_push()
    assert run.jobs == SUCCESS
    assert forge.tags() == ["v0", "v1"]
    updated = forge.on_release_run(run)
    assert updated.jobs == {"update-comments": "success"}
    assert "authenticated as pull-request@example.iam" in updated.log
    for pull in (other, code):
        (comment,) = forge.hub.comments(pull.number)
        assert "> Out of date: v1 was published after this comment was written." in comment["body"]
        assert "### dataset v1:" in comment["body"]
    assert forge.hub.comments(docs.number) == []


def test_a_comment_that_main_can_render_again_names_the_next_version(forge: Forge) -> None:
    forge.release()
    spread = f"{config()}\n\n\n\n"
    forge.merge(forge.open_pull("spread", {CONFIG: spread}))
    other = forge.open_pull("other", {CONFIG: spread.replace("seed: 0", "seed: 1")})
    forge.on_pull_request(other, "opened")
    sheet = re.search(r"\(https://\S+/artifacts/1\)", forge.hub.comments(other.number)[0]["body"])
    assert sheet
    forge.merge(forge.open_pull("first", {CONFIG: spread.replace("class: 3", "class: 8")}))
    assert forge.on_release_run(forge.on_push()).succeeded
    (comment,) = forge.hub.comments(other.number)
    assert "### dataset v2:" in comment["body"]
    assert "The seed differs from that of v1, so this is a new split." in comment["body"]
    assert "Out of date" not in comment["body"]
    assert sheet.group() in comment["body"]
