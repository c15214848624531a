"""The memory that a build needs does not grow by the images: only by what is known of each."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from scripts.dataset import png
from scripts.sources import pointer, shards
from scripts.sources.pointer import BatchRecord, PointerOutput, Shape
from scripts.storage.manifest import Manifest
from tests.repository import create
from tests.sources.batches import BatchWriter
from tests.sources.test_own import Store

SIDE = 64
PIXELS = 3 * SIDE * SIDE
FEW, MANY = 500, 2_000
# Builds the source that is in a folder of objects, with one process, and prints the most bytes that
# were in use at the same time: by Python and NumPy, and by pyarrow. What the process has of the
# system depends on when freed memory is returned, which differs from run to run by more than that.
BUILD = """\
import sys
import tracemalloc
from pathlib import Path
import pyarrow
from scripts import workers
from scripts.dataset import cuts, shuffle
from scripts.dataset.dataset import Dataset
from scripts.dataset.targets import Local
from scripts.inputs import config_file
from scripts.inputs.reader import Inputs
from scripts.sources import registry
from scripts.sources.source import SourceRequest
from scripts.storage.cache import Cache

tracemalloc.start()
root, folder, form = sys.argv[1:]
cuts.MAX_IMAGES, workers._cores = 50, lambda: 1
shuffle.BYTES_IN_GROUP, shuffle.BYTES_IN_PIECE = 1024**2, 1024**2 // 4
text = f"source: own\\nclass: all\\nsamples: all\\ntest_size: 0.2\\nformat: {form}\\n"
request = SourceRequest("own", None, Path(folder, "pointer").read_bytes(), Path(folder).joinpath)
dataset = Dataset(Inputs(config_file.parse(text.encode())), registry.load(request))
dataset.store(Local(Cache(Path(root))))
print(tracemalloc.get_traced_memory()[1] + pyarrow.default_memory_pool().max_memory())
"""


def own_source(folder: Path, count: int) -> Path:
    """Write a source of `count` images of noise, each as large as its pixels, and its pointer."""
    folder.mkdir()
    store, batch = Store(folder), BatchWriter(folder)
    for number in range(count):
        pixels = np.random.default_rng(number).integers(0, 256, (SIDE, SIDE, 3), np.uint8)
        batch.add(png.encode(pixels), "ab"[number % 2])
    batch.shards.close()
    files = {shards.shard_name(number): path for number, path in enumerate(batch.shards.paths)}
    files[shards.index_name(0)] = batch.index()
    listed = Manifest({name: (store.put(path.read_bytes()), 0) for name, path in files.items()})
    written = pointer.create(
        "own",
        PointerOutput(store.put(listed.content, ".dir"), 0, len(files)),
        Shape("RGB", (SIDE, SIDE)),
        {"a": count // 2, "b": count // 2},
        [BatchRecord(shards=batch.shards.sizes, sha256=batch.rows.sha256)],
    )
    (folder / "pointer").write_bytes(pointer.render(written))
    return folder


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    place = tmp_path_factory.mktemp("sources")
    return {count: own_source(place / str(count), count) for count in (FEW, MANY)}


@pytest.mark.parametrize("form", ["png", "parquet"])
def test_a_build_does_not_hold_its_images(
    sources: dict[int, Path], tmp_path: Path, form: str
) -> None:
    peaks = {}
    for count, folder in sources.items():
        (tmp_path / str(count)).mkdir()
        root = create(tmp_path / str(count)).root
        done = subprocess.run(
            [sys.executable, "-c", BUILD, str(root), str(folder), form],
            capture_output=True,
            check=False,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        peaks[count] = int(done.stdout)

    for_each = (peaks[MANY] - peaks[FEW]) / (MANY - FEW)
    assert for_each < PIXELS / 3
