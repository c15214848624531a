import pytest

from tests.doubles.github import BOT
from tests.e2e.forge import Forge, Pull, config

PASSED = {"changes": "success", "dataset": "success", "passed": "success"}
FAILED = {"changes": "success", "dataset": "failure", "passed": "failure"}
UNCHANGED = {"changes": "success", "passed": "success"}
CONFIG = "dataset_config.yaml"


def the_comment(forge: Forge, pull: Pull) -> str:
    """Return the only comment on a pull request, which the bot wrote."""
    (comment,) = forge.hub.comments(pull.number)
    assert comment["user"]["login"] == BOT
    body: str = comment["body"]
    return body


def test_a_valid_config_is_stored_and_reported_in_one_comment_that_each_push_updates(
    forge: Forge,
) -> None:
    pull = forge.open_pull("more", {CONFIG: config(samples=20, test_size=4)})
    run = forge.on_pull_request(pull, "opened")
    assert run.jobs == PASSED
    assert "authenticated as pull-request@example.iam" in run.log
    assert len(forge.stored()) == 41
    body = the_comment(forge, pull)
    assert "### dataset v0: +40 samples, 2 classes" in body
    assert "| no3 | 16 (+16) | 4 (+4) | 20 (+20) |" in body
    assert "- **samples**: 40 added, 0 removed" in body
    assert (
        "The files are in the remote. Merging publishes this as **v0**, or the next number if"
        " another pull request merges first." in body
    )
    assert "[View the samples](https://github.com/" in body
    assert f"/actions/runs/{run.number}/artifacts/" in body
    assert "### dataset v0: +40 samples, 2 classes" in run.summary
    sheet = forge.hub.artifacts / str(run.number) / "samples.png" / "samples.png"
    assert sheet.read_bytes().startswith(b"\x89PNG")

    forge.push_to(pull, {CONFIG: config(samples=30, test_size=4)})
    assert forge.on_pull_request(pull).jobs == PASSED
    assert "### dataset v0: +60 samples, 2 classes" in the_comment(forge, pull)


def test_an_invalid_config_is_annotated_line_by_line_until_it_is_fixed(forge: Forge) -> None:
    pull = forge.open_pull("wrong", {CONFIG: config(samples=-1, test_size="many")})
    run = forge.on_pull_request(pull, "opened")
    assert run.jobs == FAILED
    places = [(note["file"], note["line"], note["col"]) for note in run.annotations]
    assert places == [(CONFIG, "3", "10"), (CONFIG, "4", "12")]
    assert "samples: must be at least 1, found -1" in run.annotations[0]["message"]
    body = the_comment(forge, pull)
    assert "### dataset: invalid, 2 problems" in body
    assert f"`{CONFIG}`, line 3, column 10: `samples: must be at least 1, found -1`" in body
    assert forge.bucket.objects() == []

    forge.push_to(pull, {CONFIG: config()})
    assert forge.on_pull_request(pull).jobs == PASSED
    assert "### dataset v0: +20 samples, 2 classes" in the_comment(forge, pull)


def test_an_edited_lock_is_refused_with_the_reason(forge: Forge) -> None:
    forge.release()
    lock = forge.file("main", "dataset.dvc")
    edited = lock.replace("no3: 8", "no3: 9")
    assert edited != lock
    pull = forge.open_pull("edited", {"dataset.dvc": edited + "\n"})
    run = forge.on_pull_request(pull, "opened")
    assert run.jobs == FAILED
    assert run.annotations[0]["file"] == "dataset.dvc"
    body = the_comment(forge, pull)
    assert "### dataset: invalid, 1 problem\n" in body
    assert "`dataset.dvc is written by the release only, and this branch changes it." in body


def test_a_change_that_leaves_the_dataset_as_it_is_is_reported_as_such(forge: Forge) -> None:
    forge.release()
    pull = forge.open_pull("comment", {CONFIG: f"# as before\n{config()}"})
    assert forge.on_pull_request(pull, "opened").jobs == PASSED
    body = the_comment(forge, pull)
    assert "### dataset: no change compared with v0" in body
    assert "Merging publishes no new version: the dataset does not change." in body


def test_a_pull_request_that_does_not_change_the_dataset_passes_at_once(forge: Forge) -> None:
    pull = forge.open_pull("docs", {"README.md": "More to read.\n"})
    run = forge.on_pull_request(pull, "opened")
    assert run.jobs == UNCHANGED
    assert "dataset: no change\nmachinery: README.md\n" in run.summary
    assert forge.hub.comments(pull.number) == []


def test_without_a_decision_about_the_changes_the_check_fails(forge: Forge) -> None:
    script = "scripts/github/changed_paths.py"
    pull = forge.open_pull("broken", {script: "raise SystemExit(1)\n"})
    run = forge.on_pull_request(pull, "opened")
    assert run.jobs == {"changes": "failure", "passed": "failure"}


@pytest.mark.parametrize("value", ["'<b>@octo</b> | `rm` ``x``'", '"# @octo [x](http://x)"'])
def test_markdown_html_and_mentions_in_a_config_are_not_rendered(forge: Forge, value: str) -> None:
    pull = forge.open_pull(
        "$(touch${IFS}pwned)", {CONFIG: config(**{"class": value})}, title="x" * 10_000
    )
    assert forge.on_pull_request(pull, "opened").jobs == FAILED
    line = next(line for line in the_comment(forge, pull).splitlines() if "@octo" in line)
    # All text from the config is inside of one code span, where nothing renders or notifies.
    place, span = line.split(": ", 1)
    assert "@octo" not in place
    fence = span[: len(span) - len(span.lstrip("`"))]
    assert span.startswith(fence)
    assert span.endswith(fence)
    assert fence not in span[len(fence) : -len(fence)].replace("`" * (len(fence) - 1), "", 1)
    assert not list(forge.place.rglob("pwned"))


def test_a_comment_that_was_deleted_is_posted_again(forge: Forge) -> None:
    pull = forge.open_pull("more", {CONFIG: config(samples=20)})
    forge.on_pull_request(pull, "opened")
    (comment,) = forge.hub.comments(pull.number)
    forge.hub.ask("DELETE", f"/repos/octo/ds/issues/comments/{comment['id']}")
    assert forge.on_pull_request(pull).jobs == PASSED
    assert "dataset v0" in the_comment(forge, pull)


def test_a_pull_request_that_is_closed_during_the_run_gets_its_comment(forge: Forge) -> None:
    pull = forge.open_pull("more", {CONFIG: config(samples=20)})
    forge.hub.close_pull(pull.number)
    assert forge.on_pull_request(pull).jobs == PASSED
    assert "dataset v0" in the_comment(forge, pull)


def test_a_bucket_that_is_unavailable_for_a_while_is_waited_for(forge: Forge) -> None:
    pull = forge.open_pull("more", {CONFIG: config(samples=20)})
    forge.bucket.proxy.fail(503, seconds=4)
    assert forge.on_pull_request(pull, "opened").jobs == PASSED
    assert len(forge.stored()) == 41
    assert "The files are in the remote. " in the_comment(forge, pull)


def test_a_bucket_that_stays_unavailable_fails_the_run_and_the_comment_says_so(
    forge: Forge,
) -> None:
    pull = forge.open_pull("more", {CONFIG: config(samples=20)})
    forge.bucket.proxy.fail(403)
    run = forge.on_pull_request(pull, "opened")
    assert run.jobs == FAILED
    assert "error: cannot push to gs://bucket/data: Forbidden" in run.log
    assert "Traceback" not in run.log
    assert "**The files could not be pushed to the remote**" in the_comment(forge, pull)
    assert forge.bucket.objects() == []
