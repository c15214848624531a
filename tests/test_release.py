import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from scripts import lock, source
from tests.repository import (
    Repository,
    Run,
    config_text,
    contents,
    create,
    git,
    objects,
    untrue,
)

LARGER = config_text(samples=8)
LARGEST = config_text(samples=9)


def refuse(repository: Repository, ref: str) -> None:
    """Let origin refuse pushes to `ref`, as a forge does for a protected branch."""
    hook = repository.origin / "hooks" / "update"
    hook.write_text(
        f'#!/bin/sh\ncase "$1" in {ref}) echo "protected by a rule" >&2; exit 1;; esac\n'
    )
    hook.chmod(0o755)


def assert_whole(repository: Repository) -> None:
    """Every tag's objects are all in the remote, with the bytes their names say."""
    there = objects(repository.bucket)
    assert not untrue(there)
    for tag in repository.tags():
        recorded = lock.parse(repository.at_origin("show", f"{tag}:dataset.dvc").encode())
        assert recorded.md5 in there
        assert all(entry in there for entry in listed(there[recorded.md5]))


def listed(listing: bytes) -> list[str]:
    return [part.split('"')[0] for part in listing.decode().split('"md5": "')[1:]]


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
    assert_whole(repository)


def test_the_lock_is_committed_as_a_child_and_main_follows(
    repository: Repository, run: Run
) -> None:
    merged = repository.merge(LARGER)

    run("release")

    assert repository.at_origin("rev-parse", "v0^{commit}") == repository.tip()
    assert repository.at_origin("rev-list", "--parents", "-1", "main").split()[1:] == [merged]
    assert repository.at_origin("diff", "--name-only", merged, "main") == "dataset.dvc"
    assert repository.at_origin("log", "-1", "--format=%s", "main") == "Record version 0"
    recorded = lock.parse(repository.at_origin("show", "v0:dataset.dvc").encode())
    assert recorded.meta.config["samples"] == 8


def test_the_commit_itself_is_released_where_its_lock_is_right(
    repository: Repository, run: Run
) -> None:
    repository.configure(LARGER)
    run("build")
    repository.git("add", "dataset.dvc")
    right = repository.merge(LARGER)

    assert run("release").code == 0

    assert repository.at_origin("rev-parse", "v0^{commit}") == repository.tip() == right


def test_a_release_is_an_annotated_tag_that_says_its_version(
    repository: Repository, run: Run
) -> None:
    run("release")

    kind, tag, message = repository.at_origin(
        "for-each-ref", "--format=%(objecttype)|%(tag)|%(contents)", "refs/tags"
    ).split("|")
    assert (kind, tag, message.strip()) == ("tag", "v0", "version 0")


def test_each_merge_gets_its_release_in_order(repository: Repository, run: Run) -> None:
    run("release")
    commits = [repository.merge(LARGER), repository.merge(LARGEST)]

    result = run("release")

    assert result.code == 0, result.err
    assert [line.split()[0] for line in result.out.splitlines()] == ["v1", "v2"]
    assert repository.tags() == ["v0", "v1", "v2"]
    assert [repository.at_origin("rev-parse", f"{tag}^") for tag in ("v1", "v2")] == commits
    assert repository.at_origin("show", "main:dataset.dvc") == repository.at_origin(
        "show", "v2:dataset.dvc"
    )
    assert repository.at_origin("show", "main:dataset_config.yaml") == LARGEST.strip()
    assert_whole(repository)


def test_a_pull_request_that_went_back_gets_a_release_too(repository: Repository, run: Run) -> None:
    for text in (LARGER, config_text()):
        run("release")
        repository.merge(text)
    run("release")

    assert repository.tags() == ["v0", "v1", "v2"]
    md5 = [
        lock.parse(repository.at_origin("show", f"v{n}:dataset.dvc").encode()).md5 for n in range(3)
    ]
    assert md5[0] == md5[2] != md5[1]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("dataset_config.yaml", f"# why: nobody knows\n{config_text()}"),
        ("dataset_config.yaml", config_text(class_="3", seed=None)),
        ("scripts/selection.py", "# another comment\n"),
        ("requirements.txt", "# another comment\n"),
        ("README.md", "Hello\n"),
    ],
)
def test_what_does_not_change_the_dataset_gets_no_release(
    repository: Repository, run: Run, name: str, text: str
) -> None:
    run("release")
    repository.merge_file(name, text)
    before = contents(repository.origin)

    result = run("release")

    assert (result.code, result.err) == (0, "")
    assert result.out == "nothing to release: the dataset on main is released already\n"
    assert contents(repository.origin) == before


def test_a_second_run_does_nothing(repository: Repository, run: Run) -> None:
    run("release")
    before = contents(repository.origin), contents(repository.bucket)

    result = run("release")

    assert (result.code, result.out.split(":")[0]) == (0, "nothing to release")
    assert (contents(repository.origin), contents(repository.bucket)) == before


def test_a_fresh_clone_releases_what_another_left(repository: Repository, run: Run) -> None:
    run("release")
    repository.merge(LARGER)
    git(repository.place, "clone", "--quiet", "--no-tags", "origin.git", "other")

    result = run("release", where=repository.place / "other")

    assert result.code == 0, result.err
    assert repository.tags() == ["v0", "v1"]


def test_a_main_that_moved_on_gets_the_lock_by_a_merge(repository: Repository, run: Run) -> None:
    run("release")
    repository.merge(LARGER)
    readme = repository.merge_file("README.md", "Hello\n")

    assert run("release").code == 0

    parents = repository.at_origin("rev-list", "--parents", "-1", "main").split()[1:]
    assert parents == [readme, repository.at_origin("rev-parse", "v1^{commit}")]
    assert repository.at_origin("show", "main:README.md") == "Hello"
    assert repository.at_origin("show", "main:dataset.dvc") == repository.at_origin(
        "show", "v1:dataset.dvc"
    )
    assert run("release").out.startswith("nothing to release")


def test_a_protected_main_leaves_the_release_complete_and_says_how_to_follow(
    repository: Repository, run: Run
) -> None:
    refuse(repository, "refs/heads/main")
    tip = repository.tip()

    result = run("release")

    assert result.code == 0
    assert repository.tags() == ["v0"]
    assert repository.tip() == tip
    assert "main does not follow: origin refused it" in result.err
    assert "protected by a rule" in result.err
    assert "give the release workflow a deploy key" in result.err
    assert_whole(repository)


def test_releases_go_on_while_main_is_protected(repository: Repository, run: Run) -> None:
    run("release")
    repository.merge(LARGER)
    refuse(repository, "refs/heads/main")
    run("release")
    (repository.origin / "hooks" / "update").unlink()
    repository.merge(LARGEST)
    refuse(repository, "refs/heads/main")
    assert run("release").code == 0
    assert repository.tags() == ["v0", "v1", "v2"]

    (repository.origin / "hooks" / "update").unlink()

    assert run("release").code == 0
    assert repository.tags() == ["v0", "v1", "v2"]
    assert repository.at_origin("show", "main:dataset.dvc") == repository.at_origin(
        "show", "v2:dataset.dvc"
    )


def test_origin_refusing_the_tag_is_an_error_that_quotes_it(
    repository: Repository, run: Run
) -> None:
    refuse(repository, "refs/tags/*")

    result = run("release")

    assert result.code == 1
    assert "error: origin refused the tag v0: " in result.err
    assert "protected by a rule" in result.err
    assert repository.tags() == repository.git("tag").split() == []


def test_an_invalid_config_at_the_tip_fails_after_the_good_ones_are_released(
    repository: Repository, run: Run
) -> None:
    run("release")
    repository.merge(LARGER)
    repository.merge(config_text(samples=-1))

    result = run("release")

    assert result.code == 1
    assert result.err.splitlines()[-1] == (
        "dataset_config.yaml:3:10: samples: must be at least 1, found -1"
    )
    assert repository.tags() == ["v0", "v1"]
    assert repository.at_origin("show", "main:dataset.dvc") == repository.at_origin(
        "show", "v1:dataset.dvc"
    )


def test_a_failure_at_the_tip_is_told_again_by_the_next_run(
    repository: Repository, run: Run
) -> None:
    run("release")
    repository.merge(LARGER)
    repository.merge(config_text(samples=-1))

    assert [run("release").code for _ in range(3)] == [1, 1, 1]
    assert repository.tags() == ["v0", "v1"]


def test_an_invalid_config_that_was_put_right_is_passed_over(
    repository: Repository, run: Run
) -> None:
    run("release")
    wrong = repository.merge("samples: [")
    repository.merge(LARGER)

    result = run("release")

    assert result.code == 0
    assert f"passed over {wrong[:10]}, whose config was invalid: " in result.err
    assert repository.tags() == ["v0", "v1"]


def test_a_config_that_is_put_back_as_it_was_needs_no_release(
    repository: Repository, run: Run
) -> None:
    run("release")
    repository.merge("samples: [")
    repository.merge(config_text())

    result = run("release")

    assert result.code == 0, result.err
    assert repository.tags() == ["v0"]


def test_a_config_deleted_on_main_is_a_clear_error(repository: Repository, run: Run) -> None:
    run("release")
    repository.git("pull", "--quiet", "--ff-only", "origin", "main")
    repository.git("rm", "--quiet", "dataset_config.yaml")
    repository.git("commit", "--quiet", "--message", "Delete")
    repository.git("push", "--quiet", "origin", "HEAD:main")

    result = run("release")

    assert result.code == 1
    assert "there is no config in" in result.err


def test_a_stray_local_tag_is_refused_with_what_to_do(repository: Repository, run: Run) -> None:
    repository.git("tag", "--annotate", "--message", "mine", "v0")

    result = run("release")

    assert result.code == 1
    assert "the tag v0 exists here but not at origin" in result.err
    assert "git tag -d v0" in result.err
    assert repository.tags() == []


def test_another_tag_than_a_release_is_no_release(repository: Repository, run: Run) -> None:
    for name in ("v0-rc1", "v01", "version", "v"):
        repository.git("tag", name)

    assert run("release").code == 0
    assert repository.tags() == ["v0"]


def test_a_lock_edited_by_hand_on_main_is_put_right(repository: Repository, run: Run) -> None:
    run("release")
    right = repository.at_origin("show", "main:dataset.dvc")
    repository.merge_file("dataset.dvc", right.replace("nfiles: 10", "nfiles: 11"))

    assert run("release").code == 0

    assert repository.at_origin("show", "main:dataset.dvc") == right
    assert repository.tags() == ["v0"]


def test_a_broken_lock_on_main_does_not_stop_the_next_release(
    repository: Repository, run: Run
) -> None:
    run("release")
    repository.merge_file("dataset.dvc", "<<<<<<< HEAD\n")
    repository.merge(LARGER)

    result = run("release")

    assert result.code == 0, result.err
    assert repository.tags() == ["v0", "v1"]
    lock.parse(repository.at_origin("show", "main:dataset.dvc").encode())


def test_a_broken_lock_on_main_does_not_stop_the_first_release(
    repository: Repository, run: Run
) -> None:
    repository.merge_file("dataset.dvc", "<<<<<<< HEAD\n")

    result = run("release")

    assert result.code == 0, result.err
    assert repository.tags() == ["v0"]


def test_two_runs_at_once_end_with_one_release_for_each_merge(
    repository: Repository, run: Run
) -> None:
    run("release")
    repository.merge(LARGER)
    repository.merge(LARGEST)
    others = [repository.place / name for name in ("first", "second")]
    for other in others:
        git(repository.place, "clone", "--quiet", "origin.git", other.name)

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
    said = [process.communicate() for process in running]

    assert [process.returncode for process in running] == [0, 0], said
    assert repository.tags() == ["v0", "v1", "v2"]
    md5 = {
        lock.parse(repository.at_origin("show", f"v{n}:dataset.dvc").encode()).md5 for n in range(3)
    }
    assert len(md5) == 3
    assert repository.at_origin("show", "main:dataset.dvc") == repository.at_origin(
        "show", "v2:dataset.dvc"
    )
    assert_whole(repository)


def test_a_move_between_train_and_test_is_never_released(repository: Repository, run: Run) -> None:
    repository.merge(config_text(class_=[3], samples=180, test_size=20))
    run("release")
    repository.merge(config_text(class_=[3], samples=180, test_size=60))

    result = run("release")

    assert repository.tags() == ["v0"]
    assert result.code == 1
    assert "of v0 would change between train and test" in result.err


def test_a_remote_that_refuses_leaves_no_tag(repository: Repository, run: Run) -> None:
    repository.bucket.write_text("a file where the folder should be")

    result = run("release")

    assert result.code == 1
    assert result.err.splitlines()[-1].startswith("error: ")
    assert repository.tags() == repository.git("tag").split() == []


def test_a_local_folder_is_no_remote_for_a_runner(
    repository: Repository, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")

    for verb in ("release", "push"):
        run("build")
        result = run(verb)
        assert result.code == 1
        assert "a folder on this runner's disk" in result.err
        assert "python -m scripts remote gs://BUCKET/PATH" in result.err
    assert repository.tags() == []


def test_the_first_release_names_the_remote_that_holds_it(repository: Repository, run: Run) -> None:
    # A fresh repository begins with a config and points at its own remote only then.
    elsewhere = repository.place / "elsewhere"
    run("remote", str(elsewhere))
    repository.git("commit", "--quiet", "--all", "--message", "Point at our own remote")
    repository.git("push", "--quiet", "origin", "main")

    assert run("release").code == 0

    assert f"url = {elsewhere}" in repository.at_origin("show", "v0:.dvc/config")
    assert run("verify") == (0, "v0  whole: 10 files\n", "")


def test_each_release_is_in_the_remote_that_it_names(repository: Repository, run: Run) -> None:
    run("release")
    repository.merge(LARGER)
    run("remote", str(repository.place / "elsewhere"))
    repository.git("commit", "--quiet", "--all", "--message", "Point at another remote")
    repository.git("push", "--quiet", "origin", "HEAD:main")
    repository.merge(LARGEST)

    assert run("release").code == 0

    assert run("verify").out == ("v0  whole: 10 files\nv1  whole: 16 files\nv2  whole: 18 files\n")


def test_a_remote_that_was_wrong_for_a_while_blocks_nothing(
    repository: Repository, run: Run
) -> None:
    run("release")
    right = (repository.root / ".dvc" / "config").read_text()
    repository.merge_file(".dvc/config", right.replace(str(repository.bucket), "gs://no/such"))
    repository.merge(LARGER)
    repository.merge_file(".dvc/config", right)
    repository.merge(LARGEST)

    assert run("release").code == 0

    assert repository.tags() == ["v0", "v1", "v2"]
    assert run("verify").out == ("v0  whole: 10 files\nv1  whole: 16 files\nv2  whole: 18 files\n")


def test_without_a_remote_nothing_is_released(repository: Repository, run: Run) -> None:
    repository.merge_file(".dvc/config", "[core]\n    analytics = false\n")
    result = run("release")
    assert result.code == 1
    assert "names no remote, so nobody could get its files" in result.err
    assert repository.tags() == []


def test_a_shallow_clone_is_refused_with_what_to_do(repository: Repository, run: Run) -> None:
    repository.merge(LARGER)
    url = f"file://{repository.origin}"
    git(repository.place, "clone", "--quiet", "--depth=1", url, "shallow")

    result = run("release", where=repository.place / "shallow")

    assert result.code == 1
    assert "git fetch --unshallow" in result.err


def test_an_origin_out_of_reach_is_one_message(repository: Repository, run: Run) -> None:
    shutil.rmtree(repository.origin)

    result = run("release")

    assert result.code == 1
    assert result.err.startswith("error: origin's main and tags cannot be fetched: ")
    assert len(result.err.splitlines()) == 1


def test_the_bot_signs_where_nobody_has_said_who_they_are(
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


def test_releasing_changes_nothing_in_the_work_tree(repository: Repository, run: Run) -> None:
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


def test_a_source_that_will_never_do_is_passed_over_once_it_is_put_right(
    repository: Repository, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(name: str, sha256: str | None = None) -> source.Source:
        if name == "nosuch":
            raise source.SourceError("source nosuch: OpenML has no active dataset of this name.")
        return load(name, sha256)

    load = source.load
    monkeypatch.setattr(source, "load", unknown)
    repository.merge(config_text(source="nosuch"))
    first = run("release")
    assert first.code == 1
    assert first.err.startswith("dataset_config.yaml:1:9: source nosuch: OpenML has no active")
    assert repository.tags() == []
    repository.merge(config_text(samples=6))
    assert run("release").code == 0
    assert repository.tags() == ["v0"]


def test_a_config_that_is_no_text_is_passed_over_once_it_is_put_right(
    repository: Repository, run: Run
) -> None:
    assert run("release").code == 0
    repository.git("pull", "--quiet", "origin", "main")
    (repository.root / "dataset_config.yaml").write_bytes(b"# \xff\nsource: digits\n")
    repository.git("commit", "--quiet", "--all", "--message", "Break it")
    repository.git("push", "--quiet", "origin", "HEAD:main")
    broken = run("release")
    assert broken.code == 1
    assert broken.err == "dataset_config.yaml:1:3: not text in UTF-8: byte 0xff\n"
    repository.merge(config_text(samples=6))
    assert run("release").code == 0
    assert repository.tags() == ["v0", "v1"]


def test_a_tag_that_is_no_release_is_named_with_what_to_do(
    repository: Repository, run: Run
) -> None:
    repository.git("tag", "v7")
    result = run("plan")
    assert result.code == 1
    assert "Remove the tag: git push --delete origin v7; git tag -d v7" in result.err
