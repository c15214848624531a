import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from scripts.github import changed_paths
from scripts.inputs.paths import CHECKED_PATHS, INPUT_PATHS
from tests.repository import PROJECT, Repository

Event = Callable[..., None]
CONFIG = "dataset_config.yaml"
NEITHER, DATASET, MACHINERY, BOTH = (
    f"dataset={dataset}\nmachinery={machinery}\n"
    for machinery in ("false", "true")
    for dataset in ("false", "true")
)


@pytest.fixture
def output(
    repository: Repository, tmp_path: Path, event: Event, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """The file with the outputs of a step, in a checkout of the repository."""
    monkeypatch.chdir(repository.root)
    event(action="opened")
    file = tmp_path / "output"
    monkeypatch.setenv("GITHUB_OUTPUT", str(file))
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    return file


def commit(repository: Repository, *changes: tuple[str, str]) -> None:
    """Make a commit for each of `changes`, a path and its new content."""
    for name, text in changes:
        file = repository.root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        repository.git("add", "--all")
        repository.git("commit", "--quiet", "--message", "Change")


def merge(repository: Repository) -> None:
    """Check out the merge of the branch into main, as a pull request's workflow does."""
    repository.git("switch", "--quiet", "--detach", "main")
    repository.git("merge", "--quiet", "--no-ff", "--message", "Merge", "branch")


def propose(repository: Repository, *changes: tuple[str, str]) -> None:
    """Check out the merge of a branch with a commit for each of `changes` into main."""
    repository.git("switch", "--quiet", "--create", "branch", "main")
    commit(repository, *changes)
    merge(repository)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        # Data only.
        (CONFIG, DATASET),
        ("dataset.dvc", DATASET),
        (".dvc/config", DATASET),
        ("curation.csv", DATASET),
        ("additions/train/3/zwei wörter.png", DATASET),
        ("sources/own.dvc", DATASET),
        # Machinery that decides what is in a version, or is checked for each change.
        ("scripts/inputs/config.py", BOTH),
        ("scripts/sources/openml.py", BOTH),
        ("scripts/dataset/png.py", BOTH),
        ("requirements.txt", BOTH),
        (".dvc/plots/new.json", BOTH),
        (".dvcignore", BOTH),
        ("dvc.yaml", BOTH),
        ("dvc.lock", BOTH),
        # Machinery that cannot change the bytes of a version.
        ("README.md", MACHINERY),
        ("scripts/review/plan.py", MACHINERY),
        ("scripts/dataseter.py", MACHINERY),
        ("tests/dataset/test_png.py", MACHINERY),
        ("docs/scripts/dataset/x.md", MACHINERY),
        (".github/workflows/ci.yml", MACHINERY),
        ("requirements-dev.txt", MACHINERY),
        ("ordner/ü b.txt", MACHINERY),
    ],
)
def test_a_pull_request_is_checked_for_what_it_changes(
    repository: Repository, output: Path, name: str, expected: str
) -> None:
    propose(repository, (name, "changed\n"))
    changed_paths.main()
    assert output.read_text() == expected


def test_every_version_input_and_every_checked_path_counts_as_the_dataset(
    repository: Repository, output: Path
) -> None:
    for index, path in enumerate((*INPUT_PATHS, *CHECKED_PATHS)):
        is_folder = (PROJECT / path).is_dir()
        repository.git("switch", "--quiet", "main")
        repository.git("branch", "--quiet", "--force", "branch", "main")
        repository.git("switch", "--quiet", "branch")
        commit(repository, (f"{path}/new" if is_folder else path, f"{index}\n"))
        merge(repository)
        output.unlink(missing_ok=True)
        changed_paths.main()
        assert "dataset=true" in output.read_text(), path


def test_a_pull_request_that_changes_nothing_needs_no_check(
    repository: Repository, output: Path
) -> None:
    repository.git("switch", "--quiet", "--create", "branch")
    repository.git("commit", "--quiet", "--allow-empty", "--message", "Empty")
    merge(repository)
    changed_paths.main()
    assert output.read_text() == NEITHER


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (CONFIG, "docs/old.yaml", BOTH),
        ("scripts/sources/a.py", "docs/a.py", BOTH),
        ("docs/a.txt", "dataset.dvc", BOTH),
    ],
)
def test_a_renamed_file_counts_under_its_old_and_its_new_name(
    repository: Repository, output: Path, event: Event, old: str, new: str, expected: str
) -> None:
    if old != CONFIG:
        commit(repository, (old, "a line\n" * 20))
    base = repository.git("rev-parse", "HEAD")
    repository.git("switch", "--quiet", "--create", "branch")
    (repository.root / new).parent.mkdir(exist_ok=True)
    repository.git("mv", old, new)
    repository.git("commit", "--quiet", "--message", "Rename")
    merge(repository)
    changed_paths.main()
    event(action="checks_requested", merge_group={"base_sha": base})
    changed_paths.main()
    assert output.read_text() == expected * 2


def test_a_change_that_a_later_commit_reverts_still_counts(
    repository: Repository, output: Path
) -> None:
    config = (repository.root / CONFIG).read_text()
    propose(repository, (CONFIG, "wrong\n"), (CONFIG, config))
    changed_paths.main()
    assert output.read_text() == DATASET


@pytest.mark.parametrize(("replaced", "expected"), [(CONFIG, BOTH), ("README.md", MACHINERY)])
def test_a_change_that_a_force_push_reverts_still_counts(
    repository: Repository, output: Path, event: Event, replaced: str, expected: str
) -> None:
    propose(repository, (replaced, "before\n"))
    before = repository.git("rev-parse", "branch")
    repository.git("switch", "--quiet", "main")
    repository.git("branch", "--quiet", "--delete", "--force", "branch")
    propose(repository, ("docs.md", "after\n"))
    event(action="synchronize", before=before)
    changed_paths.main()
    assert output.read_text() == expected


def test_commits_that_are_no_longer_available_may_have_changed_anything(
    repository: Repository, output: Path, event: Event
) -> None:
    propose(repository, (CONFIG, "after\n"))
    event(action="synchronize", before="1" * 40)
    changed_paths.main()
    assert output.read_text() == BOTH


def test_what_main_changed_meanwhile_does_not_count(repository: Repository, output: Path) -> None:
    repository.git("switch", "--quiet", "--create", "branch")
    commit(repository, ("README.md", "more\n"))
    repository.git("switch", "--quiet", "main")
    commit(repository, (CONFIG, "changed on main\n"))
    merge(repository)
    changed_paths.main()
    assert output.read_text() == MACHINERY


@pytest.mark.parametrize(
    ("name", "expected"),
    [(CONFIG, DATASET), ("README.md", MACHINERY), ("scripts/dataset/png.py", BOTH)],
)
def test_a_merge_group_is_compared_with_its_base(
    repository: Repository, output: Path, event: Event, name: str, expected: str
) -> None:
    # The group before it in the queue, which changes everything.
    commit(repository, (CONFIG, "other\n"), ("scripts/inputs/x.py", "other\n"))
    base = repository.git("rev-parse", "HEAD")
    commit(repository, (name, "changed\n"))
    event(action="checks_requested", merge_group={"base_sha": base, "base_ref": "refs/heads/main"})
    changed_paths.main()
    assert output.read_text() == expected


def test_after_a_push_to_main_everything_is_checked(
    repository: Repository, output: Path, event: Event
) -> None:
    commit(repository, ("README.md", "more\n"))
    event(ref="refs/heads/main", before="1" * 40, after=repository.git("rev-parse", "HEAD"))
    changed_paths.main()
    assert output.read_text() == BOTH


def test_the_log_and_the_summary_show_the_changed_paths(
    repository: Repository,
    output: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    summary = tmp_path / "summary"
    summary.write_text("before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    propose(repository, (CONFIG, "changed\n"))
    changed_paths.main()
    shown = f"dataset: {CONFIG}\nmachinery: no change\n"
    assert capsys.readouterr().err == shown
    assert summary.read_text() == f"before\n```text\n{shown}```\n"


def test_a_long_list_of_paths_is_cut(
    repository: Repository, output: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for index in range(24):
        (repository.root / f"{index:02}.md").touch()
    propose(repository, ("24.md", "the last\n"))
    changed_paths.main()
    assert "machinery: 00.md, 01.md, " in (log := capsys.readouterr().err)
    assert log.endswith("18.md, 19.md and 5 more\n")


def test_a_path_cannot_give_a_command_to_the_runner(
    repository: Repository, output: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    propose(repository, ("x\n::set-output name=dataset::false", "\n"), (CONFIG, "changed\n"))
    changed_paths.main()
    captured = capsys.readouterr()
    assert "'x\\n::set-output name=dataset::false'" in captured.err
    assert "\n::" not in captured.out + captured.err
    assert output.read_text() == BOTH


def test_it_needs_no_installed_package(repository: Repository, output: Path, event: Event) -> None:
    event(ref="refs/heads/main")
    # -S leaves out the folder of installed packages.
    command = [sys.executable, "-S", "-m", "scripts.github.changed_paths"]
    env = {**os.environ, "PYTHONPATH": str(PROJECT)}
    subprocess.run(command, env=env, check=True, capture_output=True)
    assert output.read_text() == BOTH
