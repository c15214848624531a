"""Garbage collection after a history with open and closed pull requests."""

from tests.e2e.forge import Forge, Pull, config
from tests.e2e.test_consumers import get
from tests.repository import git

CONFIG = "dataset_config.yaml"


def propose(forge: Forge, branch: str, samples: int) -> Pull:
    """Open a pull request whose files are stored, and which has a candidate."""
    pull = forge.open_pull(branch, {CONFIG: config(samples=samples)})
    run = forge.on_pull_request(pull, "opened")
    assert run.succeeded, run.log
    assert forge.on_workflow_run(pull, run, "candidate.yml").succeeded
    return pull


def collect(forge: Forge, delete: str) -> str:
    """Run the workflow; return its log."""
    run = forge.on_dispatch("gc.yml", {"delete": delete})
    assert run.jobs == {"gc": "success"}, run.log
    assert "authenticated as gc@example.iam" in run.log
    return run.log


def test_what_closed_pull_requests_left_is_deleted_and_nothing_else(forge: Forge) -> None:
    forge.release()
    forge.merge(forge.open_pull("merged", {CONFIG: config(samples=12)}))
    forge.release()
    opened = propose(forge, "opened", 14)
    before = {*forge.bucket.objects()}
    closed = propose(forge, "closed", 16)
    left = {*forge.bucket.objects()} - before
    assert left
    forge.hub.close_pull(closed.number)
    git(forge.origin, "branch", "--delete", "--force", closed.branch)
    # Removes the candidate of the closed pull request.
    assert forge.on_dispatch("update-comments.yml").succeeded
    needed = {*forge.bucket.objects()} - left

    assert "younger than 14 days" in collect(forge, "true")
    assert {*forge.bucket.objects()} == needed | left

    forge.bucket.age(forge.bucket.objects(), 15)
    listed = collect(forge, "false")
    assert f"{len(left)} objects (" in listed
    for name in left:
        assert name.removeprefix("data/") in listed
    assert {*forge.bucket.objects()} == needed | left

    assert f"deleted {len(left)} objects (" in collect(forge, "true")

    assert {*forge.bucket.objects()} == needed
    for rev, files in (("v0", 20), ("v1", 24), (f"candidate/{opened.number}", 28)):
        assert len(get(forge, rev, rev.replace("/", "-"))) == files
