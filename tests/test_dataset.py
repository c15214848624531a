import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from scripts import config, dataset, images, lock, source
from tests.repository import PROJECT, Repository, Run, config_text, contents, create

# These bytes are published. A change here, whether by our code or by a dependency, makes every
# dataset another one: it needs its own pull request, and a reason.
KNOWN_MD5 = "87124563fc8647d46f691a2e5f2acb2e.dir"
KNOWN_CONFIG = config_text(samples=60, test_size=0.25, seed=7)


def md5_of(repository: Repository) -> str:
    return lock.parse(repository.lock.read_bytes()).md5


def test_the_bytes_are_those_that_are_known() -> None:
    made = dataset.load(config.parse(KNOWN_CONFIG.encode()), None)
    assert made.listing.md5 == KNOWN_MD5


def test_the_same_config_gives_the_same_lock_twice_in_a_row(
    repository: Repository, run: Run
) -> None:
    run("build")
    first = repository.lock.read_bytes(), contents(repository.root / "dataset")

    run("build")

    assert (repository.lock.read_bytes(), contents(repository.root / "dataset")) == first


def test_the_same_config_gives_the_same_lock_in_another_folder(
    repository: Repository, run: Run, tmp_path: Path
) -> None:
    (tmp_path / "another place").mkdir()
    other = create(tmp_path / "another place")

    run("build")
    run("build", where=other.root)

    assert repository.lock.read_bytes() == other.lock.read_bytes()
    assert contents(repository.root / "dataset") == contents(other.root / "dataset")


@pytest.mark.parametrize("seed", ["0", "1", "4242"])
def test_the_same_config_gives_the_same_lock_in_another_process(
    repository: Repository, run: Run, seed: str
) -> None:
    repository.configure(config_text(class_="all", samples=20, test_size=5))
    run("build")
    first = repository.lock.read_bytes()
    repository.lock.unlink()
    shutil.rmtree(repository.root / "dataset")

    subprocess.run(
        [sys.executable, "-m", "scripts", "build"],
        cwd=repository.root,
        env={**os.environ, "PYTHONHASHSEED": seed, "LC_ALL": "C", "TZ": "Asia/Tokyo"},
        capture_output=True,
        check=True,
    )

    assert repository.lock.read_bytes() == first


def test_every_png_decodes_to_its_row(repository: Repository, run: Run) -> None:
    repository.configure(config_text(class_="all", samples=20, test_size=5))
    run("build")

    rows = source.load("digits")
    files = contents(repository.root / "dataset")
    assert len(files) == 200
    for name, data in files.items():
        row = int(Path(name).stem)
        assert np.array_equal(images.decode(data), rows.pixels[row])
        assert Path(name).parent.name == rows.labels[row]


def test_the_folders_hold_the_counts_asked_for(repository: Repository, run: Run) -> None:
    for samples, test_size in [(100, 20), (150, 40)]:
        repository.configure(config_text(samples=samples, test_size=test_size))
        run("build")
        for folder in ("3", "no3"):
            for split, count in [("train", samples - test_size), ("test", test_size)]:
                found = (repository.root / "dataset" / split / folder).iterdir()
                assert len(list(found)) == count


def test_the_lock_says_what_the_dataset_is(repository: Repository, run: Run) -> None:
    run("build")

    recorded = lock.parse(repository.lock.read_bytes())
    files = contents(repository.root / "dataset")
    assert recorded.nfiles == len(files) == 10
    assert recorded.size == sum(len(data) for data in files.values())
    assert recorded.meta.counts == {"train": {"3": 3, "no3": 3}, "test": {"3": 2, "no3": 2}}
    assert recorded.meta.config == {
        "source": "digits",
        "class": "3",
        "samples": 5,
        "test_size": 2,
        "seed": 0,
    }
    rows = source.load("digits")
    assert (recorded.meta.source.sha256, recorded.meta.source.rows) == (rows.sha256, 1797)


def test_equal_datasets_have_equal_locks_whatever_the_config_looks_like(
    repository: Repository, run: Run
) -> None:
    run("build")
    first = repository.lock.read_bytes()
    repository.configure("seed: 0 # default\nclass: '3'\ntest_size: 2\nsamples: 5\nsource: digits")

    run("build")

    assert repository.lock.read_bytes() == first


def test_a_recorded_selection_is_chosen_again_from_the_same_rows_only() -> None:
    made = dataset.load(config.parse(config_text().encode()), None)
    recorded = made.lock(made.listing)

    again = dataset.recorded_selection(recorded, made.source)
    assert again
    assert again.files() == made.selection.files()
    fewer = source.Source("digits", made.source.pixels[:900], made.source.labels[:900])
    assert dataset.recorded_selection(recorded, fewer) is None
    meta = recorded.meta.model_copy(update={"samples": "0" * 64})
    other_rules = recorded.model_copy(update={"meta": meta})
    assert dataset.recorded_selection(other_rules, made.source) is None


@pytest.mark.xdist_group("mnist")
@pytest.mark.usefixtures("mnist")
def test_the_repositorys_own_config_builds_its_own_lock(repository: Repository, run: Run) -> None:
    shutil.copy(PROJECT / "dataset_config.yaml", repository.root)

    assert run("build").code == 0

    assert repository.lock.read_text() == (PROJECT / "dataset.dvc").read_text()
    assert len(contents(repository.root / "dataset")) == 200


@pytest.mark.xdist_group("mnist")
@pytest.mark.usefixtures("mnist")
def test_every_png_of_mnist_decodes_to_its_row(repository: Repository, run: Run) -> None:
    repository.configure(config_text(source="mnist_784", samples=200, test_size=40))
    run("build")

    rows = source.load("mnist_784")
    for name, data in contents(repository.root / "dataset").items():
        assert np.array_equal(images.decode(data), rows.pixels[int(Path(name).stem)])
