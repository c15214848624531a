"""`workflow check`: four verbs in one process."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from scripts.storage import transfer
from tests.repository import Released, Repository, Result, Run, config_text, objects

LARGER = config_text(samples=8)


@pytest.fixture
def changed(released_as: Released) -> Repository:
    """A repository with v0, and a change of the config."""
    repository = released_as(config_text())
    repository.configure(LARGER)
    return repository


def check(run: Run, folder: Path, store: str = "true") -> tuple[Result, dict[str, Any]]:
    result = run("workflow", "check", "--store", store, str(folder))
    report: dict[str, Any] = json.loads((folder / "report.json").read_text())
    return result, report


def test_everything_is_done_and_said_as_by_the_single_verbs(
    changed: Repository, run: Run, tmp_path: Path
) -> None:
    verbs = [run("validate"), run("build"), run("push"), run("workflow", "report", "single")]
    shutil.rmtree(changed.cache)
    before = len(objects(changed.bucket))

    result, report = check(run, tmp_path)

    assert result.code == 0
    expected = "".join(one.out for one in verbs)
    assert result.out.replace("(0 copied)", "") == expected.replace("(7 copied)", "")
    assert report["stored"] == "yes"
    assert len(objects(changed.bucket)) == before
    assert (tmp_path / "samples.png").exists()
    steps = [line for line in result.err.splitlines() if line.endswith(":")]
    assert steps == ["validate:", "build:", "push:"]


def test_without_permission_nothing_is_stored(
    changed: Repository, run: Run, tmp_path: Path
) -> None:
    before = objects(changed.bucket)

    result, report = check(run, tmp_path, store="false")

    assert (result.code, report["stored"]) == (0, "no")
    assert objects(changed.bucket) == before
    assert (changed.root / "dataset").exists()


def test_an_invalid_config_is_not_built_but_reported(
    changed: Repository, run: Run, tmp_path: Path
) -> None:
    changed.configure(config_text(samples=-1))

    result, report = check(run, tmp_path)

    assert result.code == 1
    assert result.err.count("dataset_config.yaml:") == 1
    assert "build:" not in result.err
    assert len(report["problems"]) == 1
    assert not (changed.root / "dataset").exists()


def test_a_failed_push_is_reported(changed: Repository, run: Run, tmp_path: Path) -> None:
    shutil.rmtree(changed.bucket)
    changed.bucket.write_text("not a folder")

    result, report = check(run, tmp_path)

    assert (result.code, report["stored"]) == (1, "failed")
    assert "error: 16 of 17 objects could not be copied" in result.err


def test_what_is_only_planned_is_not_stored(
    changed: Repository, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLAN_ONLY_ABOVE", "15")

    result, report = check(run, tmp_path)

    assert (result.code, report["stored"]) == (0, "no")
    assert "planned only: 16 images" in result.out
    assert "push:" not in result.err


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), ValueError("a bug")])
def test_after_any_error_there_is_a_report(
    changed: Repository,
    run: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(transfer, "push", fail)

    if isinstance(error, OSError):
        assert run("workflow", "check", "--store", "true", str(tmp_path)).code == 1
    else:
        with pytest.raises(ValueError, match="a bug"):
            run("workflow", "check", "--store", "true", str(tmp_path))

    assert json.loads((tmp_path / "report.json").read_text())["stored"] == "failed"
