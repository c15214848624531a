from pathlib import Path

import pytest

from scripts import touched
from tests.repository import Repository


@pytest.fixture
def output(repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a step leaves its outputs, in a checkout of the repository."""
    monkeypatch.chdir(repository.root)
    file = tmp_path / "output"
    monkeypatch.setenv("GITHUB_OUTPUT", str(file))
    return file


def propose(repository: Repository, *changes: tuple[str, str]) -> None:
    """Check out the merge of a branch with a commit for each of `changes` into main."""
    repository.git("switch", "--quiet", "--create", "branch")
    for name, text in changes:
        (repository.root / name).parent.mkdir(exist_ok=True)
        (repository.root / name).write_text(text)
        repository.git("add", "--all")
        repository.git("commit", "--quiet", "--message", "Change")
    repository.git("switch", "--quiet", "--detach", "main")
    repository.git("merge", "--quiet", "--no-ff", "--message", "Merge", "branch")


@pytest.mark.parametrize(
    "name",
    ["dataset_config.yaml", "dataset.dvc", ".dvc/config", "scripts/images.py", "requirements.txt"],
)
def test_what_the_dataset_is_made_with_touches_it(
    repository: Repository, output: Path, name: str
) -> None:
    propose(repository, (name, "changed\n"))
    touched.main()
    assert output.read_text() == "dataset=true\n"


@pytest.mark.parametrize("name", ["README.md", "tests/test_config.py", "docs/scripts/x.md"])
def test_anything_else_does_not(repository: Repository, output: Path, name: str) -> None:
    (repository.root / "docs" / "scripts").mkdir(parents=True)
    propose(repository, (name, "changed\n"))
    touched.main()
    assert output.read_text() == "dataset=false\n"


def test_a_change_that_was_taken_back_still_needs_its_comment_to_follow(
    repository: Repository, output: Path
) -> None:
    config = (repository.root / "dataset_config.yaml").read_text()
    propose(repository, ("dataset_config.yaml", "wrong\n"), ("dataset_config.yaml", config))
    touched.main()
    assert output.read_text() == "dataset=true\n"


@pytest.mark.parametrize(
    ("replaced", "said"), [("dataset_config.yaml", "true"), ("README.md", "false")]
)
def test_a_force_push_that_takes_a_change_back_needs_the_comment_to_follow(
    repository: Repository,
    output: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    replaced: str,
    said: str,
) -> None:
    propose(repository, (replaced, "before\n"))
    before = repository.git("rev-parse", "branch")
    repository.git("switch", "--quiet", "main")
    repository.git("branch", "--quiet", "--delete", "--force", "branch")
    propose(repository, ("docs.md", "after\n"))
    event = tmp_path / "event.json"
    monkeypatch.setenv("GITHUB_EVENT_PATH", str(event))
    event.write_text(f'{{"action": "synchronize", "before": "{before}"}}')
    touched.main()
    # What cannot be had any more may have been anything.
    event.write_text(f'{{"action": "synchronize", "before": "{"1" * 40}"}}')
    touched.main()
    assert output.read_text() == f"dataset={said}\ndataset=true\n"


def test_what_main_got_meanwhile_does_not_count(repository: Repository, output: Path) -> None:
    repository.git("switch", "--quiet", "--create", "branch")
    repository.git("switch", "--quiet", "main")
    repository.configure("changed on main\n")
    repository.git("commit", "--quiet", "--all", "--message", "Change")
    repository.git("switch", "--quiet", "branch")
    (repository.root / "README.md").write_text("more\n")
    repository.git("add", "--all")
    repository.git("commit", "--quiet", "--message", "Change")
    repository.git("switch", "--quiet", "--detach", "main")
    repository.git("merge", "--quiet", "--no-ff", "--message", "Merge", "branch")
    touched.main()
    assert output.read_text() == "dataset=false\n"
