"""Bytes that a build of shards reads, against those of its source: on one machine, on a cluster.

The images are small and are stored as they came, so that reading is measured, not encoding. What is
read between the two passes counts too.
"""

import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from scripts.dataset import png
from scripts.ingest.writer import ShardRow, ShardWriter
from scripts.sources.summaries import FILE
from scripts.storage.files import object_path
from scripts.storage.manifest import md5_of
from tests.bench.repositories import MEBI, PROJECT, PYTHON

SIZES = (100_000, 300_000, 1_000_000)
SIDE = 4
WORKERS = 2
# Makes the shards of the first images of the source in a folder; prints the bytes that were read,
# those of the source, and the most memory that one process had.
MAKE = """\
import json, sys
from importlib import import_module
from pathlib import Path
import numpy as np
from scripts import workers
from scripts.cluster import Connection
from scripts.dataset import encoded_files, shuffle
from scripts.dataset.distributed import Cluster, Distributed
from scripts.dataset.encoding import Original
from scripts.sources import pointer, shards
from scripts.sources.extended import Extended
from scripts.sources.own import Own
from scripts.sources.pointer import BatchRecord, PointerOutput, Shape
from scripts.sources.source import Batch
from scripts.sources.shards import Digests, Rows, Shards
from scripts.storage.remote_folder import FolderRemote

folder, count, on = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
made = json.loads((folder / "made").read_text())
files = np.load(folder / "files.npy")[:count]
empty = np.zeros(count, "<U1")
rows = Rows(Digests((folder / "digests").read_bytes()[:32 * count]), np.full(count, "a"), empty,
            np.zeros((count, 2), np.int32), files, np.full(count, ".png"), empty)
names = {shards.shard_name(number): name for number, name in enumerate(made["names"])}
remote = FolderRemote(str(folder / "remote"))
def path(number):
    return Path(remote.path(names[shards.shard_name(number)]))
starts = [0, *np.cumsum(made["sizes"]).tolist()][:-1]
written = pointer.create("own", PointerOutput("0" * 32 + ".dir", 0, 1), Shape("gray", (4, 4)),
                         {"a": sum(made["sizes"])},
                         [BatchRecord(shards=made["sizes"], sha256="0" * 64)])
class First(Own):
    @property
    def batches(self):
        return (Batch(0, count),)

source = First("own", written, rows, Shards(starts, path), names, path)
shares = [min(1, max(0, count - start) / rows) for start, rows in zip(starts, made["sizes"])]
needed = round(sum(path(number).stat().st_size * share for number, share in enumerate(shares)))
order = np.random.default_rng(0).permutation(count).tolist()
made_of = [(f"train/a/{start}.parquet", order[start:start + 2_000])
           for start in range(0, count, 2_000)]
passes = shuffle.Shuffle(Extended(source, ()), Original(), ["a"], made_of)

def io(process, key):
    lines = Path(f"/proc/{process}/io").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith(f"{key}:")))

def peak(process):
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))

if on == "machine":
    workers._cores = lambda: 1
    before = io("self", "rchar")
    assert len(list(passes.results(encoded_files.of_content))) == len(made_of)
    print(json.dumps([io("self", "rchar") - before, needed, peak("self")]))
else:
    from distributed import Client, LocalCluster
    with LocalCluster(n_workers=int(on), threads_per_worker=1, dashboard_address=None) as local:
        with Client(local, set_as_default=False) as client:
            pids = [nanny.pid for nanny in local.workers.values()]
            # Python reads its modules once.
            for name in ("dask.dataframe", "distributed.shuffle", "dvc.data_cloud",
                         "scripts.dataset.distributed", "scripts.dataset.shuffle"):
                client.run(import_module, name)
            before = [io(pid, "rchar") for pid in pids]
            used = Cluster(Connection(client), {"url": str(folder / "remote")}, Path.cwd().name)
            target = Distributed(used, remote, None)
            assert len(list(target.store_shards(passes))) == len(made_of)
            read = sum(io(pid, "rchar") for pid in pids) - sum(before)
            print(json.dumps([read, needed, max(map(peak, pids))]))
"""


class Read(NamedTuple):
    """What a build of the shards of so many `images` read: bytes, of a source of so many bytes.

    `memory` is the most that one process had, in bytes; `on` is where.
    """

    on: str
    images: int
    read: int
    source: int
    memory: int


def table(found: Sequence[Read]) -> str:
    """Return what was read as Markdown."""
    lines = [
        "| images | on | read | source | ratio | memory of the largest process |",
        "| ---: | --- | ---: | ---: | ---: | ---: |",
        *(
            f"| {one.images:,} | {one.on} | {one.read / MEBI:.0f} MiB | {one.source / MEBI:.0f} MiB"
            f" | {one.read / one.source:.2f} | {one.memory / MEBI:.0f} MiB |"
            for one in found
        ),
    ]
    return "\n".join(lines) + "\n"


def measure(place: Path) -> Iterator[Read]:
    """Yield what is read for each number of images; the source is made in `place`."""
    place = place / "shuffle"
    place.mkdir()
    _source(place, max(SIZES))
    for count in SIZES:
        for on in ("machine", str(WORKERS)):
            command = [PYTHON, "-c", MAKE, str(place), str(count), on]
            done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
            if done.returncode:
                sys.exit(done.stderr)
            read, source, memory = json.loads(done.stdout.splitlines()[-1])
            where = "one machine" if on == "machine" else f"a cluster of {on} workers"
            yield Read(where, count, read, source, memory)


def _source(place: Path, count: int) -> None:
    """Write the shards of a source of so many images to a remote, and what is known of each."""
    writer = ShardWriter(place)
    files, digests = np.zeros(count, FILE), bytearray()
    md5s = bytearray()
    for number in range(count):
        pixels = np.frombuffer(number.to_bytes(SIDE * SIDE), np.uint8).reshape(SIDE, SIDE)
        content, digest = png.encode(pixels), hashlib.sha256(pixels.tobytes()).digest()
        digests += digest
        md5s += bytes.fromhex(md5_of(content))
        files["size"][number] = len(content)
        writer.add(ShardRow(content, "a", None, digest, f"{number}.png", digest, "{}", ".png"))
    writer.close()
    files["md5"] = np.frombuffer(bytes(md5s), np.uint8).reshape(count, -1)
    np.save(place / "files.npy", files)
    (place / "digests").write_bytes(digests)
    names = []
    for path in writer.paths:
        name = md5_of(path.read_bytes())
        target = place / "remote" / object_path(name)
        target.parent.mkdir(parents=True, exist_ok=True)
        path.rename(target)
        names.append(name)
    (place / "made").write_text(json.dumps({"names": names, "sizes": writer.sizes}))
