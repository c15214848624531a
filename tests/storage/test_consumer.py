import errno
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import chdir
from pathlib import Path
from typing import NamedTuple

import pytest
from dvc.exceptions import DvcException

from scripts.__main__ import main
from scripts.errors import UserError
from scripts.storage import manifest
from scripts.storage.cache import Cache
from scripts.storage.consumer import UnreadableError, check_readable
from scripts.storage.manifest import Manifest
from tests.repository import TEMPLATE, Repository, contents, copy, create, git


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


MACHINE = [
    PermissionError(errno.EACCES, "Permission denied", "/var/tmp/dvc"),  # noqa: S108
    OSError(errno.ENOSPC, "No space left on device"),
    KeyError("getpwuid(): uid not found: 1234"),
    sqlite3.OperationalError("unable to open database file"),
    MemoryError(),
]


@pytest.mark.parametrize("error", MACHINE, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("wrapped", [False, True])
def test_an_error_of_the_machine_is_not_one_of_the_version(
    released: Released,
    checkout: Path,
    monkeypatch: pytest.MonkeyPatch,
    error: BaseException,
    wrapped: bool,
) -> None:
    def fail(*_: object, **__: object) -> None:
        if wrapped:
            raise DvcException("unexpected error") from error
        raise error

    monkeypatch.setattr("dvc.repo.Repo.__init__", fail)

    with pytest.raises(UserError, match=r"^DVC does not work on this machine: ") as caught:
        check_readable(checkout, released.cache, released.made)

    assert not isinstance(caught.value, UnreadableError)


# Another user of this machine, whom the system does not know. What is installed for this one stays
# readable, and so do the files of the test.
STRANGER = 54321
CAPABILITIES = "+dac_override,+dac_read_search,+fowner,+chown"


def as_stranger(
    repository: Repository, verb: str, home: Path | None
) -> subprocess.CompletedProcess[bytes]:
    if sys.platform != "linux" or os.getuid() != 0 or not shutil.which("setpriv"):
        pytest.skip("only root on Linux, with setpriv, can run a process as another user")
    command = ["setpriv", f"--reuid={STRANGER}", f"--regid={STRANGER}", "--clear-groups"]
    command += [f"--inh-caps={CAPABILITIES}", f"--ambient-caps={CAPABILITIES}"]
    if subprocess.run([*command, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this container cannot run a process as another user")
    for path in (repository.place, *repository.place.rglob("*")):
        os.chown(path, STRANGER, STRANGER, follow_symlinks=False)
    names = ("HOME", "LOGNAME", "USER", "LNAME", "USERNAME", "XDG_CACHE_HOME")
    paths = ("DVC_GLOBAL_CONFIG_DIR", "DVC_SYSTEM_CONFIG_DIR", "DVC_SITE_CACHE_DIR")
    environment = {key: value for key, value in os.environ.items() if key not in names + paths}
    environment |= {"HOME": str(home), "DVC_SITE_CACHE_DIR": str(home / "site")} if home else {}
    return subprocess.run(
        [*command, sys.executable, "-m", "scripts", verb],
        cwd=repository.root,
        env=environment,
        capture_output=True,
        check=False,
    )


@pytest.fixture
def reachable(repository: Repository) -> Iterator[Repository]:
    """Such a repository where everybody can get to: the folders of pytest are those of one user."""
    with tempfile.TemporaryDirectory() as folder:
        yield copy(repository, Path(folder))


def test_a_user_without_a_name_can_release(
    reachable: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AUTHOR_NAME", "AUTHOR_EMAIL", "COMMITTER_NAME", "COMMITTER_EMAIL"):
        monkeypatch.delenv(f"GIT_{name}")
    home = reachable.place / "home"
    home.mkdir()

    done = as_stranger(reachable, "release", home=home)

    assert done.returncode == 0, done.stderr.decode()
    assert (reachable.origin / "refs" / "tags" / "v0").exists()


def test_a_user_without_a_home_is_told_what_to_set(reachable: Repository) -> None:
    done = as_stranger(reachable, "release", home=None)

    assert done.returncode == 1
    assert done.stderr.decode() == (
        "error: the user has no home folder: HOME is not set, and the system does not know the "
        "user. Set HOME to a folder of the user.\n"
    )


def test_the_cache_that_all_users_of_a_machine_share_is_not_opened(
    released: Released, checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # DVC unpickles what is in it.
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(tmp_path / "shared"))

    check_readable(checkout, released.cache, released.made)

    assert not (tmp_path / "shared").exists()
