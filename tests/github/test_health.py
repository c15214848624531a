import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from scripts.dataset import selection
from scripts.github import health
from scripts.github.health import MARKER
from tests.doubles.github import BOT, CONTRIBUTOR, REPOSITORY, TOKEN, Server
from tests.publish.test_repair import files_of, lock_of
from tests.repository import Released, Repository, Result, Run, config_text, git

ISSUES = f"/repos/{REPOSITORY}/issues"
Issue = dict[str, Any]


class Issues:
    """The issues of the repository."""

    def __init__(self, server: Server) -> None:
        self.server = server

    def all(self, state: str = "open") -> list[Issue]:
        listed = self.server.ask("GET", f"{ISSUES}?state={state}&per_page=100")
        return [issue for issue in listed if issue["body"].startswith(MARKER)]

    def only(self, state: str = "open") -> Issue:
        (issue,) = self.all(state)
        return issue

    def open(self, body: str, token: str = "contributor_token") -> int:  # noqa: S107
        made = self.server.ask("POST", ISSUES, {"title": "Damage", "body": body}, token=token)
        number: int = made["number"]
        return number

    def close(self, number: int) -> None:
        self.server.ask("PATCH", f"{ISSUES}/{number}", {"state": "closed"})


@pytest.fixture
def issues(server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Issues]:
    monkeypatch.setenv("GITHUB_RUN_ID", "77")
    found = Issues(server)
    yield found
    server.proxy.recover()
    for issue in found.all("all"):
        # What other tests find is theirs alone.
        server.ask("PATCH", f"{ISSUES}/{issue['number']}", {"state": "closed", "body": "over"})


@pytest.fixture
def released(released_as: Released) -> Repository:
    """A repository with v0 and v1; every file of v0 is also one of v1."""
    return released_as(config_text(), config_text(samples=8))


@pytest.fixture
def report(released: Repository, run: Run, issues: Issues) -> Callable[[], Result]:
    return lambda: run("workflow", "report-health")


Report = Callable[[], Result]


def damage(repository: Repository, md5: str) -> None:
    repository.object_file(md5).chmod(0o644)
    repository.object_file(md5).write_bytes(b"damaged")


def one_of(repository: Repository) -> tuple[str, str]:
    """Return the name of a file of v0 and v1, and its object."""
    return next(iter(files_of(repository, "v0").items()))


def test_intact_releases_need_no_issue(report: Report, issues: Issues) -> None:
    assert report() == (0, "all 2 releases are complete and intact\n", "")
    assert not issues.all("all")


def test_one_issue_follows_the_damage_until_it_is_repaired(
    released: Repository, report: Report, run: Run, issues: Issues
) -> None:
    name, md5 = one_of(released)
    whole = released.object_file(md5).read_bytes()
    damage(released, md5)

    first = report()

    issue = issues.only()
    assert (first.code, first.err) == (0, "")
    assert first.out == f"2 of 2 releases are damaged: {issue['html_url']}\n"
    assert (issue["user"]["login"], issue["title"]) == (BOT, "v0, v1 are damaged")
    for text in (
        "### v0\n\n",
        f"- `dataset/{name}: checksum mismatch in {released.bucket}`\n",
        f"\nrm -f {released.object_file(md5)}\n",
        "\npython -m scripts repair v0\n",
        "\npython -m scripts repair v1\n",
        f"https://github.com/{REPOSITORY}/actions/runs/77",
    ):
        assert text in issue["body"]

    # Something else is wrong by the next week.
    released.object_file(md5).unlink()
    released.object_file(lock_of(released, "v1").md5).unlink()
    assert report().code == 0
    updated = issues.only()
    assert updated["number"] == issue["number"]
    assert f"- `dataset/{name}: missing in {released.bucket}`\n" in updated["body"]
    assert "is missing in" in updated["body"].partition("### v1")[2]
    assert "rm -f" not in updated["body"]

    # What the issue says to do helps.
    for tag in re.findall(r"^python -m scripts repair (\S+)$", updated["body"], re.MULTILINE):
        assert run("repair", tag).code == 0
    assert released.object_file(md5).read_bytes() == whole
    assert report().out == (f"all 2 releases are complete and intact; closed {issue['html_url']}\n")
    assert not issues.all()
    closed = issues.only("closed")
    assert (closed["number"], closed["state_reason"]) == (issue["number"], "completed")
    assert "All 2 releases are complete and intact again" in closed["body"]

    # Another damage is another issue.
    damage(released, md5)
    report()
    assert issues.only()["number"] != issue["number"]


def test_the_same_damage_writes_the_same_issue(
    released: Repository, report: Report, issues: Issues
) -> None:
    damage(released, one_of(released)[1])
    report()
    issues.server.proxy.seen.clear()
    report()
    assert not [line for line in issues.server.proxy.seen if not line.startswith("GET")]


def test_an_issue_of_somebody_else_is_left_alone(
    released: Repository, report: Report, issues: Issues
) -> None:
    theirs = issues.open(f"{MARKER}mine")
    ours = issues.open("Something that a workflow asked", token=TOKEN)
    assert report().out == "all 2 releases are complete and intact\n"
    assert issues.only()["number"] == theirs

    damage(released, one_of(released)[1])
    report()

    assert len(issues.all()) == 2
    assert {issue["user"]["login"] for issue in issues.all()} == {BOT, CONTRIBUTOR}
    for number, body in ((theirs, f"{MARKER}mine"), (ours, "Something that a workflow asked")):
        assert issues.server.ask("GET", f"{ISSUES}/{number}")["body"] == body
    issues.close(ours)


def test_an_issue_that_was_edited_in_a_browser_is_still_ours(
    released: Repository, report: Report, issues: Issues
) -> None:
    damage(released, one_of(released)[1])
    report()
    issue = issues.only()
    edited = {"body": issue["body"].replace("\n", "\r\n")}
    issues.server.ask("PATCH", f"{ISSUES}/{issue['number']}", edited)
    report()
    assert issues.only()["number"] == issue["number"]


def test_an_answer_that_was_lost_opens_no_second_issue(
    released: Repository, report: Report, issues: Issues
) -> None:
    damage(released, one_of(released)[1])
    issues.server.proxy.fail(502, f"POST {ISSUES}", count=1, late=True)
    assert report().code == 0
    assert issues.only()


def test_a_remote_that_is_unreachable_says_nothing_of_its_releases(
    released: Repository, report: Report, issues: Issues
) -> None:
    damage(released, one_of(released)[1])
    report()
    before = issues.only()["body"]
    released.bucket.rename(released.place / "away")
    # A file in place of the folder.
    released.bucket.write_bytes(b"")
    result = report()
    released.bucket.unlink()
    (released.place / "away").rename(released.bucket)
    assert (result.code, result.out) == (1, "")
    assert result.err.startswith("error: cannot read from ")
    assert issues.only()["body"] == before


def test_a_version_of_an_older_rule_is_for_its_own_scripts(
    released: Repository, report: Report, issues: Issues, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selection, "RULE", selection.RULE + 1)
    damage(released, one_of(released)[1])
    report()
    body = issues.only()["body"]
    assert "git switch --detach v0\n" in body
    assert body.index("git switch --detach v0") < body.index("python -m scripts repair v0 ||")


def test_a_tag_that_is_no_release_and_a_wrong_stable_release_are_named(
    released: Repository, report: Report, issues: Issues
) -> None:
    released.git("tag", "v7", "HEAD")
    released.merge_file("releases.yaml", "stable: v9\n")
    report()
    body = issues.only()["body"]
    assert issues.only()["title"] == "v7, stable (v9) are damaged"
    assert "`v7 is not a release: it is not an annotated tag`" in body
    assert "delete it: `git push origin :refs/tags/v7`" in body
    assert "### stable (v9)" in body
    assert "scripts repair" not in body


def test_a_stable_release_that_is_damaged_is_named_once(
    released: Repository, report: Report, issues: Issues
) -> None:
    released.merge_file("releases.yaml", "stable: v1\n")
    released.object_file(lock_of(released, "v1").md5).unlink()
    report()
    assert issues.only()["title"] == "v1 is damaged"


def test_what_others_wrote_is_shown_as_it_is(
    released: Repository, report: Report, issues: Issues
) -> None:
    released.merge_file("releases.yaml", "stable: '@octo <b>'\n")
    report()
    for line in issues.only()["body"].splitlines():
        if "@octo" in line:
            assert re.fullmatch(r"- (`+).*@octo.*\1", line)


def test_a_very_long_report_is_cut(
    released: Repository, report: Report, issues: Issues, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "MAX_SHOWN", 1)
    monkeypatch.setattr(health, "MAX_REMOVALS", 2)
    for md5 in files_of(released, "v0").values():
        damage(released, md5)
    report()
    issue = issues.only()
    assert issue["title"] == "v0 and 1 more are damaged"
    assert issue["body"].count("rm -f") == 2
    assert "And 8 more; the next command lists them." in issue["body"]
    assert "And 1 more: run `python -m scripts verify`." in issue["body"]


def test_a_runner_does_not_report_a_folder_that_it_cannot_read(
    released: Repository, report: Report, issues: Issues, monkeypatch: pytest.MonkeyPatch
) -> None:
    damage(released, one_of(released)[1])
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    result = report()
    assert result.code == 0
    assert "The remote of v0 is a folder, which this runner cannot read." in result.out
    assert result.out.endswith("there is no release to check\n")
    assert not issues.all("all")


def test_before_the_first_release_there_is_nothing_to_check(
    repository: Repository, run: Run, issues: Issues
) -> None:
    assert run("workflow", "report-health") == (0, "there is no release to check\n", "")
    assert git(repository.origin, "tag") == ""
