import io
import json
from contextlib import chdir, redirect_stdout
from pathlib import Path

import dvc.api
import pytest

from scripts.__main__ import main
from scripts.git.git import Git
from scripts.releases import lock, releases
from tests.publish.test_publish import accept, refuse
from tests.repository import Repository, Run, config_text, copy, create, git, snapshot

FILE = "releases.yaml"


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """A repository with v0, v1 and v2, which has the files of v0 again."""
    made = create(tmp_path_factory.mktemp("prepared"))
    with chdir(made.root), redirect_stdout(io.StringIO()):
        assert main(["release"]) == 0
        for samples in (6, 5):
            made.merge(config_text(samples=samples))
            assert main(["release"]) == 0
    made.git("pull", "--quiet", "--ff-only", "origin", "main")
    return made


@pytest.fixture
def repository(prepared: Repository, tmp_path: Path) -> Repository:
    """A copy of it."""
    return copy(prepared, tmp_path)


def stable(repository: Repository) -> str:
    """Return the commit of the branch stable at origin, "" without one."""
    return repository.at_origin("for-each-ref", "--format=%(objectname)", "refs/heads/stable")


def declare(repository: Repository, text: str) -> None:
    repository.merge_file(FILE, text)


def manifest_at(repository: Repository, rev: str) -> str:
    return lock.parse(repository.at_origin("show", f"{rev}:dataset.dvc").encode()).md5


# The branch.


def test_the_branch_holds_the_stable_release_and_nothing_else(
    repository: Repository, run: Run
) -> None:
    repository.merge_file("curation.csv", "sample,action,label,new_label,reason\n")
    declare(repository, "stable: v1\n")

    assert run("promote") == (0, "stable is now v1\n", "")

    files = repository.at_origin("ls-tree", "-r", "--name-only", "stable").splitlines()
    assert files == [".dvc/.gitignore", ".dvc/config", "dataset.dvc", "dataset_config.yaml"]
    for name in files:
        shown = [repository.at_origin("show", f"{rev}:{name}") for rev in ("stable", "v1")]
        assert shown[0] == shown[1]
    assert repository.at_origin("rev-list", "--count", "stable") == "1"


def test_a_consumer_reads_the_stable_release_by_the_name_of_the_branch(
    repository: Repository, run: Run, tmp_path: Path
) -> None:
    declare(repository, "stable: v1\n")
    run("promote")

    # Not at origin, from where the relative address of the remote would lead elsewhere.
    repository.git("fetch", "--quiet", "origin", "stable:stable")
    fs = dvc.api.DVCFileSystem(str(repository.root), rev="stable")
    fs.get("dataset", str(tmp_path / "got"), recursive=True)

    assert len(list((tmp_path / "got").rglob("*.png"))) == 12


def test_a_promotion_moves_the_branch_and_makes_no_version(
    repository: Repository, run: Run
) -> None:
    declare(repository, "stable: v1\n")
    run("promote")
    declare(repository, "stable: v2\n")

    assert run("release").out == "nothing to release: the dataset on main is released already\n"
    assert run("promote") == (0, "stable is moved from v1 to v2\n", "")
    assert run("promote") == (0, "stable is v2\n", "")
    # v0 has the same files, even the same lock, but is another release.
    assert manifest_at(repository, "v0") == manifest_at(repository, "stable")
    declare(repository, "stable: v0\n")
    assert run("promote") == (0, "stable is moved from v2 to v0\n", "")
    assert repository.tags() == ["v0", "v1", "v2"]


def test_a_promotion_is_the_same_commit_in_every_clone(repository: Repository, run: Run) -> None:
    declare(repository, "stable: v1\n")
    run("promote")
    first = stable(repository)
    repository.at_origin("update-ref", "-d", "refs/heads/stable")
    git(repository.place, "clone", "--quiet", "origin.git", "other")

    assert run("promote", where=repository.place / "other").code == 0
    assert stable(repository) == first


def test_the_branch_goes_with_the_key(repository: Repository, run: Run) -> None:
    assert run("promote") == (0, "there is no stable release\n", "")
    declare(repository, "stable: v1\n")
    run("promote")
    declare(repository, "stable:\n")

    assert run("promote") == (0, "stable is removed; it was v1\n", "")
    assert stable(repository) == ""


@pytest.mark.parametrize("text", ["stable: v1\n", "withdrawn: {}\n"])
def test_a_branch_that_somebody_else_made_is_left_alone(
    repository: Repository, run: Run, text: str
) -> None:
    repository.git("push", "--quiet", "origin", "main:stable")
    before = stable(repository)
    declare(repository, text)

    result = run("promote")

    assert stable(repository) == before
    if "v1" in text:
        assert result.code == 1
        assert "error: the branch stable at origin is not a release" in result.err
    else:
        assert result.code == 0


def test_a_branch_that_only_says_that_it_is_a_promotion_is_not_taken_for_one(
    repository: Repository, run: Run
) -> None:
    tree = repository.git("rev-parse", "main^{tree}")
    made = repository.git("commit-tree", tree, "-m", "Promote v1")
    repository.git("push", "--quiet", "origin", f"{made}:refs/heads/stable")
    declare(repository, "stable: v1\n")

    assert run("promote").code == 1
    assert stable(repository) == made


def test_a_release_that_is_incomplete_is_not_promoted(repository: Repository, run: Run) -> None:
    name = manifest_at(repository, "v1")
    manifest = bucket_of(repository) / "files" / "md5" / name[:2] / name[2:]
    declare(repository, "stable: v1\n")
    manifest.rename(manifest.with_suffix(".away"))
    try:
        result = run("promote")
    finally:
        manifest.with_suffix(".away").rename(manifest)

    assert result.code == 1
    assert result.err.startswith("error: v1 cannot be stable: the manifest ")
    assert stable(repository) == ""


def test_a_file_that_got_onto_main_without_a_check_is_refused(
    repository: Repository, run: Run
) -> None:
    declare(repository, "stable: v1\n")
    run("promote")
    before = stable(repository)
    declare(repository, "stable: v2\nwithdrawn: {v2: wrong}\n")

    result = run("promote")

    assert result.code == 1
    assert result.err == (
        "releases.yaml:1:9: v2 is withdrawn, so it cannot be stable. Name another release\n"
    )
    assert stable(repository) == before


def test_a_rule_that_forbids_the_push_is_one_message(repository: Repository, run: Run) -> None:
    refuse(repository, "refs/heads/stable")
    declare(repository, "stable: v1\n")

    result = run("promote")

    assert result.code == 1
    assert result.err.startswith("error: origin rejected the branch stable: ")
    accept(repository)
    assert run("promote").code == 0


# The check in the pull request.


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "stable: v9\n",
            "1:9: v9 is not a release: there is no such tag. Fetch the tags: git fetch --tags",
        ),
        ("stable: v7\n", "1:9: v7 is not a release: it is not an annotated tag"),
        (
            "withdrawn:\n  v1: wrong\n  v9: wrong\n",
            "3:3: v9 is not a release: there is no such tag. Fetch the tags: git fetch --tags",
        ),
        (
            "stable: v1\nwithdrawn: {v1: wrong}\n",
            "1:9: v1 is withdrawn, so it cannot be stable. Name another release",
        ),
        ("stable: 1\n", "1:9: stable: expected the tag of a release such as v2, found 1"),
    ],
)
def test_validate_refuses_what_cannot_be(
    repository: Repository, run: Run, text: str, problem: str
) -> None:
    repository.git("tag", "v7")
    (repository.root / FILE).write_text(text)

    assert run("validate") == (1, "", f"releases.yaml:{problem}\n")


def test_validate_shows_the_problems_of_all_files_at_once(repository: Repository, run: Run) -> None:
    (repository.root / FILE).write_text("stable: v9\n")
    repository.configure(config_text(samples=-1))

    lines = run("validate").err.splitlines()

    assert [line.split(":")[0] for line in lines] == ["dataset_config.yaml", "releases.yaml"]


def test_a_link_in_place_of_the_file_is_refused(repository: Repository, run: Run) -> None:
    (repository.root / FILE).symlink_to("dataset_config.yaml")

    result = run("validate")

    assert result.code == 1
    assert result.err.startswith("releases.yaml:1:1: not a regular file")


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("stable: v1\n", "stable: v2\n", "moves stable from v1 to v2"),
        (None, "stable: v1\n", "makes v1 stable"),
        ("stable: v1\n", "", "removes stable, which is v1"),
        (
            "stable: v1\n",
            "stable: v1\nwithdrawn: {v2: a, v0: b}\n",
            "withdraws v0 and v2",
        ),
        (
            "withdrawn: {v1: a, v0: b}\n",
            "stable: v1\nwithdrawn: {v0: c}\n",
            "makes v1 stable, cancels the withdrawal of v1",
        ),
        ("stable: v1\n", "# reworded\nstable: v1\n", ""),
    ],
)
def test_the_plan_says_what_the_merge_will_do(
    repository: Repository, run: Run, before: str | None, after: str, expected: str
) -> None:
    if before:
        declare(repository, before)
    (repository.root / FILE).write_text(after or "withdrawn: {}\n")

    text, planned = run("plan").out, json.loads(run("plan", "--format", "json").out)

    suffix = f", {expected}" if expected else ""
    assert text.startswith(f"dataset: no change compared with v2{suffix}\n")
    assert (planned["promotion"] is not None) is bool(expected)
    repository.configure(config_text(samples=7))
    changed = run("plan").out.splitlines()
    assert changed[0].startswith("dataset v3: ")
    assert (changed[1] == expected) is bool(expected) or changed[1] == ""


# Verification.


def test_verify_looks_at_the_stable_release(repository: Repository, run: Run) -> None:
    declare(repository, "stable: v1\n")
    repository.git("fetch", "--quiet", "origin")

    assert run("verify", "stable") == (0, "stable (v1)  complete and intact: 12 files\n", "")
    assert run("verify", "--quick").out.splitlines()[-1].startswith("stable (v1)  complete")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "stable: v1\nwithdrawn: {v1: wrong}\n",
            "stable (v1)  broken\n    v1 is withdrawn, so it cannot be stable. Name another"
            " release\n",
        ),
        (
            "stable: v9\n",
            "stable (v9)  broken\n    v9 is not a release: there is no such tag. Fetch the tags:"
            " git fetch --tags\n",
        ),
        (
            "stable: 9\n",
            "stable  broken\n    releases.yaml:1:9: stable: expected the tag of a release such as"
            " v2, found 9\n",
        ),
    ],
)
def test_verify_refuses_a_stable_release_that_is_withdrawn_or_none(
    repository: Repository, run: Run, text: str, expected: str
) -> None:
    declare(repository, text)
    repository.git("fetch", "--quiet", "origin")

    assert run("verify", "stable") == (1, expected, "")


def test_verify_refuses_a_stable_release_that_is_incomplete(
    repository: Repository, run: Run
) -> None:
    declare(repository, "stable: v1\n")
    repository.git("fetch", "--quiet", "origin")
    name = manifest_at(repository, "v1")
    manifest = bucket_of(repository) / "files" / "md5" / name[:2] / name[2:]
    manifest.rename(manifest.with_suffix(".away"))
    try:
        result = run("verify", "stable")
    finally:
        manifest.with_suffix(".away").rename(manifest)

    assert result.code == 1
    assert result.out.startswith("stable (v1)  broken\n    the manifest ")


def test_there_may_be_no_stable_release(repository: Repository, run: Run) -> None:
    assert run("verify", "stable") == (
        1,
        "",
        "error: releases.yaml on main names no stable release.\n",
    )
    assert "stable" not in run("verify", "--quick").out


# Going back.


def test_going_back_to_an_earlier_config_gives_a_new_tag_with_its_files_and_uploads_nothing(
    repository: Repository, run: Run
) -> None:
    # As a revert of the commit of v2 does.
    before = snapshot(bucket_of(repository))
    repository.merge(config_text(samples=6))

    assert run("release").code == 0

    assert repository.tags() == ["v0", "v1", "v2", "v3"]
    assert manifest_at(repository, "v3") == manifest_at(repository, "v1")
    assert snapshot(bucket_of(repository)) == before


def bucket_of(repository: Repository) -> Path:
    """Return the remote, which the tests of this module share."""
    release = releases.scan(Git(repository.root)).get("v1")
    return Path(releases.remote_of(Git(repository.root), release).url)
