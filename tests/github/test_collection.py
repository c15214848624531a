"""What nothing needs is deleted, and nothing else, in any history of releases and pull requests."""

import os
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import dvc.api
import pytest

from scripts.github import marker
from scripts.github.client import GitHub
from scripts.github.marker import Marker
from scripts.isolated import Limits
from scripts.publish import needed, origin
from scripts.releases import lock
from scripts.storage import garbage
from scripts.storage.remote import Remote, StoredObject
from tests.doubles.github import REPOSITORY, Server
from tests.github.test_candidates import Candidates, Event
from tests.github.test_comments import CONFIG, propose
from tests.releases import test_continuity as own
from tests.repository import Released, Repository, Run, config_text, contents, git

CLOSED, OPEN = config_text(samples=9), config_text(samples=7)
DAYS = 86_400


@pytest.fixture
def released(released_as: Released) -> Repository:
    """A repository with v0 and v1, whose objects are old."""
    made = released_as(config_text(), config_text(samples=8))
    age(made)
    return made


def age(repository: Repository, days: float = 15) -> None:
    then = time.time() - days * DAYS
    for file in repository.bucket.rglob("*"):
        os.utime(file, (then, then))


def bucket(repository: Repository) -> set[str]:
    return {*contents(repository.bucket)}


def store(repository: Repository, run: Run, config: str) -> str:
    """Store what the run of a pull request with `config` does; return the manifest's name."""
    repository.git("checkout", "--quiet", ".")
    repository.configure(config)
    assert run("build").code == 0
    stored = run("push")
    assert stored.code == 0, stored.err
    repository.git("checkout", "--quiet", ".")
    age(repository)
    return next(word for word in stored.out.split() if word.endswith(".dir"))


def name_in(repository: Repository, md5: str, path: str = "dataset.dvc") -> str:
    """Return a new commit on main, on no branch, in which a file of DVC names a manifest."""
    repository.git("switch", "--quiet", "--detach", "origin/main")
    file = repository.root / path
    file.parent.mkdir(exist_ok=True)
    file.write_text(f"outs:\n- md5: {md5}\n  path: dataset\n")
    repository.git("add", "--force", path)
    repository.git("commit", "--quiet", "--message", "Name it")
    made = repository.git("rev-parse", "HEAD")
    repository.git("switch", "--quiet", "main")
    return made


def fetch_all(repository: Repository) -> None:
    """Fetch every release as a consumer does, without the cache."""
    place = repository.place / "consumer"
    git(repository.place, "clone", "--quiet", str(repository.origin), str(place / "work"))
    # The address of the remote is relative to the clone.
    shutil.copytree(repository.bucket, place / "bucket")
    for tag in repository.tags():
        fs = dvc.api.DVCFileSystem(str(place / "work"), rev=tag)
        fs.get("dataset", str(place / tag), recursive=True)
        recorded = lock.parse(repository.at_origin("show", f"{tag}:dataset.dvc").encode())
        assert len(contents(place / tag)) == recorded.nfiles


def test_what_closed_pull_requests_left_is_deleted_and_every_release_can_be_fetched(
    released: Repository, run: Run
) -> None:
    before = bucket(released)
    store(released, run, CLOSED)
    left = bucket(released) - before
    assert len(left) == 3

    listed = run("gc")

    assert (listed.code, listed.err) == (0, "")
    *lines, summary = listed.out.splitlines()
    assert {line.split()[0] for line in lines} == left
    assert summary.startswith("3 objects (")
    assert bucket(released) == before | left
    deleted = run("gc", "--yes")
    assert (deleted.code, deleted.out.splitlines()[:-1]) == (0, lines)
    assert deleted.out.splitlines()[-1].startswith("deleted 3 objects (")
    assert bucket(released) == before
    assert run("verify").code == 0
    fetch_all(released)
    assert run("gc").out == (
        f"everything in {released.bucket} is needed, or younger than 14 days\n"
    )
    # And nothing of this is left in the clone.
    assert "refs/needed" not in released.git("for-each-ref")


def test_what_was_deleted_is_stored_again_by_whoever_needs_it(
    released: Repository, run: Run
) -> None:
    store(released, run, CLOSED)
    assert run("gc", "--yes").code == 0

    released.merge(CLOSED)
    assert run("release").code == 0

    assert released.tags() == ["v0", "v1", "v2"]
    assert run("verify").code == 0
    age(released)
    assert run("gc").out.startswith("everything in ")


def test_what_is_younger_than_14_days_is_kept(released: Repository, run: Run) -> None:
    store(released, run, CLOSED)
    age(released, 13.9)
    before = bucket(released)
    assert run("gc", "--yes").out == (
        f"deleted 0 objects (0 B) from {released.bucket}\n"
        "3 more are unused, but younger than 14 days\n"
    )
    assert bucket(released) == before


REFERENCES = (
    # Accepted as a release or not.
    *("refs/tags/v9", "refs/tags/v1-rc", "refs/tags/other"),
    *("refs/heads/candidate/5", "refs/heads/stable", "refs/heads/feature/x"),
    # Without GitHub's API, any pull request can be an open one.
    "refs/pull/7/head",
)


def test_what_a_reference_at_origin_names_is_kept(released: Repository, run: Run) -> None:
    md5 = store(released, run, CLOSED)
    before = bucket(released)
    made = name_in(released, md5)
    for reference in REFERENCES:
        released.git("push", "--quiet", "origin", f"{made}:{reference}")
        assert run("gc", "--yes").code == 0
        assert bucket(released) == before, reference

        released.git("push", "--quiet", "origin", f":{reference}")
        if reference == "refs/tags/v9":
            # Otherwise the tag of a release is missing at origin.
            released.git("tag", "--delete", "v9")
    assert run("gc", "--yes").code == 0
    assert len(bucket(released)) == len(before) - 3


def test_what_an_older_commit_of_a_branch_names_is_kept(released: Repository, run: Run) -> None:
    md5 = store(released, run, CLOSED)
    before = bucket(released)
    # Both in a merge that drops it again, and in the middle of a branch.
    made = name_in(released, md5, "models/other.dvc")
    released.git("switch", "--quiet", "--detach", "origin/main")
    released.git("merge", "--quiet", "--no-ff", "--strategy", "ours", "--message", "No", made)
    released.git("push", "--quiet", "origin", "HEAD:main")
    released.git("switch", "--quiet", "main")
    assert run("gc", "--yes").code == 0
    assert bucket(released) == before


def test_what_only_a_merge_names_is_kept(released: Repository, run: Run) -> None:
    md5 = store(released, run, CLOSED)
    before = bucket(released)
    named = name_in(released, md5, "models/other.dvc")
    main, tree = released.git("rev-parse", "main"), f"{named}^{{tree}}"
    # In neither of its parents, and gone in the commit after it.
    side = released.git("commit-tree", "main^{tree}", "-p", main, "-m", "Side")
    merge = released.git("commit-tree", tree, "-p", main, "-p", side, "-m", "Merge")
    after = released.git("commit-tree", "main^{tree}", "-p", merge, "-m", "After")
    released.git("push", "--quiet", "origin", f"{after}:refs/heads/merged")
    assert run("gc", "--yes").code == 0
    assert bucket(released) == before


def test_a_lock_that_this_code_cannot_read_keeps_what_it_names(
    released: Repository, run: Run
) -> None:
    md5 = store(released, run, CLOSED)
    before = bucket(released)
    name_in(released, md5)
    released.git("switch", "--quiet", "--detach", "origin/main")
    (released.root / "dataset.dvc").write_text(f"meta: {{schema: 99}}\nelsewhere: [{md5!r}\n")
    released.git("commit", "--quiet", "--all", "--message", "Newer")
    released.git("push", "--quiet", "origin", "HEAD:refs/heads/newer")
    released.git("switch", "--quiet", "main")
    assert run("gc", "--yes").code == 0
    assert bucket(released) == before


def test_images_of_ones_own_are_kept_while_any_commit_has_their_pointer(
    repository: Repository, run: Run
) -> None:
    assert run("release").code == 0
    repository.git("pull", "--quiet", "origin", "main")
    age(repository)
    before = bucket(repository)
    assert own.ingest(repository, run, range(20)).code == 0
    age(repository)
    ingested = bucket(repository)
    repository.git("add", "sources")
    repository.git("commit", "--quiet", "--message", "Ingest")
    repository.git("push", "--quiet", "origin", "HEAD:refs/heads/ingest/shapes")
    repository.git("reset", "--quiet", "--hard", "origin/main")
    assert run("gc", "--yes").code == 0
    assert bucket(repository) == ingested

    repository.git("push", "--quiet", "origin", ":refs/heads/ingest/shapes")
    assert run("gc", "--yes").code == 0
    assert bucket(repository) == before


def test_records_are_kept_while_a_lock_names_them_and_what_was_made_from_a_version_with_it(
    released: Repository, run: Run
) -> None:
    v0 = lock.parse(released.at_origin("show", "v0:dataset.dvc").encode())
    unneeded, made = "e" * 64, "f" * 64
    folder = released.bucket / "records"
    others = {
        folder / unneeded: False,
        folder / "catalogue-1" / v0.md5.removesuffix(".dir") / made: True,
        folder / "catalogue-1" / ("a" * 32) / made: False,
        folder / "README": True,
        folder / "tmp1.tmp": False,
        released.bucket / "notes.txt": True,
    }
    for file in others:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"x")
    age(released)

    result = run("gc", "--yes")

    assert result.out.endswith("1 files were ignored, because this project did not write them\n")
    assert {file for file in others if file.exists()} == {x for x, kept in others.items() if kept}
    assert run("verify").code == 0


def test_nothing_is_deleted_while_it_is_unknown_what_a_release_needs(
    released: Repository, run: Run
) -> None:
    store(released, run, CLOSED)
    md5 = lock.parse(released.at_origin("show", "v0:dataset.dvc").encode()).md5
    file = released.object_file(md5)
    whole = file.read_bytes()
    file.chmod(0o644)
    for content in (None, b"damaged"):
        if content is None:
            file.unlink()
        else:
            file.write_bytes(content)
        before = bucket(released)
        result = run("gc", "--yes")
        assert (result.code, result.out) == (1, "")
        assert f"the manifest {md5} " in result.err
        assert "nothing is deleted" in result.err
        assert bucket(released) == before
    file.write_bytes(whole)
    assert run("gc", "--yes").code == 0


def test_only_the_remote_that_main_names_is_collected(released: Repository, run: Run) -> None:
    before = bucket(released)
    run("remote", str(released.place / "elsewhere"))
    released.git("commit", "--quiet", "--all", "--message", "Move")
    released.git("push", "--quiet", "origin", "main")
    store(released, run, CLOSED)
    stray = released.place / "elsewhere"
    for file in stray.rglob("*"):
        os.utime(file, (0, 0))
    assert contents(stray)

    assert run("gc", "--yes").code == 0

    # The objects of releases are there too, as far as they were stored.
    kept = {*contents(stray)}
    assert kept < before
    assert bucket(released) == before


# With GitHub, which knows what is open.


def show(repository: Repository, server: Server, md5: str, files: dict[str, bytes]) -> int:
    """Open a pull request whose comment shows a version; return its number."""
    text = marker.compose(Marker(version="v2", against="v1", changed=True, md5=md5), "report\n")
    return propose(repository, server, files, text)


def assert_kept_until_closed(
    released: Repository, run: Run, server: Server, number: int, before: set[str]
) -> None:
    """Check that all is kept while a pull request is open, and only `before` afterwards."""
    stored = bucket(released)
    assert stored != before
    assert run("gc", "--yes").code == 0
    assert bucket(released) == stored

    server.close_pull(number)
    assert run("gc", "--yes").code == 0
    assert bucket(released) == before


def test_what_the_comment_on_an_open_pull_request_shows_is_kept(
    released: Repository, run: Run, server: Server
) -> None:
    before = bucket(released)
    md5 = store(released, run, CLOSED)
    number = show(released, server, md5, {CONFIG: CLOSED.encode()})

    assert_kept_until_closed(released, run, server, number, before)


def test_a_comment_of_somebody_else_keeps_nothing(
    released: Repository, run: Run, server: Server
) -> None:
    before = bucket(released)
    md5 = store(released, run, CLOSED)
    number = propose(released, server, {CONFIG: CLOSED.encode()}, None)
    text = marker.compose(Marker(md5=md5), "report\n")
    path = f"/repos/{REPOSITORY}/issues/{number}/comments"
    server.ask("POST", path, {"body": text}, token="contributor_token")  # noqa: S106
    assert run("gc", "--yes").code == 0
    assert bucket(released) == before


def test_what_the_commits_of_an_open_pull_request_name_is_kept_until_it_is_closed(
    released: Repository, run: Run, server: Server
) -> None:
    before = bucket(released)
    md5 = store(released, run, CLOSED)
    files = {"sources/other.dvc": f"outs:\n- md5: {md5}\n".encode()}
    number = propose(released, server, files, None)

    assert_kept_until_closed(released, run, server, number, before)


def test_a_candidate_can_be_fetched_after_a_collection(
    released: Repository, run: Run, server: Server, event: Event
) -> None:
    md5 = store(released, run, CLOSED)
    stored = bucket(released)
    number = show(released, server, md5, {CONFIG: CLOSED.encode()})
    candidates = Candidates(released, server, run, event)
    assert candidates.publish(number) == [f"candidate/{number} holds {md5}"]
    # Even without the comment.
    GitHub().comment(number, marker.compose(Marker(), "report\n"))

    assert run("gc", "--yes").code == 0
    assert bucket(released) == stored

    server.close_pull(number)
    assert run("workflow", "update-comments").out == f"candidate/{number} is removed\n"
    assert run("gc", "--yes").code == 0
    assert len(bucket(released)) == len(stored) - 3


def other_clone(repository: Repository) -> Path:
    """Clone the repository as a runner does, without the commits of pull requests."""
    git(repository.place, "clone", "--quiet", f"file://{repository.origin}", "other")
    return repository.place / "other"


def of_fork(repository: Repository, server: Server, files: dict[str, bytes]) -> int:
    """Open a pull request of a fork."""
    number = propose(repository, server, files, None)
    head = repository.at_origin("rev-parse", f"refs/pull/{number}/head")
    server.close_pull(number)
    forked = server.open_pull(f"fork-{number}", head, fork=True)
    repository.git("push", "--quiet", "origin", f"{head}:refs/pull/{forked}/head")
    return forked


def naming(md5: str, **more: bytes) -> dict[str, bytes]:
    """Return files that name a manifest in the way of DVC."""
    return {"sources/other.dvc": f"outs:\n- md5: {md5}\n".encode(), **more}


@pytest.mark.skipif(sys.platform == "win32", reason="there is no limit on Windows")
def test_a_pull_request_of_ours_that_cannot_be_read_stops_the_collection(
    released: Repository, run: Run, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    store(released, run, CLOSED)
    number = propose(released, server, {"large": os.urandom(300_000)}, None)
    monkeypatch.setattr(origin, "BYTES", 200_000)
    before = bucket(released)
    result = run("gc", "--yes", where=other_clone(released))
    assert (result.code, result.out) == (1, "")
    assert result.err.startswith(f"error: pull request {number} is from a branch of this")
    assert (
        "it cannot be fetched: git fetch" in result.err or "(the limit for a file is" in result.err
    )
    assert bucket(released) == before


@pytest.mark.skipif(sys.platform == "win32", reason="there is no limit on Windows")
def test_a_pull_request_of_a_fork_that_cannot_be_fetched_is_named_and_left_out(
    released: Repository, run: Run, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = bucket(released)
    md5 = store(released, run, OPEN)
    other = of_fork(released, server, naming(md5))
    needed = bucket(released)
    store(released, run, CLOSED)
    large = of_fork(released, server, {"large": os.urandom(300_000)})
    monkeypatch.setattr(origin, "BYTES", 200_000)

    result = run("gc", "--yes", where=other_clone(released))

    assert result.code == 0
    assert f"skipped pull request {large}, whose" in result.err
    assert "(the limit for a file is 200,000 bytes)" in result.err
    # What the other one names is kept.
    assert bucket(released) == needed != before
    assert f"pull request {other}," not in result.err


@pytest.mark.isolated
@pytest.mark.parametrize("limit", ["MAX_PULL", "LIMITS"])
def test_a_pull_request_of_a_fork_that_takes_too_much_is_named_and_left_out(
    released: Repository, run: Run, server: Server, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    before = bucket(released)
    md5 = store(released, run, CLOSED)
    # Together they are more than what is read; no process can have time for it.
    half = needed.MAX_PULL // 2
    large = naming(md5, **{f"{name}.dvc": name.encode() * half for name in "abc"})
    number = of_fork(released, server, large if limit == "MAX_PULL" else naming(md5))
    if limit == "LIMITS":
        monkeypatch.setattr(needed, "LIMITS", Limits(seconds=0.0, memory=2**30))

    result = run("gc", "--yes")

    assert result.code == 0, result.err
    assert result.err.startswith(
        f"skipped pull request {number}, whose objects can be in this list"
    )
    reason = "it takes longer than 0 seconds" if limit == "LIMITS" else "at most 33,554,432 are"
    assert reason in result.err
    assert bucket(released) == before


def test_what_strangers_write_in_their_pull_requests_is_not_waited_for(
    released: Repository, run: Run, server: Server
) -> None:
    store(released, run, CLOSED)
    number = of_fork(released, server, {CONFIG: CLOSED.encode()})
    server.proxy.fail(500, f"/issues/{number}/comments")
    assert run("gc", "--yes").code == 0


def test_what_came_to_be_needed_during_the_deletion_is_named(
    released: Repository, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    md5 = store(released, run, CLOSED)
    made = name_in(released, md5)
    delete = garbage.delete

    def meanwhile(remote: Remote, unneeded: list[StoredObject]) -> None:
        released.git("push", "--quiet", "origin", f"{made}:refs/heads/candidate/5")
        delete(remote, unneeded)

    monkeypatch.setattr(garbage, "delete", meanwhile)
    result = run("gc", "--yes")
    assert result.code == 1
    assert "of the deleted objects are needed again" in result.err


def test_what_is_stored_or_named_before_it_is_known_what_is_needed_is_kept(
    released: Repository, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    md5 = store(released, run, CLOSED)
    stored = bucket(released)
    made = name_in(released, md5)
    listing = Remote.listing

    def then_named(remote: Remote) -> Iterator[StoredObject]:
        found = listing(remote)
        released.git("push", "--quiet", "--force", "origin", f"{made}:refs/heads/candidate/5")
        return found

    monkeypatch.setattr(Remote, "listing", then_named)
    assert run("gc", "--yes").code == 0
    assert bucket(released) == stored


# On a runner.


def test_a_runner_does_not_collect_a_folder(
    released: Repository, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    result = run("gc", "--yes")
    assert result.code == 1
    assert "a folder on this runner's disk" in result.err


def test_a_shallow_clone_is_refused(released: Repository, run: Run) -> None:
    command = ("clone", "--quiet", "--depth", "1", f"file://{released.origin}", "shallow")
    git(released.place, *command)
    where: Path = released.place / "shallow"
    result = run("gc", where=where)
    assert (result.code, result.out) == (1, "")
    assert "this clone is shallow" in result.err
