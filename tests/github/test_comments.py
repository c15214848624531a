import sys
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from scripts.errors import UserError
from scripts.git.git import Git
from scripts.github import marker, merges, proposed
from scripts.github.artifacts import ARTIFACT
from scripts.github.client import GitHub
from scripts.github.comments import update_comments
from scripts.github.marker import Marker
from scripts.github.reports import REPORT_FILE
from scripts.isolated import Limits
from scripts.review import render, report_json
from scripts.review.report import Report, ReportedProblem
from tests.doubles.github import BOT, CONTRIBUTOR, Server
from tests.repository import Repository, Run, config_text, git

Event = Callable[..., None]
CONFIG = "dataset_config.yaml"
LARGER = config_text(samples=7).encode()
DATA = Path(__file__).parent.parent / "data"
SHEET = "https://example.org/sheet"
BODY = "### the report\n"
PLANNED = Marker(version="v0", changed=True, sheet=SHEET)
# As a run writes a comment, and one whose marker is damaged.
POSTED = marker.compose(PLANNED, BODY)
WITHOUT_DATA = f"{marker.PREFIX}damaged{marker.SUFFIX}\n### dataset v3\n"


def propose(
    repository: Repository,
    server: Server,
    files: dict[str, bytes],
    posted: str | None = POSTED,
) -> int:
    """Open a pull request that changes `files` and has the comment `posted`."""
    repository.git("fetch", "--quiet", "origin", "main")
    repository.git("switch", "--quiet", "--detach", "origin/main")
    for name, content in files.items():
        (repository.root / name).parent.mkdir(parents=True, exist_ok=True)
        (repository.root / name).write_bytes(content)
        repository.git("add", name)
    repository.git("commit", "--quiet", "--message", "Propose")
    head = repository.git("rev-parse", "HEAD")
    number = server.open_pull(f"branch-{head[:8]}", head)
    repository.git("push", "--quiet", "origin", f"HEAD:refs/pull/{number}/head")
    if posted:
        GitHub().comment(number, posted)
    repository.git("switch", "--quiet", "main")
    return number


def body(server: Server, number: int) -> str:
    """Return the only comment on a pull request, which the bot wrote."""
    (comment,) = server.comments(number)
    assert comment["user"]["login"] == BOT
    text: str = comment["body"]
    return text


def update(repository: Repository) -> list[str]:
    return list(update_comments(Git(repository.root)))


def release(repository: Repository, run: Run, **changes: object) -> None:
    """Merge a config and release it."""
    repository.merge(config_text(**changes))
    assert run("release").code == 0


def write_report(folder: Path, found: Report) -> Path:
    folder.mkdir()
    (folder / REPORT_FILE).write_text(report_json.dump(found), encoding="utf-8")
    return folder


def problem(message: str = "wrong") -> Report:
    return Report(problems=[ReportedProblem(file=None, line=0, column=0, message=message)])


# The comment on a pull request's own run.


def test_a_report_is_posted_with_what_a_later_run_must_know(
    server: Server, run: Run, event: Event, tmp_path: Path, repository: Repository
) -> None:
    number = server.open_pull("branch", "1" * 40)
    event(pull_request={"number": number})
    found = report_json.load((DATA / "report-schema-1.json").read_bytes())
    folder = write_report(tmp_path / "report", found)
    result = run("workflow", "comment", "--sheet", SHEET, str(folder))
    assert result.code == 0
    assert f"/issues/{number}#" in result.out
    text = body(server, number)
    assert "### dataset v3: +6 samples, 2 classes" in text
    assert f"[View the samples]({SHEET})" in text
    known, _ = marker.parse(text)
    assert known == marker.marker_of(found, SHEET)


@pytest.mark.parametrize("old", [POSTED, WITHOUT_DATA], ids=["with data", "without data"])
def test_a_new_report_replaces_the_comment(
    server: Server, run: Run, event: Event, tmp_path: Path, repository: Repository, old: str
) -> None:
    number = server.open_pull("branch", "1" * 40)
    GitHub().comment(number, old)
    event(pull_request={"number": number})
    folder = write_report(tmp_path / "report", problem())
    assert run("workflow", "comment", "--sheet", "", str(folder)).code == 0
    assert body(server, number).endswith(render.comment(problem()))
    assert "v3" not in body(server, number)


def test_no_length_of_a_report_leaves_a_code_span_open() -> None:
    found = problem("` @octo/team <b> " * 17)
    shown = render.comment(found.model_copy(update={"problems": found.problems * 1_000}))
    assert len(shown) < 65_536
    assert "- and 980 more: `python -m scripts validate` lists all" in shown
    lines = [line for line in shown.splitlines() if "@octo" in line]
    assert len(lines) == 20
    for line in lines:
        assert line.startswith("- `` ")
        assert line.endswith(" ``")


# The comment for a fork.


def workflow_run(sha: str, **changes: object) -> dict[str, object]:
    head = {"full_name": f"{CONTRIBUTOR}/ds", "owner": {"login": CONTRIBUTOR}}
    run = {"id": 1, "head_branch": "patch", "head_sha": sha, "head_repository": head}
    return {**run, "html_url": "https://github.com/octo/ds/actions/runs/1", **changes}


def test_the_report_of_a_fork_is_posted_on_its_pull_request(
    repository: Repository, server: Server, run: Run, event: Event
) -> None:
    number = server.open_pull("patch", "1" * 40, fork=True)
    content = (DATA / "report-schema-1.json").read_bytes()
    server.add_artifact(1, ARTIFACT, {REPORT_FILE: content})
    event(workflow_run=workflow_run("1" * 40))
    assert run("workflow", "comment-fork").code == 0
    text = body(server, number)
    assert "### dataset v3: +6 samples, 2 classes" in text
    assert "[View the samples](https://github.com/octo/ds/actions/runs/1)" in text


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"head_repository": None}, "the fork was deleted: no comment"),
        ({"head_sha": "2" * 40}, "the pull request is closed or has new commits: no comment"),
        ({"id": 2}, "the run has no report, because it does not change the dataset: no comment"),
    ],
)
def test_without_a_fork_a_pull_request_or_a_report_there_is_no_comment(
    repository: Repository,
    server: Server,
    run: Run,
    event: Event,
    changes: dict[str, object],
    expected: str,
) -> None:
    number = server.open_pull("patch", "1" * 40, fork=True)
    server.add_artifact(1, ARTIFACT, {REPORT_FILE: report_json.dump(problem()).encode()})
    event(workflow_run=workflow_run("1" * 40, **changes))
    assert run("workflow", "comment-fork") == (0, f"{expected}\n", "")
    assert server.comments(number) == []


def test_a_report_that_is_refused_is_not_posted(
    repository: Repository, server: Server, run: Run, event: Event
) -> None:
    number = server.open_pull("patch", "1" * 40, fork=True)
    server.add_artifact(1, ARTIFACT, {REPORT_FILE: b'{"schema": 1, "html": "<img>"}'})
    event(workflow_run=workflow_run("1" * 40))
    result = run("workflow", "comment-fork")
    assert result.code == 1
    assert result.err == "error: the report of run 1 is not a valid report: refused.\n"
    assert server.comments(number) == []


# Comments after a release.


def test_without_a_release_no_comment_is_updated(repository: Repository, server: Server) -> None:
    number = propose(repository, server, {CONFIG: LARGER})
    assert update(repository) == []
    assert body(server, number) == POSTED


def test_a_comment_is_rendered_again_where_only_the_config_changes(
    released: Repository, server: Server
) -> None:
    number = propose(released, server, {CONFIG: LARGER})
    assert len(update(released)) == 1
    text = body(server, number)
    assert "### dataset v1: +4 samples, 2 classes" in text
    assert "Out of date" not in text
    assert (
        "- **probe**: says nothing, because it needs 30 shared test images, and there are" in text
    )
    # The contact sheet that the pull request's own run made.
    assert f"[View the samples]({SHEET})" in text
    known, _ = marker.parse(text)
    assert known
    assert (known.version, known.against, known.changed) == ("v1", "v0", True)
    assert known.sheet == SHEET
    assert update(released) == []


def test_a_comment_is_rendered_again_where_the_predictions_change(
    released: Repository, server: Server
) -> None:
    number = propose(released, server, {"predictions.csv": b"sample,predicted\n58,`@octo`\n"})

    assert len(update(released)) == 1

    text = body(server, number)
    assert "### dataset: no change compared with v0" in text
    assert "- **own model** (`predictions.csv`): says nothing, because " in text
    assert "@octo" not in text


CURATION = b"sample,action,label,new_label,reason\n58,test,6,,`hard` [x](y) @octo\n"


@pytest.mark.parametrize("more", [{}, {CONFIG: LARGER}], ids=["alone", "with the config"])
def test_a_comment_is_rendered_again_where_the_curation_changes(
    released: Repository, server: Server, more: dict[str, bytes]
) -> None:
    number = propose(released, server, {"curation.csv": CURATION, **more})

    assert len(update(released)) == 1

    text = body(server, number)
    assert "### dataset v1: 1 sample curated, +" in text
    row = "| `00058` | test | `6` | not in the dataset | `test/no3` | `` `hard` [x](y) @octo `` |"
    assert row in text
    assert "Out of date" not in text


def test_a_curation_that_is_invalid_is_reported_at_its_place(
    released: Repository, server: Server
) -> None:
    number = propose(released, server, {"curation.csv": CURATION.replace(b"58", b"9999")})

    assert len(update(released)) == 1

    assert "- `curation.csv`, line 2, column 1: `sample: digits has no" in body(server, number)


def test_a_config_that_is_invalid_after_the_release_is_reported(
    released: Repository, server: Server
) -> None:
    number = propose(released, server, {CONFIG: b"samples: @octo\n"})
    assert len(update(released)) == 1
    assert "### dataset: invalid, 1 problem\n" in body(server, number)


def test_a_comment_is_marked_as_out_of_date_where_only_its_own_run_can_update_it(
    released: Repository, server: Server
) -> None:
    changes: list[dict[str, bytes]] = [
        {CONFIG: LARGER, "dataset.dvc": b"[" * 100_000},
        {"dataset.dvc": b"outs: []\n"},
        {CONFIG: config_text(source="CIFAR_10").encode()},
        {"requirements.txt": b"pillow\n"},
        {CONFIG: LARGER, "scripts/dataset/png.py": b"raise SystemExit\n"},
        {CONFIG: LARGER, ".dvc/config": b"[core]\n    remote = other\n"},
        {CONFIG: LARGER, "additions/test/3/a.png": b"not read here"},
        {"curation.csv": CURATION, "additions/test/3/ä b.png": b"not read here"},
        {"curation.csv": CURATION, "sources/ours.dvc": b"outs: []\n"},
    ]
    posted = {
        propose(released, server, files, old): (files, old)
        for files in changes
        for old in (POSTED, WITHOUT_DATA)
    }
    assert len(update(released)) == len(posted) == 18
    for number, (files, old) in posted.items():
        text = body(server, number)
        assert "> Out of date: v0 was published after this comment was written." in text, files
        assert text.endswith(marker.parse(old)[1]), files
    assert update(released) == []


def test_no_source_but_that_of_the_latest_release_is_loaded(
    released: Repository, run: Run, server: Server
) -> None:
    other = propose(released, server, {CONFIG: config_text(source="CIFAR_10").encode()})

    result = run("workflow", "update-comments")

    reason = f"pull request {other}: it uses a different source than the latest release\n"
    assert (result.code, result.err) == (0, reason)
    assert "> Out of date: v0 was published" in body(server, other)


def test_a_pull_request_that_asks_for_very_large_images_is_marked_as_out_of_date(
    released: Repository, run: Run, server: Server
) -> None:
    config = config_text(samples=100, image_size=4096).encode()
    large = propose(released, server, {CONFIG: config})
    other = propose(released, server, {CONFIG: LARGER})

    result = run("workflow", "update-comments")

    # The digits have at most 183 images of a class.
    assert result.err == (
        f"pull request {large}: its resized images would have 3,355,443,200 bytes of pixels; for a "
        f"fork at most 2,147,483,648 are allowed\n"
    )
    assert "> Out of date: v0 was published" in body(server, large)
    assert "### dataset v1: +4 samples, 2 classes" in body(server, other)


@pytest.mark.isolated
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux enforces the limit of memory")
@pytest.mark.parametrize("limits", [Limits(0.0, proposed.STRANGERS.memory), Limits(60.0, 1)])
def test_pull_requests_whose_comments_cannot_be_rendered_within_the_limits_are_named(
    released: Repository,
    run: Run,
    server: Server,
    monkeypatch: pytest.MonkeyPatch,
    limits: Limits,
) -> None:
    numbers = [propose(released, server, {CONFIG: LARGER}) for _ in range(2)]
    monkeypatch.setattr(proposed, "STRANGERS", limits)

    result = run("workflow", "update-comments")

    assert result.code == 0
    for number, line in zip(numbers, result.err.splitlines(), strict=True):
        assert line.startswith(f"pull request {number}: ")
        assert ("it takes longer than 0 seconds" in line) is (limits.seconds == 0)
        assert "> Out of date: v0 was published" in body(server, number)


def test_a_pull_request_whose_branch_is_gone_or_conflicts_is_marked_as_out_of_date(
    released: Repository, run: Run, server: Server
) -> None:
    gone = propose(released, server, {CONFIG: LARGER})
    released.at_origin("update-ref", "-d", f"refs/pull/{gone}/head")
    conflicting = propose(released, server, {CONFIG: LARGER})
    release(released, run, samples=8)
    update(released)
    for number in (gone, conflicting):
        assert "> Out of date: v1 was published" in body(server, number)
        assert body(server, number).endswith(BODY)


@pytest.mark.skipif(sys.platform == "win32", reason="there is no limit on Windows")
def test_a_pull_request_that_exceeds_a_limit_is_named_and_marked_as_out_of_date(
    released: Repository, run: Run, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    noise = Random(0).randbytes(300_000)
    large = propose(released, server, {CONFIG: LARGER, "large": noise})
    small = propose(released, server, {CONFIG: LARGER})
    # The clone of a runner does not have the commits yet.
    git(released.place, "clone", "--quiet", f"file://{released.origin}", "other")
    monkeypatch.setattr(merges, "BYTES", 200_000)

    result = run("workflow", "update-comments", where=released.place / "other")

    assert result.code == 0
    assert result.err.startswith(f"pull request {large}: the branch cannot be fetched: git fetch")
    assert "(the limit for a file is 200,000 bytes)" in result.err
    assert "> Out of date: v0 was published" in body(server, large)
    assert "### dataset v1: +4 samples, 2 classes" in body(server, small)


def test_a_comment_that_is_out_of_date_has_one_note_however_often_it_is_marked(
    released: Repository, run: Run, server: Server
) -> None:
    files = {"requirements.txt": b"pillow\n"}
    posted = {propose(released, server, files, old): old for old in (POSTED, WITHOUT_DATA)}
    update(released)
    release(released, run, samples=6)
    update(released)
    for number, old in posted.items():
        assert body(server, number).count("Out of date") == 1
        assert body(server, number).endswith(marker.parse(old)[1])
    assert "> Out of date: v1 was published" in body(server, min(posted))


def test_a_comment_that_was_marked_as_out_of_date_can_be_rendered_again(
    released: Repository, server: Server
) -> None:
    number = propose(released, server, {"requirements.txt": b"pillow\n"})
    update(released)
    assert "> Out of date: v0 was published" in body(server, number)
    # The branch is replaced by one that only changes the config.
    other = propose(released, server, {CONFIG: LARGER}, None)
    released.at_origin("update-ref", f"refs/pull/{number}/head", f"refs/pull/{other}/head")
    update(released)
    text = body(server, number)
    assert "### dataset v1: +4 samples" in text
    assert "Out of date" not in text
    assert f"[View the samples]({SHEET})" in text


@pytest.mark.isolated
def test_a_comment_is_current_until_the_next_release(
    released: Repository, run: Run, server: Server
) -> None:
    files = {"requirements.txt": b"pillow\n"}
    planned, unchanged, problems = (
        propose(released, server, files, marker.compose(known, BODY))
        for known in (
            Marker(version="v1", against="v0", changed=True),
            Marker(version="v1", against="v0", changed=False),
            Marker(),
        )
    )
    before = [body(server, number) for number in (planned, unchanged, problems)]
    server.proxy.reset()
    assert update(released) == []
    assert not [request for request in server.proxy.seen if not request.startswith("GET")]
    assert [body(server, number) for number in (planned, unchanged, problems)] == before

    release(released, run, samples=6)
    assert len(update(released)) == 2
    assert "> Out of date: v1 was published" in body(server, planned)
    assert "> Out of date: v1 was published" in body(server, unchanged)
    assert body(server, problems) == before[2]


def test_closed_pull_requests_and_those_without_a_comment_are_left_alone(
    released: Repository, server: Server
) -> None:
    closed = propose(released, server, {CONFIG: LARGER})
    server.close_pull(closed)
    quiet = propose(released, server, {CONFIG: LARGER}, None)
    assert update(released) == []
    assert body(server, closed) == POSTED
    assert server.comments(quiet) == []


def test_one_pull_request_that_fails_does_not_stop_the_others(
    released: Repository, server: Server
) -> None:
    locked = propose(released, server, {CONFIG: LARGER})
    other = propose(released, server, {CONFIG: LARGER})
    server.proxy.fail(403, f"/pulls/{locked}$")
    failed, updated = update(released)
    assert failed.startswith(f"pull request {locked}: ")
    assert "the token lacks a permission" in failed
    assert f"/issues/{other}#" in updated
    assert "### dataset v1" in body(server, other)


def test_when_no_comment_can_be_updated_the_run_fails(
    released: Repository, server: Server, run: Run
) -> None:
    propose(released, server, {CONFIG: LARGER})
    server.proxy.fail(403, "/pulls/[0-9]+$")
    with pytest.raises(UserError, match="no comment could be updated; the reasons are above"):
        update(released)
    assert run("workflow", "update-comments").code == 1


def test_the_code_of_a_pull_request_is_not_run(
    released: Repository, server: Server, run: Run, tmp_path: Path
) -> None:
    hostile = f"open({str(tmp_path / 'ran')!r}, 'w')\n".encode()
    number = propose(released, server, {CONFIG: LARGER, "scripts/__init__.py": hostile})
    assert run("workflow", "update-comments").code == 0
    assert "### dataset v1" in body(server, number)
    assert not (tmp_path / "ran").exists()
    assert not (released.root / "scripts").exists()


def test_the_comment_of_newer_code_is_left_alone(
    released: Repository, run: Run, server: Server
) -> None:
    newer = POSTED.replace('"schema": 1', '"schema": 2, "more": [1]')
    assert newer != POSTED
    number = propose(released, server, {CONFIG: LARGER}, newer)
    release(released, run, samples=8)

    assert update(released) == []
    assert body(server, number) == newer


@pytest.mark.parametrize(("samples", "kept"), [(7, True), (8, False)])
def test_an_updated_comment_says_that_files_are_stored_as_long_as_they_are_the_same(
    released: Repository, run: Run, server: Server, samples: int, *, kept: bool
) -> None:
    number = propose(released, server, {CONFIG: LARGER})
    assert len(update(released)) == 1
    known, _ = marker.parse(body(server, number))
    assert known is not None
    stored = known.model_copy(update={"stored": "yes"})
    GitHub().comment(number, marker.compose(stored, BODY))
    if not kept:
        released.git("switch", "--quiet", "--detach", "origin/main")
        file = released.root / CONFIG
        file.write_text(config_text(samples=samples))
        released.git("commit", "--quiet", "--all", "--message", "Ask for more")
        released.git("push", "--quiet", "--force", "origin", f"HEAD:refs/pull/{number}/head")
        released.git("switch", "--quiet", "main")

    assert len(update(released)) == 1

    assert ("The files are in the remote." in body(server, number)) is kept


# What the report says of the pull request itself.


def proposed_merge(repository: Repository, *texts: str) -> None:
    """Check out the merge that GitHub proposes for a branch with a commit for each config."""
    repository.git("switch", "--quiet", "--create", "branch", "main")
    for number, text in enumerate(texts):
        (repository.root / CONFIG).write_text(text)
        repository.git("commit", "--quiet", "--all", "--message", f"Change {number}")
    repository.git("switch", "--quiet", "--detach", "main")
    repository.git("merge", "--quiet", "--no-ff", "--message", "Merge", "branch")


def reported(
    repository: Repository, run: Run, monkeypatch: pytest.MonkeyPatch, event: Event, base: str
) -> str:
    """Return the comment that the workflow of a pull request onto `base` would post."""
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    event(pull_request={"number": 1, "base": {"ref": base}})
    folder = repository.place / "report"
    result = run("workflow", "report", "--stored", "yes", str(folder))
    assert result.code == 0, result.err
    return render.comment(report_json.load((folder / REPORT_FILE).read_bytes()))


REBASE = '"Rebase and merge" would publish each of its 2 commits'


@pytest.mark.parametrize(
    ("texts", "warned"),
    [
        ([config_text(samples=7), config_text(samples=6)], True),
        ([config_text(samples=7)], False),
    ],
)
def test_a_plan_says_what_a_rebase_would_publish(
    released: Repository,
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    event: Event,
    texts: list[str],
    *,
    warned: bool,
) -> None:
    proposed_merge(released, *texts)

    text = reported(released, run, monkeypatch, event, "main")

    assert (REBASE in text) is warned
    assert "Merging publishes this as **v1**" in text


def test_a_pull_request_onto_another_base_is_told_that_nothing_is_published(
    released: Repository, run: Run, monkeypatch: pytest.MonkeyPatch, event: Event
) -> None:
    proposed_merge(released, config_text(samples=7))

    text = reported(released, run, monkeypatch, event, "develop")

    assert "This pull request does not target main, so merging it publishes nothing." in text
    assert "Merging publishes" not in text
