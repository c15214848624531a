from collections.abc import Iterator
from typing import Any

import pytest

from scripts.dataset import selection
from scripts.github.doubtful_labels import MARKER, MOST
from scripts.inputs.curation import parse
from tests.doubles.github import BOT, REPOSITORY, Server
from tests.repository import Released, Repository, Run, config_text

ISSUES = f"/repos/{REPOSITORY}/issues"
# Of 1,500 digits some are doubtful; none of 10 is judged.
MANY = config_text(class_="all", samples=150, test_size=30)


@pytest.fixture
def hub(server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("GITHUB_RUN_ID", "77")
    yield server
    for issue in issues(server, "all"):
        server.ask("PATCH", f"{ISSUES}/{issue['number']}", {"state": "closed", "body": "over"})


def issues(hub: Server, state: str = "open") -> list[dict[str, Any]]:
    listed = hub.ask("GET", f"{ISSUES}?state={state}&per_page=100")
    return [issue for issue in listed if issue["body"].startswith(MARKER)]


def test_one_issue_lists_the_worst_with_rows_and_is_closed_when_there_are_none(
    released_as: Released, run: Run, hub: Server
) -> None:
    repository = released_as(MANY)

    first = run("workflow", "report-suspects")

    (issue,) = issues(hub)
    assert first.code == 0
    assert first.out.endswith(f" suspects in v0: {issue['html_url']}\n")
    assert issue["user"]["login"] == BOT
    assert issue["title"].endswith(" labels of v0 look wrong")
    _, csv, _ = issue["body"].split("```")
    rows = parse(csv.removeprefix("csv\n").encode()).decisions
    assert 0 < len(rows) <= 2 * MOST
    assert all(row.action == "relabel" and row.new_label != row.label for row in rows)
    assert f"/{REPOSITORY}/edit/main/curation.csv" in issue["body"]
    # Those of test come first.
    places = [line.split("|")[2].strip() for line in issue["body"].splitlines() if "| `" in line]
    assert places == sorted(places, key=lambda place: not place.startswith("test"))
    assert run("workflow", "report-suspects").out == first.out

    repository.merge(config_text(samples=4, test_size=2, comparable_since="v1"))
    assert run("release").code == 0
    assert run("workflow", "report-suspects").out == (
        f"no suspects in v1; closed {issue['html_url']}\n"
    )
    assert not issues(hub)


def test_nothing_is_reported_of_no_release_and_of_one_that_cannot_be_made_again(
    repository: Repository, run: Run, hub: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("workflow", "report-suspects").out == "there is no release to check\n"
    assert run("release").code == 0
    monkeypatch.setattr(selection, "RULE", 3)
    assert run("workflow", "report-suspects").out.startswith("v0 was made by another selection")
    assert not issues(hub, "all")
