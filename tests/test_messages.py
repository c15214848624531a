import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts import github as github_
from scripts import messages, report
from scripts.errors import UserError
from scripts.git import Git
from scripts.report import Fault, Report
from tests.doubles import github
from tests.doubles.github import REPOSITORY, Server
from tests.repository import Repository, Run, config_text

AS_IT_WAS = "The merge publishes this as **v0**, unless another is first."


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A GitHub, and the environment of a workflow that talks to it."""
    if github.MISSING:
        pytest.skip(github.MISSING)
    folder = tmp_path / "github"
    folder.mkdir()
    with github.running(folder) as made:
        monkeypatch.setenv("GITHUB_TOKEN", github.TOKEN)
        monkeypatch.setenv("GITHUB_REPOSITORY", REPOSITORY)
        monkeypatch.setenv("GITHUB_API_URL", made.url)
        monkeypatch.setattr(github_, "FIRST_WAIT", 0.01)
        yield made


def propose(repository: Repository, server: Server, files: dict[str, bytes]) -> int:
    """Open a pull request that has a comment already."""
    repository.git("fetch", "--quiet", "origin", "main")
    repository.git("switch", "--quiet", "--detach", "origin/main")
    for name, content in files.items():
        (repository.root / name).write_bytes(content)
        repository.git("add", name)
    repository.git("commit", "--quiet", "--message", "Propose")
    head = repository.git("rev-parse", "HEAD")
    number = server.open_pull(f"branch-{head[:8]}", head)
    repository.git("push", "--quiet", "origin", f"HEAD:refs/pull/{number}/head")
    github_.GitHub().comment(number, AS_IT_WAS)
    repository.git("switch", "--quiet", "main")
    return number


def body(server: Server, number: int) -> str:
    (comment,) = server.comments(number)
    text: str = comment["body"]
    return text


def test_each_comment_is_drawn_anew_or_says_that_it_is_out_of_date(
    repository: Repository, run: Run, server: Server
) -> None:
    assert run("release").code == 0
    lock = repository.at_origin("show", "main:dataset.dvc")
    larger = config_text(samples=7).encode()
    config = propose(repository, server, {"dataset_config.yaml": larger})
    invalid = propose(repository, server, {"dataset_config.yaml": b"samples: @octo\n"})
    evil = {"dataset_config.yaml": larger, "dataset.dvc": b"[" * 100_000}
    others = [
        propose(repository, server, evil),
        propose(repository, server, {"dataset.dvc": lock.replace("no3: 3", "no3: 4").encode()}),
        propose(
            repository, server, {"dataset_config.yaml": config_text(source="CIFAR_10").encode()}
        ),
        propose(repository, server, {"requirements.txt": b"pillow\n"}),
    ]
    gone = propose(repository, server, {"README.md": b"more\n"})
    repository.at_origin("update-ref", "-d", f"refs/pull/{gone}/head")

    done = list(messages.refresh(Git(repository.root)))

    assert len(done) == 7
    assert "### dataset v1: +4 samples, 2 classes" in body(server, config)
    assert "### dataset: cannot be made, 1 problem" in body(server, invalid)
    for number in [*others, gone]:
        assert "> Out of date: v0 was published since." in body(server, number)
        assert body(server, number).endswith(AS_IT_WAS)
    assert list(messages.refresh(Git(repository.root))) == []


def test_one_pull_request_that_cannot_be_told_does_not_keep_the_others_from_it(
    repository: Repository, run: Run, server: Server
) -> None:
    assert run("release").code == 0
    larger = config_text(samples=7).encode()
    locked = propose(repository, server, {"dataset_config.yaml": larger})
    other = propose(repository, server, {"dataset_config.yaml": larger})
    server.proxy.fail(403, f"/pulls/{locked}$")
    done = list(messages.refresh(Git(repository.root)))
    assert any("the token may not do this" in line for line in done)
    assert "### dataset v1" in body(server, other)


def test_when_no_comment_can_be_brought_up_to_date_the_run_fails(
    repository: Repository, run: Run, server: Server
) -> None:
    assert run("release").code == 0
    propose(repository, server, {"dataset_config.yaml": config_text(samples=7).encode()})
    server.proxy.fail(403, "/pulls/[0-9]+$")
    with pytest.raises(UserError, match="no comment could be brought up to date"):
        list(messages.refresh(Git(repository.root)))


def test_a_comment_that_is_still_true_is_left_alone(
    repository: Repository, run: Run, server: Server
) -> None:
    assert run("release").code == 0
    number = propose(repository, server, {"requirements.txt": b"pillow\n"})
    still_true = AS_IT_WAS.replace("v0", "v1")
    github_.GitHub().comment(number, still_true)
    assert list(messages.refresh(Git(repository.root))) == []
    assert body(server, number).endswith(still_true)


def test_a_fork_that_is_gone_is_no_error(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = tmp_path / "event.json"
    event.write_text(json.dumps({"workflow_run": {"id": 1, "head_repository": None}}))
    monkeypatch.setenv("GITHUB_EVENT_PATH", str(event))
    assert messages.relay() == "the fork is gone: nothing to say"


def test_no_length_of_a_report_leaves_a_code_span_open() -> None:
    fault = Fault(file=None, line=0, column=0, message="` @octo/team <b> " * 17)
    shown = report.comment(Report(faults=[fault] * 1_000))
    assert len(shown) < 65_536
    assert "- and 980 more" in shown
    lines = [line for line in shown.splitlines() if "@octo" in line]
    assert len(lines) == 20
    for line in lines:
        assert line.startswith("- `` ")
        assert line.endswith(" ``")


def test_the_notes_are_announced_once_and_only_the_newest_is_the_latest(
    repository: Repository, run: Run, server: Server
) -> None:
    assert run("release").code == 0
    repository.merge(config_text(samples=6))
    assert run("release").code == 0
    git = Git(repository.root)
    assert len(list(messages.announce(git))) == 2
    assert list(messages.announce(git)) == []
    first, second = server.releases()
    assert (first["name"], second["name"]) == ("v0: 10 samples (+10)", "v1: 12 samples (+2)")
    assert server.ask("GET", f"/repos/{REPOSITORY}/releases/latest")["tag_name"] == "v1"
