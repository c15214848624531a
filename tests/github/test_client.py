import json
import random
import sys
import time
from collections.abc import Callable

import pytest
import stamina

from scripts.errors import UserError
from scripts.github import marker, retries
from scripts.github.artifacts import ARTIFACT
from scripts.github.client import GitHub
from scripts.github.marker import Marker
from scripts.github.reports import REPORT_FILE
from scripts.review.report_json import MAX_BYTES
from tests.doubles import proxy
from tests.doubles.github import CONTRIBUTOR, OWNER, REPOSITORY, Server
from tests.doubles.proxy import Harm

SHA = "1" * 40
# As a run writes them, and one whose marker is damaged.
ONE, TWO = (marker.compose(Marker(version=tag), f"{tag}\n") for tag in ("v1", "v2"))
WITHOUT_DATA = f"{marker.PREFIX}\nv1\n"


@pytest.fixture
def pull(server: Server) -> int:
    """A new open pull request."""
    return server.open_pull("branch", SHA)


@pytest.fixture
def hub(server: Server) -> GitHub:
    """The client, as a workflow has it."""
    made = GitHub()
    server.proxy.reset()
    return made


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds of each wait; none of them is spent."""
    seconds: list[float] = []
    monkeypatch.setattr(time, "sleep", seconds.append)
    return seconds


def bodies(server: Server, number: int) -> list[str]:
    return [comment["body"] for comment in server.comments(number)]


def attempts(server: Server) -> int:
    """Return how many times a comment was sent."""
    return sum(request.endswith("/comments") for request, _ in server.proxy.sent)


def say(server: Server, pull: int, text: str) -> None:
    """Comment as a person."""
    server.ask("POST", f"/repos/{REPOSITORY}/issues/{pull}/comments", {"body": text})


def problems_report(message: str = "wrong") -> bytes:
    problem = {"file": None, "line": 0, "column": 0, "message": message}
    return json.dumps({"schema": 1, "problems": [problem]}).encode()


def test_the_comment_is_written_once_and_then_edited(
    hub: GitHub, server: Server, pull: int
) -> None:
    assert hub.commented(pull) is None
    first = hub.comment(pull, ONE)
    assert hub.comment(pull, TWO) == first
    assert bodies(server, pull) == [TWO]
    assert hub.commented(pull) == TWO


def test_a_comment_without_data_in_its_marker_is_replaced(
    hub: GitHub, server: Server, pull: int
) -> None:
    first = hub.comment(pull, WITHOUT_DATA)
    assert hub.commented(pull) == WITHOUT_DATA
    assert hub.comment(pull, ONE) == first
    assert bodies(server, pull) == [ONE]


def test_an_unchanged_comment_is_not_written_again(hub: GitHub, server: Server, pull: int) -> None:
    hub.comment(pull, ONE)
    server.proxy.reset()
    hub.comment(pull, ONE)
    assert server.proxy.seen
    assert not [request for request in server.proxy.seen if not request.startswith("GET")]


@pytest.mark.parametrize("copied", [ONE, WITHOUT_DATA])
def test_a_comment_of_somebody_else_with_the_marker_is_ignored(
    hub: GitHub, server: Server, pull: int, copied: str
) -> None:
    say(server, pull, copied)
    assert hub.commented(pull) is None
    hub.comment(pull, TWO)
    assert bodies(server, pull) == [copied, TWO]


def test_the_comment_is_found_after_a_hundred_others(
    hub: GitHub, server: Server, pull: int
) -> None:
    for index in range(105):
        say(server, pull, f"comment {index}")
    first = hub.comment(pull, ONE)
    assert hub.comment(pull, TWO) == first


@pytest.mark.parametrize(
    ("status", "advice"),
    [
        (401, "the token is not valid"),
        (403, "the token lacks a permission; see the workflow's permissions"),
        (404, "not found, or the token has no access to it"),
        (422, "the content was not accepted"),
        (429, "too many requests; run the job again later"),
        (500, "server error; run the job again later"),
    ],
)
@pytest.mark.parametrize("request_", ["GET .*/pulls/", "POST .*/comments"])
def test_an_error_of_github_is_one_message_with_advice(
    hub: GitHub, server: Server, pull: int, status: int, advice: str, request_: str
) -> None:
    server.proxy.fail(status, request_)
    with pytest.raises(UserError) as raised:
        hub.comment(pull, ONE)
    assert str(raised.value) == (
        f"cannot comment on pull request {pull} at GitHub: {advice} ({status} fault {status})"
    )
    server.proxy.recover()
    assert bodies(server, pull) == []


@pytest.mark.parametrize("status", [429, 500, 502, 503, 599])
def test_a_passing_error_is_retried(hub: GitHub, server: Server, pull: int, status: int) -> None:
    server.proxy.fail(status, "GET", count=2)
    hub.comment(pull, ONE)
    assert bodies(server, pull) == [ONE]
    server.proxy.fail(status, "GET", count=2)
    assert hub.open_pulls() == [pull]


def test_a_rate_limit_is_waited_for(
    hub: GitHub, server: Server, pull: int, waits: list[float]
) -> None:
    server.proxy.fail(403, "GET", count=1, headers={"Retry-After": "40"})
    hub.comment(pull, ONE)
    assert bodies(server, pull) == [ONE]
    assert sum(waits) == 40


def test_a_missing_permission_is_not_retried(hub: GitHub, server: Server, pull: int) -> None:
    server.proxy.fail(403, "POST .*/comments")
    with pytest.raises(UserError):
        hub.comment(pull, ONE)
    assert attempts(server) == 1


def test_a_server_error_is_retried_a_few_times_with_growing_waits(
    hub: GitHub, server: Server, pull: int, monkeypatch: pytest.MonkeyPatch, waits: list[float]
) -> None:
    monkeypatch.setattr(retries, "FIRST_WAIT", 2.0)
    server.proxy.fail(502, "POST .*/comments")
    with stamina.set_testing(False), pytest.raises(UserError, match="server error"):
        hub.comment(pull, ONE)
    assert attempts(server) == retries.MAX_RETRIES == 4
    assert len(waits) == 3
    for wait, least in zip(waits, (2, 4, 8), strict=True):
        assert least <= wait <= least + 2


def test_a_comment_whose_answer_was_lost_is_not_written_twice(
    hub: GitHub, server: Server, pull: int
) -> None:
    server.proxy.fail(502, "POST .*/comments", count=1, late=True)
    hub.comment(pull, ONE)
    assert bodies(server, pull) == [ONE]


def test_an_unreachable_github_is_one_message(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_API_URL", "http://127.0.0.1:1")
    with pytest.raises(UserError, match=r"cannot open octo/ds at GitHub: .* Run the job again\."):
        GitHub()


def test_outside_of_a_workflow_the_missing_variable_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("GITHUB_TOKEN", raising=False)
    with pytest.raises(UserError, match="GITHUB_TOKEN is not set"):
        GitHub()


def test_only_open_pull_requests_are_listed_oldest_first(hub: GitHub, server: Server) -> None:
    numbers = [server.open_pull(f"branch-{index}", SHA) for index in range(35)]
    server.close_pull(numbers[3])
    assert hub.open_pulls() == numbers[:3] + numbers[4:]


def test_a_forks_pull_request_is_found_by_its_head(hub: GitHub, server: Server) -> None:
    number = server.open_pull("patch", SHA, fork=True)
    assert hub.pull_of_run(CONTRIBUTOR, "patch", SHA) == number
    assert hub.pull_of_run(CONTRIBUTOR, "patch", "2" * 40) is None
    assert hub.pull_of_run(CONTRIBUTOR, "other", SHA) is None
    assert hub.pull_of_run(OWNER, "patch", SHA) is None
    server.close_pull(number)
    assert hub.pull_of_run(CONTRIBUTOR, "patch", SHA) is None


def test_a_pull_request_of_another_owner_is_not_found_by_its_head(
    hub: GitHub, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = server.open_pull("patch", SHA, fork=True)
    pulls = json.dumps(server.ask("GET", f"/repos/{REPOSITORY}/pulls?state=open")).encode()
    # Even where the server does not filter by owner and branch.
    monkeypatch.setattr(
        server.proxy, "routes", lambda _, path: (200, pulls) if "head=" in path else None
    )
    assert hub.pull_of_run(OWNER, "patch", SHA) is None
    assert hub.pull_of_run(CONTRIBUTOR, "patch", SHA) == number


def test_the_report_of_a_run_is_read(hub: GitHub, server: Server) -> None:
    server.add_artifact(1, ARTIFACT, {REPORT_FILE: problems_report()})
    report = hub.report_of_run(1)
    assert report is not None
    assert report.problems[0].message == "wrong"
    assert hub.report_of_run(2) is None


def test_the_newest_report_of_a_run_counts(hub: GitHub, server: Server) -> None:
    for number, message in ((20, "second"), (300, "third"), (4, "first")):
        server.add_artifact(1, f"{ARTIFACT}#{number}", {REPORT_FILE: problems_report(message)})
    report = hub.report_of_run(1)
    assert report is not None
    assert report.problems[0].message == "third"


def test_artifacts_with_another_name_are_ignored(hub: GitHub, server: Server) -> None:
    other = {REPORT_FILE: problems_report("other")}
    server.add_artifact(1, "a-report#1", other)
    server.add_artifact(1, f"{ARTIFACT}-2#9", other)
    server.add_artifact(1, f"{ARTIFACT.upper()}#10", other)
    assert hub.report_of_run(1) is None
    server.add_artifact(1, f"{ARTIFACT}#5", {REPORT_FILE: problems_report()})
    report = hub.report_of_run(1)
    assert report is not None
    assert report.problems[0].message == "wrong"


@pytest.mark.parametrize(
    "files",
    [
        {"other.json": b"{}"},
        {REPORT_FILE: b"not json"},
        {REPORT_FILE: b"[" * 100_000},
        {REPORT_FILE: b'{"schema": 1}'},
        {REPORT_FILE: b" " * (2 * MAX_BYTES) + problems_report()},
    ],
    ids=["no report", "not JSON", "deeply nested", "empty report", "much larger when unpacked"],
)
def test_a_malformed_report_is_refused(
    hub: GitHub, server: Server, files: dict[str, bytes]
) -> None:
    server.add_artifact(1, ARTIFACT, files)
    with pytest.raises(UserError, match="the report of run 1 is not a valid report: refused"):
        hub.report_of_run(1)


def test_an_archive_that_is_too_large_is_not_downloaded(hub: GitHub, server: Server) -> None:
    server.add_artifact(1, ARTIFACT, {REPORT_FILE: problems_report()})
    server.sizes[ARTIFACT] = MAX_BYTES + 1
    with pytest.raises(UserError, match="the report of run 1 has 1,000,001 bytes: refused"):
        hub.report_of_run(1)
    assert not [request for request in server.proxy.seen if request.endswith("/zip")]


def test_an_archive_larger_than_its_recorded_size_is_not_downloaded_completely(
    hub: GitHub, server: Server
) -> None:
    noise = random.Random(0).randbytes(2 * MAX_BYTES)
    server.add_artifact(1, ARTIFACT, {REPORT_FILE: noise})
    server.sizes[ARTIFACT] = 10
    with pytest.raises(UserError, match="has more than 1,000,000 bytes: refused"):
        hub.report_of_run(1)


ACTIONS: dict[str, Callable[[GitHub], object]] = {
    "open pulls": lambda hub: hub.open_pulls(),
    "pull of run": lambda hub: hub.pull_of_run(OWNER, "branch", SHA),
    "report of run": lambda hub: hub.report_of_run(1),
    "releases": lambda hub: hub.releases(),
    "commented": lambda hub: hub.commented(1),
    "people": lambda hub: hub.people(1),
}


@pytest.mark.parametrize("action", ACTIONS.values(), ids=ACTIONS)
def test_every_request_reports_errors_as_one_message(
    hub: GitHub, server: Server, action: Callable[[GitHub], object]
) -> None:
    server.proxy.fail(404)
    with pytest.raises(UserError, match=r"^cannot .* at GitHub: not found, or the token has no"):
        action(hub)


@pytest.mark.skipif(sys.platform == "win32", reason="there is no limit on Windows")
@pytest.mark.parametrize("action", ACTIONS.values(), ids=ACTIONS)
def test_an_answer_that_arrives_byte_by_byte_ends_in_one_message(
    hub: GitHub, server: Server, monkeypatch: pytest.MonkeyPatch, action: Callable[[GitHub], object]
) -> None:
    monkeypatch.setattr(retries, "ACTION_LIMIT", 0.3)
    monkeypatch.setattr(proxy, "PAUSE", 1.0)
    server.proxy.fail(Harm.SLOW)

    with pytest.raises(UserError, match=r"^cannot .*: no complete answer within 0.3 seconds\."):
        action(hub)

    # Nothing is left of the limit.
    time.sleep(0.3)


@pytest.mark.skipif(sys.platform == "win32", reason="there is no limit on Windows")
def test_an_archive_that_arrives_byte_by_byte_ends_in_one_message(
    hub: GitHub, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.add_artifact(1, ARTIFACT, {REPORT_FILE: problems_report()})
    monkeypatch.setattr(retries, "ACTION_LIMIT", 0.5)
    server.proxy.fail(Harm.SLOW, "/zip$")

    with pytest.raises(UserError, match="cannot read the report of run 1 at GitHub: no complete"):
        hub.report_of_run(1)


def review(server: Server, number: int, event: str, token: str) -> None:
    path = f"/repos/{REPOSITORY}/pulls/{number}/reviews"
    server.ask("POST", path, {"event": event, "body": "x"}, token=token)


def test_those_who_approve_a_pull_request_are_known_by_their_newest_decision(
    hub: GitHub, server: Server
) -> None:
    number = server.open_pull("branch", SHA)
    assert hub.people(number) == (CONTRIBUTOR, [])
    for event in ("REQUEST_CHANGES", "APPROVE", "COMMENT"):
        review(server, number, event, "owner_token")
    review(server, number, "COMMENT", "bot_token")
    assert hub.people(number) == (CONTRIBUTOR, [OWNER])

    review(server, number, "REQUEST_CHANGES", "owner_token")
    assert hub.people(number) == (CONTRIBUTOR, [])
