import pytest

from scripts.sources import registry
from tests.repository import Repository, Run, config_text, contents
from tests.sources import stripes


@pytest.mark.parametrize("verb", ["build", "release"])
def test_another_source_is_read_itself_and_not_from_the_copy_of_the_one_before(
    repository: Repository, run: Run, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    monkeypatch.setattr(registry, "KINDS", (stripes, *registry.KINDS))
    assert run("release").code == 0
    repository.merge(config_text(source="stripes", class_="all", comparable_since="v1"))

    assert run(verb).code == 0

    assert verb == "build" or repository.tags() == ["v0", "v1"]
    assert run("build").code == 0
    folders = {name.rpartition("/")[0] for name in contents(repository.root / "dataset")}
    assert folders == {
        f"{split}/{label}" for split in ("train", "test") for label in stripes.Stripes.labels
    }
