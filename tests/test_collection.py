"""Every test in the repository is run by a command that people and CI run."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.repository import PROJECT

TARGETS = ("test", "e2e", "soak")
# What runs them: here, and on GitHub.
RUNNERS = {
    ".ci/run": {"test", "e2e", "soak-part"},
    ".github/workflows/ci.yml": {"test", "e2e"},
    ".github/workflows/soak.yml": {"soak"},
}
# Options that leave tests out by anything but their place.
SELECTING = {"-k", "-m", "--deselect", "--ignore-glob"}
needs_make = pytest.mark.skipif(not shutil.which("make"), reason="make is not installed")


def tracked() -> list[str]:
    """Return the files with tests that git tracks; those to be added count."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*test_*.py"]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True)
    return [path for path in done.stdout.splitlines() if Path(path).name.startswith("test_")]


def arguments(target: str) -> list[str]:
    """Return the arguments that a target of make gives to pytest."""
    command = ["make", "--dry-run", target]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True)
    [line] = [line for line in done.stdout.splitlines() if " -m pytest " in line]
    return shlex.split(line.partition(" -m pytest ")[2])


@pytest.fixture(scope="module")
def outline(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project's folders and settings, with one empty test in place of those of each file."""
    root = tmp_path_factory.mktemp("outline")
    shutil.copy(PROJECT / "pyproject.toml", root)
    for path in tracked():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).with_name("__init__.py").touch()
        (root / path).write_text("def test() -> None: ...\n")
    return root


def collected(root: Path, target: str) -> list[str]:
    """Return the files from which a target of make collects tests."""
    command = [sys.executable, "-m", "pytest", *arguments(target), "-n", "0", "--collect-only"]
    done = subprocess.run(
        [*command, "--quiet", "-p", "no:cacheprovider"],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return [line.partition("::")[0] for line in done.stdout.splitlines() if "::" in line]


@needs_make
def test_every_file_with_tests_is_collected_by_one_target_of_make(outline: Path) -> None:
    found = Counter(path for target in TARGETS for path in collected(outline, target))

    assert found == Counter(tracked())


@needs_make
@pytest.mark.parametrize("target", TARGETS)
def test_no_target_of_make_leaves_tests_out_by_name_or_mark(target: str) -> None:
    options = {argument.partition("=")[0] for argument in arguments(target)}

    assert not options & SELECTING


@pytest.mark.parametrize(("name", "targets"), RUNNERS.items())
def test_each_target_is_run_regularly(name: str, targets: set[str]) -> None:
    text = (PROJECT / name).read_text(encoding="utf-8")
    run = re.findall(r"^(?: *-? *run: )?make (\S+)$", text, flags=re.MULTILINE)

    assert targets <= {*run}


SKIPPED = """\
import pytest

def test_tool(): pytest.skip("node is not installed")
def test_data(): pytest.skip("the MNIST files are not here: SCIKIT_LEARN_DATA is not set")
"""
WHOLE = "import pytest; pytest.importorskip('no_such_module')\n"
HOOKS = "from tests.skips import pytest_make_collect_report, pytest_runtest_makereport\n"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="checked on Linux")
@pytest.mark.parametrize(
    ("where", "outcome"), [("true", "1 failed, 1 skipped, 1 error"), ("", "3 skipped")]
)
def test_what_is_due_where_every_change_is_checked_is_not_skipped(
    tmp_path: Path, where: str, outcome: str
) -> None:
    for name, text in (("conftest.py", HOOKS), ("test_a.py", SKIPPED), ("test_b.py", WHOLE)):
        (tmp_path / name).write_text(text)

    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-p",
            "no:cacheprovider",
            "--continue-on-collection-errors",
        ],
        cwd=tmp_path,
        env={**os.environ, "CI": where},
        capture_output=True,
        text=True,
        check=False,
    )

    assert f" {outcome} in " in done.stdout.splitlines()[-1], done.stdout
