import json

import pytest

from tests.doubles.github import BOT
from tests.e2e.forge import Forge, Run, config
from tests.repository import git

CONFIG = "dataset_config.yaml"
PROBLEM = {"file": None, "line": 0, "column": 0, "message": "@octo <b>"}
POSTED = {"comment": "success", "preview": "success"}
PASSED = {"changes": "success", "dataset": "success", "passed": "success"}


def test_a_fork_is_checked_without_secrets_and_another_workflow_posts_its_report(
    forge: Forge,
) -> None:
    pull = forge.open_pull("more", {CONFIG: config(samples=20)}, fork=True)
    run = forge.on_pull_request(pull, "opened")
    assert run.jobs == PASSED
    assert "authenticated" not in run.log
    assert forge.bucket.objects() == []
    assert forge.hub.comments(pull.number) == []
    assert "dataset v0: +40 samples" in run.summary

    assert forge.on_workflow_run(pull, run).jobs == POSTED
    (comment,) = forge.hub.comments(pull.number)
    assert comment["user"]["login"] == BOT
    assert "### dataset v0: +40 samples, 2 classes" in comment["body"]
    assert "The files are pushed to the remote after the merge. " in comment["body"]

    forge.merge(pull)
    assert forge.on_push().succeeded
    assert forge.tags() == ["v0"]
    assert len(forge.stored()) == 41


def test_the_comment_on_a_pull_request_of_a_fork_shows_its_picture(forge: Forge) -> None:
    forge.release()
    pull = forge.open_pull("more", {CONFIG: config(samples=12)}, fork=True)
    run = forge.on_pull_request(pull, "opened")
    assert forge.on_workflow_run(pull, run).jobs == POSTED
    (name,) = git(forge.origin, "ls-tree", "--name-only", "previews").splitlines()
    assert name.startswith(f"{pull.number}-")
    address = f"https://github.com/octo/ds/blob/previews/{name}?raw=true"
    assert f"]({address})" in forge.hub.comments(pull.number)[0]["body"]


def test_dependabot_is_treated_like_a_fork(forge: Forge) -> None:
    changed = {
        "requirements.txt": "# nothing but a comment\n" + forge.file("main", "requirements.txt")
    }
    pull = forge.open_pull("dependabot/pip/bump", changed)
    pull.author = "dependabot[bot]"
    run = forge.on_pull_request(pull, "opened")
    assert run.jobs == PASSED
    assert forge.hub.comments(pull.number) == []
    assert forge.on_workflow_run(pull, run).jobs == POSTED
    assert "dataset v0" in forge.hub.comments(pull.number)[0]["body"]


@pytest.mark.parametrize(
    ("content", "size"),
    [
        (b"not json", None),
        (json.dumps({"schema": 1, "problems": [PROBLEM], "html": "<img src=x>"}).encode(), None),
        (b" " * 3_000_000 + json.dumps({"schema": 1, "problems": [PROBLEM]}).encode(), None),
        (json.dumps({"schema": 1, "problems": [PROBLEM]}).encode(), 100_000_000),
    ],
    ids=["not JSON", "unknown fields", "small archive of a large file", "100 MB"],
)
def test_a_malformed_report_is_refused(forge: Forge, content: bytes, size: int | None) -> None:
    pull = forge.open_pull("evil", {CONFIG: config(samples=20)}, fork=True)
    forge.hub.add_artifact(77, "dataset-report", {"report.json": content})
    if size:
        forge.hub.sizes["dataset-report"] = size
    run = forge.on_workflow_run(pull, Run(77, {"dataset": "success"}))
    assert run.jobs == {"comment": "failure"}
    assert "refused" in run.log
    assert "Traceback" not in run.log
    assert forge.hub.comments(pull.number) == []


def test_a_report_on_commits_that_are_not_the_newest_is_not_posted(forge: Forge) -> None:
    pull = forge.open_pull("more", {CONFIG: config(samples=20)}, fork=True)
    report = json.dumps({"schema": 1, "problems": [PROBLEM]}).encode()
    forge.hub.add_artifact(77, "dataset-report", {"report.json": report})
    old = Run(77, {"dataset": "success"})
    before = pull.head
    forge.push_to(pull, {CONFIG: config(samples=30)})
    new, pull.head = pull.head, before
    run = forge.on_workflow_run(pull, old)
    assert run.jobs == POSTED
    assert "the pull request is closed or has new commits: no comment" in run.log
    assert forge.hub.comments(pull.number) == []

    pull.head = new
    assert forge.on_workflow_run(pull, old).jobs == POSTED
    assert "`@octo <b>`" in forge.hub.comments(pull.number)[0]["body"]
