"""The real MNIST, which takes seconds to read: once for all of these tests."""

import time
from itertools import pairwise
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest

from scripts.dataset import near
from scripts.dataset.dataset import Dataset
from scripts.dataset.near import NearPairs
from scripts.dataset.selection import select
from scripts.inputs.config import TEST, TRAIN
from scripts.inputs.images import decode
from scripts.inputs.reader import Inputs
from scripts.sources import registry
from scripts.sources.extended import Extended
from scripts.sources.source import SourceRequest
from scripts.sources.table import Table
from tests.dataset.test_selection import asking, images
from tests.repository import Repository, Run, config_text, contents

MANIFEST = "f44f28ac95fa4e4bced4a456ba2e558f.dir"
STEPS = [(100, 20), (200, 40), (6000, 1000)]


@pytest.fixture(scope="module")
def rows(mnist: None) -> Table:
    made = registry.load(SourceRequest("mnist_784"))
    assert isinstance(made, Table)
    return made


def test_mnist_is_read_from_scikit_learns_cache(rows: Table) -> None:
    assert rows.pixels.shape == (70_000, 28, 28)
    assert sorted(set(rows.labels)) == [str(digit) for digit in range(10)]
    assert rows.sha256 == "2c28961753a27e11d6ac0e8afd6191db55712b4015bd60a9ca058acfee79e674"


def test_the_first_version_has_the_known_bytes(rows: Table) -> None:
    first = asking(source="mnist_784", class_=3, samples=100, test_size=20)
    assert Dataset(Inputs(first), rows).manifest.md5 == MANIFEST


def test_every_png_decodes_to_its_row(
    rows: Table, repository: Repository, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "load", Mock(return_value=rows))
    repository.configure(config_text(source="mnist_784", samples=200, test_size=40))
    assert run("build").code == 0

    built = contents(repository.root / "dataset")
    assert len(built) == 400
    for name, data in built.items():
        assert np.array_equal(decode(data), rows.image(int(Path(name).stem)))


@pytest.mark.parametrize("desired", [3, "all"])
def test_no_sample_moves_from_100_over_200_to_6000(rows: Table, desired: object) -> None:
    steps = [
        asking(source="mnist_784", class_=desired, samples=samples, test_size=test)
        for samples, test in STEPS
    ]
    selections = [select(step, rows) for step in steps]

    for selection, (samples, test) in zip(selections, STEPS, strict=True):
        counts = selection.counts()
        assert set(counts[TRAIN].values()) == {samples - test}
        assert set(counts[TEST].values()) == {test}
        assert counts[TRAIN].keys() == ({"3", "no3"} if desired == 3 else {*map(str, range(10))})
        assert not images(selection, rows, TRAIN) & images(selection, rows, TEST)
    for before, after in [*pairwise(selections), (selections[0], selections[2])]:
        assert before.files().items() <= after.files().items()


def test_all_images_are_compared_within_seconds_and_none_are_near(rows: Table) -> None:
    everything, start = Extended(rows, ()), time.process_time()

    found = near.find(everything, range(60_000), range(60_000, 70_000), {*range(70_000)})

    assert found == NearPairs()
    # 5 s of one core.
    assert time.process_time() - start < 20
