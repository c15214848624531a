"""A repository made from the template takes a newer version of the machinery."""

from pathlib import Path

import pytest

import scripts
from tests.repository import Repository, Run, git

OLD, NEW = scripts.__version__, "9.1.0"
MACHINERY = {
    "scripts/kept.py": "kept = 1\n",
    "scripts/changed.py": "version = 'old'\n",
    "scripts/edited.py": "edited = 'by the template'\n",
    "scripts/removed.py": "removed = 1\n",
    "docs/removed, too.md": "old\n",
}
OWNED = {
    "README.md": "The template's readme\n",
    ".github/CODEOWNERS": "* @OWNER/team\n",
    "sources/own.dvc": "template\n",
}
CHANGES = {
    "scripts/changed.py": "version = 'new'\n",
    "scripts/edited.py": "edited = 'by the newer template'\n",
    "scripts/added.py": "added = 1\n",
    "README.md": "The newer template's readme\n",
    ".github/CODEOWNERS": "* @OTHER/team\n",
    "dataset_config.yaml": "source: newer\n",
    "sources/own.dvc": "newer\n",
}


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


def commit(root: Path) -> None:
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "Change")


@pytest.fixture
def template(tmp_path: Path) -> Path:
    """A template with two versions of the machinery."""
    root = tmp_path / "template"
    root.mkdir()
    git(root, "init", "--quiet", "--initial-branch=main")
    write(root, {**MACHINERY, **OWNED, "dataset_config.yaml": "source: template\n"})
    commit(root)
    git(root, "tag", f"machinery-{OLD}")
    write(root, CHANGES)
    for name in ("scripts/removed.py", "docs/removed, too.md"):
        (root / name).unlink()
    (root / "scripts/added.py").chmod(0o755)
    commit(root)
    git(root, "tag", f"machinery-{NEW}")
    return root


@pytest.fixture
def team(repository: Repository, template: Path) -> Repository:
    """A repository made from the template's older version, with edits of its own."""
    write(repository.root, {**MACHINERY, **OWNED})
    write(repository.root, {"README.md": "Our readme\n", "scripts/edited.py": "edited = 'by us'\n"})
    settings = f'[tool.dataset]\ntemplate = "{template}"\n'
    write(repository.root, {"pyproject.toml": settings, "scripts/ours.py": "ours = 1\n"})
    commit(repository.root)
    return repository


def texts(root: Path) -> dict[str, str]:
    names = git(root, "ls-files", "-z").split("\0")
    return {name: (root / name).read_text() for name in names if name and (root / name).exists()}


def test_machinery_is_replaced_and_what_the_team_owns_or_edited_stays(
    team: Repository, run: Run
) -> None:
    before = texts(team.root)

    result = run("upgrade", NEW)

    assert result.code == 0, result.err
    after = texts(team.root)
    gone = {"scripts/removed.py", "docs/removed, too.md"}
    new = {name: CHANGES[name] for name in ("scripts/changed.py", "scripts/added.py")}
    assert after == {name: text for name, text in before.items() if name not in gone} | new
    assert (team.root / "scripts/added.py").stat().st_mode & 0o100
    assert f"machinery {OLD} -> {NEW}: 2 files replaced, 2 removed" in result.out
    assert "not replaced, because it was edited: scripts/edited.py" in result.out
    assert result.out.count("was edited") == 1


def test_the_difference_of_an_edited_file_can_be_shown_as_the_output_says(
    team: Repository, run: Run
) -> None:
    (line,) = (x for x in run("upgrade", NEW).out.splitlines() if "git diff" in x)

    shown = team.git(*line.partition("git ")[2].split())

    assert "-edited = 'by the template'" in shown
    assert "+edited = 'by the newer template'" in shown


def test_the_same_version_changes_nothing(team: Repository, run: Run) -> None:
    result = run("upgrade", OLD)

    assert result.code == 0, result.err
    assert team.git("status", "--porcelain") == ""


def test_tags_of_the_machinery_are_not_releases(team: Repository, run: Run) -> None:
    run("upgrade", NEW)

    assert team.git("tag", "--list") == ""
    assert run("verify").out == "there is no release yet\n"


@pytest.mark.parametrize(
    ("version", "says"),
    [
        ("9.9.9", "cannot fetch machinery-9.9.9 from"),
        ("newest", "'newest' is not a version; write it as 1.2.0"),
        ("1.2", "is not a version"),
        ("--upload-pack=x", "is not a version"),
    ],
)
def test_a_version_that_does_not_exist_is_a_clear_error(
    team: Repository, run: Run, version: str, says: str
) -> None:
    result = run("upgrade", "--", version)

    assert result.code == 1
    assert says in result.err
    assert len(result.err.splitlines()) == 1
    assert team.git("status", "--porcelain") == ""


def test_uncommitted_changes_are_not_mixed_with_an_upgrade(team: Repository, run: Run) -> None:
    write(team.root, {"scripts/changed.py": "in the middle of something\n"})

    result = run("upgrade", NEW)

    assert result.code == 1
    assert "there are uncommitted changes" in result.err
    assert (team.root / "scripts/changed.py").read_text() == "in the middle of something\n"


@pytest.mark.parametrize("settings", ["", "[tool]\n", "[tool.dataset\n", "[tool]\ndataset = 1\n"])
def test_a_repository_that_does_not_name_its_template_is_told_how(
    team: Repository, run: Run, settings: str
) -> None:
    write(team.root, {"pyproject.toml": settings})
    commit(team.root)

    result = run("upgrade", NEW)

    assert result.code == 1
    assert "pyproject.toml has no address of the template" in result.err
