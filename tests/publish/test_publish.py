import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import stamina

from scripts.github import changed_paths
from scripts.inputs import reader
from scripts.inputs.paths import CHECKED_PATHS, INPUT_PATHS
from scripts.publish import origin
from scripts.releases import lock
from scripts.releases.lock import Lock
from scripts.sources import copies, registry
from scripts.sources.source import Source, SourceError, SourceRequest
from scripts.sources.table import Table
from scripts.storage import manifest
from tests.repository import (
    REMOTE_URL,
    TEMPLATE,
    Repository,
    Run,
    config_text,
    contents,
    create,
    git,
    mismatched,
    objects,
)

LARGER = config_text(samples=8)
LARGEST = config_text(samples=9)
INVALID = config_text(samples=-1)


def refuse(repository: Repository, ref: str) -> None:
    """Let origin reject pushes to `ref`, as a server does for a protected branch."""
    repository.check_updates(f'case "$1" in {ref}) echo "protected by a rule" >&2; exit 1;; esac')


def accept(repository: Repository) -> None:
    (repository.origin / "hooks" / "update").unlink()


def recorded(repository: Repository, rev: str) -> Lock:
    """Return the lock at `rev` at origin."""
    return lock.parse(repository.at_origin("show", f"{rev}:dataset.dvc").encode())


def assert_complete(repository: Repository) -> None:
    """Assert that the remote holds every object of every release, intact."""
    found = objects(repository.bucket)
    assert not mismatched(found)
    for tag in repository.tags():
        md5 = recorded(repository, tag).md5
        assert md5 in found
        assert set(manifest.entries(found[md5]).values()) <= found.keys()


def assert_main_has(repository: Repository, tag: str) -> None:
    """Assert that main at origin contains the release `tag` and its lock."""
    repository.at_origin("merge-base", "--is-ancestor", tag, "main")
    assert repository.at_origin("show", "main:dataset.dvc") == repository.at_origin(
        "show", f"{tag}:dataset.dvc"
    )


def test_the_first_release_is_v0_on_the_newest_commit_only(
    repository: Repository, run: Run
) -> None:
    repository.merge(LARGER)
    newest = repository.merge(LARGEST)

    result = run("release")

    assert result.code == 0, result.err
    assert result.out.startswith("v0 is published: train 3: 7, no3: 7; test 3: 2, no3: 2 (")
    assert repository.tags() == ["v0"]
    assert repository.at_origin("rev-parse", "v0^") == newest
    assert_complete(repository)


@pytest.mark.parametrize("is_first", [True, False])
def test_a_release_is_on_the_commit_that_changes_the_dataset(
    repository: Repository, run: Run, *, is_first: bool
) -> None:
    if not is_first:
        run("release")
    merged = repository.merge(LARGER)
    repository.merge_file("README.md", "Hello\n")
    repository.merge_file("scripts/review/plan.py", "# a comment\n")

    assert run("release").code == 0

    assert repository.at_origin("rev-parse", f"{repository.tags()[-1]}^") == merged


def test_the_lock_is_committed_as_a_child_and_main_follows(
    repository: Repository, run: Run
) -> None:
    merged = repository.merge(LARGER)

    run("release")

    assert repository.at_origin("rev-parse", "v0^{commit}") == repository.tip()
    assert repository.at_origin("rev-list", "--parents", "-1", "main").split()[1:] == [merged]
    assert repository.at_origin("diff", "--name-only", merged, "main") == "dataset.dvc"
    assert repository.at_origin("log", "-1", "--format=%s", "main") == "Record version 0"
    made = recorded(repository, "v0")
    assert made.meta.config["samples"] == 8
    assert made.meta.schema_ == lock.SCHEMA == 5


def test_a_release_is_an_annotated_tag_with_its_version(released: Repository, run: Run) -> None:
    kind, tag, message = released.at_origin(
        "for-each-ref", "--format=%(objecttype)|%(tag)|%(contents)", "refs/tags"
    ).split("|")
    assert (kind, tag, message.strip()) == ("tag", "v0", "version 0")


def test_each_merge_gets_its_release_in_order(released: Repository, run: Run) -> None:
    commits = [released.merge(LARGER), released.merge(LARGEST)]

    result = run("release")

    assert result.code == 0, result.err
    assert [line.split()[0] for line in result.out.splitlines()] == ["v1", "v2"]
    assert released.tags() == ["v0", "v1", "v2"]
    assert [released.at_origin("rev-parse", f"{tag}^") for tag in ("v1", "v2")] == commits
    assert_main_has(released, "v2")
    assert released.at_origin("show", "main:dataset_config.yaml") == LARGEST.strip()
    assert_complete(released)


def test_a_merge_is_one_change_whatever_the_commits_of_its_branch(
    repository: Repository, run: Run
) -> None:
    run("release")
    repository.git("pull", "--quiet", "--ff-only", "origin", "main")
    repository.git("switch", "--quiet", "--create", "side")
    for text in (LARGEST, LARGER):
        repository.configure(text)
        repository.git("commit", "--quiet", "--all", "--message", "Change the dataset")
    repository.git("switch", "--quiet", "main")
    repository.git("merge", "--quiet", "--no-ff", "--message", "Merge side", "side")
    repository.git("push", "--quiet", "origin", "main")

    assert run("release").code == 0

    assert repository.tags() == ["v0", "v1"]
    assert repository.at_origin("rev-parse", "v1^") == repository.git("rev-parse", "HEAD")
    assert recorded(repository, "v1").nfiles == 16
    assert run("release").out.startswith("nothing to release")


def test_a_change_that_is_reverted_gets_a_release_too(repository: Repository, run: Run) -> None:
    for text in (LARGER, config_text()):
        run("release")
        repository.merge(text)
    run("release")

    assert repository.tags() == ["v0", "v1", "v2"]
    md5 = [recorded(repository, f"v{n}").md5 for n in range(3)]
    assert md5[0] == md5[2] != md5[1]


REWORDED = {
    "a comment": f"# the reason\n{config_text()}",
    "a label in quotes": config_text(class_="3"),
    "other quotes and spaces": "source:   'digits'\nclass: '3'\nsamples: 5\ntest_size: 2\n",
    "a default left out": config_text(seed=None),
    "another order of the keys": "".join(reversed(config_text().splitlines(keepends=True))),
    "flow style": "{source: digits, class: 3, samples: 5, test_size: 2, seed: 0}\n",
}


@pytest.mark.parametrize("text", REWORDED.values(), ids=REWORDED)
def test_a_reworded_config_is_neither_built_nor_released(
    released: Repository, run: Run, text: str
) -> None:
    released.merge(text)
    shutil.rmtree(released.cache)
    before = contents(released.origin), contents(released.bucket)

    result = run("release")

    assert (result.code, result.err) == (0, "")
    assert result.out == "nothing to release: the dataset on main is released already\n"
    assert not released.cache.exists()
    assert (contents(released.origin), contents(released.bucket)) == before


def test_a_reworded_config_between_two_changes_gets_no_release(
    released: Repository, run: Run
) -> None:
    released.merge(LARGER)
    released.merge(f"# the reason\n{LARGER}")
    released.merge(LARGEST)

    assert run("release").code == 0

    assert released.tags() == ["v0", "v1", "v2"]
    assert recorded(released, "v2").meta.config["samples"] == 9


# Files that are no version inputs, with a new content for each.
OTHER_FILES = {
    "README.md": "Hello\n",
    "docs/design.md": "Hello\n",
    "tests/test_config.py": "# a comment\n",
    ".github/workflows/release.yml": "# a comment\n",
    "scripts/__main__.py": "# a comment\n",
    "scripts/commands/plan.py": "# a comment\n",
    "scripts/github/comments.py": "# a comment\n",
    "scripts/review/templates/comment.md.j2": "{# a comment #}\n",
    "scripts/storage/push.py": "# a comment\n",
    "scripts/publish/publish.py": "# a comment\n",
    ".dvc/config": TEMPLATE[".dvc/config"],
    ".dvcignore": "# a comment\n",
    "dvc.yaml": "stages: {}\n",
}


@pytest.mark.parametrize("name", OTHER_FILES)
def test_a_change_of_other_files_is_neither_built_nor_released(
    released: Repository,
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:
    base = released.tip()
    released.merge_file(name, OTHER_FILES[name])
    shutil.rmtree(released.cache)
    before = contents(released.origin), contents(released.bucket)

    result = run("release")

    assert (result.code, result.err) == (0, "")
    assert result.out == "nothing to release: the dataset on main is released already\n"
    assert not released.cache.exists()
    assert (contents(released.origin), contents(released.bucket)) == before
    # The check of a pull request agrees, except for what it checks although it makes no version.
    is_checked = any(name == path or name.startswith(f"{path}/") for path in CHECKED_PATHS)
    assert is_dataset_change(released, base, monkeypatch) is is_checked


@pytest.mark.parametrize(
    "name",
    [
        "scripts/inputs/config.py",
        "scripts/sources/openml.py",
        "scripts/dataset/selection.py",
        "requirements.txt",
    ],
)
def test_changed_code_of_the_build_is_built_and_released_only_if_the_bytes_differ(
    repository: Repository,
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:
    assert any(name == path or name.startswith(f"{path}/") for path in INPUT_PATHS)
    run("release")
    base = repository.tip()
    repository.merge_file(name, "# a comment\n")
    shutil.rmtree(repository.cache)
    before = contents(repository.origin)

    result = run("release")

    assert (result.code, result.err) == (0, "")
    assert result.out == "nothing to release: the dataset on main is released already\n"
    assert recorded(repository, "v0").md5 in objects(repository.cache)
    assert contents(repository.origin) == before
    assert is_dataset_change(repository, base, monkeypatch) is True


def is_dataset_change(repository: Repository, base: str, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Return whether a merge group from `base` to HEAD is checked as a change of the dataset."""
    event, output = repository.place / "event.json", repository.place / "output"
    event.write_text(json.dumps({"merge_group": {"base_sha": base}}))
    monkeypatch.setenv("GITHUB_EVENT_PATH", str(event))
    monkeypatch.setenv("GITHUB_OUTPUT", str(output))
    monkeypatch.chdir(repository.root)
    changed_paths.main()
    return "dataset=true" in output.read_text().splitlines()


def test_a_second_run_does_nothing(released: Repository, run: Run) -> None:
    before = contents(released.origin), contents(released.bucket)

    result = run("release")

    assert (result.code, result.out.split(":")[0]) == (0, "nothing to release")
    assert (contents(released.origin), contents(released.bucket)) == before


def test_a_fresh_clone_releases_what_another_left(released: Repository, run: Run) -> None:
    released.merge(LARGER)
    git(released.place, "clone", "--quiet", "--no-tags", "origin.git", "other")

    result = run("release", where=released.place / "other")

    assert result.code == 0, result.err
    assert released.tags() == ["v0", "v1"]


def test_a_main_that_moved_on_gets_the_release_by_a_merge(released: Repository, run: Run) -> None:
    released.merge(LARGER)
    readme = released.merge_file("README.md", "Hello\n")

    assert run("release").code == 0

    parents = released.at_origin("rev-list", "--parents", "-1", "main").split()[1:]
    assert parents == [readme, released.at_origin("rev-parse", "v1^{commit}")]
    assert released.at_origin("log", "-1", "--format=%s", "main") == "Update the lock to v1"
    assert released.at_origin("show", "main:README.md") == "Hello"
    assert_main_has(released, "v1")
    assert run("release").out.startswith("nothing to release")


def other_remote(repository: Repository) -> str:
    return TEMPLATE[".dvc/config"].replace("url = storage", f"url = {repository.place / 'other'}")


def after_a_config(repository: Repository, run: Run) -> None:
    repository.merge(LARGER)


def after_another_remote(repository: Repository, run: Run) -> None:
    repository.merge(LARGER)
    repository.merge_file(".dvc/config", other_remote(repository))


def after_another_file(repository: Repository, run: Run) -> None:
    repository.merge(LARGER)
    repository.merge_file("README.md", "Hello\n")


def after_a_reworded_config(repository: Repository, run: Run) -> None:
    repository.merge(LARGER)
    repository.merge(f"# the reason\n{LARGER}")


def after_changed_code(repository: Repository, run: Run) -> None:
    repository.merge(LARGER)
    repository.merge_file("scripts/dataset/png.py", "# a comment\n")


SITUATIONS = [
    after_a_config,
    after_another_remote,
    after_another_file,
    after_a_reworded_config,
    after_changed_code,
]


@pytest.mark.parametrize("situation", SITUATIONS)
def test_main_contains_the_first_release(
    repository: Repository, run: Run, situation: Callable[[Repository, Run], None]
) -> None:
    situation(repository, run)

    result = run("release")

    assert (result.code, repository.tags()) == (0, ["v0"]), result.err
    assert_main_has(repository, "v0")
    assert run("release").out.startswith("nothing to release")
    assert run("verify") == (0, "v0  complete and intact: 16 files\n", "")


@pytest.mark.parametrize(
    "situation",
    [after_a_config, after_another_remote, after_another_file, after_a_reworded_config],
)
def test_main_contains_every_later_release(
    released: Repository, run: Run, situation: Callable[[Repository, Run], None]
) -> None:
    situation(released, run)

    result = run("release")

    assert (result.code, released.tags()) == (0, ["v0", "v1"]), result.err
    assert_main_has(released, "v1")
    assert run("release").out.startswith("nothing to release")


def test_main_follows_a_release_that_returns_to_an_earlier_one(
    released: Repository, run: Run
) -> None:
    refuse(released, "refs/heads/main")
    for text in (LARGER, config_text()):
        accept(released)
        released.merge(text)
        refuse(released, "refs/heads/main")
        assert run("release").code == 0
    assert recorded(released, "v2").md5 == recorded(released, "v0").md5

    accept(released)

    assert run("release").code == 0
    assert released.tags() == ["v0", "v1", "v2"]
    assert_main_has(released, "v2")


def test_a_protected_main_leaves_the_release_complete_and_names_the_fix(
    repository: Repository, run: Run
) -> None:
    refuse(repository, "refs/heads/main")
    tip = repository.tip()

    result = run("release")

    assert result.code == 0
    assert repository.tags() == ["v0"]
    assert repository.tip() == tip
    assert "Could not update main: the push was rejected (" in result.err
    assert "protected by a rule" in result.err
    assert "only dataset.dvc on main is out of date" in result.err
    assert "give the release workflow a deploy key" in result.err
    assert_complete(repository)


def test_releases_go_on_while_main_is_protected(released: Repository, run: Run) -> None:
    released.merge(LARGER)
    refuse(released, "refs/heads/main")
    run("release")
    accept(released)
    released.merge(LARGEST)
    refuse(released, "refs/heads/main")
    assert run("release").code == 0
    assert released.tags() == ["v0", "v1", "v2"]

    accept(released)

    assert run("release").code == 0
    assert released.tags() == ["v0", "v1", "v2"]
    assert_main_has(released, "v2")


def test_a_rejected_tag_is_an_error_with_gits_output(repository: Repository, run: Run) -> None:
    refuse(repository, "refs/tags/*")

    result = run("release")

    assert result.code == 1
    assert "error: origin rejected the tag v0: " in result.err
    assert "protected by a rule" in result.err
    assert repository.tags() == repository.git("tag").split() == []


def test_an_invalid_config_at_the_tip_fails_after_the_valid_ones_are_released(
    released: Repository, run: Run
) -> None:
    released.merge(LARGER)
    released.merge(INVALID)

    result = run("release")

    assert result.code == 1
    assert result.err.splitlines()[-1] == (
        "dataset_config.yaml:3:10: samples: must be at least 1, found -1"
    )
    assert released.tags() == ["v0", "v1"]
    assert_main_has(released, "v1")


def test_every_run_reports_an_invalid_config_at_the_tip(released: Repository, run: Run) -> None:
    released.merge(LARGER)
    released.merge(INVALID)

    assert [run("release").code for _ in range(3)] == [1, 1, 1]
    assert released.tags() == ["v0", "v1"]


def test_an_invalid_config_that_was_fixed_later_is_skipped(released: Repository, run: Run) -> None:
    wrong = released.merge("samples: [")
    released.merge(LARGER)

    result = run("release")

    assert result.code == 0
    assert f"skipped {wrong[:10]}, which cannot be released: " in result.err
    assert released.tags() == ["v0", "v1"]


def test_a_config_that_is_restored_needs_no_release(released: Repository, run: Run) -> None:
    released.merge("samples: [")
    released.merge(config_text())

    result = run("release")

    assert result.code == 0, result.err
    assert released.tags() == ["v0"]


def test_a_config_that_is_deleted_on_main_is_a_clear_error(released: Repository, run: Run) -> None:
    released.git("rm", "--quiet", "dataset_config.yaml")
    released.git("commit", "--quiet", "--message", "Delete")
    released.git("push", "--quiet", "origin", "HEAD:main")

    result = run("release")

    assert result.code == 1
    assert result.err == (
        "dataset_config.yaml:1:1: the file is missing. Run this in a dataset repository\n"
    )
    assert released.tags() == ["v0"]


def test_a_local_tag_that_origin_lacks_is_refused_with_the_fix(
    repository: Repository, run: Run
) -> None:
    repository.git("tag", "--annotate", "--message", "mine", "v0")

    result = run("release")

    assert result.code == 1
    assert "the tag v0 exists here but not at origin" in result.err
    assert "git tag -d v0" in result.err
    assert repository.tags() == []


def test_other_tags_are_not_releases(repository: Repository, run: Run) -> None:
    for name in ("v0-rc1", "v01", "version", "v"):
        repository.git("tag", name)

    assert run("release").code == 0
    assert repository.tags() == ["v0"]


def test_a_lock_edited_on_main_is_restored(released: Repository, run: Run) -> None:
    right = released.at_origin("show", "main:dataset.dvc")
    released.merge_file("dataset.dvc", right.replace("nfiles: 10", "nfiles: 11"))

    assert run("release").code == 0

    assert released.at_origin("show", "main:dataset.dvc") == right
    assert released.tags() == ["v0"]


def test_a_damaged_lock_on_main_does_not_stop_the_next_release(
    released: Repository, run: Run
) -> None:
    released.merge_file("dataset.dvc", "<<<<<<< HEAD\n")
    released.merge(LARGER)

    result = run("release")

    assert result.code == 0, result.err
    assert released.tags() == ["v0", "v1"]
    assert_main_has(released, "v1")


def test_a_damaged_lock_on_main_does_not_stop_the_first_release(
    repository: Repository, run: Run
) -> None:
    repository.merge_file("dataset.dvc", "<<<<<<< HEAD\n")
    repository.merge(LARGER)

    result = run("release")

    assert result.code == 0, result.err
    assert repository.tags() == ["v0"]
    assert_main_has(repository, "v0")


def test_two_runs_at_once_end_with_one_release_for_each_merge(
    released: Repository, run: Run
) -> None:
    released.merge(LARGER)
    released.merge(LARGEST)
    others = [released.place / name for name in ("first", "second")]
    for other in others:
        git(released.place, "clone", "--quiet", "origin.git", other.name)

    running = [
        subprocess.Popen(
            [sys.executable, "-m", "scripts", "release"],
            cwd=other,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for other in others
    ]
    printed = [process.communicate() for process in running]

    assert [process.returncode for process in running] == [0, 0], printed
    assert released.tags() == ["v0", "v1", "v2"]
    assert len({recorded(released, f"v{n}").md5 for n in range(3)}) == 3
    assert_main_has(released, "v2")
    assert_complete(released)


def test_a_move_between_train_and_test_is_never_released(repository: Repository, run: Run) -> None:
    repository.merge(config_text(class_=[3], samples=180, test_size=20))
    run("release")
    repository.merge(config_text(class_=[3], samples=180, test_size=60))

    result = run("release")

    assert repository.tags() == ["v0"]
    assert result.code == 1
    assert "leak: 37 images of the train set of v0 would be in the test set" in result.err


def test_a_remote_that_fails_leaves_no_tag(repository: Repository, run: Run) -> None:
    repository.bucket.write_text("a file where the folder should be")

    result = run("release")

    assert result.code == 1
    assert result.err.splitlines()[-1].startswith("error: ")
    assert repository.tags() == repository.git("tag").split() == []


@pytest.fixture
def _runner(monkeypatch: pytest.MonkeyPatch) -> None:
    """Be a workflow run."""
    monkeypatch.setenv("GITHUB_ACTIONS", "true")


@pytest.mark.usefixtures("_runner")
def test_a_runner_with_the_remote_of_the_template_succeeds_with_a_notice(
    repository: Repository, run: Run
) -> None:
    repository.merge_file(".dvc/config", TEMPLATE[".dvc/config"])
    assert run("build").code == 0
    before = contents(repository.origin)

    for verb in ("push", "release"):
        result = run(verb)

        assert (result.code, result.err) == (0, ""), verb
        (notice,) = [x for x in result.out.splitlines() if x.startswith("::notice title=")]
        assert "Set up a bucket as in docs/setup.md" in notice
        assert "python -m scripts remote gs://BUCKET/PATH" in notice
    assert not (repository.root / ".dvc" / "storage").exists()
    assert contents(repository.origin) == before


@pytest.mark.usefixtures("_runner")
def test_a_runner_with_the_remote_of_the_template_fails_after_the_first_release(
    repository: Repository, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.merge_file(".dvc/config", TEMPLATE[".dvc/config"])
    monkeypatch.setenv("GITHUB_ACTIONS", "false")
    assert run("release").code == 0
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    assert run("release") == (
        *(0, "nothing to release: the dataset on main is released already\n", ""),
    )
    repository.merge(LARGER)
    assert run("build").code == 0

    for verb in ("push", "release"):
        result = run(verb)

        assert result.code == 1, verb
        assert "a folder on this runner's disk, which is deleted after the run" in result.err
        assert "::notice" not in result.out
    assert repository.tags() == ["v0"]


@pytest.mark.usefixtures("_runner")
def test_a_runner_with_another_folder_as_remote_fails(repository: Repository, run: Run) -> None:
    assert run("build").code == 0

    for verb in ("push", "release"):
        result = run(verb)

        assert result.code == 1, verb
        assert f"the remote is {repository.bucket}, a folder on this runner's disk" in result.err
        assert "python -m scripts remote gs://BUCKET/PATH" in result.err
        assert "::notice" not in result.out
    assert repository.tags() == []


def test_the_remote_of_the_template_works_on_a_machine_that_is_no_runner(
    repository: Repository, run: Run
) -> None:
    repository.merge_file(".dvc/config", TEMPLATE[".dvc/config"])

    assert run("release").code == 0

    assert run("verify") == (0, "v0  complete and intact: 10 files\n", "")
    storage = repository.root / ".dvc" / "storage"
    assert recorded(repository, "v0").md5 in objects(storage)


def test_the_first_release_names_the_remote_that_holds_it(repository: Repository, run: Run) -> None:
    # A fresh repository has a config before it has its own remote.
    elsewhere = repository.place / "elsewhere"
    run("remote", str(elsewhere))
    repository.git("commit", "--quiet", "--all", "--message", "Set our own remote")
    repository.git("push", "--quiet", "origin", "main")

    assert run("release").code == 0

    assert f"url = {elsewhere}" in repository.at_origin("show", "v0:.dvc/config")
    assert run("verify") == (0, "v0  complete and intact: 10 files\n", "")


ALL_COMPLETE = """\
v0  complete and intact: 10 files
v1  complete and intact: 16 files
v2  complete and intact: 18 files
"""


def test_each_release_is_in_the_remote_that_it_names(released: Repository, run: Run) -> None:
    released.merge(LARGER)
    run("remote", str(released.place / "elsewhere"))
    released.git("commit", "--quiet", "--all", "--message", "Set another remote")
    released.git("push", "--quiet", "origin", "HEAD:main")
    released.merge(LARGEST)

    assert run("release").code == 0

    assert run("verify").out == ALL_COMPLETE


def test_a_remote_that_was_wrong_for_a_while_blocks_nothing(released: Repository, run: Run) -> None:
    right = (released.root / ".dvc" / "config").read_text()
    released.merge_file(".dvc/config", right.replace(REMOTE_URL, "gs://no/such"))
    released.merge(LARGER)
    released.merge_file(".dvc/config", right)
    released.merge(LARGEST)

    assert run("release").code == 0

    assert released.tags() == ["v0", "v1", "v2"]
    assert run("verify").out == ALL_COMPLETE


def test_without_a_remote_nothing_is_released(repository: Repository, run: Run) -> None:
    repository.merge_file(".dvc/config", "[core]\n    analytics = false\n")
    result = run("release")
    assert result.code == 1
    assert "has no remote, so nobody could get the files" in result.err
    assert repository.tags() == []


def test_a_shallow_clone_is_refused_with_the_fix(repository: Repository, run: Run) -> None:
    repository.merge(LARGER)
    url = f"file://{repository.origin}"
    git(repository.place, "clone", "--quiet", "--depth=1", url, "shallow")

    result = run("release", where=repository.place / "shallow")

    assert result.code == 1
    assert "git fetch --unshallow" in result.err


def test_an_unreachable_origin_is_one_message(repository: Repository, run: Run) -> None:
    shutil.rmtree(repository.origin)

    result = run("release")

    assert result.code == 1
    assert result.err.startswith("error: cannot fetch main and tags from origin: ")
    assert len(result.err.splitlines()) == 1


def test_the_bot_is_the_author_if_git_has_no_identity(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = create(tmp_path)
    for role in ("AUTHOR", "COMMITTER"):
        for key in ("NAME", "EMAIL"):
            monkeypatch.delenv(f"GIT_{role}_{key}")
    monkeypatch.setenv("EMAIL", "")

    result = run("release")

    assert result.code == 0, result.err
    signed = "%an <%ae>|%cn <%ce>"
    bot = "github-actions[bot] <41898282+github-actions[bot]@users.noreply.github.com>"
    assert repository.at_origin("log", "-1", f"--format={signed}", "main") == f"{bot}|{bot}"
    tagger = repository.at_origin("for-each-ref", "--format=%(tagger)", "refs/tags/v0")
    assert tagger.startswith(bot)


def test_a_release_changes_nothing_in_the_work_tree(repository: Repository, run: Run) -> None:
    (repository.root / "notes.txt").write_text("mine")
    before = {
        name: data
        for name, data in contents(repository.root).items()
        if not name.startswith((f".git{os.sep}", f".dvc{os.sep}"))
    }

    run("release")

    after = contents(repository.root)
    assert {name: after[name] for name in before} == before
    assert not repository.lock.exists()
    assert not (repository.root / "dataset").exists()


def test_an_unknown_source_is_skipped_once_it_is_fixed(
    repository: Repository, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(request: SourceRequest, *known: Any) -> Source:
        if request.name == "nosuch":
            raise SourceError("source nosuch: OpenML has no active dataset of this name.")
        return load(request, *known)

    load = registry.load
    monkeypatch.setattr(registry, "load", unknown)
    repository.merge(config_text(source="nosuch"))
    first = run("release")
    assert first.code == 1
    assert first.err.startswith("dataset_config.yaml:1:9: source nosuch: OpenML has no active")
    assert repository.tags() == []
    repository.merge(config_text(samples=6))
    assert run("release").code == 0
    assert repository.tags() == ["v0"]


def test_a_config_that_is_not_utf8_is_skipped_once_it_is_fixed(
    released: Repository, run: Run
) -> None:
    (released.root / "dataset_config.yaml").write_bytes(b"# \xff\nsource: digits\n")
    released.git("commit", "--quiet", "--all", "--message", "Damage it")
    released.git("push", "--quiet", "origin", "HEAD:main")
    broken = run("release")
    assert broken.code == 1
    assert broken.err == "dataset_config.yaml:1:3: not UTF-8 text: byte 0xff\n"
    released.merge(config_text(samples=6))
    assert run("release").code == 0
    assert released.tags() == ["v0", "v1"]


def change_setting(repository: Repository, file: Path) -> None:
    """Let a DVC configuration of this machine name another address for the same remote."""
    file.parent.mkdir(exist_ok=True)
    file.write_text(f"['remote \"storage\"']\n    url = {repository.place / 'elsewhere'}\n")


@pytest.mark.parametrize("level", ["local", "global"])
def test_the_configuration_of_one_machine_never_changes_where_a_release_is_stored(
    repository: Repository, run: Run, monkeypatch: pytest.MonkeyPatch, level: str
) -> None:
    if level == "local":
        change_setting(repository, repository.root / ".dvc" / "config.local")
    else:
        monkeypatch.setenv("DVC_GLOBAL_CONFIG_DIR", str(repository.place / "global"))
        change_setting(repository, repository.place / "global" / "config")

    assert run("release").code == 0

    assert_complete(repository)
    assert not (repository.place / "elsewhere").exists()


UNREADABLE = {
    ".dvcignore": "*.dvc\n",
    "dvc.yaml": "stages: [\n",
    "other.dvc": "outs:\n- path: dataset\n  md5: 0123456789abcdef0123456789abcdef.dir\n",
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_a_version_that_consumers_cannot_read_gets_no_tag_until_that_is_fixed(
    released: Repository, run: Run, name: str
) -> None:
    released.merge_file(name, UNREADABLE[name])
    broken = released.merge(LARGER)
    tip = released.tip()

    result = run("release")

    assert (result.code, released.tags(), released.tip()) == (1, ["v0"], tip)
    assert "error: DVC " in result.err
    if name == "other.dvc":
        released.git("rm", "--quiet", name)
        released.git("commit", "--quiet", "--message", "Remove it")
        released.git("push", "--quiet", "origin", "HEAD:main")
    else:
        released.merge_file(name, "")
    if name == "other.dvc":
        released.merge(f"# again\n{LARGER}")
    fixed = run("release")
    assert fixed.code == 0, fixed.err
    assert released.tags() == ["v0", "v1"]
    assert f"skipped {broken[:10]}, which cannot be released: DVC " in fixed.err


def test_settings_of_one_machine_do_not_matter_for_what_consumers_can_read(
    repository: Repository, run: Run
) -> None:
    local = repository.root / ".dvc" / "config.local"
    local.write_text(f"[cache]\n    dir = {repository.place / 'my cache'}\n")

    assert run("release").code == 0
    assert repository.tags() == ["v0"]


class Flaky:
    """A hook of origin that fails some times before it lets a push through."""

    def __init__(self, repository: Repository, ref: str, message: str, times: int) -> None:
        self.count = repository.origin / "count"
        self.count.write_text(str(times))
        repository.check_updates(
            f'case "$1" in {ref}) n=$(cat {self.count}); if [ "$n" -gt 0 ]; then'
            f" echo $((n - 1)) > {self.count}; echo '{message}' >&2; exit 1; fi;; esac"
        )


@pytest.fixture
def impatient() -> Iterator[None]:
    """Try as often as usual, but without pauses."""
    with stamina.set_testing(True, attempts=origin.MAX_ATTEMPTS):
        yield


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("ref", ["refs/tags/v0", "refs/heads/main"])
def test_a_server_that_fails_for_a_moment_is_tried_again(
    repository: Repository, run: Run, ref: str
) -> None:
    Flaky(repository, ref, "Internal Server Error", 3)

    result = run("release")

    assert result.code == 0, result.err
    assert repository.tags() == ["v0"]
    assert_main_has(repository, "v0")
    assert "Could not update main" not in result.err
    assert result.out.count("v0 is published") == 1


@pytest.mark.usefixtures("impatient")
def test_a_server_that_keeps_failing_is_one_message_and_nothing_is_lost(
    repository: Repository, run: Run
) -> None:
    Flaky(repository, "refs/tags/v0", "Internal Server Error", 100)

    result = run("release")

    assert (result.code, repository.tags()) == (1, [])
    assert "error: the push to origin failed 5 times (" in result.err
    assert "No data is lost; run it again." in result.err
    accept(repository)
    assert run("release").code == 0
    assert repository.tags() == ["v0"]


def test_there_is_a_growing_pause_before_another_attempt(
    repository: Repository, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("time.sleep", pauses.append)
    Flaky(repository, "refs/tags/v0", "Internal Server Error", 3)

    assert run("release").code == 0

    assert len(pauses) == 3
    assert pauses[0] >= origin.FIRST_PAUSE
    assert pauses[1] > 2 * origin.FIRST_PAUSE - 1
    assert pauses[2] > pauses[0]
    assert max(pauses) <= origin.MAX_PAUSE + origin.FIRST_PAUSE


def first(monkeypatch: pytest.MonkeyPatch, name: str, do: Callable[[], object]) -> None:
    """Do something right before the function `name` of `origin` is called for the first time."""
    function, todo = getattr(origin, name), [do]

    def call(*arguments: Any) -> Any:
        if todo:
            todo.pop()()
        return function(*arguments)

    monkeypatch.setattr(origin, name, call)


@pytest.mark.usefixtures("impatient")
def test_a_tag_that_was_pushed_a_moment_before_is_not_replaced(
    repository: Repository, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def push_tag() -> None:
        repository.at_origin("tag", "--annotate", "--message", "by hand", "v0", "main")

    first(monkeypatch, "publish_tag", push_tag)

    result = run("release")

    assert result.code == 0, result.err
    assert repository.at_origin("tag", "--list", "--format=%(subject)", "v0") == "by hand"
    assert repository.releases() == ["v1"]


@pytest.mark.usefixtures("impatient")
def test_a_commit_that_was_pushed_to_main_a_moment_before_is_kept(
    repository: Repository, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def push_commit() -> None:
        repository.merge_file("README.md", "Hello\n")

    first(monkeypatch, "push_main", push_commit)

    result = run("release")

    assert result.code == 0, result.err
    assert repository.at_origin("show", "main:README.md") == "Hello"
    assert_main_has(repository, "v0")


def test_a_failed_push_of_main_that_no_rule_explains_is_an_error(
    repository: Repository, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = repository.place / "gone.git"
    first(monkeypatch, "push_main", lambda: repository.origin.rename(gone))

    result = run("release")

    assert result.code == 1
    assert "error: cannot push main to origin (fatal: " in result.err
    gone.rename(repository.origin)
    assert run("release").code == 0
    assert_main_has(repository, "v0")


def test_a_failure_that_another_run_has_settled_in_the_meantime_is_none(
    repository: Repository, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("release").code == 0
    repository.merge(LARGER)
    repository.merge(INVALID)
    Flaky(repository, "refs/heads/main", "Internal Server Error", 1)

    def in_the_meantime(_seconds: float) -> None:
        repository.merge(LARGEST)
        git(repository.place, "clone", "--quiet", "origin.git", "other")
        assert run("release", where=repository.place / "other").code == 0

    monkeypatch.setattr("time.sleep", in_the_meantime)

    result = run("release")

    assert (result.code, repository.tags()) == (0, ["v0", "v1", "v2"])


def test_a_rule_is_not_tried_again(
    repository: Repository, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda _: pytest.fail("there was a pause"))
    refuse(repository, "refs/tags/v0")

    result = run("release")

    assert (result.code, repository.tags()) == (1, [])
    assert "error: origin rejected the tag v0: " in result.err


def test_main_is_updated_by_a_later_run_that_builds_the_release_again(
    repository: Repository, run: Run
) -> None:
    refuse(repository, "refs/heads/main")
    assert run("release").code == 0
    shutil.rmtree(repository.cache)
    accept(repository)

    result = run("release")

    assert (result.code, result.err) == (0, "")
    assert_main_has(repository, "v0")


def test_a_release_warns_as_its_plan_did(repository: Repository, run: Run) -> None:
    repository.merge(config_text(samples=60, test_size=20))
    run("release")
    text = config_text(samples=60, test_size=20, seed=1, comparable_since="v1")
    repository.configure(text)
    planned = [line for line in run("plan").out.splitlines() if line.startswith("warning")]
    repository.merge(text)

    result = run("release")

    assert len(planned) == 4
    for line in planned:
        assert f"warning: v1: {line.removeprefix('warning').strip()}\n" in result.err


def test_a_committer_without_an_author_is_enough(
    repository: Repository, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("NAME", "EMAIL"):
        monkeypatch.delenv(f"GIT_AUTHOR_{name}")

    assert run("release").code == 0

    assert repository.at_origin("log", "-1", "--format=%an", "v0") == "github-actions[bot]"


def test_the_copy_of_a_source_is_kept_in_the_remote_and_used(
    released: Repository, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = recorded(released, "v0").meta.source.copy_
    assert copy is not None
    assert (released.bucket / "records" / copy).exists()
    # As on a runner that has nothing, while the source's origin is down.
    git(released.place, "clone", "--quiet", "origin.git", "other")
    monkeypatch.setenv("XDG_CACHE_HOME", str(released.place / "empty"))
    monkeypatch.setattr("scripts.sources.digits.read", lambda _: pytest.fail("the origin was read"))
    other = released.place / "other"
    (other / "dataset_config.yaml").write_text(LARGER)

    assert run("build", where=other).code == 0
    assert len(list((other / "dataset").rglob("*.png"))) == 16


def test_a_copy_that_is_damaged_is_not_used(
    released: Repository, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = recorded(released, "v0").meta.source.copy_
    for folder in (released.bucket, released.cache):
        (folder / "records" / str(copy)).write_bytes(b"damaged")
    git(released.place, "clone", "--quiet", "origin.git", "other")
    monkeypatch.setenv("XDG_CACHE_HOME", str(released.place / "empty"))

    assert run("build", where=released.place / "other").code == 0
    assert len(list((released.place / "other" / "dataset").rglob("*.png"))) == 10


def test_what_is_planned_is_released_also_where_main_lacks_the_newest_lock(
    repository: Repository, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The source changes between v0 and v1, whose lock main does not get.
    digits = registry.load(SourceRequest("digits"))
    assert isinstance(digits, Table)
    run("release")
    changed = Table("digits", 255 - digits.pixels, digits.labels)
    copies.keep(changed)
    refuse(repository, "refs/heads/main")
    with monkeypatch.context() as patch:
        patch.setattr(registry, "load", lambda *_: changed)
        accept(repository)
        repository.merge(LARGER)
        refuse(repository, "refs/heads/main")
        assert run("release").code == 0
    assert recorded(repository, "main").meta.source.sha256 == digits.sha256
    assert recorded(repository, "v1").meta.source.sha256 == changed.sha256
    repository.git("fetch", "--quiet", "--tags", "origin")
    repository.configure(LARGEST)

    planned = json.loads(run("plan", "--format", "json").out)

    accept(repository)
    repository.merge(LARGEST)
    assert run("release").code == 0
    assert recorded(repository, "v2").md5 == planned["md5"]
    assert planned["source_changed"] is False


def test_a_release_reads_the_inputs_of_a_commit_once(
    repository: Repository, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.merge(config_text())
    trees: list[str | None] = []
    read = reader.read

    def noted(tree: Any, *arguments: Any) -> Any:
        trees.append(getattr(tree, "rev", None))
        return read(tree, *arguments)

    monkeypatch.setattr(reader, "read", noted)

    assert run("release").code == 0
    # That of the merge, and that of the release, for its warnings.
    assert len(trees) == len({*trees}) == 2
