import io
from collections.abc import Callable
from contextlib import chdir, redirect_stdout
from pathlib import Path
from typing import NamedTuple

import dvc.api
import pytest

from scripts.__main__ import main
from scripts.git.git import Git
from scripts.github import marker, proposed
from scripts.github.client import GitHub
from scripts.github.marker import Marker
from scripts.isolated import Limits
from scripts.releases import lock, releases
from tests.doubles.github import CONTRIBUTOR, OWNER, REPOSITORY, Server
from tests.github.test_comments import CONFIG, propose
from tests.publish.test_publish import refuse
from tests.repository import Released, Repository, Run, config_text, copy

Event = Callable[..., None]
LARGER = config_text(samples=7)
CURATION = "sample,action,label,new_label,reason\n"


class Prepared(NamedTuple):
    """A repository, and the name of a manifest in its remote."""

    repository: Repository
    md5: str


@pytest.fixture(scope="module")
def prepared(_originals: Released, tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    """A repository with v0, in whose remote the run of a pull request has stored LARGER."""
    made = copy(_originals(config_text()), tmp_path_factory.mktemp("stored"))
    made.configure(LARGER)
    printed = io.StringIO()
    with chdir(made.root), redirect_stdout(printed):
        for verb in ("build", "push", "plan"):
            assert main([verb]) == 0
    made.git("checkout", "--quiet", ".")
    return Prepared(
        made, next(line.split()[1] for line in printed.getvalue().splitlines() if "md5" in line)
    )


@pytest.fixture
def released(prepared: Prepared, tmp_path: Path) -> Repository:
    """A copy of it."""
    return copy(prepared.repository, tmp_path)


@pytest.fixture
def stored(prepared: Prepared) -> str:
    """The manifest of LARGER, whose objects are in the remote."""
    return prepared.md5


def shown(md5: str) -> str:
    """Return the comment on a pull request that would release `md5`."""
    return marker.compose(Marker(version="v1", against="v0", changed=True, md5=md5), "the report\n")


class Candidates:
    """Runs the verb as after the run of a pull request."""

    def __init__(self, repository: Repository, server: Server, run: Run, event: Event) -> None:
        self._repository, self._server = repository, server
        self._run, self._event = run, event

    def publish(self, number: int) -> list[str]:
        pull = self._server.ask("GET", f"/repos/{REPOSITORY}/pulls/{number}")
        head = {"head_branch": pull["head"]["ref"], "head_sha": pull["head"]["sha"]}
        self._event(workflow_run=head)
        result = self._run("workflow", "publish-candidate")
        assert result.code == 0, result.err
        return result.out.splitlines()

    def branches(self) -> list[str]:
        form = "--format=%(refname:strip=2)"
        return self._repository.at_origin("for-each-ref", form, "refs/heads/candidate").split()


@pytest.fixture
def candidates(released: Repository, run: Run, event: Event, server: Server) -> Candidates:
    return Candidates(released, server, run, event)


def test_a_candidate_holds_what_the_merge_would_release_and_nothing_else(
    candidates: Candidates, released: Repository, server: Server, stored: str, tmp_path: Path
) -> None:
    files = {CONFIG: LARGER.encode(), "README.md": b"More\n", "curation.csv": CURATION.encode()}
    number = propose(released, server, files, shown(stored))

    assert candidates.publish(number) == [f"candidate/{number} holds {stored}"]

    branch = f"candidate/{number}"
    held = released.at_origin("ls-tree", "-r", "--name-only", branch).splitlines()
    names = [".dvc/.gitignore", ".dvc/config", "curation.csv", "dataset.dvc", CONFIG]
    assert held == names
    for name, rev in (
        (".dvc/config", "main"),
        (CONFIG, f"refs/pull/{number}/head"),
        ("curation.csv", f"refs/pull/{number}/head"),
    ):
        contents = [released.at_origin("show", f"{one}:{name}") for one in (branch, rev)]
        assert contents[0] == contents[1]
    recorded = lock.parse(released.at_origin("show", f"{branch}:dataset.dvc").encode())
    assert recorded.md5 == stored
    assert recorded.meta.config["samples"] == 7
    assert released.at_origin("rev-list", "--count", branch) == "1"
    # Not at origin, from where the relative address of the remote would lead elsewhere.
    released.git("fetch", "--quiet", "origin", f"{branch}:{branch}")
    fs = dvc.api.DVCFileSystem(str(released.root), rev=branch)
    fs.get("dataset", str(tmp_path / "got"), recursive=True)
    assert len(list((tmp_path / "got").rglob("*.png"))) == 14


@pytest.mark.isolated
def test_the_comment_shows_how_to_get_the_candidate(
    candidates: Candidates, released: Repository, server: Server, stored: str
) -> None:
    number = propose(released, server, {CONFIG: LARGER.encode()}, shown(stored))
    candidates.publish(number)

    (comment,) = server.comments(number)
    command = f"dvc get https://github.com/{REPOSITORY} dataset --rev candidate/{number}\n"
    assert comment["body"].count(command) == 1
    assert "\nthe report\n" in comment["body"]
    known, _ = marker.parse(comment["body"])
    assert known is not None
    assert known.candidate == stored

    server.proxy.reset()
    candidates.publish(number)
    assert not [one for one in server.proxy.seen if not one.startswith("GET ")]


def test_a_comment_that_shows_another_dataset_gets_no_command(
    candidates: Candidates, released: Repository, server: Server, stored: str
) -> None:
    other = shown(f"{'0' * 32}.dir")
    number = propose(released, server, {CONFIG: LARGER.encode()}, other)
    candidates.publish(number)
    assert server.comments(number)[0]["body"] == other


def test_the_same_pull_request_gives_the_same_commit(
    candidates: Candidates, released: Repository, server: Server, stored: str
) -> None:
    number = propose(released, server, {CONFIG: LARGER.encode()}, shown(stored))
    candidates.publish(number)
    first = released.at_origin("rev-parse", f"candidate/{number}")
    released.at_origin("update-ref", "-d", f"refs/heads/candidate/{number}")
    released.merge_file("README.md", "Main moves on\n")

    candidates.publish(number)

    assert released.at_origin("rev-parse", f"candidate/{number}") == first


def test_a_release_and_a_tag_by_hand_ignore_candidates(
    candidates: Candidates, released: Repository, server: Server, run: Run, stored: str
) -> None:
    number = propose(released, server, {CONFIG: LARGER.encode()}, shown(stored))
    candidates.publish(number)
    released.git("fetch", "--quiet", "origin", f"candidate/{number}")
    released.git("tag", "--annotate", "--message", "by hand", "v1", "FETCH_HEAD")
    found = releases.scan(Git(released.root))
    assert found.rejected == {"v1": "its commit is not on main"}
    released.git("tag", "--delete", "v1")
    assert run("release").out.startswith("nothing to release")


WITHOUT_CANDIDATE: list[tuple[dict[str, str], str]] = [
    ({CONFIG: config_text(samples=9)}, "of its objects are missing in"),
    ({CONFIG: config_text(samples=-1)}, "dataset_config.yaml:3:10: samples: must be"),
    ({CONFIG: f"# reworded\n{config_text()}"}, "it publishes no new version"),
    ({"releases.yaml": "stable: v0\n"}, "it publishes no new version"),
    ({CONFIG: LARGER, "requirements.txt": "x\n"}, "it changes requirements.txt, which only"),
    ({CONFIG: LARGER, ".dvc/config": "[core]\n"}, "it changes .dvc/config, which only"),
    ({CONFIG: LARGER, "scripts/dataset/png.py": "raise\n"}, "it changes scripts/dataset/png.py"),
    ({CONFIG: config_text(samples=60, seed=1)}, "leak: "),
]


def test_without_a_candidate_the_verb_says_why_and_removes_the_one_before(
    candidates: Candidates, released: Repository, server: Server, stored: str
) -> None:
    number = propose(released, server, {CONFIG: LARGER.encode()}, shown(stored))
    candidates.publish(number)
    made = released.at_origin("rev-parse", f"candidate/{number}")
    for files, reason in WITHOUT_CANDIDATE:
        assert candidates.branches() == [f"candidate/{number}"]
        changed = {name: text.encode() for name, text in files.items()}
        other = propose(released, server, changed, None)
        head = released.at_origin("rev-parse", f"refs/pull/{other}/head")
        released.at_origin("update-ref", f"refs/pull/{number}/head", head)
        server.close_pull(other)
        server.set_head(number, head)

        (first, *_) = candidates.publish(number)

        assert first.startswith(f"pull request {number} has no candidate: ")
        assert reason in first
        assert candidates.branches() == []
        released.at_origin("update-ref", f"refs/heads/candidate/{number}", made)


def test_forks_and_dependabot_have_no_candidate(
    candidates: Candidates, released: Repository, server: Server, stored: str
) -> None:
    head = released.git("rev-parse", "main")
    fork = server.open_pull(f"branch-{head[:8]}", head, fork=True)
    released.git("push", "--quiet", "origin", f"{head}:refs/pull/{fork}/head")
    expected = ["no open pull request of this repository has this head: no candidate"]
    assert candidates.publish(fork) == expected

    number = propose(released, server, {CONFIG: LARGER.encode()}, shown(stored))
    pull = server.ask("GET", f"/repos/{REPOSITORY}/pulls/{number}")
    user = server.user("dependabot[bot]")
    server.ask("PATCH", f"/__update/pullRequests/{pull['id']}", {"user_id": user})
    assert candidates.publish(number) == expected
    assert candidates.branches() == []


def test_a_fork_that_belongs_to_the_same_owner_has_no_candidate(
    candidates: Candidates, released: Repository, server: Server, stored: str
) -> None:
    # An organization can have forks of its own repositories.
    number = propose(released, server, {CONFIG: LARGER.encode()}, shown(stored))
    head = released.at_origin("rev-parse", f"refs/pull/{number}/head")
    server.open_pull("other", head, fork=True)
    (fork,) = server.ask("GET", f"/repos/{REPOSITORY}/forks")
    pull = server.ask("GET", f"/repos/{REPOSITORY}/pulls/{number}")
    server.ask("PATCH", f"/__update/pullRequests/{pull['id']}", {"head_repo_id": fork["id"]})
    owner = {"owner_id": server.user(OWNER)}
    server.ask("PATCH", f"/__update/repos/{fork['id']}", owner)
    try:
        done = candidates.publish(number)
    finally:
        owner = {"owner_id": server.user(CONTRIBUTOR)}
        server.ask("PATCH", f"/__update/repos/{fork['id']}", owner)

    assert done == ["no open pull request of this repository has this head: no candidate"]
    assert candidates.branches() == []


def test_a_run_on_commits_that_are_not_the_newest_makes_no_candidate(
    candidates: Candidates,
    released: Repository,
    server: Server,
    run: Run,
    stored: str,
    event: Event,
) -> None:
    number = propose(released, server, {CONFIG: LARGER.encode()}, shown(stored))
    branch = server.ask("GET", f"/repos/{REPOSITORY}/pulls/{number}")["head"]["ref"]
    event(workflow_run={"head_branch": branch, "head_sha": "1" * 40})
    assert run("workflow", "publish-candidate").out == (
        "no open pull request of this repository has this head: no candidate\n"
    )
    # GitHub knows a newer head than origin shows, or the other way around.
    server.set_head(number, "1" * 40)
    (line,) = candidates.publish(number)
    assert line.endswith("newer commits exist; their run publishes it")


@pytest.mark.parametrize("verb", ["publish-candidate", "update-comments"])
def test_the_candidates_of_closed_pull_requests_are_removed(
    candidates: Candidates, released: Repository, server: Server, run: Run, stored: str, verb: str
) -> None:
    closed = propose(released, server, {CONFIG: LARGER.encode()}, shown(stored))
    candidates.publish(closed)
    for name in ("candidate/mine", "candidate/999"):
        released.git("push", "--quiet", "origin", f"main:{name}")
    server.close_pull(closed)
    number = propose(released, server, {CONFIG: f"# x\n{LARGER}".encode()}, shown(stored))

    if verb == "publish-candidate":
        done = candidates.publish(number)
    else:
        candidates.publish(number)
        message = f"Candidate of pull request {closed}"
        tree = released.at_origin("rev-parse", f"candidate/{number}^{{tree}}")
        made = released.at_origin("commit-tree", tree, "-m", message)
        released.at_origin("update-ref", f"refs/heads/candidate/{closed}", made)
        done = run("workflow", "update-comments").out.splitlines()

    assert f"candidate/{closed} is removed" in done
    # What people pushed under such a name stays.
    left = {f"candidate/{number}", "candidate/mine", "candidate/999"}
    assert set(candidates.branches()) == left


def test_a_branch_that_somebody_made_under_the_name_is_not_overwritten(
    candidates: Candidates, released: Repository, server: Server, run: Run, stored: str
) -> None:
    number = propose(released, server, {CONFIG: LARGER.encode()}, shown(stored))
    released.git("push", "--quiet", "origin", f"main:candidate/{number}")
    with pytest.raises(AssertionError, match=f"the branch candidate/{number} is not a candidate"):
        candidates.publish(number)
    tip = released.at_origin("rev-parse", f"candidate/{number}")
    assert tip == released.git("rev-parse", "main")


def test_a_rule_that_forbids_the_push_is_one_message(
    candidates: Candidates, released: Repository, server: Server, stored: str
) -> None:
    number = propose(released, server, {CONFIG: LARGER.encode()}, shown(stored))
    refuse(released, "refs/heads/candidate/*")
    with pytest.raises(AssertionError, match=f"origin rejected the branch candidate/{number}: "):
        candidates.publish(number)


def test_after_a_release_a_candidate_stays_only_while_the_comment_shows_its_dataset(
    candidates: Candidates, released: Repository, server: Server, run: Run, stored: str
) -> None:
    number = propose(released, server, {CONFIG: LARGER.encode()}, shown(stored))
    candidates.publish(number)
    assert run("workflow", "update-comments").out.count("\n") == 1
    # Rendered again, with the same dataset: the command stays, and nothing is written twice.
    text = server.comments(number)[0]["body"]
    assert "### dataset v1:" in text
    assert text.count("dvc get") == 1
    assert run("workflow", "update-comments").out == ""
    assert candidates.branches() == [f"candidate/{number}"]

    GitHub().comment(number, shown(f"{'1' * 32}.dir"))
    run("workflow", "update-comments")
    # Main's code renders the comment with the dataset of the merge again.
    assert candidates.branches() == [f"candidate/{number}"]
    released.merge(config_text(samples=6))
    assert run("release").code == 0
    other = propose(released, server, {CONFIG: config_text(samples=9).encode()}, None)
    head = released.at_origin("rev-parse", f"refs/pull/{other}/head")
    released.at_origin("update-ref", f"refs/pull/{number}/head", head)
    run("workflow", "update-comments")
    assert "dvc get" not in server.comments(number)[0]["body"]
    assert candidates.branches() == []


@pytest.mark.isolated
def test_a_candidate_that_exceeds_a_limit_is_a_failure_and_the_others_go_on(
    candidates: Candidates,
    released: Repository,
    server: Server,
    stored: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    closed = propose(released, server, {CONFIG: LARGER.encode()}, shown(stored))
    candidates.publish(closed)
    server.close_pull(closed)
    number = propose(released, server, {CONFIG: LARGER.encode()}, shown(stored))
    monkeypatch.setattr(proposed, "OWN", Limits(seconds=0.0, memory=2**30))

    with pytest.raises(AssertionError, match=f"pull request {number}: it takes longer than 0 sec"):
        candidates.publish(number)

    # That of the closed one is removed.
    assert candidates.branches() == []
