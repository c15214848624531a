import os
import shlex
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from scripts.dataset import record
from scripts.storage import files
from tests.repository import Repository, Run, config_text, create, mismatched, objects


@pytest.fixture
def built(repository: Repository, run: Run) -> Repository:
    assert run("build").code == 0
    return repository


def any_file(repository: Repository) -> str:
    """Return the object of one of the built files."""
    return next(name for name in objects(repository.cache) if not name.endswith(".dir"))


def test_a_push_copies_everything_and_the_second_nothing(built: Repository, run: Run) -> None:
    md5 = record.read(built.root).md5

    first, second = run("push"), run("push")

    holds = f"{built.bucket} holds all 10 files of {md5}"
    assert first == (0, f"{holds} (11 copied)\n", "")
    assert second == (0, f"{holds} (0 copied)\n", "")
    assert objects(built.bucket) == objects(built.cache)


def test_a_push_copies_only_what_the_remote_lacks(built: Repository, run: Run) -> None:
    run("push")
    built.object_file(any_file(built)).unlink()

    result = run("push")

    assert (result.code, result.out.split("(")[1]) == (0, "1 copied)\n")
    assert objects(built.bucket) == objects(built.cache)


def test_objects_in_a_folder_are_read_only(built: Repository, run: Run) -> None:
    run("push")
    for name in objects(built.bucket):
        assert built.object_file(name).stat().st_mode & 0o777 == 0o444


@pytest.mark.parametrize("mode", [0o644, 0o444], ids=["writable", "read-only"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_push_refuses_a_remote_that_holds_a_damaged_object(
    built: Repository, run: Run, when: str, mode: int
) -> None:
    if when == "after":
        run("push")
    name = any_file(built)
    damaged = built.object_file(name)
    damaged.parent.mkdir(parents=True, exist_ok=True)
    damaged.unlink(missing_ok=True)
    damaged.write_bytes(b"damaged")
    # DVC trusts a file that is read-only, and removes one that is not.
    damaged.chmod(mode)

    result = run("push")

    assert (result.code, result.out) == (1, "")
    assert result.err == (
        f"error: Checksum mismatch for 1 of 11 objects in {built.bucket}. Remove them"
        f" and run it again:\n    rm -f {built.object_file(name)}\n"
    )
    assert damaged.read_bytes() == b"damaged"
    damaged.unlink()
    assert run("push").code == 0
    assert objects(built.bucket) == objects(built.cache)


@pytest.fixture
def grown(released: Repository, run: Run) -> Repository:
    """A repository with a release and a build that has six images more."""
    released.configure(config_text(samples=8))
    assert run("build").code == 0
    return released


def damage(file: Path) -> None:
    file.chmod(0o644)
    file.write_bytes(b"damaged")


def of_release(repository: Repository) -> list[str]:
    """Return the objects of the release."""
    return sorted(objects(repository.bucket))


def test_of_what_is_released_a_push_only_looks_for_the_objects(grown: Repository, run: Run) -> None:
    # They were verified before the tag was made. To read them again is what verify does.
    damage(grown.object_file(of_release(grown)[0]))

    assert run("push").out.endswith("(7 copied)\n")

    assert run("verify").code == 1


def test_what_is_not_released_is_verified_at_each_push(grown: Repository, run: Run) -> None:
    released = of_release(grown)
    run("push")
    new = sorted(objects(grown.bucket).keys() - {*released})
    damage(grown.object_file(new[0]))

    result = run("push")

    assert result.code == 1
    assert result.err.startswith("error: Checksum mismatch for 1 of 17 objects")


def test_a_released_object_that_is_missing_is_copied_and_verified(
    grown: Repository, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("push")
    [lost, *_] = of_release(grown)
    content = grown.object_file(lost).read_bytes()
    grown.object_file(lost).unlink()

    with monkeypatch.context() as patch:
        patch.setattr(files, "copy", lambda _, path, __: Path(path).write_bytes(b"damaged"))
        assert "Checksum mismatch for 1 of 17 objects" in run("push").err

    grown.object_file(lost).unlink()
    assert run("push").out.endswith("(1 copied)\n")
    assert grown.object_file(lost).read_bytes() == content


def test_in_another_remote_than_that_of_the_release_all_objects_are_verified(
    grown: Repository, run: Run
) -> None:
    other = grown.place / "other"
    shutil.copytree(grown.bucket, other)
    assert run("remote", str(other)).code == 0
    released = of_release(grown)
    damage(other / grown.object_file(released[0]).relative_to(grown.bucket))

    result = run("push")

    assert result.code == 1
    assert result.err.startswith("error: Checksum mismatch for 1 of 17 objects")


MORE = "    and 5 more\nthe complete list is in .dvc/tmp/problems/push.txt\n"


@pytest.mark.parametrize(("count", "more"), [(3, ""), (20, ""), (25, MORE)])
def test_all_damaged_objects_are_listed_with_the_command_that_removes_them(
    repository: Repository, run: Run, count: int, more: str
) -> None:
    repository.configure(config_text(samples=15))
    run("build")
    planted = sorted(objects(repository.cache))[:count]
    for name in planted:
        repository.object_file(name).parent.mkdir(parents=True, exist_ok=True)
        repository.object_file(name).write_bytes(b"planted")

    result = run("push")

    commands = [f"rm -f {repository.object_file(name)}" for name in planted[:20]]
    assert result == (
        1,
        "",
        f"error: Checksum mismatch for {count} of 31 objects in {repository.bucket}. Remove them"
        " and run it again:\n" + "".join(f"    {command}\n" for command in commands) + more,
    )
    if more:
        kept = (repository.root / ".dvc/tmp/problems/push.txt").read_text()
        commands = kept.splitlines()
    for command in commands:
        subprocess.run(shlex.split(command), check=True)
    assert run("push").code == 0


def test_the_command_that_removes_an_object_is_quoted(tmp_path: Path, run: Run) -> None:
    place = tmp_path / "two words"
    place.mkdir()
    repository = create(place)
    run("build", where=repository.root)
    name = any_file(repository)
    repository.object_file(name).parent.mkdir(parents=True)
    repository.object_file(name).write_bytes(b"planted")

    result = run("push", where=repository.root)

    command = result.err.splitlines()[-1]
    assert shlex.split(command) == ["rm", "-f", str(repository.object_file(name))]


def left(folder: Path, hours: int) -> Path:
    """Leave a temporary file as a run does that was killed some hours ago."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"left{hours}.tmp"
    file.write_bytes(b"a part of an object")
    os.utime(file, (time.time() - hours * 3600,) * 2)
    return file


@pytest.mark.parametrize("verb", ["build", "push", "release"])
def test_temporary_files_that_a_killed_run_left_are_removed_after_a_day(
    built: Repository, run: Run, verb: str
) -> None:
    stores = [built.cache] if verb == "build" else [built.cache, built.bucket]
    below = ["files/md5/00", "files/md5/ff", "records"]
    old = [left(store / folder, 25) for store in stores for folder in below]
    fresh = [left(store / folder, 23) for store in stores for folder in below]
    others = [left(built.bucket, 25), left(built.bucket / "mine", 25), left(built.root, 25)]

    assert run(verb).code == 0

    assert not [file for file in old if file.exists()]
    assert not [file for file in fresh + others if not file.exists()]
    assert len(objects(built.cache)) == 11
    assert run("push").code == 0
    assert objects(built.bucket) == objects(built.cache)


def test_a_temporary_file_that_cannot_be_removed_is_no_error(built: Repository, run: Run) -> None:
    stuck = built.bucket / "files" / "md5" / "00" / "stuck.tmp"
    stuck.mkdir(parents=True)
    os.utime(stuck, (0, 0))

    assert run("push").code == 0

    assert stuck.exists()


def test_a_push_without_a_manifest_in_the_cache_says_to_build(built: Repository, run: Run) -> None:
    md5 = record.read(built.root).md5
    shutil.rmtree(built.cache)

    assert run("push") == (
        1,
        "",
        f"error: the cache does not hold the manifest {md5}."
        " Build it first: python -m scripts build\n",
    )


def test_a_push_with_a_damaged_manifest_in_the_cache_says_to_build(
    built: Repository, run: Run
) -> None:
    md5 = record.read(built.root).md5
    file = built.cached_file(md5)
    file.chmod(0o644)
    file.write_bytes(b"[]")

    result = run("push")

    assert result.code == 1
    assert f"the cache does not hold the manifest {md5}" in result.err
    assert objects(built.bucket) == {}


def test_a_push_without_one_of_the_files_is_an_error_and_copies_nothing(
    built: Repository, run: Run
) -> None:
    name = any_file(built)
    built.cached_file(name).unlink()

    result = run("push")

    assert result.code == 1
    assert f"{name[2:]} was changed or removed after the build. Build it again" in result.err
    assert objects(built.bucket) == {}


def test_a_push_never_copies_bytes_that_do_not_match_their_name(
    built: Repository, run: Run
) -> None:
    file = built.cached_file(any_file(built))
    file.chmod(0o644)
    file.write_bytes(b"edited through the link in dataset/")

    result = run("push")

    assert result.code == 1
    assert "Build it again: python -m scripts build" in result.err
    assert objects(built.bucket) == {}


def test_objects_that_cannot_be_copied_are_an_error_and_the_manifest_is_not_copied(
    built: Repository, run: Run
) -> None:
    name = any_file(built)
    folder = built.bucket / "files" / "md5" / name[:2]
    folder.parent.mkdir(parents=True)
    folder.write_bytes(b"a file where a folder is needed")
    failing = [other for other in objects(built.cache) if other.startswith(name[:2])]

    result = run("push")

    assert result.code == 1
    assert result.err.startswith(
        f"error: {len(failing)} of 11 objects could not be copied to {built.bucket} ("
    )
    assert result.err.endswith("). No data is lost; run it again.\n")
    there = objects(built.bucket)
    assert not [other for other in there if other.endswith(".dir")]
    assert not mismatched(there)
    folder.unlink()
    assert run("push").code == 0
    assert objects(built.bucket) == objects(built.cache)


def test_a_push_without_a_remote_says_how_to_set_one(built: Repository, run: Run) -> None:
    (built.root / ".dvc" / "config").write_text("")

    assert run("push") == (
        1,
        "",
        "error: .dvc/config has no remote, so nobody could get the files."
        " Set one: python -m scripts remote URL\n",
    )
