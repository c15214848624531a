from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from scripts.inputs.images import decode
from scripts.sources import registry
from scripts.sources.source import Source, SourceRequest, classes
from tests.repository import Repository, Run, config_text, contents
from tests.sources import stripes

CONFIG = config_text(source="stripes", class_="upright", samples=10, test_size=4)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder for local copies."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "dataset-sources"


@pytest.fixture(autouse=True)
def _stripes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "KINDS", (stripes, *registry.KINDS))


def test_a_kind_of_source_that_is_listed_is_found_by_name(cache: Path) -> None:
    source: Source = registry.load(SourceRequest("stripes"))

    assert isinstance(source, stripes.Stripes)
    assert classes(source) == ["level", "upright"]
    assert not hasattr(source, "pixels")
    assert classes(registry.load(SourceRequest("digits"))) == [str(digit) for digit in range(10)]
    assert [folder.name for folder in cache.iterdir()] == ["digits"]


def test_a_source_without_stored_pixels_can_be_built_and_released(
    repository: Repository, run: Run
) -> None:
    repository.merge(CONFIG)
    assert run("validate").out == (
        "dataset_config.yaml is valid: train upright: 6, noupright: 6;"
        " test upright: 4, noupright: 4\n"
    )

    assert run("build").code == 0

    files = {Path(name): data for name, data in contents(repository.root / "dataset").items()}
    assert Counter(name.parts[:2] for name in files) == {
        ("train", "upright"): 6,
        ("train", "noupright"): 6,
        ("test", "upright"): 4,
        ("test", "noupright"): 4,
    }
    source = registry.load(SourceRequest("stripes"))
    for name, data in files.items():
        row = int(name.stem)
        assert np.array_equal(decode(data), source.image(row))
        assert (source.labels[row] == "upright") == (name.parts[1] == "upright")
    assert run("push").code == 0
    assert run("release").code == 0
    assert run("verify").code == 0
    assert repository.tags() == ["v0"]


def test_changes_of_a_source_without_stored_pixels_are_planned_and_shown(
    repository: Repository, run: Run
) -> None:
    repository.merge(CONFIG)
    assert run("release").code == 0
    repository.git("pull", "--quiet", "--ff-only", "origin", "main")

    repository.configure(config_text(source="stripes", class_="upright", samples=15, test_size=4))

    assert "10 added, 0 removed" in run("plan").out
    folder = repository.place / "report"
    assert run("workflow", "report", str(folder)).code == 0
    assert {file.name for file in folder.iterdir()} == {"samples.png", "report.json"}
