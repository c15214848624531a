"""Releases that a Dask cluster makes: the same bytes, whatever is lost on the way."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

import pytest

from scripts import workers
from scripts.dataset import cuts
from scripts.dataset.targets import Local
from scripts.git.git import Git
from scripts.releases import lock, resolve
from scripts.storage.cache import Cache
from tests.ingest.pictures import labeled, write
from tests.repository import Repository, Run, copy, create, objects

cluster = pytest.importorskip(
    "tests.doubles.cluster", reason="Dask is not installed", exc_type=ImportError
)
pytest.importorskip("distributed", reason="Dask is not installed")

IMAGES, TOGETHER, IN_SHARD = 1_500, 10, 12
CONFIG = "source: pets\nclass: all\nsamples: all\ntest_size: 0.2\n"
# With small parts there are many tasks, so that there is something left when a process is killed.
RELEASE = f"""\
import sys
from scripts import workers
from scripts.__main__ import main
from scripts.dataset import cuts, shuffle

workers.PART, cuts.MAX_IMAGES = {TOGETHER}, {IN_SHARD}
shuffle.BYTES_IN_GROUP = shuffle.BYTES_IN_PIECE = {TOGETHER} * 1088
sys.exit(main(["release"]))
"""


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """A repository with a source of its own on main, in the format PNG; nothing is released."""
    place = tmp_path_factory.mktemp("original")
    repository = create(place)
    images = write(place / "images", labeled(range(IMAGES), "cat", "dog"))
    ingested = subprocess.run(
        [sys.executable, "-m", "scripts", "ingest", "pets", str(images)],
        cwd=repository.root,
        capture_output=True,
        check=False,
    )
    assert ingested.returncode == 0, ingested.stderr
    repository.git("add", "sources/pets.dvc")
    repository.configure(CONFIG)
    repository.git("commit", "--quiet", "--all", "--message", "Use the images of our own")
    repository.git("push", "--quiet", "origin", "main")
    return repository


@pytest.fixture(params=["png", "parquet"])
def repository(original: Repository, request: pytest.FixtureRequest, tmp_path: Path) -> Repository:
    made = copy(original, tmp_path)
    if request.param == "parquet":
        made.merge(CONFIG + "format: parquet\n")
    return made


def release(
    repository: Repository, environment: dict[str, str], caches: Path
) -> subprocess.Popen[str]:
    """Begin a release on a cluster, with a user's cache of its own."""
    return subprocess.Popen(
        [sys.executable, "-c", RELEASE],
        cwd=repository.root,
        env={**os.environ, **environment, "XDG_CACHE_HOME": str(caches)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def released(repository: Repository) -> str:
    return lock.parse(repository.at_origin("show", "v0:dataset.dvc").encode()).md5


def built_here(repository: Repository, tmp_path: Path, cores: int) -> str:
    """Return the manifest that so many processes of this machine make."""
    with (
        patch.object(workers, "PART", TOGETHER),
        patch.object(workers, "MIN_ITEMS", 1),
        patch.object(workers, "_cores", lambda: cores),
        patch.object(cuts, "MAX_IMAGES", IN_SHARD),
        patch.dict(os.environ, {"XDG_CACHE_HOME": str(tmp_path / f"cache-{cores}")}),
    ):
        dataset = resolve.work_tree(Git(repository.root))
        return dataset.store(Local(Cache(repository.root))).md5


def test_a_cluster_that_loses_a_worker_makes_the_same_bytes_as_one_process_and_a_pool(
    repository: Repository, tmp_path: Path, run: Run
) -> None:
    before = objects(repository.bucket)
    with cluster.running(tmp_path / "cluster") as made:
        process = release(repository, made.environment, tmp_path / "caches")
        wait_for(
            lambda: len(objects(repository.bucket)) > len(before) or process.poll() is not None
        )
        os.kill(made.workers[0].pid, signal.SIGKILL)
        half = objects(repository.bucket)
        _, errors = process.communicate(timeout=300)

    assert process.returncode == 0, errors
    md5 = released(repository)
    assert len(half) < len(objects(repository.bucket)) - TOGETHER
    # The images were never here, only the manifest and what the source is made of.
    assert not {*objects(repository.bucket)} - {*before, md5} & {*objects(repository.cache)}
    repository.git("pull", "--quiet", "--ff-only", "origin", "main")
    assert built_here(repository, tmp_path, cores=1) == md5
    assert built_here(repository, tmp_path, cores=2) == md5
    assert run("verify").code == 0


@pytest.mark.parametrize("repository", ["parquet"], indirect=True)
def test_a_cluster_that_loses_a_worker_while_it_reads_the_source_begins_again(
    repository: Repository, tmp_path: Path
) -> None:
    before = objects(repository.bucket)
    with cluster.running(tmp_path / "cluster") as made:
        process = release(repository, made.environment, tmp_path / "caches")
        # Where a worker keeps the images that it gets from others.
        wait_for(lambda: any(made.place.rglob("shuffle-*-*")) or process.poll() is not None)
        os.kill(made.workers[0].pid, signal.SIGKILL)
        half = objects(repository.bucket)
        _, errors = process.communicate(timeout=300)
        log = (made.place / "scheduler.log").read_text()
        address = made.address

    assert process.returncode == 0, errors
    assert half == before
    assert re.search("Shuffle .* restarted due to", log)
    assert f"using the cluster {address}: 4 workers, 4 threads" in errors
    repository.git("pull", "--quiet", "--ff-only", "origin", "main")
    assert built_here(repository, tmp_path, cores=2) == released(repository)


@pytest.mark.parametrize("repository", ["png"], indirect=True)
def test_a_run_that_loses_the_scheduler_continues_where_it_stopped(
    repository: Repository, tmp_path: Path
) -> None:
    before = objects(repository.bucket)
    with cluster.running(tmp_path / "cluster") as made:
        process = release(repository, made.environment, tmp_path / "caches")
        wait_for(lambda: len(objects(repository.bucket)) > len(before) + 3 * TOGETHER // 10)
        assert made.scheduler
        made.scheduler.kill()
        _, errors = process.communicate(timeout=300)
        assert process.returncode == 1
        assert "error: the connection to the scheduler tls://" in errors
        assert "Run it again: stored files are not stored again." in errors
        assert "Traceback" not in errors
        assert repository.tags() == []

        made.stop()
        half = _times(repository.bucket)
        made.start(2)
        again = release(repository, made.environment, tmp_path / "caches")
        _, errors = again.communicate(timeout=300)

    assert again.returncode == 0, errors
    assert repository.tags() == ["v0"]
    after = _times(repository.bucket)
    assert len(after) > len(half)
    assert {name: after[name] for name in half} == half


def _times(bucket: Path) -> dict[str, int]:
    """Return when each object was written."""
    return {path.name: path.stat().st_mtime_ns for path in bucket.glob("files/md5/??/*")}


@pytest.mark.parametrize("repository", ["png"], indirect=True)
def test_a_worker_with_another_version_is_a_clear_message(
    repository: Repository, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "sitecustomize.py").write_text(
        "import zlib\nzlib.ZLIB_RUNTIME_VERSION = '0.1'\n"
    )
    with cluster.running(tmp_path / "cluster", 1, PYTHONPATH=str(tmp_path / "other")) as made:
        process = release(repository, made.environment, tmp_path / "caches")
        _, errors = process.communicate(timeout=300)

    assert process.returncode == 1
    assert "has another version of zlib: 0.1 instead of " in errors
    assert "Install requirements.txt and requirements-dask.txt there too" in errors
    assert repository.tags() == []


@pytest.mark.parametrize("repository", ["png"], indirect=True)
def test_a_client_without_a_certificate_is_refused(repository: Repository, tmp_path: Path) -> None:
    with cluster.running(tmp_path / "cluster", 1) as made:
        stranger = cluster.Certificates(tmp_path / "others")
        certificate, key = stranger.sign("client")
        names = dict(zip(cluster.NAMES[1:], (certificate, key), strict=True))
        others = {f"DASK_DISTRIBUTED__COMM__TLS__{name}": str(x) for name, x in names.items()}
        process = release(repository, made.environment | others, tmp_path / "caches")
        _, errors = process.communicate(timeout=300)

    assert process.returncode == 1
    assert "error: cannot connect to the scheduler tls://" in errors
    assert "Traceback" not in errors
