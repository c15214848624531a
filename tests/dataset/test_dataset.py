import shutil
from pathlib import Path

import numpy as np

from scripts.dataset import record
from scripts.dataset.dataset import Dataset
from scripts.inputs import config_file
from scripts.inputs.images import decode
from scripts.inputs.reader import Inputs
from scripts.releases import index, lock
from scripts.releases.index import Index
from scripts.releases.indexes import selected_again
from scripts.releases.lock import Lock
from scripts.releases.new_lock import new_lock
from scripts.releases.releases import Release
from scripts.sources import registry
from scripts.sources.source import Source, SourceRequest
from scripts.sources.table import Table
from tests.repository import Repository, Run, config_text, contents, create, process

# Released bytes depend on these. A change here, by our code or by a dependency, changes every
# dataset: it needs its own pull request, and a reason.
KNOWN_MD5 = "37fda43bb2ed07e8e3b32540e7e576fe.dir"
KNOWN_CONFIG = config_text(samples=60, test_size=0.25, seed=7)


def dataset(text: str) -> Dataset:
    desired = config_file.parse(text.encode())
    return Dataset(Inputs(desired), registry.load(SourceRequest(desired.source)))


def recorded(made: Dataset) -> Lock:
    splits = index.of_dataset(made).sha256
    return new_lock(made, made.manifest, comparable=(), splits=splits, copy=None)


def built(root: Path) -> tuple[str, dict[str, bytes]]:
    """Return the manifest and the files that the newest build made."""
    return record.read(root).md5, contents(root / "dataset")


def test_the_bytes_are_those_that_are_known() -> None:
    assert dataset(KNOWN_CONFIG).manifest.md5 == KNOWN_MD5


def test_the_same_config_gives_the_same_files_twice_in_a_row(
    repository: Repository, run: Run
) -> None:
    run("build")
    first = built(repository.root)

    run("build")

    assert built(repository.root) == first
    assert len(first[1]) == 10


def test_the_same_config_gives_the_same_files_in_another_folder(
    repository: Repository, run: Run, tmp_path: Path
) -> None:
    (tmp_path / "another place").mkdir()
    other = create(tmp_path / "another place")

    run("build")
    run("build", where=other.root)

    assert built(repository.root) == built(other.root)


def test_the_same_config_gives_the_same_files_in_another_process(
    repository: Repository, run: Run
) -> None:
    repository.configure(config_text(class_="all", samples=20, test_size=5))
    run("build")
    first = built(repository.root)
    shutil.rmtree(repository.root / "dataset")

    done = process(repository.root, "build", PYTHONHASHSEED="4242", LC_ALL="C", TZ="Asia/Tokyo")

    assert done.returncode == 0, done.stderr.decode()
    assert built(repository.root) == first


def test_every_png_decodes_to_its_row(repository: Repository, run: Run) -> None:
    repository.configure(config_text(class_="all", samples=20, test_size=5))
    run("build")

    rows = registry.load(SourceRequest("digits"))
    files = contents(repository.root / "dataset")
    assert len(files) == 200
    for name, data in files.items():
        row = int(Path(name).stem)
        assert np.array_equal(decode(data), rows.image(row))
        assert Path(name).parent.name == rows.labels[row]


def test_the_folders_have_the_counts_of_the_config(repository: Repository, run: Run) -> None:
    for samples, test_size in [(100, 20), (150, 40)]:
        repository.configure(config_text(samples=samples, test_size=test_size))
        run("build")
        for folder in ("3", "no3"):
            for split, count in [("train", samples - test_size), ("test", test_size)]:
                found = (repository.root / "dataset" / split / folder).iterdir()
                assert len(list(found)) == count


def test_the_lock_records_what_the_dataset_is(repository: Repository, run: Run) -> None:
    run("build")
    run("release")

    recorded = lock.parse(repository.at_origin("show", "v0:dataset.dvc").encode())
    files = contents(repository.root / "dataset")
    assert recorded.nfiles == len(files) == 10
    assert recorded.size == sum(len(data) for data in files.values())
    assert recorded.md5 == record.read(repository.root).md5
    assert recorded.meta.counts == {"train": {"3": 3, "no3": 3}, "test": {"3": 2, "no3": 2}}
    assert recorded.meta.config == {
        "source": "digits",
        "class": "3",
        "samples": 5,
        "test_size": 2,
        "seed": 0,
    }
    rows = registry.load(SourceRequest("digits"))
    assert (recorded.meta.source.sha256, recorded.meta.source.rows) == (rows.sha256, 1797)


def test_equal_datasets_have_equal_locks_whatever_the_config_looks_like() -> None:
    reworded = "seed: 0 # default\nclass: '3'\ntest_size: 2\nsamples: 5\nsource: digits"
    one, other = dataset(config_text()), dataset(reworded)

    assert recorded(one) == recorded(other)


def test_a_release_is_selected_again_from_the_same_rows_and_by_the_same_rule_only() -> None:
    made = dataset(config_text())
    made_lock = recorded(made)

    def again(source: Source, inputs: Inputs = made.inputs, **changes: object) -> Index | None:
        meta = made_lock.meta.model_copy(update=changes)
        release = Release("v0", "", made_lock.model_copy(update={"meta": meta}))
        return selected_again(release, inputs, source)

    assert again(made.source) == index.of_dataset(made)
    assert again(made.source, selection=1) is None
    assert again(made.source, samples="0" * 64) is None
    assert again(made.source, dataset(config_text(samples=6)).inputs) is None
    assert isinstance(made.source, Table)
    fewer = Table("digits", made.source.pixels[:900], made.source.labels[:900])
    assert again(fewer) is None
