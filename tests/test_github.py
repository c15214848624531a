import json
import random
from collections.abc import Iterator

import pytest

from scripts import github as github_
from scripts.errors import UserError
from scripts.github import MARKER, REPORT_FILE, GitHub
from tests.doubles import github
from tests.doubles.github import CONTRIBUTOR, REPOSITORY, Server

SHA = "1" * 40


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A GitHub with one repository."""
    if github.MISSING:
        pytest.skip(github.MISSING)
    with github.running(tmp_path_factory.mktemp("github")) as made:
        yield made


@pytest.fixture
def hub(server: Server, monkeypatch: pytest.MonkeyPatch) -> GitHub:
    """The client, as a workflow has it, that waits for nobody."""
    server.proxy.recover()
    server.proxy.seen.clear()
    monkeypatch.setenv("GITHUB_TOKEN", github.TOKEN)
    monkeypatch.setenv("GITHUB_REPOSITORY", REPOSITORY)
    monkeypatch.setenv("GITHUB_API_URL", server.url)
    monkeypatch.setattr(github_, "FIRST_WAIT", 0.01)
    monkeypatch.setattr(github_, "LONGEST_WAIT", 0.02)
    return GitHub()


@pytest.fixture
def pull(server: Server) -> int:
    """A new open pull request."""
    return server.open_pull("branch", SHA)


def bodies(server: Server, number: int) -> list[str]:
    return [comment["body"] for comment in server.comments(number)]


def test_the_comment_is_written_once_and_then_edited(
    hub: GitHub, server: Server, pull: int
) -> None:
    first = hub.comment(pull, "one")
    assert hub.comment(pull, "two") == first
    assert bodies(server, pull) == [f"{MARKER}\ntwo"]
    assert hub.commented(pull) == "two"


def test_an_unchanged_comment_is_left_alone(hub: GitHub, server: Server, pull: int) -> None:
    hub.comment(pull, "one")
    server.proxy.seen.clear()
    hub.comment(pull, "one")
    assert not [request for request in server.proxy.seen if not request.startswith("GET")]


def test_somebody_elses_comment_with_the_marker_is_not_ours(
    hub: GitHub, server: Server, pull: int
) -> None:
    path = f"/repos/{REPOSITORY}/issues/{pull}/comments"
    server.ask("POST", path, {"body": f"{MARKER}\nmine"})
    hub.comment(pull, "ours")
    assert bodies(server, pull) == [f"{MARKER}\nmine", f"{MARKER}\nours"]


def test_the_comment_is_found_behind_a_hundred_others(
    hub: GitHub, server: Server, pull: int
) -> None:
    path = f"/repos/{REPOSITORY}/issues/{pull}/comments"
    for index in range(105):
        server.ask("POST", path, {"body": f"talk {index}"})
    first = hub.comment(pull, "one")
    assert hub.comment(pull, "two") == first


@pytest.mark.parametrize(
    ("status", "advice"),
    [
        (401, "the token is not valid"),
        (403, "the token may not do this; see the permissions of the workflow"),
        (404, "there is no such thing"),
        (422, "it does not accept the content"),
        (429, "there were too many requests"),
        (500, "it has trouble of its own; run the job again later"),
    ],
)
@pytest.mark.parametrize("request_", ["GET .*/pulls/", "POST .*/comments"])
def test_what_github_answers_is_told_with_what_to_do(
    hub: GitHub, server: Server, pull: int, status: int, advice: str, request_: str
) -> None:
    server.proxy.fail(status, request_)
    with pytest.raises(UserError) as raised:
        hub.comment(pull, "text")
    assert f"GitHub did not let us comment on pull request {pull}: {advice}" in str(raised.value)
    server.proxy.recover()
    assert bodies(server, pull) == []


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_passing_trouble_is_waited_for(hub: GitHub, server: Server, pull: int, status: int) -> None:
    server.proxy.fail(status, "GET", count=2)
    hub.comment(pull, "text")
    assert bodies(server, pull) == [f"{MARKER}\ntext"]


def test_a_rate_limit_is_waited_for(hub: GitHub, server: Server, pull: int) -> None:
    server.proxy.fail(403, "GET", count=1, headers={"Retry-After": "0"})
    hub.comment(pull, "text")
    assert bodies(server, pull) == [f"{MARKER}\ntext"]


def test_a_comment_whose_answer_was_lost_is_not_written_twice(
    hub: GitHub, server: Server, pull: int
) -> None:
    server.proxy.fail(502, "POST .*/comments", count=1, late=True)
    hub.comment(pull, "text")
    assert bodies(server, pull) == [f"{MARKER}\ntext"]


def test_github_out_of_reach_is_one_message(hub: GitHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_API_URL", "http://127.0.0.1:1")
    with pytest.raises(UserError, match="GitHub did not let us open octo/ds: "):
        GitHub()


def test_a_forks_pull_request_is_found_by_its_head(hub: GitHub, server: Server) -> None:
    number = server.open_pull("patch", SHA, fork=True)
    assert hub.pull_of_run(CONTRIBUTOR, "patch", SHA) == number
    assert hub.pull_of_run(CONTRIBUTOR, "patch", "2" * 40) is None
    assert hub.pull_of_run("octo", "patch", SHA) is None
    server.close_pull(number)
    assert hub.pull_of_run(CONTRIBUTOR, "patch", SHA) is None


def test_a_report_is_read_and_its_bounds_are_kept(hub: GitHub, server: Server) -> None:
    good = {"faults": [{"file": None, "line": 0, "column": 0, "message": "wrong"}]}
    server.leave_artifact(1, github_.ARTIFACT, {REPORT_FILE: json.dumps(good).encode()})
    report = hub.report_of_run(1)
    assert report is not None
    assert report.faults[0].message == "wrong"
    assert hub.report_of_run(2) is None
    server.leave_artifact(3, github_.ARTIFACT, {"other.json": b"{}"})
    with pytest.raises(UserError, match="refused"):
        hub.report_of_run(3)
    noise = random.Random(0).randbytes(2_000_000)
    server.leave_artifact(4, github_.ARTIFACT, {REPORT_FILE: noise})
    server.sizes[github_.ARTIFACT] = 10
    with pytest.raises(UserError, match="larger than it says"):
        hub.report_of_run(4)


def test_a_release_is_known_once_it_is_published(hub: GitHub, server: Server) -> None:
    assert "v7" not in hub.released()
    assert hub.release("v7", "title", "notes", latest=True)
    assert "v7" in hub.released()
    assert [release["name"] for release in server.releases()] == ["title"]


def test_outside_of_a_workflow_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_TOKEN", raising=False)
    with pytest.raises(UserError, match="GITHUB_TOKEN is not set"):
        GitHub()
