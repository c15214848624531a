import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest.mock import Mock

import pytest
from dvc.repo import Repo

from scripts.storage import files, manifest
from scripts.storage.cache import Cache
from tests.repository import Repository, Run, config_text, contents, dvc, mismatched, objects


@pytest.fixture
def built(repository: Repository, run: Run) -> Repository:
    assert run("build").code == 0
    return repository


@pytest.fixture
def other_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on another file system, where hard links to `tmp_path` are not possible."""
    disk = Path("/dev/shm")  # noqa: S108 - the only other file system that many machines have
    if not disk.exists() or disk.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("this machine has no second file system to write to")
    with tempfile.TemporaryDirectory(dir=disk) as folder:
        yield Path(folder)


def test_a_build_changes_no_file_that_git_tracks(repository: Repository, run: Run) -> None:
    before = {file.name for file in repository.root.iterdir()}

    assert run("build").code == 0
    assert repository.git("status", "--porcelain") == ""
    assert run("release").code == 0
    repository.git("pull", "--quiet", "--ff-only", "origin", "main")
    lock = repository.lock.read_bytes()
    repository.configure(config_text(samples=6))
    assert run("build").code == 0

    assert repository.git("status", "--porcelain") == " M dataset_config.yaml"
    assert repository.lock.read_bytes() == lock
    after = {file.name for file in repository.root.iterdir()}
    assert after - before == {"dataset", "dataset.dvc"}


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


def test_a_build_replaces_a_link_called_dataset_and_not_its_target(
    repository: Repository, run: Run
) -> None:
    elsewhere = repository.place / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "mine.txt").write_text("mine")
    (repository.root / "dataset").symlink_to(elsewhere)

    assert run("build").code == 0

    assert contents(elsewhere) == {"mine.txt": b"mine"}
    assert not (repository.root / "dataset").is_symlink()
    assert len(contents(repository.root / "dataset")) == 10


def test_the_dataset_is_complete_whenever_it_is_there(
    built: Repository, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = built.root / "dataset"
    before, seen = contents(dataset), []

    def looking(function: Callable[..., object]) -> Callable[..., object]:
        def call(*arguments: object) -> object:
            if dataset.exists():
                seen.append(contents(dataset))
            return function(*arguments)

        return call

    for owner, name in ((Path, "rename"), (os, "link"), (os, "unlink"), (Path, "unlink")):
        monkeypatch.setattr(owner, name, looking(getattr(owner, name)))
    built.configure(config_text(samples=4, test_size=1, seed=1))

    assert run("build").code == 0

    assert before in seen
    assert all(found == before for found in seen)
    assert len(contents(dataset)) == 8


def test_only_files_that_differ_are_linked(built: Repository, run: Run) -> None:
    dataset = built.root / "dataset"

    def times() -> dict[Path, int]:
        return {file: file.stat().st_ctime_ns for file in dataset.rglob("*") if file.is_file()}

    before = times()
    assert run("build").code == 0
    assert times() == before
    built.configure(config_text(samples=6))
    assert run("build").code == 0
    assert times().items() > before.items()


@pytest.mark.parametrize("wrong", ["folder", "link to a folder", "file in place of a folder"])
def test_a_build_replaces_whatever_is_in_the_dataset(
    built: Repository, run: Run, wrong: str
) -> None:
    dataset = built.root / "dataset"
    made, elsewhere = contents(dataset), built.place / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "mine.txt").write_text("mine")
    (dataset / "train" / "other" / "folder").mkdir(parents=True)
    if wrong != "folder":
        shutil.rmtree(dataset / "train" / "3")
    if wrong == "link to a folder":
        (dataset / "train" / "3").symlink_to(elsewhere)
    if wrong == "file in place of a folder":
        (dataset / "train" / "3").write_text("not a folder")

    assert run("build").code == 0

    assert contents(dataset) == made
    assert {str(path.relative_to(dataset)) for path in dataset.rglob("*") if path.is_dir()} == {
        *("train", "test", "train/3", "train/no3", "test/3", "test/no3")
    }
    assert contents(elsewhere) == {"mine.txt": b"mine"}


def test_a_dataset_that_shrinks_keeps_no_old_file(built: Repository, run: Run) -> None:
    built.configure(config_text(samples=4, test_size=1))

    run("build")

    assert len(contents(built.root / "dataset")) == 8


def test_a_damaged_object_of_the_cache_is_repaired(built: Repository, run: Run) -> None:
    intact = objects(built.cache)
    made = contents(built.root / "dataset")
    for name in list(intact)[:3]:
        file = built.cached_file(name)
        file.unlink()
        file.write_bytes(b"damaged")

    assert run("build").code == 0

    assert objects(built.cache) == intact
    assert contents(built.root / "dataset") == made


def test_an_edit_through_the_hard_link_is_repaired(built: Repository, run: Run) -> None:
    # A file of dataset/ and its object in the cache can be the same file on the disk.
    file = next((built.root / "dataset" / "train" / "3").iterdir())
    intact = file.read_bytes()
    os.chmod(file, 0o644)  # noqa: PTH101
    file.write_bytes(b"edited in place")
    assert mismatched(objects(built.cache))

    run("build")

    assert file.read_bytes() == intact
    assert not mismatched(objects(built.cache))


def test_an_intact_object_is_not_read_again_until_its_file_changes(
    built: Repository, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = Mock(side_effect=files.match)
    monkeypatch.setattr(files, "match", read)
    assert run("build").code == 0
    assert run("push").code == 0
    assert {str(call.args[0]) for call in read.call_args_list} == {str(built.bucket)}
    name = next(name for name in objects(built.cache) if not name.endswith(".dir"))
    os.utime(built.cached_file(name))
    read.reset_mock()

    assert run("build").code == 0

    read.assert_called_once_with(built.cache, [name])


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"one\n", b"a b c d e\n\n", b"x" * 99])
def test_damaged_notes_of_what_was_intact_do_no_harm(
    built: Repository, run: Run, content: bytes
) -> None:
    made, intact = contents(built.root / "dataset"), objects(built.cache)
    (built.root / ".dvc" / "tmp" / "intact").write_bytes(content)

    assert run("build").code == 0

    assert contents(built.root / "dataset") == made
    assert objects(built.cache) == intact


def test_files_are_copied_where_links_are_not_possible(
    repository: Repository, run: Run, other_disk: Path
) -> None:
    settings = f"[cache]\n    dir = {other_disk}\n"
    (repository.root / ".dvc" / "config.local").write_text(settings)

    assert run("build").code == 0

    made = contents(repository.root / "dataset")
    assert len(made) == 10
    assert {manifest.md5_of(data) for data in made.values()} < objects(other_disk).keys()
    assert objects(repository.cache) == {}


def test_objects_of_the_cache_are_read_only(built: Repository) -> None:
    for name in objects(built.cache):
        assert built.cached_file(name).stat().st_mode & 0o777 == 0o444


def test_an_object_that_is_in_the_cache_is_not_written_again(built: Repository, run: Run) -> None:
    def times() -> dict[str, int]:
        names = objects(built.cache)
        return {name: built.cached_file(name).stat().st_ctime_ns for name in names}

    cache = Cache(built.root)
    before = times()
    name, data = next(iter(objects(built.cache).items()))

    assert cache.put(data) == name.removesuffix(".dir")

    assert times() == before


def test_a_repository_without_dvc_is_an_error(repository: Repository, run: Run) -> None:
    shutil.rmtree(repository.root / ".dvc")

    result = run("build")

    assert result.code == 1
    assert result.err.startswith("error: DVC cannot open this repository: ")


def test_a_build_needs_no_database_of_dvc(
    repository: Repository, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(tmp_path / "site"))
    with Repo(str(repository.root)):
        databases = list((tmp_path / "site").rglob("*.db"))
    assert databases
    for file in databases:
        file.write_bytes(b"damaged" * 1000)

    assert run("build").code == 0
    assert run("push").code == 0


def test_verbs_import_no_large_library_that_they_do_not_need(built: Repository, run: Run) -> None:
    # To import one takes longer than the rest of a verb.
    run_and_list = (
        "import sys; from scripts.__main__ import main;"
        " print(*(main(verb.split()) for verb in sys.argv[1:]));"
        " print(*{'dvc.repo', 'dvc.fs', 'fsspec', 'github', 'sklearn'} & sys.modules.keys())"
    )
    run("release")
    verbs = ("validate", "plan", "build", "push", "workflow report report")
    command = [sys.executable, "-c", run_and_list, *verbs]
    done = subprocess.run(command, cwd=built.root, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-2:] == ["0 0 0 0 0", ""]


def test_a_second_run_at_the_same_time_is_refused(
    built: Repository, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = contents(built.root / "dataset")
    built.configure(config_text(samples=4))

    # DVC waits three seconds for the lock.
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)
    with Repo(str(built.root)).lock:
        result = run("build")

    assert result == (
        1,
        "",
        "error: another run is using this repository; wait until it ends.\n",
    )
    assert contents(built.root / "dataset") == made
    assert run("build").code == 0


def test_a_write_that_fails_leaves_no_temporary_file(tmp_path: Path) -> None:
    (tmp_path / "target" / "below").mkdir(parents=True)

    with pytest.raises(OSError, match="target"):
        files.write(tmp_path / "target", b"data")

    assert [file.name for file in tmp_path.iterdir()] == ["target"]


def test_the_old_file_is_there_until_the_new_one_is_complete(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, seen = tmp_path / "file", []
    files.write(file, b"old")
    replace = os.replace

    def replaced(path: str, target: Path) -> None:
        seen.append((file.read_bytes(), Path(path).read_bytes()))
        replace(path, target)

    monkeypatch.setattr(os, "replace", replaced)
    files.write(file, b"new")

    assert seen == [(b"old", b"new")]
    assert file.read_bytes() == b"new"


def test_a_file_is_replaced_as_a_whole(tmp_path: Path) -> None:
    file = tmp_path / "folder" / "file"
    files.write(file, b"old", 0o444)
    with file.open("rb") as opened:
        files.write(file, b"new")
        assert opened.read() == b"old"
    assert file.read_bytes() == b"new"
    assert [path.name for path in file.parent.iterdir()] == ["file"]
    assert file.stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077, 0o777])
@pytest.mark.parametrize("mode", [0o444, 0o644])
def test_the_mode_of_a_file_does_not_depend_on_the_umask(
    tmp_path: Path, mask: int, mode: int
) -> None:
    before = os.umask(mask)
    try:
        files.write(tmp_path / "file", b"data", mode)
    finally:
        os.umask(before)
    assert (tmp_path / "file").stat().st_mode & 0o777 == mode


def modes(folder: Path) -> dict[str, str]:
    """Return the mode of `folder` and of each one below it, by path."""
    found = [folder, *(path for path in folder.rglob("*") if path.is_dir())]
    return {str(path.relative_to(folder)): oct(path.stat().st_mode & 0o7777) for path in found}


def test_a_group_can_write_to_all_folders_of_a_cache_that_it_shares(
    repository: Repository, run: Run, tmp_path: Path
) -> None:
    shared = tmp_path / "team" / "cache"
    settings = f"[cache]\n    dir = {shared}\n    shared = group\n"
    (repository.root / ".dvc" / "config.local").write_text(settings)
    before = os.umask(0o077)
    try:
        assert run("release").code == 0
        assert run("build").code == 0
    finally:
        os.umask(before)

    ours = modes(shared)
    assert {"files/md5", "records"} < ours.keys()
    assert len(ours) > len({"files/md5", "records"})
    assert set(ours.values()) == {"0o2775"}
    # As DVC does.
    shutil.rmtree(shared)
    repository.git("fetch", "--quiet", "--tags")
    repository.git("checkout", "--quiet", "v0")
    dvc(repository.root, "pull")
    assert {name: mode for name, mode in modes(shared).items() if name.startswith("files/md5")} == {
        name: mode for name, mode in ours.items() if name.startswith("files/md5")
    }


def test_the_folders_of_a_cache_of_ones_own_are_those_of_the_user(
    repository: Repository, run: Run
) -> None:
    before = os.umask(0o027)
    try:
        assert run("release").code == 0
    finally:
        os.umask(before)

    assert set(modes(repository.cache).values()) == {"0o750"}


def test_a_shared_cache_of_somebody_else_is_used(
    repository: Repository, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = tmp_path / "team"
    for folder in (shared / "files" / "md5", shared / "records"):
        folder.mkdir(parents=True)
    settings = f"[cache]\n    dir = {shared}\n    shared = group\n"
    (repository.root / ".dvc" / "config.local").write_text(settings)
    chmod = os.chmod

    def refuse(path: str | Path, mode: int) -> None:
        if Path(path) in {shared / "files" / "md5", shared / "records"}:
            raise PermissionError(1, "Operation not permitted", str(path))
        chmod(path, mode)

    monkeypatch.setattr(os, "chmod", refuse)

    assert run("build").code == 0


@pytest.mark.parametrize("verb", ["--help", "build", "push"])
def test_what_changes_nothing_loads_next_to_nothing(built: Repository, run: Run, verb: str) -> None:
    run("release")
    assert run("build").code == 0
    program = (
        "import sys; from scripts.__main__ import main\n"
        "try: main([sys.argv[1]])\n"
        "except SystemExit: pass\n"
        "print(*sorted({'dvc.repo', 'numpy', 'PIL', 'pyarrow', 'sklearn'} & sys.modules.keys()))"
    )
    command = [sys.executable, "-c", program, verb]
    done = subprocess.run(command, cwd=built.root, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == ""
