import shutil
import subprocess

import pytest

from scripts.dataset import selection
from scripts.releases import lock
from scripts.releases.lock import Lock
from scripts.sources import copies
from scripts.storage import manifest
from tests.releases import test_continuity as flowers
from tests.repository import Released, Repository, Run, config_text, objects, snapshot


@pytest.fixture
def released(released_as: Released) -> Repository:
    """A repository with v0 and v1; every file of v0 is also one of v1."""
    return released_as(config_text(), config_text(samples=8))


def lock_of(repository: Repository, tag: str) -> Lock:
    return lock.parse(repository.at_origin("show", f"{tag}:dataset.dvc").encode())


def files_of(repository: Repository, tag: str) -> dict[str, str]:
    content = repository.object_file(lock_of(repository, tag).md5).read_bytes()
    return manifest.entries(content)


def all_gone_but(repository: Repository, *kept: str) -> None:
    """Remove the cache, and all objects of the bucket but those called `kept`."""
    shutil.rmtree(repository.cache)
    for name in objects(repository.bucket).keys() - {*kept}:
        repository.object_file(name).unlink()


def test_what_is_missing_is_built_from_the_inputs_of_the_tag_and_uploaded(
    released: Repository, run: Run
) -> None:
    whole = objects(released.bucket)
    names = {*files_of(released, "v0").values(), lock_of(released, "v0").md5}
    kept = next(iter(files_of(released, "v0").values()))
    all_gone_but(released, kept)
    # The work tree says something else by now.
    released.configure(config_text(samples=3, seed=7))
    before = snapshot(released.bucket)

    assert run("repair", "v0") == (
        0,
        f"v0 is complete and intact in {released.bucket}: 10 files (10 copied)\n",
        "",
    )

    # Nothing that was there is changed, and nothing else is added.
    assert objects(released.bucket) == {name: whole[name] for name in names}
    assert before.items() <= snapshot(released.bucket).items()
    assert run("verify", "v0").code == 0
    assert run("verify", "v1").code == 1
    assert run("repair", "v1").code == 0
    assert objects(released.bucket) == whole
    assert run("verify").code == 0


def test_a_release_that_is_intact_needs_nothing(released: Repository, run: Run) -> None:
    before = snapshot(released.bucket)

    result = run("repair", "v1")

    assert result.out.endswith(": 16 files (0 copied)\n")
    assert snapshot(released.bucket) == before


def test_damaged_objects_are_listed_with_the_command_that_removes_them(
    released: Repository, run: Run
) -> None:
    whole = objects(released.bucket)
    damaged, other, gone, *_ = sorted(files_of(released, "v0").values())
    for name in (damaged, other):
        released.object_file(name).chmod(0o644)
        released.object_file(name).write_bytes(b"damaged")
    released.object_file(gone).unlink()
    before = objects(released.bucket)

    result = run("repair", "v0")

    commands = [f"rm -f {released.object_file(name)}" for name in (damaged, other)]
    assert (result.code, result.out.splitlines()) == (1, commands)
    assert result.err == (
        f"error: checksum mismatch for 2 objects of v0 in {released.bucket} (1 missing"
        " copied). Remove them with the commands above, then run this again.\n"
    )
    # What is damaged is evidence until somebody removes it.
    assert objects(released.bucket) == {**before, gone: whole[gone]}
    for command in result.out.splitlines():
        subprocess.run(command.split(), check=True)
    assert run("repair", "v0").out.endswith("(2 copied)\n")
    assert objects(released.bucket) == whole
    assert run("verify").code == 0


def record_names(repository: Repository, tag: str) -> list[str]:
    meta = lock_of(repository, tag).meta
    assert meta.splits
    assert meta.source.copy_
    return [meta.splits, meta.source.copy_]


def test_records_are_restored_too(
    released: Repository, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = {file.name: file.read_bytes() for file in (released.bucket / "records").iterdir()}
    splits, copy = record_names(released, "v0")
    (released.bucket / "records" / copy).unlink()
    (released.bucket / "records" / splits).chmod(0o644)
    (released.bucket / "records" / splits).write_bytes(b"damaged")
    shutil.rmtree(released.cache)

    found = run("verify", "v0")
    assert f"    the copy of its source, {copy}, is missing in {released.bucket}\n" in found.out
    assert f"    checksum mismatch for the record of its splits, {splits}, in" in found.out
    result = run("repair", "v0")
    assert result.out == f"rm -f {released.bucket}/records/{splits}\n"
    subprocess.run(result.out.split(), check=True)
    assert run("repair", "v0").out.endswith("(1 copied)\n")

    assert {
        file.name: file.read_bytes() for file in (released.bucket / "records").iterdir()
    } == whole
    assert run("verify").code == 0

    # A machine that compresses otherwise cannot make the copy again.
    (released.bucket / "records" / copy).unlink()
    shutil.rmtree(released.cache)
    monkeypatch.setattr(copies, "render", lambda _: b"compressed otherwise")
    lost = run("repair", "v0")
    assert (lost.code, lost.out) == (1, "")
    assert f"the copy of the source {copy} cannot be rebuilt here" in lost.err


def test_what_this_code_cannot_build_is_for_the_scripts_of_the_tag(
    released: Repository, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scripts.releases.new_lock.RULE", selection.RULE + 1)
    monkeypatch.setattr(selection, "RULE", selection.RULE + 1)
    before = snapshot(released.bucket)

    result = run("repair", "v0")

    assert (result.code, result.out) == (1, "")
    assert f"v0 was made by the selection rule {selection.RULE - 1}; this code has" in result.err
    assert "    git switch --detach v0\n" in result.err
    assert "    python -m scripts repair v0 || { python -m scripts build && " in result.err
    assert snapshot(released.bucket) == before


def test_other_files_than_those_of_the_release_are_never_uploaded(
    released: Repository, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scripts.dataset.png.encode", bytes)
    all_gone_but(released)

    result = run("repair", "v0")

    assert result.err.startswith(
        "error: this code builds different files than v0. Build it with the"
    )
    assert objects(released.bucket) == {}


def test_the_commands_for_a_version_of_other_scripts_restore_it(
    released: Repository, run: Run
) -> None:
    whole = objects(released.bucket)
    all_gone_but(released, *(whole.keys() - {lock_of(released, "v0").md5}))

    released.git("switch", "--quiet", "--detach", "v0")
    assert run("build").code == 0
    assert run("push").code == 0

    assert objects(released.bucket) == whole


@pytest.mark.parametrize("tag", ["v7", "main"])
def test_what_is_no_release_cannot_be_repaired(released: Repository, run: Run, tag: str) -> None:
    result = run("repair", tag)
    assert (result.code, result.out) == (1, "")
    assert result.err.startswith(f"error: {tag} is not a release: there is no such tag")


def test_a_release_is_repaired_in_the_remote_that_it_names(released: Repository, run: Run) -> None:
    whole = objects(released.bucket)
    run("remote", str(released.place / "elsewhere"))
    released.git("commit", "--quiet", "--all", "--message", "Move")
    released.git("push", "--quiet", "origin", "main")
    all_gone_but(released, *(whole.keys() - {lock_of(released, "v0").md5}))

    assert run("repair", "v0").code == 0

    assert objects(released.bucket) == whole
    assert not objects(released.place / "elsewhere")


def test_images_of_ones_own_are_restored_where_a_clone_still_has_them(
    repository: Repository, run: Run
) -> None:
    assert flowers.ingest(repository, run, range(20)).code == 0
    flowers.merge(repository, 4)
    assert run("release").code == 0
    whole = objects(repository.bucket)
    shards = flowers.shards(repository)
    for shard in shards:
        shard.unlink()

    assert "source shapes: " in run("verify").out
    assert run("repair", "v0").out.endswith(f"({len(shards)} copied)\n")
    assert objects(repository.bucket) == whole

    shards[0].unlink()
    shutil.rmtree(repository.cache)
    result = run("repair", "v0")
    assert (result.code, result.out) == (1, "")
    assert result.err.startswith("error: sources/shapes.dvc: ")
    assert "they cannot be built again. Restore them from the older object" in result.err
