import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from scripts import lock
from scripts.store import Listing
from tests.repository import Repository, Run, config_text, contents, objects, untrue

DVC = (sys.executable, "-m", "dvc")


def dvc(where: Path, *arguments: str) -> str:
    return subprocess.run(
        [*DVC, *arguments], cwd=where, capture_output=True, text=True, check=True
    ).stdout


@pytest.fixture
def built(repository: Repository, run: Run) -> Repository:
    assert run("build").code == 0
    return repository


def md5_of(repository: Repository) -> str:
    return lock.parse(repository.lock.read_bytes()).md5


def test_a_listing_is_dvcs_own_object_for_a_folder() -> None:
    listing = Listing({"b/2.png": ("bb", 2), "a/1.png": ("aa", 1), "b/3.png": ("aa", 1)})

    assert listing.content() == (
        b'[{"md5": "aa", "relpath": "a/1.png"}, {"md5": "bb", "relpath": "b/2.png"},'
        b' {"md5": "aa", "relpath": "b/3.png"}]'
    )
    assert (listing.size, listing.objects()) == (4, {"aa": 1, "bb": 2})


def test_dvc_finds_nothing_to_do_after_a_build(built: Repository) -> None:
    assert dvc(built.root, "status") == "Data and pipelines are up to date.\n"


def test_dvc_add_arrives_at_the_same_lock(built: Repository) -> None:
    before = built.lock.read_text()
    dvc(built.root, "add", "--quiet", "dataset")
    assert built.lock.read_text() == before


def test_a_consumer_gets_the_same_bytes_with_plain_dvc(repository: Repository, run: Run) -> None:
    run("release")
    run("build")
    made = contents(repository.root / "dataset")
    shutil.rmtree(repository.root / "dataset")
    shutil.rmtree(repository.cache)
    consumer = repository.place / "consumer"
    consumer.mkdir()

    origin = str(repository.origin)
    dvc(consumer, "get", "--quiet", origin, "dataset", "--rev", "v0", "-o", "out")

    assert contents(consumer / "out") == made
    assert len(made) == 10


def test_dvc_pull_brings_back_what_was_deleted(built: Repository, run: Run) -> None:
    run("push")
    made = contents(built.root / "dataset")
    shutil.rmtree(built.root / "dataset")
    shutil.rmtree(built.cache)

    dvc(built.root, "pull", "--quiet")

    assert contents(built.root / "dataset") == made


def test_a_build_replaces_what_was_edited_by_hand(built: Repository, run: Run) -> None:
    folder = built.root / "dataset"
    made = contents(folder)
    first = folder / next(iter(made))
    first.unlink()
    first.write_bytes(b"edited")
    (folder / "train" / "extra.png").write_bytes(b"extra")
    (folder / next(reversed(made))).unlink()

    assert run("build").code == 0

    assert contents(folder) == made


def test_a_build_replaces_a_file_called_dataset(repository: Repository, run: Run) -> None:
    (repository.root / "dataset").write_text("not a folder")

    assert run("build").code == 0

    assert len(contents(repository.root / "dataset")) == 10


def test_a_build_leaves_nothing_but_the_dataset_and_its_lock(
    repository: Repository, run: Run
) -> None:
    before = {file.name for file in repository.root.iterdir()}

    run("build")

    after = {file.name for file in repository.root.iterdir()}
    assert after - before == {"dataset", "dataset.dvc"}
    assert repository.git("status", "--porcelain") == "?? dataset.dvc"


def test_a_damaged_object_of_the_cache_is_repaired(built: Repository, run: Run) -> None:
    whole = objects(built.cache)
    made = contents(built.root / "dataset")
    for name in list(whole)[:3]:
        file = built.cached_file(name)
        file.unlink()
        file.write_bytes(b"damaged")

    assert run("build").code == 0

    assert objects(built.cache) == whole
    assert contents(built.root / "dataset") == made


def test_an_edit_through_the_hard_link_does_not_survive(built: Repository, run: Run) -> None:
    # A file of dataset/ and its object in the cache can be one and the same on the disk.
    file = next((built.root / "dataset" / "train" / "3").iterdir())
    whole = file.read_bytes()
    os.chmod(file, 0o644)  # noqa: PTH101
    file.write_bytes(b"edited in place")

    run("build")

    assert file.read_bytes() == whole
    assert not untrue(objects(built.cache))


def test_objects_of_the_cache_are_read_only(built: Repository) -> None:
    for name in objects(built.cache):
        assert built.cached_file(name).stat().st_mode & 0o222 == 0


def test_equal_files_share_an_object() -> None:
    listing = Listing({f"train/a/{n}.png": ("aa", 7) for n in range(5)})
    assert len(listing.objects()) == 1
    assert listing.size == 35


def test_a_push_copies_everything_and_the_second_nothing(built: Repository, run: Run) -> None:
    first, second = run("push"), run("push")

    assert first.out.endswith("(11 copied)\n")
    assert second.out.endswith("(0 copied)\n")
    assert objects(built.bucket) == objects(built.cache)


def test_a_push_copies_just_what_the_remote_lost(built: Repository, run: Run) -> None:
    run("push")
    lost = built.object_file(next(name for name in objects(built.bucket)))
    lost.unlink()

    result = run("push")

    assert (result.code, result.out.split("(")[1]) == (0, "1 copied)\n")
    assert objects(built.bucket) == objects(built.cache)


def test_a_damaged_object_of_the_remote_does_not_pass_as_pushed(
    built: Repository, run: Run
) -> None:
    run("push")
    damaged = built.object_file(next(name for name in objects(built.bucket)))
    damaged.chmod(0o644)
    damaged.write_bytes(b"damaged")

    assert run("push").code == 0

    assert not untrue(objects(built.bucket))


def test_a_push_without_a_lock_says_to_build(repository: Repository, run: Run) -> None:
    result = run("push")
    assert (result.code, result.err) == (
        1,
        "error: there is no dataset.dvc yet. Make it first: python -m scripts build\n",
    )


def test_a_push_without_the_listing_says_to_build(built: Repository, run: Run) -> None:
    shutil.rmtree(built.cache)

    result = run("push")

    assert result.code == 1
    assert f"the cache does not hold {md5_of(built)}" in result.err
    assert "python -m scripts build" in result.err


def test_a_push_without_one_of_the_files_is_an_error_and_leaves_no_listing(
    built: Repository, run: Run
) -> None:
    name = next(name for name in objects(built.cache) if not name.endswith(".dir"))
    built.cached_file(name).unlink()

    result = run("push")

    assert result.code == 1
    assert f"{name[2:]} was changed or removed since it was made. Make it again" in result.err
    assert objects(built.bucket) == {}


def test_a_push_stores_no_bytes_under_a_name_that_is_not_theirs(
    built: Repository, run: Run
) -> None:
    name = next(name for name in objects(built.cache) if not name.endswith(".dir"))
    file = built.cached_file(name)
    file.chmod(0o644)
    file.write_bytes(b"edited through the link in dataset/")

    result = run("push")

    assert result.code == 1
    assert "Make it again: python -m scripts build" in result.err
    assert objects(built.bucket) == {}


def test_a_push_refuses_a_remote_that_holds_other_bytes_under_a_name(
    built: Repository, run: Run
) -> None:
    name = next(name for name in objects(built.cache) if not name.endswith(".dir"))
    planted = built.object_file(name)
    planted.parent.mkdir(parents=True)
    planted.write_bytes(b"planted")
    # DVC takes a file that nobody may write to for checked.
    planted.chmod(0o444)

    result = run("push")

    assert result.code == 1
    assert f"1 of 11 objects in {built.bucket} have other bytes than their names say" in result.err


def test_a_folder_becomes_the_remote(repository: Repository, run: Run) -> None:
    result = run("remote", str(repository.place / "another"))

    assert result.code == 0
    assert str(repository.place / "another") in result.out
    assert (
        f"url = {repository.place / 'another'}" in (repository.root / ".dvc" / "config").read_text()
    )


def test_a_relative_folder_counts_from_the_repository(repository: Repository, run: Run) -> None:
    assert run("remote", "../another").code == 0
    run("build")
    assert run("push").code == 0
    assert len(objects(repository.place / "another")) == 11


def test_a_bucket_becomes_the_remote(repository: Repository, run: Run) -> None:
    result = run("remote", "gs://team-bucket/mnist")

    assert (result.code, result.err) == (0, "")
    assert "gs://team-bucket/mnist" in result.out
    text = (repository.root / ".dvc" / "config").read_text()
    assert "url = gs://team-bucket/mnist" in text
    assert text.count("[") == 2


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("gs://", "names no bucket; write it as gs://bucket/path"),
        ("gs:///path", "names no bucket; write it as gs://bucket/path"),
        ("ftps://host/path", "cannot be a remote"),
        ("s3://bucket/path", "cannot be a remote"),
        ("", "error: "),
    ],
)
def test_what_cannot_be_a_remote_is_refused_and_changes_nothing(
    repository: Repository, run: Run, url: str, says: str
) -> None:
    before = (repository.root / ".dvc" / "config").read_text()

    result = run("remote", url)

    assert result.code == 1
    assert says in result.err
    assert len(result.err.splitlines()) == 1
    assert (repository.root / ".dvc" / "config").read_text() == before


def test_no_remote_at_all_says_how_to_set_one(built: Repository, run: Run) -> None:
    (built.root / ".dvc" / "config").write_text("")

    result = run("push")

    assert result.code == 1
    assert "Set one with: python -m scripts remote URL" in result.err


def test_a_repository_without_dvc_is_a_clear_error(repository: Repository, run: Run) -> None:
    shutil.rmtree(repository.root / ".dvc")

    result = run("build")

    assert result.code == 1
    assert result.err.startswith("error: DVC cannot use this repository: ")


def test_a_dataset_that_shrinks_keeps_no_old_file(built: Repository, run: Run) -> None:
    built.configure(config_text(samples=4, test_size=1))

    run("build")

    assert len(contents(built.root / "dataset")) == 8


def test_the_remote_at_a_release_is_where_it_is_looked_for(
    repository: Repository, run: Run
) -> None:
    run("release")
    run("remote", str(repository.place / "elsewhere"))

    result = run("verify", "v0")

    assert (result.code, result.out) == (0, "v0  whole: 10 files\n")
