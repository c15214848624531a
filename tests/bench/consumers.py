"""The time that consumers need to load all images of a release into a NumPy array.

A part of `make bench`.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.doubles import storage
from tests.repository import PROJECT, TEMPLATE, Repository, create

ROWS = 70_000
PYTHON = sys.executable
DVC = [PYTHON, "-m", "dvc"]
CONFIG = "source: mnist_784\nclass: all\nsamples: {}\ntest_size: {}\n"
INTRODUCTION = """\
## Consuming a release

Time to load all images into one NumPy array, in new processes; the files of the release are on the
disk already. The storage emulator runs on the same machine, without network latency; it is slow, so
its release is small.
"""
FROM_FOLDER = """\
import pathlib, numpy, PIL.Image
files = pathlib.Path("dataset").rglob("*.png")
images = numpy.stack([numpy.asarray(PIL.Image.open(file)) for file in files])
print(len(images), images.sum())
"""
FROM_ZIP = """\
import io, zipfile, numpy, PIL.Image
archive = zipfile.ZipFile(FILE)
names = [name for name in archive.namelist() if name.endswith(".png")]
images = numpy.stack([PIL.Image.open(io.BytesIO(archive.read(name))) for name in names])
print(len(images), images.sum())
"""
FROM_PARQUET = """\
import io, numpy, PIL.Image, pyarrow.parquet
tables = [pyarrow.parquet.read_table(f"{FILE}/{name}.parquet") for name in ("train", "test")]
rows = [row for table in tables for row in table["image"].to_pylist()]
images = numpy.stack([PIL.Image.open(io.BytesIO(row["bytes"])) for row in rows])
print(len(images), images.sum())
"""


def measure(folder: Path, all_images: int = ROWS, in_bucket: int = 2_000) -> Iterator[str]:
    """Yield the lines of the table, measured below `folder`."""
    yield from INTRODUCTION.rstrip().splitlines()
    yield ""
    yield "| from | images | time | for 1,000 images |"
    yield "| --- | ---: | ---: | ---: |"
    with tempfile.TemporaryDirectory(prefix="consumers-", dir=folder) as inside:
        place = Path(inside)
        (place / "folder").mkdir()
        repository = _released(place / "folder", all_images, None)
        yield _row("`dvc get` from a folder", all_images, _get(repository))
        files = place / "files"
        _verb(repository, "package", "v0", "--out", str(files))
        for name, code, file in (
            ("the zip file", FROM_ZIP, files / "dataset-v0.zip"),
            ("the Parquet files", FROM_PARQUET, files),
        ):
            seconds = _time(place, [[PYTHON, "-c", f"FILE = {str(file)!r}\n{code}"]])
            yield _row(name, all_images, seconds)
        (place / "bucket").mkdir()
        with storage.running() as bucket:
            address = f"gs://{storage.BUCKET}/data\n    endpointurl = {bucket.url}"
            repository = _released(place / "bucket", in_bucket, address)
            yield _row("`dvc get` from the storage emulator", in_bucket, _get(repository))


def _released(place: Path, count: int, address: str | None) -> Repository:
    """Return a repository with v0 of so many images."""
    repository = create(place)
    url = address or str(repository.bucket)
    settings = TEMPLATE[".dvc/config"].replace("url = storage", f"url = {url}")
    repository.merge_file(".dvc/config", settings)
    repository.merge(CONFIG.format("all" if count == ROWS else count // 10, 0.1))
    _verb(repository, "release")
    return repository


def _verb(repository: Repository, *arguments: str) -> None:
    command = [PYTHON, "-m", "scripts", *arguments]
    _run(repository.root, command)


def _get(repository: Repository) -> float:
    with tempfile.TemporaryDirectory(prefix="consumer-", dir=repository.place) as folder:
        get = [*DVC, "get", "--quiet", str(repository.origin), "dataset", "--rev", "v0"]
        return _time(Path(folder), [get, [PYTHON, "-c", FROM_FOLDER]])


def _time(where: Path, commands: list[list[str]]) -> float:
    began = time.perf_counter()
    for command in commands:
        _run(where, command)
    return time.perf_counter() - began


def _run(where: Path, command: list[str]) -> None:
    environment = {**os.environ, **storage.ENVIRONMENT, "PYTHONPATH": str(PROJECT)}
    done = subprocess.run(
        command, cwd=where, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"{' '.join(command)[:80]} failed: {done.stderr}")


def _row(name: str, count: int, seconds: float) -> str:
    print(f"{name}: {seconds:.1f} s", file=sys.stderr)
    return f"| {name} | {count:,} | {seconds:.1f} s | {1000 * seconds / count:.2f} s |"
