"""A plan reads no photos of a custom source."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from scripts.ingest.summaries import SummaryWriter
from scripts.sources import pointer
from tests.ingest.pictures import write
from tests.repository import Repository, Run, config_text

CONFIG = config_text(
    source="photos", class_="all", samples="all", test_size=None, split_by="source"
)
Pixels = npt.NDArray[np.uint8]


def photo(number: int, height: int = 48, width: int = 64) -> Pixels:
    """Return a photo: areas of one color each, with noise."""
    random = np.random.default_rng(number)
    areas = random.integers(0, 200, (4, 4, 3))
    areas = areas.repeat(height // 4, axis=0).repeat(width // 4, axis=1)
    return (areas + random.integers(0, 10, (height, width, 3))).astype(np.uint8)


def file_of(pixels: Pixels, **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, **{"format": "PNG", **options})
    return buffer.getvalue()


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Photos of which no two are alike, but for one that was saved again as JPEG."""
    # Nothing is kept from other tests.
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    files = {f"train/a/{n}.png": file_of(photo(n)) for n in range(4)}
    files |= {f"test/a/{n}.png": file_of(photo(n)) for n in range(4, 7)}
    again = file_of(photo(2), format="JPEG", quality=95, subsampling=0)
    return write(tmp_path / "photos", files | {"test/a/2.jpg": again})


def ingest(repository: Repository, run: Run, photos: Path) -> None:
    result = run("ingest", "photos", str(photos))
    assert result.code == 0, result.err
    repository.configure(CONFIG)


def planned(run: Run) -> dict[str, Any]:
    result = run("plan", "--format", "json")
    assert result.code == 0, result.err
    found: dict[str, Any] = json.loads(result.out)
    return found


def listed(repository: Repository) -> dict[str, str]:
    """Return the object of each file of the source."""
    content = (repository.root / "sources" / "photos.dvc").read_bytes()
    manifest = repository.cached_file(pointer.parse(content, "photos").md5).read_bytes()
    return {entry["relpath"]: entry["md5"] for entry in json.loads(manifest)}


def damage(repository: Repository, md5: str) -> None:
    for file in (repository.object_file(md5), repository.cached_file(md5)):
        file.chmod(0o644)
        file.unlink()


def test_a_photo_that_was_saved_again_is_named(
    repository: Repository, run: Run, photos: Path
) -> None:
    ingest(repository, run, photos)

    near = planned(run)["near_duplicates"]

    assert (near["searched"], near["count"]) == (True, 1)
    [pair] = near["pairs"]
    assert (pair["train"]["split"], pair["other"]["split"]) == ("train", "test")
    assert 0 < pair["distance"] < 5
    assert "warning     Near-duplicates: 1 pair of images" in run("plan").out


def test_a_smaller_photo_is_named_where_all_get_one_size(
    repository: Repository, run: Run, photos: Path
) -> None:
    half = Image.fromarray(photo(2)).resize((32, 24), Image.Resampling.BOX)
    (photos / "test" / "a" / "2.jpg").write_bytes(file_of(np.asarray(half)))
    ingest(repository, run, photos)
    repository.configure(f"{CONFIG}image_size: 40x40\n")

    assert planned(run)["near_duplicates"]["count"] == 1
    assert planned(run)["near_duplicates"]["count"] == 1


def test_a_plan_of_photos_reads_none_of_them(
    repository: Repository, run: Run, photos: Path
) -> None:
    (photos / "test" / "a" / "2.jpg").unlink()
    ingest(repository, run, photos)
    repository.configure(f"{CONFIG}encoding: original\n")
    damage(repository, listed(repository)["00000.parquet"])

    found = planned(run)

    assert (found["near_duplicates"]["searched"], found["near_duplicates"]["count"]) == (True, 0)
    result = run("build")
    assert result.code == 1
    assert "source photos: its images cannot be read here" in result.err


@pytest.mark.parametrize("way", ["older machinery", "damaged"])
def test_what_the_summaries_do_not_say_is_read_from_the_photos(
    repository: Repository, run: Run, photos: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    (photos / "test" / "a" / "2.jpg").unlink()
    with monkeypatch.context() as patch:
        if way == "older machinery":
            patch.setattr(SummaryWriter, "add", lambda *_: None)
        if way == "damaged":
            patch.setattr(
                "scripts.ingest.decoding.thumbnails.thumbnails_of", lambda _: np.zeros(3, np.uint8)
            )
        ingest(repository, run, photos)
    assert ("summary/00000.parquet" in listed(repository)) == (way != "older machinery")

    found = planned(run)

    assert found["near_duplicates"]["searched"]
    assert run("build").code == 0
    assert planned(run)["md5"] == found["md5"]
    # What was read is kept: no photo is read for a second plan.
    damage(repository, listed(repository)["00000.parquet"])
    assert planned(run) == found
