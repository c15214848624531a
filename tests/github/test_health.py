import json
import re
import shlex
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
import requests

from scripts.dataset import selection
from scripts.github import health
from scripts.github.health import MARKER, SettingsCheck, WrongSetting
from scripts.setup import shell, weekly
from scripts.setup.looks import Looks
from scripts.setup.repository import LABEL
from scripts.setup.shell import Ran
from scripts.setup.step import State, Wanted
from scripts.setup.steps import STEPS, judged
from tests.doubles.cloud import Cloud
from tests.doubles.github import BOT, CONTRIBUTOR, REPOSITORY, TOKEN, Server
from tests.publish.test_repair import files_of, lock_of
from tests.repository import TEMPLATE, Released, Repository, Result, Run, config_text, git

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


# What is wrong with the settings.


@pytest.fixture
def cloud(repository: Repository, issues: Issues, monkeypatch: pytest.MonkeyPatch) -> Cloud:
    """A repository that is set up, as a workflow sees it; nothing is released."""
    del issues
    made = Cloud()
    monkeypatch.setattr(shell, "run", made)
    bucket = TEMPLATE[".dvc/config"].replace("url = storage", "url = gs://acme-dataset/ds")
    repository.merge_file(".dvc/config", bucket)
    return made


@pytest.fixture
def set_up(cloud: Cloud, run: Run, monkeypatch: pytest.MonkeyPatch) -> Cloud:
    given = ("--yes", "--project", "acme-data", "--bucket", "acme-dataset")
    assert run("setup", *given).code == 0
    cloud.merge()
    cloud.github["rights"] = "token"
    cloud.google["forbidden"] += ["projects", "iam", "services", "storage buckets get-iam-policy"]
    monkeypatch.setenv("REPOSITORY_VARIABLES", json.dumps(cloud.github["variables"]))
    return cloud


def test_settings_that_a_workflow_sees_as_right_need_no_issue(
    set_up: Cloud, run: Run, issues: Issues
) -> None:
    result = run("workflow", "report-health")
    assert (result.code, result.err) == (0, "")
    seen = r"there is no release to check; settings: (\d+) right, 0 missing or wrong, (\d+) that"
    right, unseen = map(int, re.match(seen, result.out).groups())  # type: ignore[union-attr]
    assert right >= 7
    assert unseen >= 10
    assert not issues.all("all")


def test_wrong_settings_are_in_the_issue_until_they_are_right(
    set_up: Cloud, run: Run, issues: Issues
) -> None:
    set_up.github["environments"]["release"]["policy"] = None
    set_up.github["labels"].remove("curate")
    result = run("workflow", "report-health")
    issue = issues.only()
    assert result.out.endswith(f": {issue['html_url']}\n")
    assert issue["title"] == "2 settings are wrong"
    for text in (
        "### Settings\n\n2 settings are missing or wrong, as of [this check](",
        "\n- `wrong environment release: every branch can use it`\n",
        f"\ngh label create curate --repo {REPOSITORY} --description 'Propose what this",
        "An owner of the repository sees all of them: `python -m scripts doctor`. This workflow",
    ):
        assert text in issue["body"], issue["body"]
    assert "\n\n\n" not in issue["body"]

    for line in re.findall(r"^(?:gh|printf) .*$", issue["body"], re.MULTILINE):
        stdin, _, command = line.rpartition(" | ")
        set_up.github["rights"] = "owner"
        words = shlex.split(command)
        assert set_up(words, shlex.split(stdin)[2] if stdin else "").code == 0
    set_up.github["rights"] = "token"
    assert f"closed {issue['html_url']}" in run("workflow", "report-health").out
    assert "The settings are right again" in issues.only("closed")["body"]


def test_settings_and_damage_are_in_the_same_issue(
    released: Repository, run: Run, issues: Issues, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = SettingsCheck([WrongSetting("wrong    a step: it is", ["mend it"])], 0, "; settings")
    monkeypatch.setattr(weekly, "check", lambda _: broken)
    damage(released, one_of(released)[1])
    run("workflow", "report-health")
    assert issues.only()["title"] == "v0, v1 are damaged; 1 setting is wrong"
    assert "### v0\n" in issues.only()["body"]
    assert "### Settings\n" in issues.only()["body"]


def test_settings_that_cannot_be_checked_fail_nothing(
    cloud: Cloud, run: Run, issues: Issues
) -> None:
    cloud.github["login"] = False
    result = run("workflow", "report-health")
    assert (result.code, result.err) == (0, "")
    assert not issues.all("all")


def test_a_copy_of_the_template_without_a_bucket_has_no_settings_to_check(
    repository: Repository, run: Run, issues: Issues, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Cloud()
    made.github["login"] = False
    monkeypatch.setattr(shell, "run", made)
    assert run("workflow", "report-health").out == "there is no release to check\n"


def test_the_emulator_says_what_the_stand_ins_say(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """GitHub's emulator knows the repository and its labels."""

    def gh(words: Sequence[str], _: str = "") -> Ran:
        _, verb, *rest = words
        if verb == "label":
            server.ask("POST", f"/repos/{REPOSITORY}/labels", {"name": rest[1]})
            return Ran(0, "", "")
        (path, *more), fields = rest, {}
        method = more[1] if more else "GET"
        for pair in more[3::2]:
            name, _, value = pair.partition("=")
            fields[name] = json.loads(value)
        try:
            answer = server.ask(method, f"/{path}", fields or None)
        except requests.HTTPError as error:
            return Ran(1, "", f"gh: Not Found (HTTP {str(error)[:3]})")
        return Ran(0, json.dumps(answer), "")

    monkeypatch.setattr(shell, "run", gh)
    names = {"merge methods": State.WRONG, f"label {LABEL}": State.MISSING}
    chosen = [step for step in STEPS if step.name in names]
    wanted = Wanted(REPOSITORY)
    before = dict(judged(wanted, Looks(), chosen))
    assert {step.name: found.state for step, found in before.items()} == names
    for verdict in before.values():
        for command in verdict.mend:
            assert gh(command.words).code == 0
    assert {found.state for _, found in judged(wanted, Looks(), chosen)} == {State.RIGHT}
    server.ask("DELETE", f"/repos/{REPOSITORY}/labels/{LABEL}")
    server.ask("PATCH", f"/repos/{REPOSITORY}", {"allow_rebase_merge": True})
