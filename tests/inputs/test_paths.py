import os
import shutil
from pathlib import Path

import pytest

from scripts.inputs import paths
from scripts.inputs.paths import CHECKED_PATHS, INPUT_PATHS
from tests.repository import PROJECT

FILES = {
    "dataset_config.yaml": "source: digits\n",
    "curation.csv": "sample,action,label,new_label,reason\n",
    "additions/train/3/own.png": "pixels\n",
    "additions/metadata.csv": "file_name,note\n",
    "sources/own.dvc": "outs: []\n",
    "requirements.txt": "numpy==1\n",
    "scripts/dataset/png.py": "x = 1\n",
    "scripts/inputs/config.py": "x = 2\n",
    "scripts/sources/openml.py": "x = 3\n",
    "scripts/sources/digits.py": "x = 4\n",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder with version inputs and other files."""
    for name, text in {**FILES, "README.md": "text\n", "scripts/review/plan.py": "x = 5\n"}.items():
        write(tmp_path / "root", name, text)
    return tmp_path / "root"


def write(root: Path, name: str, text: str) -> None:
    file = root / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


@pytest.mark.parametrize("name", FILES)
def test_the_digest_changes_with_every_version_input(root: Path, name: str) -> None:
    before = paths.digest(root)

    write(root, name, "changed\n")
    edited = paths.digest(root)
    (root / name).unlink()
    removed = paths.digest(root)
    write(root, name, FILES[name])

    assert len({before, edited, removed}) == 3
    assert paths.digest(root) == before


@pytest.mark.parametrize("folder", ["scripts/inputs", "scripts/sources", "scripts/dataset/deep"])
def test_the_digest_changes_with_a_new_file(root: Path, folder: str) -> None:
    before = paths.digest(root)
    write(root, f"{folder}/new.json", "")
    assert paths.digest(root) != before


def test_the_digest_changes_with_the_name_of_a_file(root: Path) -> None:
    before = paths.digest(root)
    (root / "scripts/sources/digits.py").rename(root / "scripts/sources/numbers.py")
    assert paths.digest(root) != before


def test_the_digest_changes_when_files_swap_their_content(root: Path) -> None:
    before = paths.digest(root)
    first, second = root / "scripts/sources/digits.py", root / "scripts/sources/openml.py"
    texts = first.read_text(), second.read_text()
    second.write_text(texts[0])
    first.write_text(texts[1])
    assert paths.digest(root) != before


@pytest.mark.parametrize(
    "name",
    [
        *("README.md", "scripts/review/plan.py", "scripts/errors.py", "tests/dataset/test_png.py"),
        *("dataset.dvc", ".dvc/config", "dataset/train/3/00007.png", "requirements-dev.txt"),
        # The pointer names the shards by their checksums.
        "sources/own/00000.parquet",
        *("scripts/dataset/__pycache__/png.pyc", "scripts/sources/kinds/__pycache__/x.pyc"),
        *("additions/README.md", "additions/.gitkeep", "additions/train/3/.DS_Store"),
    ],
)
def test_the_digest_ignores_other_files(root: Path, name: str) -> None:
    before = paths.digest(root)
    write(root, name, "changed\n")
    assert paths.digest(root) == before


def test_names_of_additions_can_be_any_bytes(root: Path) -> None:
    before = paths.digest(root)
    write(root, os.fsdecode(b"additions/train/3/\xff\n.png"), "pixels\n")
    assert paths.digest(root) != before


def test_the_digest_has_the_target_of_a_link_not_what_is_there(root: Path) -> None:
    digests = {paths.digest(root)}
    for target in ("/dev/zero", "/proc/self/mem", "own.png", "missing", "/usr"):
        link = root / "additions/train/3/link.png"
        link.unlink(missing_ok=True)
        link.symlink_to(target)
        digests.add(paths.digest(root))
    assert len(digests) == 6


def test_a_pipe_is_not_read(root: Path) -> None:
    before = paths.digest(root)
    os.mkfifo(root / "additions/train/3/pipe.png")
    assert paths.digest(root) == before


@pytest.mark.parametrize("name", ["a.png", "b", "read me.md", "a.txt", "readme.png", "a..png"])
def test_other_files_below_the_additions_are_meant_as_images(name: str) -> None:
    assert paths.is_image(f"additions/train/3/{name}")


@pytest.mark.parametrize(
    "name",
    [".gitkeep", ".DS_Store", "._a.png", "Thumbs.db", "THUMBS.DB", "README.md", "desktop.ini"],
)
def test_what_documents_the_folder_or_is_left_by_file_managers_is_not(name: str) -> None:
    assert not paths.is_image(f"additions/train/3/{name}")
    assert not paths.is_image(f"additions/{name}")


def test_the_digest_does_not_depend_on_the_place_of_the_folder(root: Path) -> None:
    copy = root.parent / "another place"
    shutil.copytree(root, copy)
    assert paths.digest(copy) == paths.digest(root)


def test_the_digest_of_an_empty_folder_is_that_of_no_inputs(tmp_path: Path) -> None:
    before = paths.digest(tmp_path)
    write(tmp_path, "README.md", "text\n")
    assert paths.digest(tmp_path) == before


def test_every_version_input_exists() -> None:
    # A team adds images and sources of its own.
    for path in {*INPUT_PATHS} - {"additions", "sources"}:
        assert (PROJECT / path).exists(), path


def test_no_path_is_both_a_version_input_and_only_checked() -> None:
    assert not set(INPUT_PATHS) & set(CHECKED_PATHS)
