"""What `build` leaves for `push`, and which files make a version."""

import json
from pathlib import Path

import pytest

from scripts.dataset import record
from scripts.dataset.record import BuildRecord
from scripts.errors import UserError
from scripts.inputs import paths
from scripts.storage.manifest import Manifest
from tests.repository import Repository, Run, config_text, objects

NOTHING_BUILT = "error: nothing is built yet. Build it first: python -m scripts build\n"
BUILT = Manifest({"train/3/00001.png": ("a" * 32, 7)})


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A work tree with some version inputs."""
    for name in ("dataset_config.yaml", "scripts/dataset/png.py", "requirements.txt", "README.md"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(f"{name}\n")
    record.write(tmp_path, recorded(tmp_path, BUILT))
    return tmp_path


def recorded(root: Path, built: Manifest) -> BuildRecord:
    return BuildRecord(inputs=paths.digest(root), md5=built.md5, nfiles=len(built.files))


def test_the_newest_build_is_read_back(root: Path) -> None:
    found = record.read(root)

    assert (found.md5, found.nfiles) == (BUILT.md5, 1)


@pytest.mark.parametrize(
    "name",
    [
        "dataset_config.yaml",
        "scripts/dataset/png.py",
        "scripts/inputs/new.py",
        "scripts/sources/new.py",
        "requirements.txt",
    ],
)
def test_a_build_from_other_inputs_is_refused(root: Path, name: str) -> None:
    (root / name).parent.mkdir(exist_ok=True)
    (root / name).write_text("changed\n")

    with pytest.raises(UserError, match=r"has changed since the build\. Build it again: "):
        record.read(root)


@pytest.mark.parametrize(
    "name", ["README.md", "scripts/review/render.py", "scripts/dataset/__pycache__/png.pyc"]
)
def test_files_that_are_not_inputs_do_not_matter(root: Path, name: str) -> None:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text("changed\n")

    assert record.read(root).md5 == BUILT.md5


def test_a_removed_and_a_renamed_input_change_the_digest(root: Path) -> None:
    digests = {paths.digest(root)}
    (root / "scripts/dataset/png.py").rename(root / "scripts/dataset/jpg.py")
    digests.add(paths.digest(root))
    (root / "scripts/dataset/jpg.py").unlink()
    digests.add(paths.digest(root))

    assert len(digests) == 3


@pytest.mark.parametrize("content", ["", "{", "[]", '{"schema": 99}', '{"schema": 2}', "\0"])
def test_a_damaged_record_counts_as_no_build(root: Path, content: str) -> None:
    (root / record.RECORD_FILE).write_text(content)

    with pytest.raises(UserError, match="nothing is built yet"):
        record.read(root)


def test_a_record_is_replaced_as_a_whole(root: Path) -> None:
    built = Manifest({"a.png": ("a" * 32, 1), "b.png": ("b" * 32, 1)})
    record.write(root, recorded(root, built))

    assert record.read(root).nfiles == 2
    assert [file.name for file in (root / record.RECORD_FILE).parent.iterdir()] == ["build.json"]


def test_a_build_records_its_manifest_and_the_digest_of_its_inputs(
    repository: Repository, run: Run
) -> None:
    assert run("build").code == 0

    built = record.read(repository.root)
    assert built.md5 in objects(repository.cache)
    written = json.loads((repository.root / record.RECORD_FILE).read_text())
    assert written["schema"] == 2
    assert (written["inputs"], written["nfiles"]) == (paths.digest(repository.root), 10)


def test_the_newest_build_is_pushed(repository: Repository, run: Run) -> None:
    run("build")
    first = record.read(repository.root).md5
    repository.configure(config_text(samples=6))
    run("build")

    result = run("push")

    second = record.read(repository.root).md5
    assert result.out.startswith(f"{repository.bucket} holds all 12 files of {second}")
    assert first != second
    assert first not in objects(repository.bucket)


def test_a_failed_build_leaves_the_record_of_the_one_before(
    repository: Repository, run: Run
) -> None:
    run("build")
    before = record.read(repository.root)
    repository.configure(config_text(samples=-1))
    assert run("build").code == 1

    repository.configure(config_text())
    assert record.read(repository.root) == before


def test_a_push_without_a_build_says_to_build(repository: Repository, run: Run) -> None:
    assert run("push") == (1, "", NOTHING_BUILT)


def test_a_push_with_a_damaged_record_says_to_build(repository: Repository, run: Run) -> None:
    run("build")
    (repository.root / record.RECORD_FILE).write_bytes(b"\xff")

    assert run("push") == (1, "", NOTHING_BUILT)
    assert objects(repository.bucket) == {}


def test_a_push_after_the_config_changed_is_refused(repository: Repository, run: Run) -> None:
    assert run("build").code == 0
    repository.configure(config_text(samples=6))

    assert run("push") == (
        1,
        "",
        "error: the config or the code that makes the images has changed since the build."
        " Build it again: python -m scripts build\n",
    )
    assert not repository.bucket.exists()

    repository.configure(config_text())
    assert run("push").code == 0


def test_an_edit_while_a_build_runs_does_not_count_as_built(
    repository: Repository, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = record.write

    def edited(root: Path, built: BuildRecord) -> None:
        repository.configure(config_text(samples=6))
        write(root, built)

    monkeypatch.setattr(record, "write", edited)
    assert run("build").code == 0

    assert "Build it again" in run("push").err
