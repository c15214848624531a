import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from scripts.sources.source import Pixels
from scripts.storage import files
from tests.commands.test_drift import digits, inverted, same
from tests.ingest.pictures import write
from tests.repository import Repository, Run

LIKE = "the new images are like the 60 before"


def enlarged(pixels: Pixels) -> Pixels:
    """Return an image that has a thumbnail."""
    return pixels.repeat(6, axis=0).repeat(6, axis=1)


def ingest(run: Run, place: Path, images: dict[str, bytes]) -> str:
    result = run("ingest", "own", str(write(place, images)))
    assert result.code == 0, result.err
    return result.out


def parts(change: Callable[[Pixels], Pixels] = same) -> tuple[dict[str, bytes], dict[str, bytes]]:
    images = [*digits(100, change, "{label}").items()]
    return dict(images[:60]), dict(images[60:])


@pytest.mark.parametrize("change", [same, enlarged])
def test_a_second_batch_is_compared_with_the_images_before(
    repository: Repository, run: Run, tmp_path: Path, change: Callable[[Pixels], Pixels]
) -> None:
    first, second = parts(change)

    assert "the new images" not in ingest(run, tmp_path / "first", first)
    assert LIKE in ingest(run, tmp_path / "second", second).splitlines()
    other = ingest(run, tmp_path / "other", parts(lambda one: inverted(change(one)))[1])
    assert "the new images are not like the 100 before: they differ in similarity" in other
    few = digits(19, lambda one: 255 - one // 2, "{label}")
    assert "the new images" not in ingest(run, tmp_path / "few", few)


@pytest.mark.parametrize(("change", "is_said"), [(enlarged, True), (same, False)])
def test_in_a_fresh_clone_thumbnails_are_fetched_and_images_are_not(
    repository: Repository,
    run: Run,
    tmp_path: Path,
    change: Callable[[Pixels], Pixels],
    is_said: bool,
) -> None:
    first, second = parts(change)
    ingest(run, tmp_path / "first", first)
    md5 = files.md5(repository.root / "sources" / "own" / "00000.parquet")
    for folder in (repository.cache, repository.root / "sources" / "own"):
        shutil.rmtree(folder)

    assert (LIKE in ingest(run, tmp_path / "second", second)) is is_said
    assert not repository.cached_file(md5).exists()
