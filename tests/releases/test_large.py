"""Versions that are too large for a pull request: they are planned, and made by the release."""

import json
from pathlib import Path

import pytest

from scripts.dataset import png
from tests.repository import Repository, Run, config_text

LARGER = config_text(samples=8)


@pytest.fixture
def larger(released: Repository, monkeypatch: pytest.MonkeyPatch) -> Repository:
    """A repository whose config asks for more images than are made; encoding one would fail."""

    def fail(_: object) -> bytes:
        raise AssertionError("an image was encoded")

    released.configure(LARGER)
    monkeypatch.setenv("PLAN_ONLY_ABOVE", "15")
    monkeypatch.setattr(png, "encode", fail)
    return released


def test_a_build_of_more_images_makes_nothing_and_says_so(larger: Repository, run: Run) -> None:
    result = run("build")

    assert result.code == 0
    assert result.out.startswith("planned only: 16 images are more than PLAN_ONLY_ABOVE allows")
    assert not (larger.root / "dataset").exists()


def test_a_plan_of_more_images_knows_everything_but_the_bytes(larger: Repository, run: Run) -> None:

    planned = json.loads(run("plan", "--format", "json").out)

    assert planned["changed"]
    assert planned["samples"]["added"] == 6
    assert (planned["md5"], planned["bytes"]["after"], planned["bytes"]["new"]) == (None,) * 3
    assert "final size unknown: too many files to build in a pull request" in run("plan").out
    assert "md5" not in run("plan").out


def test_a_report_of_more_images_has_a_plan_and_no_contact_sheet(
    larger: Repository, run: Run, tmp_path: Path
) -> None:

    result = run("workflow", "report", "--stored", "no", str(tmp_path / "report"))

    assert result.code == 0, result.err
    assert [path.name for path in (tmp_path / "report").iterdir()] == ["report.json"]


def test_the_same_images_are_no_change(
    released: Repository, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLAN_ONLY_ABOVE", "9")

    assert not json.loads(run("plan", "--format", "json").out)["changed"]


def test_a_small_version_is_built_and_a_release_makes_any(
    released: Repository, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLAN_ONLY_ABOVE", "16")
    released.configure(LARGER)
    assert run("build").code == 0
    assert (released.root / "dataset").exists()

    monkeypatch.setenv("PLAN_ONLY_ABOVE", "1")
    released.merge(LARGER)
    assert run("release").code == 0
    assert released.tags() == ["v0", "v1"]


def test_a_limit_that_is_no_number_is_one_message(
    released: Repository, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLAN_ONLY_ABOVE", "many")

    result = run("plan")

    assert (result.code, result.err) == (
        1,
        "error: PLAN_ONLY_ABOVE is 'many'; it must be a number of images\n",
    )
