from collections.abc import Callable

import pytest

from scripts.releases import lock
from scripts.sources import digits, registry
from scripts.sources.source import SourceRequest
from scripts.sources.table import Table
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


@pytest.fixture
def change_digits(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Let the digits be others from now on, where they are read from their origin."""

    def change() -> None:
        now = digits.read(SourceRequest("digits"))
        other = Table("digits", 255 - now.pixels, now.labels)
        monkeypatch.setattr(digits, "read", lambda _: other)

    return change


@pytest.mark.parametrize("cached", [True, False])
def test_a_release_has_the_source_of_the_one_before_whatever_its_origin_gives_now(
    repository: Repository,
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    change_digits: Callable[[], None],
    *,
    cached: bool,
) -> None:
    assert run("release").code == 0
    repository.merge(config_text(samples=8))
    change_digits()
    if not cached:
        monkeypatch.setenv("XDG_CACHE_HOME", str(repository.place / "empty"))

    assert run("release").code == 0

    first, second = (
        lock.parse(repository.at_origin("show", f"{tag}:dataset.dvc").encode()).meta.source
        for tag in ("v0", "v1")
    )
    assert second == first


def test_the_first_release_has_the_source_of_the_lock_of_the_template(
    repository: Repository, run: Run, change_digits: Callable[[], None]
) -> None:
    assert run("template-lock").code == 0
    recorded = lock.parse(repository.lock.read_bytes())
    repository.merge_file("dataset.dvc", repository.lock.read_text())
    repository.merge(config_text(samples=8))
    change_digits()

    assert run("release").code == 0

    released = lock.parse(repository.at_origin("show", "v0:dataset.dvc").encode())
    assert released.meta.source.sha256 == recorded.meta.source.sha256
