from collections.abc import Collection

import pytest

from scripts.releases import lock
from scripts.storage import manifest
from scripts.storage.remote_folder import FolderRemote
from tests.repository import TEMPLATE, Released, Repository, Run, config_text, objects


@pytest.fixture
def released(released_as: Released) -> Repository:
    """A repository with v0 and v1; every file of v0 is also one of v1."""
    return released_as(config_text(), config_text(samples=8))


WHOLE = "the complete list is in .dvc/tmp/problems/verify.txt\n"


def manifest_of(repository: Repository, tag: str) -> str:
    return lock.parse(repository.at_origin("show", f"{tag}:dataset.dvc").encode()).md5


def first_object(repository: Repository) -> tuple[str, str]:
    """Return the name of v0's first object, and of the file that it holds."""
    content = repository.object_file(manifest_of(repository, "v0")).read_bytes()
    name, md5 = next(iter(manifest.entries(content).items()))
    return md5, name


def overwrite(repository: Repository, md5: str, content: bytes) -> None:
    file = repository.object_file(md5)
    file.chmod(0o644)
    file.write_bytes(content)


INTACT = "v0  complete and intact: 10 files\nv1  complete and intact: 16 files\n"


@pytest.mark.parametrize("options", [[], ["--quick"]], ids=["full", "quick"])
def test_releases_are_complete_and_intact(
    released: Repository, run: Run, options: list[str]
) -> None:
    assert run("verify", *options) == (0, INTACT, "")
    assert run("verify", "v1", *options) == (0, "v1  complete and intact: 16 files\n", "")


def test_objects_are_looked_for_in_the_remote_and_not_in_the_cache(
    released: Repository, run: Run
) -> None:
    for file in released.bucket.glob("files/md5/*/*"):
        file.unlink()

    result = run("verify")

    assert result.code == 1
    assert result.out == "".join(
        f"{tag}  broken\n    the manifest {manifest_of(released, tag)} is missing in"
        f" {released.bucket}\n"
        for tag in ("v0", "v1")
    )


@pytest.mark.parametrize("options", [[], ["--quick"]], ids=["full", "quick"])
def test_a_missing_object_breaks_every_release_that_needs_it(
    released: Repository, run: Run, options: list[str]
) -> None:
    md5, name = first_object(released)
    released.object_file(md5).unlink()

    result = run("verify", *options)

    assert result.code == 1
    assert result.out == "".join(
        f"{tag}  broken\n    dataset/{name}: missing in {released.bucket}\n" for tag in ("v0", "v1")
    )


def test_a_damaged_object_breaks_every_release_that_needs_it(
    released: Repository, run: Run
) -> None:
    md5, name = first_object(released)
    overwrite(released, md5, released.object_file(md5).read_bytes()[:-1] + b"x")

    result = run("verify")

    assert result.code == 1
    assert result.out == "".join(
        f"{tag}  broken\n    dataset/{name}: checksum mismatch in {released.bucket}\n"
        for tag in ("v0", "v1")
    )
    assert run("verify", "--quick") == (0, INTACT, "")


def test_missing_and_damaged_objects_are_named_separately_and_only_the_first_few(
    released: Repository, run: Run
) -> None:
    content = released.object_file(manifest_of(released, "v0")).read_bytes()
    (damaged, damaged_md5), *others = manifest.entries(content).items()
    overwrite(released, damaged_md5, b"damaged")
    for _, md5 in others:
        released.object_file(md5).unlink()

    result = run("verify", "v0")

    named = ", ".join(f"dataset/{name}" for name, _ in others[:5])
    assert result.code == 1
    assert result.out == (
        f"v0  broken\n    {named} and 4 more: missing in {released.bucket}\n"
        f"    dataset/{damaged}: checksum mismatch in {released.bucket}\n{WHOLE}"
    )
    kept = (released.root / ".dvc/tmp/problems/verify.txt").read_text().splitlines()
    assert kept == [
        *(f"v0: dataset/{name}: missing in {released.bucket}" for name, _ in others),
        f"v0: dataset/{damaged}: checksum mismatch in {released.bucket}",
    ]


@pytest.mark.parametrize(("missing", "more"), [(5, ""), (6, " and 1 more")])
def test_as_many_files_as_can_be_named_are_named(
    released: Repository, run: Run, missing: int, more: str
) -> None:
    content = released.object_file(manifest_of(released, "v0")).read_bytes()
    gone = list(manifest.entries(content).items())[:missing]
    for _, md5 in gone:
        released.object_file(md5).unlink()

    named = ", ".join(f"dataset/{name}" for name, _ in gone[:5])
    whole = WHOLE if more else ""
    assert (
        run("verify", "v0").out
        == f"v0  broken\n    {named}{more}: missing in {released.bucket}\n{whole}"
    )


def test_verifying_does_not_change_the_remote(released: Repository, run: Run) -> None:
    md5, _ = first_object(released)
    overwrite(released, md5, b"evidence")
    before = objects(released.bucket)

    run("verify", "--quick")
    run("verify")

    assert objects(released.bucket) == before


def test_an_object_of_several_releases_is_read_once(
    released: Repository, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    damaged = FolderRemote.damaged

    def counted(remote: FolderRemote, names: Collection[str]) -> set[str]:
        asked.extend(names)
        return damaged(remote, names)

    monkeypatch.setattr(FolderRemote, "damaged", counted)

    assert run("verify").code == 0

    assert len(asked) == len(set(asked)) == 16


@pytest.mark.parametrize("options", [[], ["--quick"]], ids=["full", "quick"])
def test_a_damaged_manifest_is_named(released: Repository, run: Run, options: list[str]) -> None:
    md5 = manifest_of(released, "v0")
    overwrite(released, md5, b"[]")

    assert run("verify", *options) == (
        1,
        f"v0  broken\n    checksum mismatch for the manifest {md5} in {released.bucket}\n"
        "v1  complete and intact: 16 files\n",
        "",
    )


def test_a_lock_with_wrong_counts_is_named(released: Repository, run: Run) -> None:
    text = released.at_origin("show", "v1:dataset.dvc")
    right = run("verify", "v1")
    released.lock.write_text(text.replace("nfiles: 16", "nfiles: 17") + "\n")
    released.git("commit", "--quiet", "--all", "--message", "Edit by hand")
    released.git("tag", "--annotate", "--message", "by hand", "v2")

    result = run("verify", "v2")

    assert right.code == 0
    assert result.code == 1
    assert result.out.startswith("v2  broken\n    the lock records 17 files (")
    assert ", the manifest has 16 (test/3: 2, " in result.out


def test_a_lock_with_the_right_total_and_wrong_counts_by_class_is_named(
    released: Repository, run: Run
) -> None:
    right = lock.parse(released.at_origin("show", "v1:dataset.dvc").encode())
    counts = {**right.meta.counts, "train": {"3": 5, "no3": 7}}
    assert right.meta.counts["train"] == {"3": 6, "no3": 6}
    edited = right.model_copy(update={"meta": right.meta.model_copy(update={"counts": counts})})
    released.git("pull", "--quiet", "--ff-only", "origin", "main")
    released.lock.write_text(lock.render(edited))
    released.git("commit", "--quiet", "--all", "--message", "Edit by hand")
    released.git("tag", "--annotate", "--message", "by hand", "v2")

    result = run("verify", "v2")

    assert result.code == 1
    assert "    the lock records 16 files (" in result.out
    assert "train/3: 5, train/no3: 7), the manifest has 16 (" in result.out


def test_a_release_without_a_lock_is_broken_and_the_others_are_still_verified(
    released: Repository, run: Run
) -> None:
    released.merge_file("dataset.dvc", "")
    released.git("rm", "--quiet", "dataset.dvc")
    released.git("commit", "--quiet", "--message", "Remove the lock")
    released.git("push", "--quiet", "origin", "main")
    released.git("tag", "--annotate", "--message", "by hand", "v2")

    assert run("verify") == (
        1,
        f"{INTACT}v2  broken\n    v2 is not a release: it has no dataset.dvc\n",
        "",
    )


def test_a_release_without_a_remote_is_broken_and_the_others_are_still_verified(
    released: Repository, run: Run
) -> None:
    config = TEMPLATE[".dvc/config"].replace("remote = storage", "remote = other")
    released.merge_file(".dvc/config", config)
    released.git("tag", "--annotate", "--message", "by hand", "v2")

    assert run("verify") == (
        1,
        f"{INTACT}v2  broken\n    .dvc/config at v2 has no remote, so nobody could get the files. "
        f"Set one: python -m scripts remote URL\n",
        "",
    )


def test_an_unknown_tag_is_an_error(released: Repository, run: Run) -> None:
    assert run("verify", "v0", "v7") == (
        1,
        "",
        "error: v7 is not a release: there is no such tag. Fetch the tags: git fetch --tags\n",
    )


def test_before_the_first_release_there_is_nothing_to_verify(
    repository: Repository, run: Run
) -> None:
    assert run("verify") == (0, "there is no release yet\n", "")


def test_each_release_is_verified_in_the_remote_that_it_names(
    released_as: Released, run: Run
) -> None:
    released = released_as(config_text())
    run("remote", str(released.place / "elsewhere"))

    assert run("verify", "v0") == (0, "v0  complete and intact: 10 files\n", "")

    released.git("commit", "--quiet", "--all", "--message", "Move")
    released.git("push", "--quiet", "origin", "main")
    released.merge(config_text(samples=8))
    assert run("release").code == 0
    assert run("verify") == (0, INTACT, "")
    first, _ = first_object(released)
    assert len(objects(released.place / "elsewhere")) == 17
    released.object_file(first).unlink()

    result = run("verify")

    assert result.code == 1
    assert result.out.startswith("v0  broken\n")
    assert result.out.endswith("v1  complete and intact: 16 files\n")


@pytest.mark.parametrize("damaged", ["bucket", "elsewhere"])
def test_an_object_that_is_damaged_in_one_remote_is_intact_in_another(
    repository: Repository, run: Run, damaged: str
) -> None:
    run("release")
    repository.git("pull", "--quiet", "--ff-only", "origin", "main")
    run("remote", str(repository.place / "elsewhere"))
    repository.git("commit", "--quiet", "--all", "--message", "Move")
    repository.git("push", "--quiet", "origin", "main")
    repository.merge(config_text(samples=8))
    assert run("release").code == 0
    md5, name = first_object(repository)
    file = repository.place / damaged / "files" / "md5" / md5[:2] / md5[2:]
    file.chmod(0o644)
    file.write_bytes(b"damaged")

    result = run("verify")

    broken, intact = ("v0", "v1") if damaged == "bucket" else ("v1", "v0")
    assert f"{broken}  broken\n    dataset/{name}: checksum mismatch" in result.out
    assert f"{intact}  complete and intact" in result.out
