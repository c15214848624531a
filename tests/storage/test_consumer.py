import os
from contextlib import chdir
from pathlib import Path
from typing import NamedTuple

import pytest

from scripts.__main__ import main
from scripts.storage import manifest
from scripts.storage.cache import Cache
from scripts.storage.consumer import UnreadableError, check_readable
from scripts.storage.manifest import Manifest
from tests.repository import TEMPLATE, Repository, contents, create, git


class Released(NamedTuple):
    """A repository with the release v0."""

    repository: Repository
    cache: Cache
    made: Manifest


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Released:
    repository = create(tmp_path_factory.mktemp("released"))
    with chdir(repository.root):
        assert main(["release"]) == 0
        assert main(["build"]) == 0
    files = contents(repository.root / "dataset").items()
    made = Manifest({name: (manifest.md5_of(data), len(data)) for name, data in files})
    return Released(repository, Cache(repository.root), made)


@pytest.fixture
def checkout(released: Released, tmp_path: Path) -> Path:
    """The commit of v0, as git checks it out."""
    source = str(released.repository.origin)
    git(tmp_path, "clone", "--quiet", "--branch", "v0", source, "checkout")
    return tmp_path / "checkout"


def test_the_commit_of_a_release_is_readable(released: Released, checkout: Path) -> None:
    before = contents(checkout)

    check_readable(checkout, released.cache, released.made)

    assert {name for name in contents(checkout) if not name.startswith((".git/", ".dvc/tmp/"))} == {
        name for name in before if not name.startswith(".git/")
    }


def stage(output: str) -> str:
    return f"stages:\n  other:\n    cmd: 'true'\n    outs: [{output}]\n"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (".dvcignore", "*.dvc\n"),
        (".dvcignore", "/dataset.dvc\n"),
        (".dvcignore", "*\n"),
        ("dvc.yaml", "stages: [broken\n"),
        ("dvc.yaml", "stages: 3\n"),
        ("dvc.yaml", stage("dataset")),
        ("dvc.yaml", stage("dataset/train")),
        ("dvc.yaml", stage("{dataset: {cache: false}}")),
        ("more.dvc", "outs: 3\n"),
        (".dvc/config", "[broken\n"),
        (".dvc/config", TEMPLATE[".dvc/config"].replace("storage\n", "%(x)s\n")),
        ("dataset.dvc", "outs: []\n"),
        ("dataset.dvc", "outs:\n- md5: 99914b932bd37a50b983c5e7c90ae93b.dir\n  path: dataset\n"),
    ],
)
def test_what_consumers_could_not_read_is_refused(
    released: Released, checkout: Path, name: str, content: str
) -> None:
    (checkout / name).write_text(content)

    with pytest.raises(
        UnreadableError, match=r"^DVC (cannot read this version: |finds )"
    ) as caught:
        check_readable(checkout, released.cache, released.made)

    assert "\n" not in str(caught.value)


def test_the_reason_why_consumers_could_not_read_is_that_of_dvc(
    released: Released, checkout: Path
) -> None:
    (checkout / "dvc.yaml").write_text("stages: 3\n")

    with pytest.raises(UnreadableError, match=r"this version: .*dvc\.yaml.* validation failed"):
        check_readable(checkout, released.cache, released.made)


def test_a_version_with_other_files_is_refused(released: Released, checkout: Path) -> None:
    files = dict(released.made.files)
    (first, one), (_, another), *_ = files.items()
    for other, says in [
        (
            {name: one for name, one in files.items() if name != first},
            "9 of the 9 .*, and 1 others",
        ),
        (files | {"train/3/99999.png": one}, "10 of the 11 .*, and 0 others"),
        (files | {first: another}, "9 of the 10 .*, and 1 others"),
    ]:
        with pytest.raises(UnreadableError, match=f"^DVC finds {says}"):
            check_readable(checkout, released.cache, Manifest(other))


def test_another_pipeline_in_the_repository_is_no_problem(
    released: Released, checkout: Path
) -> None:
    (checkout / "dvc.yaml").write_text(stage("model.pkl"))
    check_readable(checkout, released.cache, released.made)


def test_the_configuration_of_the_user_changes_nothing(
    released: Released, checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for level in ("SYSTEM", "GLOBAL"):
        (tmp_path / level).mkdir()
        (tmp_path / level / "config").write_text("[broken\n")
        monkeypatch.setenv(f"DVC_{level}_CONFIG_DIR", str(tmp_path / level))

    check_readable(checkout, released.cache, released.made)

    for level in ("SYSTEM", "GLOBAL"):
        assert os.environ[f"DVC_{level}_CONFIG_DIR"] == str(tmp_path / level)


def test_an_environment_without_these_variables_is_restored(
    released: Released, checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for level in ("SYSTEM", "GLOBAL"):
        monkeypatch.delenv(f"DVC_{level}_CONFIG_DIR")
    (checkout / "dvc.yaml").write_text("stages: 3\n")

    with pytest.raises(UnreadableError):
        check_readable(checkout, released.cache, released.made)

    assert not [name for name in os.environ if name.startswith("DVC_") and "CONFIG_DIR" in name]
