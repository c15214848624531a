"""A dataset in Parquet, from the config to its consumers."""

import io
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import chdir, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import NamedTuple
from unittest.mock import patch

import pyarrow.parquet as pq
import pytest

from scripts.__main__ import main
from scripts.dataset import cuts
from scripts.releases import lock
from scripts.sources import pointer
from scripts.storage import manifest
from tests.assets.conftest import CURATION, released
from tests.ingest.pictures import labeled, write
from tests.repository import Repository, Run, config_text, contents, copy, create, dvc, git

IN_SHARD = 20
# What v0 to v2 are: files, the same in shards, and more of it.
TEXTS = (
    config_text(samples=60, test_size=20),
    config_text(samples=60, test_size=20, format="parquet"),
    config_text(samples=70, test_size=20, format="parquet"),
)


@pytest.fixture(autouse=True, scope="module")
def _small_shards() -> Iterator[None]:
    with patch.object(cuts, "MAX_IMAGES", IN_SHARD):
        yield


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    return released(tmp_path_factory.mktemp("sharded"), *TEXTS)


@pytest.fixture
def sharded(original: Repository, tmp_path: Path) -> Repository:
    return copy(original, tmp_path)


class Row(NamedTuple):
    png: bytes
    path: str
    label: str
    source_label: str
    sample: str


def rows(file: Path) -> list[Row]:
    """Return the rows of a shard, as a reader of Parquet finds them."""
    opened = pq.ParquetFile(file)
    info = json.loads(opened.metadata.metadata[b"huggingface"])["info"]
    names = info["features"]["label"]["names"]
    return [
        Row(
            png=row["image"]["bytes"],
            path=row["image"]["path"],
            label=names[row["label"]],
            source_label=row["source_label"],
            sample=row["sample"],
        )
        for row in opened.read().to_pylist()
    ]


def lock_at(repository: Repository, rev: str) -> lock.Lock:
    return lock.parse(repository.git("show", f"{rev}:dataset.dvc").encode())


def stored(repository: Repository, rev: str) -> dict[str, str]:
    """Return the object of each file of a release."""
    content = repository.object_file(lock_at(repository, rev).md5).read_bytes()
    return manifest.entries(content)


def test_shards_hold_the_images_that_the_files_held(sharded: Repository, tmp_path: Path) -> None:
    for tag in ("v0", "v1"):
        target = str(tmp_path / tag)
        dvc(sharded.root, "get", ".", "dataset", "--rev", tag, "--out", target)

    shards = {name: rows(tmp_path / "v1" / name) for name in contents(tmp_path / "v1")}

    assert {
        f"{name.rpartition('/')[0]}/{row.path}": row.png
        for name, found in shards.items()
        for row in found
    } == contents(tmp_path / "v0")
    for name, found in shards.items():
        assert {row.label for row in found} == {name.split("/")[1]}
        assert all(row.path == f"{row.sample}.png" for row in found)
    assert [row.source_label for row in shards["train/no3/curated.parquet"]] == ["3"]
    assert [row.sample for row in shards["test/no3/curated.parquet"]] == ["00005"]


def test_another_format_is_a_version_without_a_leak_or_a_moved_sample(
    sharded: Repository, run: Run
) -> None:
    before, after = (lock_at(sharded, tag) for tag in ("v0", "v1"))

    assert after.md5 != before.md5
    assert after.meta.counts == before.meta.counts
    assert after.meta.samples == before.meta.samples
    assert after.meta.splits == before.meta.splits
    assert after.meta.comparable_with == ["v0"]
    assert after.nfiles == len(stored(sharded, "v1")) < before.nfiles == before.images
    result = run("diff", "v0", "v1")
    assert result.code == 0, result.err
    assert "leak" not in result.out


def test_more_images_store_only_the_last_shards(sharded: Repository) -> None:
    before, after = stored(sharded, "v1"), stored(sharded, "v2")

    changed = {name for name in before if after[name] != before[name]}
    new = after.keys() - before.keys()
    for folder in ("train/3", "train/no3"):
        numbered = sorted(name for name in before if folder in name and "curated" not in name)
        assert len(numbered) > 1
        assert changed & {*numbered} <= {numbered[-1]}
    assert changed | new
    assert all(name.startswith("train/") for name in changed | new)


def test_datasets_reads_the_shards_as_images_and_classes(
    sharded: Repository, run: Run, tmp_path: Path
) -> None:
    run("build")
    code = (
        "from datasets import load_dataset\n"
        "data = load_dataset('parquet', data_files={s: f'dataset/{s}/*/*.parquet'"
        " for s in ('train', 'test')})\n"
        "print({s: data[s].num_rows for s in data}, data['test'].features['label'].names,"
        " data['train'][0]['image'].size)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=sharded.root,
        capture_output=True,
        text=True,
        check=False,
        env={"HF_HOME": str(tmp_path / "hf"), "HF_HUB_OFFLINE": "1", "PATH": "/usr/bin:/bin"},
    )

    counts = lock_at(sharded, "v2").meta.counts
    totals = {split: sum(of.values()) for split, of in counts.items()}
    assert done.stdout.strip() == f"{totals} ['3', 'no3'] (8, 8)", done.stderr


def test_releases_in_both_formats_are_complete_and_intact(sharded: Repository, run: Run) -> None:
    result = run("verify")

    assert result.code == 0
    assert result.out.count("complete and intact") == 3


def test_a_lock_with_other_counts_than_its_shards_is_broken(sharded: Repository, run: Run) -> None:
    listing = lock_at(sharded, "v2").meta.samples
    (sharded.bucket / "records" / listing).unlink()

    result = run("verify", "v2")

    assert result.code == 1
    assert f"the record of its samples, {listing}, is missing in" in result.out


def test_the_order_of_the_classes_numbers_them_in_shards_and_changes_no_files(
    sharded: Repository, run: Run
) -> None:
    names, md5s = [], []
    for form in ("parquet", "png"):
        for classes in ([3, 5], [5, 3]):
            sharded.configure(config_text(class_=classes, format=form))
            assert run("build").code == 0
            md5s.append(json.loads(run("plan", "--format", "json").out)["md5"])
            if form == "parquet":
                table = pq.read_table(sharded.root / "dataset" / "train" / "5")
                names.append({*table["label"].to_pylist()})

    assert names == [{1}, {0}]
    assert md5s[0] != md5s[1]
    assert md5s[2] == md5s[3]


def test_the_diff_of_two_releases_names_curated_samples(sharded: Repository, run: Run) -> None:
    (sharded.root / "curation.csv").write_text(CURATION[: CURATION.index("5,test")])
    git(sharded.root, "commit", "--quiet", "--all", "--message", "Unpin one")
    sharded.git("push", "--quiet", "origin", "HEAD:main")
    assert run("release").code == 0

    result = run("diff", "v2", "v3")

    assert result.code == 0, result.err
    assert "00005" in result.out


def test_the_files_of_a_release_are_those_of_the_same_images_in_files(
    sharded: Repository, tmp_path: Path, run: Run
) -> None:
    """They differ in their order, and in what names the version."""
    for tag in ("v0", "v1"):
        with chdir(sharded.root), redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            assert main(["package", tag, "--out", str(tmp_path / tag)]) == 0

    for split in ("train", "test"):
        of_files, of_shards = (
            pq.read_table(tmp_path / tag / f"{split}.parquet").to_pylist() for tag in ("v0", "v1")
        )
        assert sorted(of_shards, key=lambda row: row["file"]) == of_files
    sizes = [(tmp_path / tag / f"dataset-{tag}.zip").stat().st_size for tag in ("v0", "v1")]
    assert sizes[0] == sizes[1]


def test_a_batch_is_closed_in_the_same_way_whatever_the_format_of_the_releases(
    tmp_path: Path, run: Run
) -> None:
    zones = []
    for form in ("png", "parquet"):
        (tmp_path / form).mkdir()
        repository = create(tmp_path / form)
        first = write(tmp_path / form / "first", labeled(range(60), "cat", "dog"))
        assert run("ingest", "pets", str(first), where=repository.root).code == 0
        text = f"source: pets\nclass: all\nsamples: 20\ntest_size: 4\nformat: {form}\n"
        repository.configure(text)
        repository.git("add", "--all")
        repository.git("commit", "--quiet", "--message", "Use the images of our own")
        repository.git("push", "--quiet", "origin", "main")
        assert run("release", where=repository.root).code == 0
        second = write(tmp_path / form / "second", labeled(range(60, 90), "cat", "dog"))

        assert run("ingest", "pets", str(second), where=repository.root).code == 0

        written = (repository.root / "sources" / "pets.dvc").read_bytes()
        zones.append(pointer.parse(written, "pets").batches[0].zones)
        planned = json.loads(run("plan", "--format", "json", where=repository.root).out)
        assert not planned["changed"]
    assert zones[0] == zones[1] != {}
