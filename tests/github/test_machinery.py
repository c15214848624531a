"""Releases of the machinery, and the small files beside it."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from scripts import __version__
from tests.doubles.github import Server
from tests.repository import PROJECT, Repository, Result, Run

TAG = f"machinery-{__version__}"
CHANGELOG = f"""\
# Changelog

## Unreleased

- Later.

## {TAG} - 2026-11-24

### Added

- A verb.

## machinery-0.9.0 - 2026-01-01
"""


@pytest.fixture
def run_verb(repository: Repository, run: Run, tmp_path: Path) -> Callable[[], Result]:
    sbom = tmp_path / "sbom.cdx.json"
    sbom.write_text("{}")
    (repository.root / "CHANGELOG.md").write_text(CHANGELOG)
    return lambda: run("workflow", "publish-machinery", str(sbom))


def test_the_release_has_the_section_of_the_changelog_and_the_files(
    server: Server, event: Callable[..., None], run_verb: Callable[[], Result]
) -> None:
    event(ref=f"refs/tags/{TAG}")
    for _ in range(2):
        assert run_verb().code == 0
        (release,) = server.releases()
        assert (release["tag_name"], release["draft"]) == (TAG, False)
        assert release["body"] == "### Added\n\n- A verb."
        assert [asset["name"] for asset in release["assets"]] == ["sbom.cdx.json"]
    *_, (_, body) = server.proxy.sent
    assert body["make_latest"] == "false"


def test_the_tag_must_be_that_of_the_version_and_in_the_changelog(
    server: Server,
    event: Callable[..., None],
    repository: Repository,
    run_verb: Callable[[], Result],
) -> None:
    event(ref="refs/tags/machinery-9.9.9")
    assert f"the tag machinery-9.9.9 is not that of the machinery, {TAG}" in run_verb().err

    event(ref=f"refs/tags/{TAG}")
    (repository.root / "CHANGELOG.md").write_text(CHANGELOG.replace(f"{TAG} ", f"{TAG}0 "))
    assert f"CHANGELOG.md has no section '## {TAG}'" in run_verb().err
    assert server.releases() == []


def test_the_changelog_and_the_citation_name_the_version() -> None:
    assert re.search(
        rf"^## {re.escape(TAG)} - \d{{4}}-\d\d-\d\d$",
        (PROJECT / "CHANGELOG.md").read_text(encoding="utf-8"),
        re.MULTILINE,
    )
    citation = (PROJECT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\nversion: {__version__}\n" in citation


def test_the_container_for_development_has_a_supported_python_and_is_pinned() -> None:
    container = json.loads((PROJECT / ".devcontainer" / "devcontainer.json").read_text("utf-8"))
    image = re.fullmatch(r"[\w./-]+/python:\d+\.\d+\.\d+-(\d)\.(\d+)-\w+", container["image"])
    assert image
    assert (int(image[1]), int(image[2])) >= (3, 11)
    assert container["postCreateCommand"] == "make .venv"
