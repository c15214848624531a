"""What a plan says of the bytes to store, compared with what the remote then gains."""

import json
import shutil
from pathlib import Path

import pytest

from scripts.dataset import png
from tests.ingest.pictures import labeled, write
from tests.repository import REMOTE_URL, Released, Repository, Run, config_text, contents

LARGER = config_text(samples=9)
HEADER = "sample,action,label,new_label,reason\n"
# A history: what the config and the curation are, one after the other.
HISTORY = {
    "the first version": (config_text(), HEADER),
    "growth": (LARGER, HEADER),
    "another size": (config_text(samples=9, image_size=4), HEADER),
    "fewer images, as in older releases": (config_text(samples=7), HEADER),
    "a revert": (LARGER, HEADER),
    "other classes and an exclusion": (
        config_text(samples=9, class_="all"),
        f"{HEADER}60,exclude,,,\n",
    ),
    "shards": (config_text(samples=9, format="parquet"), HEADER),
    "larger shards": (config_text(samples=11, format="parquet"), HEADER),
    "a revert of shards": (config_text(samples=9, format="parquet"), HEADER),
}
# Before these there is nothing in the local cache.
IN_A_FRESH_CLONE = {"another size", "other classes and an exclusion", "larger shards"}


def size(repository: Repository) -> int:
    return sum(len(content) for content in contents(repository.bucket).values())


def to_store(run: Run) -> int | None:
    result = run("plan", "--format", "json")
    assert result.code == 0, result.err
    stored: int | None = json.loads(result.out)["bytes"]["new"]
    return stored


def merge(repository: Repository, config: str, curation: str = HEADER) -> None:
    repository.git("pull", "--quiet", "--ff-only", "origin", "main")
    repository.configure(config)
    (repository.root / "curation.csv").write_text(curation)
    repository.git("add", "--all")
    repository.git("commit", "--quiet", "--allow-empty", "--message", "Change the dataset")


def publish(repository: Repository, run: Run) -> None:
    repository.git("push", "--quiet", "origin", "HEAD:main")
    result = run("release")
    assert result.code == 0, result.err


def test_bytes_to_store_are_what_the_remote_gains(repository: Repository, run: Run) -> None:
    planned, gained = {}, {}
    for name, (config, curation) in HISTORY.items():
        merge(repository, config, curation)
        if name in IN_A_FRESH_CLONE:
            shutil.rmtree(repository.cache, ignore_errors=True)
        before = size(repository)
        planned[name] = to_store(run)
        publish(repository, run)
        gained[name] = size(repository) - before

    assert planned == gained
    assert [name for name, count in gained.items() if not count] == [
        *("a revert", "a revert of shards"),
    ]


def test_what_a_pull_request_has_pushed_counts_until_it_is_released(
    released: Repository, run: Run
) -> None:
    before = size(released)
    merge(released, LARGER)
    planned = to_store(run)
    assert run("build").code == 0
    assert run("push").code == 0
    assert size(released) > before

    assert to_store(run) == planned

    publish(released, run)
    assert size(released) - before == planned


def test_images_of_ones_own_are_stored_by_the_ingest_not_by_the_release(
    repository: Repository, run: Run, tmp_path: Path
) -> None:
    for number, (first, last) in enumerate([(0, 20), (20, 40)]):
        photos = write(tmp_path / f"{number}", labeled(range(first, last), "cat", "dog"))
        assert run("ingest", "pets", str(photos)).code == 0
        merge(repository, config_text(source="pets", class_="all", samples=8 + 4 * number))
        before = size(repository)

        planned = to_store(run)

        publish(repository, run)
        assert size(repository) - before == planned


def test_another_remote_has_nothing_of_earlier_releases(released: Repository, run: Run) -> None:
    merge(released, LARGER)
    shared = to_store(run)
    config = released.root / ".dvc" / "config"
    config.write_text(config.read_text().replace(REMOTE_URL, "../../other"))
    released.git("commit", "--quiet", "--all", "--message", "Move to another remote")

    planned = to_store(run)

    publish(released, run)
    stored = contents(released.place / "other")
    assert planned == sum(map(len, stored.values()))
    assert shared is not None
    assert planned > shared


def test_where_a_release_cannot_be_read_the_bytes_are_unknown_if_they_depend_on_it(
    released_as: Released, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    sharded = config_text(format="parquet")
    repository = released_as(config_text(), sharded)
    shutil.rmtree(repository.cache)
    repository.bucket.rename(repository.bucket.with_name("gone"))

    repository.configure(config_text(samples=6, format="parquet"))
    assert to_store(run) is None
    assert "to store" not in run("plan").out
    # The files of v0 are those of its images, which can be selected again.
    repository.configure(config_text(samples=6))
    assert isinstance(to_store(run), int)
    # Other code may have encoded those of the same images.
    encode = png.encode
    monkeypatch.setattr(png, "encode", lambda pixels: encode(pixels) + b"\0")
    repository.configure(config_text())
    assert to_store(run) is None
