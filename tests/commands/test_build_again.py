"""A build in which nothing has changed makes nothing, and says the same."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from scripts import fingerprint
from scripts.dataset import record
from scripts.review import builds
from tests.repository import Released, Repository, Result, Run, config_text, contents

# A leak, which the build warns of: v0 has 160 images of 3 for train.
LARGE = config_text(class_=[3], samples=170, test_size=10)
HALF = config_text(class_=[3], samples=170, test_size=85)


@pytest.fixture
def built(released_as: Released, run: Run) -> Repository:
    """A repository with v0, and a build of a change."""
    repository = released_as(LARGE)
    repository.configure(HALF)
    assert run("build").code == 0
    return repository


def again(run: Run, monkeypatch: pytest.MonkeyPatch) -> tuple[Result, bool]:
    """Build again; return the result, and whether anything was made for it."""
    made, build = [], builds.build

    def counted(*arguments: object) -> object:
        made.append(arguments)
        return build(*arguments)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(builds, "build", counted)
        return run("build"), bool(made)


def test_nothing_is_made_again_and_the_same_is_said(
    built: Repository, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.rmtree(built.root / "dataset")
    first, was_made = again(run, monkeypatch)
    assert was_made
    files = contents(built.root / "dataset")

    second, was_made = again(run, monkeypatch)

    assert not was_made
    assert second == first
    assert "warning: Leak" in second.err
    assert contents(built.root / "dataset") == files
    assert run("push").code == 0


def an_image(built: Repository) -> Path:
    return min((built.root / "dataset").rglob("*.png"))


def an_object(built: Repository) -> Path:
    return min(built.cache.glob("files/md5/??/*"))


def edit(file: Path) -> None:
    content = file.read_bytes()
    file.chmod(0o644)
    file.write_bytes(content[::-1])


def replace_by_copy(file: Path) -> None:
    content = file.read_bytes()
    file.unlink()
    file.write_bytes(content)


CHANGES: dict[str, Callable[[Repository], object]] = {
    "an edited image": lambda built: edit(an_image(built)),
    "a removed image": lambda built: an_image(built).unlink(),
    "a copy of an image": lambda built: replace_by_copy(an_image(built)),
    "another file": lambda built: (built.root / "dataset" / "notes.txt").write_text("x"),
    "an empty folder": lambda built: (built.root / "dataset" / "new").mkdir(),
    "no dataset": lambda built: shutil.rmtree(built.root / "dataset"),
    "an edited object": lambda built: edit(an_object(built)),
    "a removed object": lambda built: an_object(built).unlink(),
    "a replaced object": lambda built: replace_by_copy(an_object(built)),
    "no manifest": lambda built: built.cached_file(record.read(built.root).md5).unlink(),
    "an empty cache": lambda built: shutil.rmtree(built.cache),
    "no record": lambda built: (built.root / record.RECORD_FILE).unlink(),
    "a damaged record": lambda built: (built.root / record.RECORD_FILE).write_text("{"),
    "no stamps": lambda built: (built.root / ".dvc/tmp/intact").unlink(),
    "another config": lambda built: built.configure(HALF.replace("seed: 0", "seed: 1")),
    "a new tag": lambda built: built.git("tag", "--annotate", "--message", "by hand", "v7", "v0"),
    "a withdrawn release": lambda built: (built.root / "releases.yaml").write_text(
        "withdrawn: {v0: wrong}\n"
    ),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_whatever_changes_it_is_built_again(
    built: Repository,
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[Repository], object],
) -> None:
    files = contents(built.root / "dataset")
    change(built)

    result, was_made = again(run, monkeypatch)

    assert was_made
    assert result.code == 0
    is_other = "seed: 1" in (built.root / "dataset_config.yaml").read_text()
    assert (contents(built.root / "dataset") == files) is not is_other
    assert run("push").code == 0


def test_other_code_builds_again(
    built: Repository, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not again(run, monkeypatch)[1]
    monkeypatch.setattr(fingerprint, "of", lambda *_: "other")
    assert again(run, monkeypatch)[1]


def test_a_build_with_an_unknown_release_is_repeated(
    released_as: Released, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = released_as(LARGE)
    for folder in (repository.cache, repository.bucket):
        shutil.rmtree(folder / "records")
    repository.configure(LARGE.replace("seed: 0", "seed: 3"))
    monkeypatch.setattr("scripts.releases.indexes.selected_again", lambda *_: None)
    first, _ = again(run, monkeypatch)
    assert "v0 cannot be read" in first.err

    second, was_made = again(run, monkeypatch)

    assert was_made
    assert second == first
