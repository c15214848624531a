"""Plain DVC gives consumers exactly the files of a release, with the README's commands."""

import io
import re
import shlex
import subprocess
import sys
from contextlib import chdir, redirect_stdout
from pathlib import Path
from typing import NamedTuple

import pytest

from scripts.__main__ import main
from tests.repository import PROJECT, Repository, config_text, contents, create, git

README = (PROJECT / "README.md").read_text()
pytestmark = [
    pytest.mark.skipif(
        "\n## Consume a release\n" not in README, reason="a team's own README has other sections"
    ),
    # One worker makes the releases for all of them.
    pytest.mark.xdist_group("dvc consumers"),
]


class Released(NamedTuple):
    """A repository with v1 and v2, whose remote has an absolute address, and their files."""

    repository: Repository
    files: dict[str, dict[str, bytes]]


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Released:
    repository = create(tmp_path_factory.mktemp("dvc-consumers"))
    files = {}
    with chdir(repository.root), redirect_stdout(io.StringIO()):
        # DVC opens origin in a temporary folder, from where a relative address leads elsewhere.
        assert main(["remote", str(repository.bucket)]) == 0
        repository.git("add", ".dvc/config")
        for number, samples in enumerate((4, 5, 6)):
            repository.merge(config_text(samples=samples))
            assert main(["release"]) == 0
            assert main(["build"]) == 0
            files[f"v{number}"] = contents(repository.root / "dataset")
    return Released(repository, files)


def command(words: str, released: Released) -> list[str]:
    """Return the README's command that begins with `words`, for this repository."""
    [line] = re.findall(rf"^    ({words}.*)$", README, flags=re.MULTILINE)
    return shlex.split(line.replace("REPOSITORY", str(released.repository.origin)), comments=True)


def dvc(where: Path, arguments: list[str]) -> None:
    program, *rest = arguments
    assert program == "dvc"
    done = subprocess.run(
        [sys.executable, "-m", "dvc", *rest], cwd=where, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def project(tmp_path: Path) -> Path:
    """Return the repository of a consumer who uses DVC too."""
    git(tmp_path, "init", "--quiet", "consumer")
    dvc(tmp_path / "consumer", ["dvc", "init", "--quiet"])
    return tmp_path / "consumer"


def test_dvc_get(released: Released, tmp_path: Path) -> None:
    dvc(tmp_path, command("dvc get", released))

    assert contents(tmp_path / "dataset") == released.files["v1"]


def test_dvc_import_and_update(released: Released, tmp_path: Path) -> None:
    where = project(tmp_path)

    dvc(where, command("dvc import", released))
    assert contents(where / "dataset") == released.files["v1"]

    dvc(where, command("dvc update", released))
    assert contents(where / "dataset") == released.files["v2"]
    assert str(released.repository.origin) in (where / "dataset.dvc").read_text()


def test_a_checkout_of_a_tag_and_dvc_pull(released: Released, tmp_path: Path) -> None:
    git(tmp_path, "clone", "--quiet", str(released.repository.origin), "clone")
    checkout, pull = " ".join(command("git checkout", released)).split(" && ")
    git(tmp_path / "clone", *checkout.split()[1:], "--quiet")

    dvc(tmp_path / "clone", pull.split())

    assert contents(tmp_path / "clone" / "dataset") == released.files["v1"]


def test_the_python_api(released: Released, tmp_path: Path) -> None:
    [code] = [
        text for text in re.findall(r"```python\n(.*?)```", README, re.DOTALL) if "dvc.api" in text
    ]
    name = min(released.files["v1"])
    code = code.replace("REPOSITORY", str(released.repository.origin))
    code = re.sub(r"dataset/train/3/\d+\.png", f"dataset/{name}", code)
    script = f"{code}\nimport sys; sys.stdout.buffer.write(image)"

    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, check=True
    )

    assert contents(tmp_path / "dataset") == released.files["v1"]
    assert done.stdout == released.files["v1"][name]
