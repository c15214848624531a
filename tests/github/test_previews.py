"""The contact sheet of a pull request is a picture in its comment, whoever opened it."""

import io
import re
from collections.abc import Callable

import pytest
from PIL import Image

from scripts.git.git import Git
from scripts.github import marker, merges, previews, proposed
from scripts.github.client import GitHub
from scripts.isolated import Limits
from scripts.publish import origin
from scripts.releases import lock
from tests.doubles.github import CONTRIBUTOR, OWNER, REPOSITORY, Server
from tests.github.test_candidates import LARGER, shown
from tests.github.test_comments import CONFIG, body, propose
from tests.repository import Repository, Run, config_text

Event = Callable[..., None]
IMAGE = re.compile(
    rf"\n\[!\[[^\]]+\]\((https://github\.com/{REPOSITORY}/blob/previews/([^?)]+)\?raw=true)\)\]\(\1\)\n"
)


class Previews:
    """Runs the verb as after the run of a pull request."""

    def __init__(self, repository: Repository, server: Server, run: Run, event: Event) -> None:
        self.repository, self._server = repository, server
        self._run, self._event = run, event

    def publish(self, number: int, owner: str = OWNER) -> list[str]:
        pull = self._server.ask("GET", f"/repos/{REPOSITORY}/pulls/{number}")
        head = {
            "head_branch": pull["head"]["ref"],
            "head_sha": pull["head"]["sha"],
            "head_repository": {"owner": {"login": owner}},
        }
        self._event(workflow_run=head)
        result = self._run("workflow", "publish-preview")
        assert result.code == 0, result.err
        return result.out.splitlines()

    def files(self) -> list[str]:
        if "previews" not in self.repository.at_origin("branch", "--format=%(refname:strip=2)"):
            return []
        return self.repository.at_origin("ls-tree", "-r", "--name-only", "previews").splitlines()

    def sheet(self, name: str) -> Image.Image:
        git_ = Git(self.repository.origin)
        return Image.open(io.BytesIO(git_.output("show", f"previews:{name}")))


@pytest.fixture
def previewed(released: Repository, server: Server, run: Run, event: Event) -> Previews:
    return Previews(released, server, run, event)


@pytest.fixture
def md5(previewed: Previews, run: Run) -> str:
    """The manifest of LARGER."""
    previewed.repository.configure(LARGER)
    found = re.search(r"[0-9a-f]{32}\.dir", run("plan").out)
    previewed.repository.git("checkout", "--quiet", ".")
    assert found
    return found[0]


def fork(repository: Repository, server: Server, files: dict[str, bytes], text: str) -> int:
    """Open a pull request of a fork, with a comment."""
    number = propose(repository, server, files, text)
    pull = server.ask("GET", f"/repos/{REPOSITORY}/pulls/{number}")
    server.close_pull(number)
    sha, branch = pull["head"]["sha"], f"fork-{number}"
    forked = server.open_pull(branch, sha, fork=True)
    repository.git("push", "--quiet", "origin", f"{sha}:refs/pull/{forked}/head")
    GitHub().comment(forked, text)
    return forked


def test_the_comment_shows_the_sheet_that_mains_code_drew(
    previewed: Previews, server: Server, md5: str
) -> None:
    number = propose(previewed.repository, server, {CONFIG: LARGER.encode()}, shown(md5))

    assert previewed.publish(number) == [f"previews has the sheet of pull request {number}"]

    (name,) = previewed.files()
    assert re.fullmatch(rf"{number}-[0-9a-f]{{16}}\.png", name)
    image = IMAGE.search(body(server, number))
    assert image
    assert image[2] == name
    sheet = previewed.sheet(name)
    assert sheet.format == "PNG"
    assert sheet.height > 100
    # One commit without a parent, which has nothing else.
    assert previewed.repository.at_origin("rev-list", "--count", "previews") == "1"


def test_the_picture_is_shown_once_and_the_candidate_below_it_stays(
    previewed: Previews, server: Server, md5: str
) -> None:
    text = marker.with_candidate(shown(md5), md5, "the candidate\n")
    number = propose(previewed.repository, server, {CONFIG: LARGER.encode()}, text)
    previewed.publish(number)
    first, commit = body(server, number), previewed.repository.at_origin("rev-parse", "previews")
    server.proxy.sent.clear()
    previewed.publish(number)
    assert body(server, number) == first
    assert previewed.repository.at_origin("rev-parse", "previews") == commit
    assert not server.proxy.sent
    assert len(IMAGE.findall(first)) == 1
    assert first.startswith(text.partition("the report")[0].partition("\n")[0])
    assert first.endswith("<!-- candidate -->\nthe candidate\n")
    # A candidate that is published later keeps the picture.
    again = marker.with_candidate(first, md5, "another candidate\n")
    assert IMAGE.search(again)
    assert again.endswith("another candidate\n")


def test_a_comment_that_shows_another_dataset_gets_no_picture(
    previewed: Previews, server: Server, md5: str
) -> None:
    other = shown(f"{'0' * 32}.dir")
    number = propose(previewed.repository, server, {CONFIG: LARGER.encode()}, other)
    previewed.publish(number)
    assert body(server, number) == other


@pytest.mark.isolated
def test_a_new_commit_replaces_the_sheet_and_a_closed_pull_request_has_none(
    previewed: Previews, server: Server, md5: str
) -> None:
    repository = previewed.repository
    first = propose(repository, server, {CONFIG: LARGER.encode()}, shown(md5))
    second = propose(repository, server, {CONFIG: config_text(samples=9).encode()}, shown("x"))
    for number in (first, second):
        previewed.publish(number)
    before = previewed.files()
    assert [name.partition("-")[0] for name in before] == sorted(map(str, (first, second)))

    sha = server.ask("GET", f"/repos/{REPOSITORY}/pulls/{second}")["head"]["sha"]
    repository.git("push", "--quiet", "--force", "origin", f"{sha}:refs/pull/{first}/head")
    server.set_head(first, sha)
    previewed.publish(first)
    assert previewed.files() != before
    assert len(previewed.files()) == 2

    server.close_pull(first)
    assert previewed.publish(second) == [f"previews has the sheet of pull request {second}"]
    assert [name.partition("-")[0] for name in previewed.files()] == [str(second)]
    server.close_pull(second)
    assert previewed.publish(second) == ["no open pull request has this head: no preview"]
    assert previewed.files() == []


def test_a_fork_gets_its_picture_from_its_config(
    previewed: Previews, server: Server, md5: str
) -> None:
    number = fork(previewed.repository, server, {CONFIG: LARGER.encode()}, shown(md5))
    assert previewed.publish(number, CONTRIBUTOR) == [
        f"previews has the sheet of pull request {number}"
    ]
    assert IMAGE.search(body(server, number))


@pytest.mark.parametrize(
    "files",
    [
        {CONFIG: LARGER.encode(), "scripts/review/contact_sheet.py": b"raise SystemExit\n"},
        {CONFIG: LARGER.encode(), "scripts/dataset/png.py": b"raise SystemExit\n"},
        {CONFIG: LARGER.encode(), "additions/train/3/x.png": b"a bomb"},
        {CONFIG: config_text(source="mnist_784").encode()},
        {CONFIG: b"samples: many\n"},
        {"README.md": b"More\n"},
    ],
    ids=["the drawing", "the build", "images", "another source", "an invalid config", "no data"],
)
def test_nothing_but_the_config_and_the_curation_of_a_fork_is_used(
    previewed: Previews, server: Server, md5: str, files: dict[str, bytes]
) -> None:
    number = fork(previewed.repository, server, files, shown(md5))
    printed = previewed.publish(number, CONTRIBUTOR)
    drawn = "scripts/review/contact_sheet.py" in files
    # Main's code draws it, whatever the fork does to the drawing.
    assert ("has no preview: " not in printed[0]) is drawn
    assert (len(previewed.files()) == 1) is drawn


@pytest.mark.parametrize("path", ["scripts/dataset/png.py", "requirements.txt"])
def test_a_branch_of_ours_that_changes_more_than_data_has_no_picture(
    previewed: Previews, server: Server, md5: str, path: str
) -> None:
    files = {CONFIG: LARGER.encode(), path: b"other\n"}
    number = propose(previewed.repository, server, files, shown(md5))
    (printed,) = previewed.publish(number)
    assert printed.startswith(f"pull request {number} has no preview: it changes {path}")
    assert not previewed.files()


def test_two_runs_at_once_keep_both_sheets(
    previewed: Previews, server: Server, md5: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = previewed.repository
    monkeypatch.setattr("scripts.publish.origin.FIRST_PAUSE", 0.01)
    number = propose(repository, server, {CONFIG: LARGER.encode()}, shown(md5))
    other = propose(repository, server, {CONFIG: config_text(samples=9).encode()}, shown("x"))
    find = origin.push_branch
    pending = [b"another sheet"]

    def late(git_: Git, branch: str, commit: str | None, before: str | None) -> None:
        if pending:
            previews.put(git_, [number, other], {other: pending.pop()})
        find(git_, branch, commit, before)

    monkeypatch.setattr(origin, "push_branch", late)
    previewed.publish(number)
    assert len(previewed.files()) == 2


def test_a_branch_of_that_name_that_is_not_ours_is_left_alone(
    previewed: Previews, server: Server, md5: str, run: Run
) -> None:
    repository = previewed.repository
    repository.git("push", "--quiet", "origin", "main:refs/heads/previews")
    number = propose(repository, server, {CONFIG: LARGER.encode()}, shown(md5))
    before = repository.at_origin("rev-parse", "previews")
    with pytest.raises(AssertionError, match="its name is reserved"):
        previewed.publish(number)
    assert repository.at_origin("rev-parse", "previews") == before
    # Comments are updated all the same.
    assert run("workflow", "update-comments").code == 0
    assert "### dataset v1: +4 samples, 2 classes" in body(server, number)


def test_after_a_release_the_pictures_are_drawn_again(
    previewed: Previews, server: Server, md5: str, run: Run
) -> None:
    repository = previewed.repository
    curation = b"sample,action,label,new_label,reason\n"
    number = propose(repository, server, {"curation.csv": curation}, shown(md5))
    closed = propose(repository, server, {CONFIG: LARGER.encode()}, shown(md5))
    previewed.publish(closed)
    server.close_pull(closed)
    repository.merge(config_text(samples=6))
    assert run("release").code == 0

    assert run("workflow", "update-comments").code == 0

    (name,) = previewed.files()
    assert name.startswith(f"{number}-")
    image = IMAGE.search(body(server, number))
    assert image
    assert image[2] == name
    known, _ = marker.parse(body(server, number))
    assert known
    assert known.md5 == lock.parse(repository.at_origin("show", "v1:dataset.dvc").encode()).md5


def test_releases_ignore_the_branch(previewed: Previews, server: Server, md5: str) -> None:
    number = propose(previewed.repository, server, {CONFIG: LARGER.encode()}, shown(md5))
    previewed.publish(number)
    held = previewed.repository.at_origin("ls-tree", "-r", "--name-only", "previews")
    assert all(name.endswith(".png") for name in held.splitlines())


def test_a_comment_of_newer_code_is_left_alone(
    previewed: Previews, server: Server, md5: str
) -> None:
    text = shown(md5).replace('"schema": 1', '"schema": 99')
    number = propose(previewed.repository, server, {CONFIG: LARGER.encode()}, text)
    previewed.publish(number)
    assert body(server, number) == text


def test_a_pull_request_with_newer_commits_is_for_their_run(
    previewed: Previews, server: Server, md5: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = propose(previewed.repository, server, {CONFIG: LARGER.encode()}, shown(md5))
    monkeypatch.setattr(merges, "fetch_head", lambda *_: "0" * 40)
    assert "newer commits exist" in previewed.publish(number)[0]
    assert body(server, number) == shown(md5)


@pytest.mark.isolated
@pytest.mark.parametrize("is_fork", [True, False])
def test_a_pull_request_that_exceeds_a_limit_fails_and_the_others_go_on(
    previewed: Previews,
    server: Server,
    md5: str,
    monkeypatch: pytest.MonkeyPatch,
    *,
    is_fork: bool,
) -> None:
    repository = previewed.repository
    closed = propose(repository, server, {CONFIG: LARGER.encode()}, shown(md5))
    previewed.publish(closed)
    server.close_pull(closed)
    files = {CONFIG: config_text(samples=9).encode()}
    number = (fork if is_fork else propose)(repository, server, files, shown("x"))
    limits = Limits(seconds=0.0, memory=2**30)
    monkeypatch.setattr(proposed, "STRANGERS" if is_fork else "OWN", limits)

    failure = f"error: pull request {number}: it takes longer than 0 seconds\n"
    with pytest.raises(AssertionError, match=failure):
        previewed.publish(number, CONTRIBUTOR if is_fork else OWNER)

    assert previewed.files() == []
    assert body(server, number) == shown("x")
