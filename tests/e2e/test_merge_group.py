from tests.e2e.forge import Forge, Pull, Run, config

PASSED = {"changes": "success", "merge-group": "success", "passed": "success"}
FAILED = {"changes": "success", "merge-group": "failure", "passed": "failure"}
CONFIG = "dataset_config.yaml"
# Enough lines between two changes for git to merge them.
BETWEEN = "# unchanged\n" * 3


def assert_nothing_left(forge: Forge, run: Run, *pulls: Pull) -> None:
    """Assert that a run used no credentials and left nothing but its log."""
    assert "authenticated" not in run.log
    assert not (forge.hub.artifacts / str(run.number)).exists()
    assert not forge.hub.proxy.seen
    for pull in pulls:
        assert forge.hub.comments(pull.number) == []


def test_a_merge_group_is_planned_without_credentials_and_without_a_comment(forge: Forge) -> None:
    forge.release()
    stored = forge.bucket.objects()
    pull = forge.open_pull("more", {CONFIG: config(samples=20)}, fork=True)
    forge.bucket.proxy.fail(403)
    forge.hub.proxy.reset()
    run = forge.on_merge_group(forge.queue(pull))
    assert run.jobs == PASSED
    assert "dataset v1: +20 samples, 2 classes" in run.log
    assert_nothing_left(forge, run, pull)
    assert forge.bucket.objects() == stored


def test_a_merge_group_that_is_invalid_only_as_a_whole_is_refused(forge: Forge) -> None:
    spread = config().replace("\n", f"\n{BETWEEN}")
    forge.merge(forge.open_pull("spread", {CONFIG: spread}))
    forge.release()
    # Each is valid by itself, but together they ask for more test images than images.
    fewer = forge.open_pull("fewer", {CONFIG: spread.replace("samples: 10", "samples: 4")})
    more = forge.open_pull("more", {CONFIG: spread.replace("test_size: 2", "test_size: 8")})
    forge.hub.proxy.reset()
    run = forge.on_merge_group(forge.queue(fewer, more))
    assert run.jobs == FAILED
    assert run.annotations[0]["file"] == CONFIG
    assert_nothing_left(forge, run, fewer, more)


def test_a_merge_group_that_does_not_change_the_dataset_passes_at_once(forge: Forge) -> None:
    data = forge.open_pull("data", {CONFIG: config(samples=20)})
    docs = forge.open_pull("docs", {"README.md": "More to read.\n"})
    # The group before it in the queue changes the dataset.
    run = forge.on_merge_group(forge.queue(data, docs))
    assert run.jobs == {"changes": "success", "passed": "success"}
