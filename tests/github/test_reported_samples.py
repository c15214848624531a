import re
import shutil
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from scripts.curation.samples import Samples
from scripts.errors import UserError
from scripts.git.git import Git
from scripts.github.client import GitHub
from scripts.github.reported_samples import MARKER
from scripts.releases import releases, resolve
from scripts.releases.history import History
from tests.doubles.github import BOT, CONTRIBUTOR, OWNER, Server
from tests.github.test_issue_form import body
from tests.repository import Repository, Result, Run, config_text

Event = Callable[..., None]
HEADER = "sample,action,label,new_label,reason\n"


@pytest.fixture
def report(
    released: Repository,
    server: Server,
    run: Run,
    event: Event,
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[..., Result]:
    """Set the label of an issue, whose number is the first argument, and run the verb."""
    monkeypatch.setenv("GITHUB_RUN_ID", "77")
    released.git("pull", "--quiet", "--ff-only", "origin", "main")

    def report(number: int, text: str | None, sender: str = OWNER) -> Result:
        event(issue={"number": number, "body": text}, sender={"login": sender})
        return run("workflow", "curate-issue")

    return report


Report = Callable[..., Result]


def samples(repository: Repository) -> Samples:
    git = Git(repository.root)
    return Samples(resolve.work_tree(git), History(git))


def free(repository: Repository, count: int) -> list[tuple[str, str]]:
    """Return samples that are in no release, each with its label."""
    found = samples(repository)
    rows = [row for row in found.images.first.values() if found.split(row) is None][:count]
    return [(found.identifier(row), found.label(row)) for row in rows]


def trained(repository: Repository) -> str:
    found = samples(repository)
    rows = found.images.first.values()
    return next(found.identifier(row) for row in rows if found.split(row) == "train")


def answer(server: Server, number: int) -> str:
    """Return the only comment on an issue, without its hidden first line."""
    (comment,) = server.comments(number)
    assert comment["user"]["login"] == BOT
    text: str = comment["body"]
    assert text.startswith(MARKER)
    return text.removeprefix(MARKER)


def branches(repository: Repository) -> list[str]:
    return repository.at_origin("branch", "--format=%(refname:short)").split()


def proposed(repository: Repository, number: int) -> str:
    """Return the curation on the branch for an issue; it changes nothing else."""
    branch = f"curate/issue-{number}"
    assert repository.at_origin("diff", "--name-only", f"{branch}~", branch) == "curation.csv"
    assert repository.at_origin("rev-parse", f"{branch}~") == repository.tip()
    return repository.at_origin("show", f"{branch}:curation.csv") + "\n"


def test_reported_samples_are_proposed_on_a_branch(
    released: Repository, server: Server, report: Report
) -> None:
    (first, label), (second, other) = free(released, 2)
    text = body(f"{first}\ntest/3/{second}.png", "move to test", 'the model says "7", wrongly')
    number = server.open_issue(text)

    result = report(number, text)

    assert result.code == 0, result.err
    because = f'"reported in #{number}: the model says ""7"", wrongly"'
    assert proposed(released, number) == (
        f"{HEADER}{first},test,{label},,{because}\n{second},test,{other},,{because}\n"
    )
    shown = answer(server, number)
    assert shown.startswith(f"The branch `curate/issue-{number}` has 2 new rows in `curation.csv`.")
    assert "Not added" not in shown
    link = urlsplit(shown.split("](")[1].split(")")[0])
    assert link.path == f"/octo/ds/compare/main...curate/issue-{number}"
    assert parse_qs(link.query) == {
        "expand": ["1"],
        "title": [f"Curate the samples of issue {number}"],
        "body": [f"Closes #{number}"],
    }


def test_images_to_add_are_answered_with_the_commands(
    released: Repository, server: Server, report: Report
) -> None:
    number = server.open_issue("")
    lines = "gs://photos/$(id).png 3\ngs://photos/b.jpg 7\ngs://photos/c.png 3\ngs://x/d.png cat"

    assert report(number, body(lines, "add")).code == 0

    shown = answer(server, number)
    (commands,) = re.findall(r"```sh\n(.*?)\n```", shown, re.DOTALL)
    assert commands.splitlines() == [
        "mkdir -p additions/test/3",
        "mkdir -p additions/test/7",
        f"gcloud storage cp 'gs://photos/$(id).png' additions/test/3/{number}-1.png",
        f"gcloud storage cp gs://photos/b.jpg additions/test/7/{number}-2.jpg",
        f"gcloud storage cp gs://photos/c.png additions/test/3/{number}-3.png",
    ]
    assert "- `gs://x/d.png`: `digits has no class cat; it has 0, 1, 2" in shown
    assert "Nothing was added" not in shown
    assert f"curate/issue-{number}" not in branches(released)


def test_the_branch_gives_a_valid_dataset(
    released: Repository, server: Server, report: Report, run: Run
) -> None:
    (first, label), (second, _) = free(released, 2)
    new = "8" if label != "8" else "1"
    number = server.open_issue("")
    assert report(number, body(f"{first} {new}", "relabel")).code == 0
    other = server.open_issue("")
    assert report(other, body(second)).code == 0

    for one in (number, other):
        released.git("fetch", "--quiet", "origin", f"curate/issue-{one}")
        released.git("switch", "--quiet", "--detach", "FETCH_HEAD")
        assert run("validate").code == 0


def test_what_cannot_be_followed_is_listed_with_the_reason(
    released: Repository, server: Server, report: Report
) -> None:
    sample, in_train = free(released, 1)[0][0], trained(released)
    number = server.open_issue("")

    assert report(number, body(f"{sample}\n{in_train}\n99999\n<b>@octo", "move to test")).code == 0

    assert proposed(released, number).count("\n") == 2
    shown = answer(server, number)
    assert " has 1 new row in " in shown
    assert f"- `{in_train}`: `it is in the train set of v0`\n" in shown
    assert "- `99999`: `digits has no such sample`\n" in shown
    assert "- `<b>@octo`: `expected the name of a file of the dataset, such as 00058`\n" in shown


@pytest.mark.parametrize("text", [None, "", "fix it", body("99999"), body("cat", "exclude")])
def test_where_nothing_can_be_followed_there_is_no_branch(
    released: Repository, server: Server, report: Report, text: str | None
) -> None:
    number = server.open_issue("")

    assert report(number, text).code == 0

    assert branches(released) == ["main"]
    assert answer(server, number).startswith("Nothing was added to `curation.csv`.\n\nNot added:\n")


@pytest.mark.parametrize("permission", ["read", "none", "triage", None])
def test_a_label_of_somebody_without_write_access_has_no_effect(
    released: Repository, server: Server, report: Report, permission: str | None
) -> None:
    if permission:
        server.permissions[CONTRIBUTOR] = permission
    number = server.open_issue("")

    assert report(number, body(free(released, 1)[0][0]), CONTRIBUTOR).code == 0

    assert branches(released) == ["main"]
    assert answer(server, number).startswith(
        f"Nothing was done: `{CONTRIBUTOR}` cannot write to this repository."
    )


@pytest.mark.parametrize("permission", ["admin", "write"])
def test_a_label_of_somebody_with_write_access_counts(
    released: Repository, server: Server, report: Report, permission: str
) -> None:
    server.permissions[CONTRIBUTOR] = permission
    number = server.open_issue("")

    assert report(number, body(free(released, 1)[0][0]), CONTRIBUTOR).code == 0

    assert branches(released) == [f"curate/issue-{number}", "main"]


def test_a_later_run_makes_the_branch_anew_and_updates_the_answer(
    released: Repository, server: Server, report: Report
) -> None:
    (first, _), (second, _) = free(released, 2)
    number = server.open_issue("")
    report(number, body(first))
    before = released.at_origin("rev-parse", f"curate/issue-{number}")
    # The same again changes nothing.
    report(number, body(first))
    assert released.at_origin("rev-parse", f"curate/issue-{number}") == before

    released.merge(config_text(samples=6))
    assert report(number, body(f"{second}\n{first}\nx")).code == 0

    rows = [line.split(",")[0] for line in proposed(released, number).splitlines()[1:]]
    assert rows == [second, first]
    assert "- `x`: " in answer(server, number)


def test_rows_that_main_has_are_kept(released: Repository, server: Server, report: Report) -> None:
    (first, _), (second, label) = free(released, 2)
    released.merge_file("curation.csv", f"{HEADER}{first},exclude,,,odd\n")
    number = server.open_issue("")

    assert report(number, body(f"{first}\n{second}")).code == 0

    because = f"reported in #{number}: blurred"
    assert proposed(released, number) == (
        f"{HEADER}{first},exclude,,,odd\n{second},exclude,{label},,{because}\n"
    )
    assert "`it is curated already: exclude on line 2`" in answer(server, number)


def test_commits_of_others_on_the_branch_are_not_overwritten(
    released: Repository, server: Server, report: Report
) -> None:
    number, name = server.open_issue(""), free(released, 1)[0][0]
    report(number, body(name))
    branch = f"curate/issue-{number}"
    released.git("fetch", "--quiet", "origin", branch)
    released.git("switch", "--quiet", "--detach", "FETCH_HEAD")
    released.git("commit", "--quiet", "--allow-empty", "--message", "By hand")
    released.git("push", "--quiet", "origin", f"HEAD:{branch}")
    by_hand = released.git("rev-parse", "HEAD")
    released.git("switch", "--quiet", "main")

    result = report(number, body(name, "move to test"))

    message = f"the branch {branch} has commits by somebody else."
    assert result.code == 1
    assert message in result.err
    assert released.at_origin("rev-parse", branch) == by_hand
    shown = answer(server, number)
    assert shown.startswith(f"Nothing was done, because this failed: `{message}")
    assert "[The run](https://github.com/octo/ds/actions/runs/77)" in shown


def test_a_push_in_between_is_not_overwritten(
    released: Repository, server: Server, report: Report, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = server.open_issue("")
    branch = f"curate/issue-{number}"
    push = Git.output

    def first(git: Git, *arguments: str, **given: Any) -> bytes:
        if arguments[0] == "push":
            released.git("push", "--quiet", "origin", f"HEAD:refs/heads/{branch}")
        return push(git, *arguments, **given)

    monkeypatch.setattr(Git, "output", first)
    result = report(number, body(free(released, 1)[0][0]))

    assert result.code == 1
    assert f"cannot push {branch} to origin" in result.err
    assert released.at_origin("rev-parse", branch) == released.tip()


def test_where_a_release_cannot_be_read_nothing_is_pushed_and_the_answer_says_why(
    released: Repository, server: Server, report: Report, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, number = free(released, 1)[0][0], server.open_issue("")
    monkeypatch.setattr("scripts.dataset.selection.RULE", 3)

    def unreadable(*_: object) -> None:
        raise UserError("the bucket is closed")

    monkeypatch.setattr(releases, "remote_of", unreadable)
    shutil.rmtree(released.cache)

    result = report(number, body(name, "move to test"))

    assert result.code == 1
    assert "v0 cannot be read here (the bucket is closed)" in result.err
    assert branches(released) == ["main"]
    assert "v0 cannot be read here (the bucket is closed)" in answer(server, number)


def test_a_comment_of_somebody_else_is_not_taken_for_the_answer(
    released: Repository, server: Server, report: Report
) -> None:
    number = server.open_issue("")
    path = f"/repos/octo/ds/issues/{number}/comments"
    server.ask("POST", path, {"body": f"{MARKER}mine"}, token="contributor_token")  # noqa: S106
    GitHub().answer(number, "<!-- another -->\n", "of another workflow")

    report(number, body("cat"))
    report(number, body("dog"))

    bodies = [comment["body"] for comment in server.comments(number)]
    assert len(bodies) == 3
    assert bodies[0] == f"{MARKER}mine"
    assert "`dog`" in bodies[2]


def test_no_issue_makes_a_comment_that_is_too_long(server: Server, report: Report) -> None:
    number = server.open_issue("")

    assert report(number, body("\n".join("`" * 60 + "\x1b" * 60 for _ in range(100)))).code == 0

    shown = answer(server, number)
    assert len(shown) < 65_536
    assert shown.count("\n- ") == 100
