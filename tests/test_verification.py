import pytest

from scripts import lock
from tests.repository import Repository, Run, config_text, objects


@pytest.fixture
def released(repository: Repository, run: Run) -> Repository:
    """A repository with v0 and v1; every file of v0 is one of v1, too."""
    run("release")
    repository.merge(config_text(samples=8))
    run("release")
    return repository


def listing_of(repository: Repository, tag: str) -> str:
    return lock.parse(repository.at_origin("show", f"{tag}:dataset.dvc").encode()).md5


def first_object(repository: Repository) -> tuple[str, str]:
    """Return the name of v0's first object, and of the file that it holds."""
    text = repository.object_file(listing_of(repository, "v0")).read_text()
    return text.split('"')[3], text.split('"')[7]


WHOLE = "v0  whole: 10 files\nv1  whole: 16 files\n"


@pytest.mark.parametrize("options", [[], ["--quick"]], ids=["full", "quick"])
def test_whole_releases_are_said_to_be_whole(
    released: Repository, run: Run, options: list[str]
) -> None:
    assert run("verify", *options) == (0, WHOLE, "")
    assert run("verify", "v1", *options) == (0, "v1  whole: 16 files\n", "")


def test_the_remote_is_asked_and_not_the_cache(released: Repository, run: Run) -> None:
    for file in released.bucket.glob("files/md5/*/*"):
        file.unlink()

    result = run("verify")

    assert result.code == 1
    assert result.out == "".join(
        f"{tag}  broken\n    the list of its files, {listing_of(released, tag)}, is not in"
        f" {released.bucket}\n"
        for tag in ("v0", "v1")
    )


@pytest.mark.parametrize("options", [[], ["--quick"]], ids=["full", "quick"])
def test_a_lost_object_breaks_every_release_that_needs_it(
    released: Repository, run: Run, options: list[str]
) -> None:
    md5, name = first_object(released)
    released.object_file(md5).unlink()

    result = run("verify", *options)

    assert result.code == 1
    assert result.out == "".join(
        f"{tag}  broken\n    dataset/{name}: not in {released.bucket}\n" for tag in ("v0", "v1")
    )


def test_an_object_with_other_bytes_breaks_every_release_that_needs_it(
    released: Repository, run: Run
) -> None:
    md5, name = first_object(released)
    file = released.object_file(md5)
    file.chmod(0o644)
    file.write_bytes(file.read_bytes()[:-1] + b"x")

    result = run("verify")

    assert result.code == 1
    assert "v0  broken\n" in result.out
    assert "v1  broken\n" in result.out
    assert result.out.count(f"dataset/{name}: ") == 2


def test_checking_does_not_change_the_remote(released: Repository, run: Run) -> None:
    md5, _ = first_object(released)
    file = released.object_file(md5)
    file.chmod(0o644)
    file.write_bytes(b"evidence")
    before = objects(released.bucket)

    run("verify", "--quick")
    run("verify")

    assert objects(released.bucket) == before


def test_a_listing_with_other_bytes_is_named(released: Repository, run: Run) -> None:
    file = released.object_file(listing_of(released, "v0"))
    file.chmod(0o644)
    file.write_bytes(b"[]")

    result = run("verify", "v0")

    assert result.code == 1
    assert listing_of(released, "v0") in result.out


def test_a_lock_that_counts_wrong_is_named(released: Repository, run: Run) -> None:
    text = released.at_origin("show", "v1:dataset.dvc")
    right = run("verify", "v1")
    released.git("pull", "--quiet", "--ff-only", "origin", "main")
    released.lock.write_text(text.replace("nfiles: 16", "nfiles: 17") + "\n")
    released.git("commit", "--quiet", "--all", "--message", "Edit by hand")
    released.git("tag", "--annotate", "--message", "by hand", "v2")

    result = run("verify", "v2")

    assert right.code == 0
    assert result.code == 1
    assert "its lock counts 17 files" in result.out


def test_a_release_without_a_lock_is_broken_and_the_others_are_still_checked(
    released: Repository, run: Run
) -> None:
    released.git("tag", "--annotate", "--message", "by hand", "v2", "v0~1")

    result = run("verify")

    assert result.code == 1
    assert result.out.startswith(WHOLE + "v2  broken\n    v2 holds no dataset.dvc")


def test_a_tag_that_is_not_there_is_a_clear_error(released: Repository, run: Run) -> None:
    result = run("verify", "v7")
    assert (result.code, result.out) == (1, "")
    assert result.err == "error: git knows no revision 'refs/tags/v7' here.\n"


def test_before_the_first_release_there_is_nothing_to_verify(
    repository: Repository, run: Run
) -> None:
    assert run("verify") == (0, "there is no release yet\n", "")
