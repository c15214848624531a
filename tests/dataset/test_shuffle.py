"""The two passes in which shards are made on one machine."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from pyarrow import parquet

from scripts import workers
from scripts.dataset import cuts, shuffle, spool
from scripts.dataset.dataset import Dataset
from scripts.dataset.encoding import FromPixels
from scripts.dataset.shuffle import Group
from scripts.dataset.targets import Local
from scripts.errors import UserError
from scripts.ingest import writer
from scripts.inputs import config_file
from scripts.inputs.reader import Inputs
from scripts.storage.cache import Cache
from tests.repository import PROJECT, Repository, config_text, create
from tests.sources.test_own import COUNT, Store, load, source

IN_SHARD = 12
# Bytes of an image, as the passes count them.
IMAGE = 8 * 8 + shuffle.BYTES_BESIDE
KILLED = """\
import os, sys
from scripts import workers
from scripts.dataset.spool import Spool

with Spool() as spool:
    spool.append(memoryview(b"of the parent"))

    def work(part):
        spool.append(memoryview(b"of a child"))
        os.write(1, b".")
        return list(part) if os.read(0, 1) else []

    list(workers.results(work, [1, 2], part=1, least=1))
"""


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    # No shard is known.
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    monkeypatch.setattr(cuts, "MAX_IMAGES", IN_SHARD)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    (tmp_path / "repository").mkdir()
    return create(tmp_path / "repository")


def dataset(place: Path) -> Dataset:
    """Return a dataset in Parquet of a source of one's own, with objects in `place`."""
    place.mkdir(exist_ok=True)
    text = config_text(source="own", class_="all", samples="all", test_size=0.2, format="parquet")
    return Dataset(Inputs(config_file.parse(text.encode())), load(source(Store(place))))


def small_steps(monkeypatch: pytest.MonkeyPatch, group: int, piece: int, cores: int = 1) -> None:
    """Let so many images be in a group and in a piece."""
    monkeypatch.setattr(shuffle, "BYTES_IN_GROUP", group * IMAGE)
    monkeypatch.setattr(shuffle, "BYTES_IN_PIECE", piece * IMAGE)
    monkeypatch.setattr(workers, "_cores", lambda: cores)


def test_the_bytes_are_the_same_however_the_images_are_divided(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = set[str]()
    for steps in ((COUNT, COUNT), (30, 10, 2), (30, 10), (1, 1), (COUNT, 7), (12, COUNT)):
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "-".join(map(str, steps))))
        small_steps(monkeypatch, *steps)
        found = dataset(tmp_path / "source")
        assert len(found.manifest.files) > COUNT / IN_SHARD
        made.add(found.manifest.md5)

    assert len(made) == 1


def test_each_piece_of_the_source_is_read_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "ROWS_IN_GROUP", 10)
    small_steps(monkeypatch, IN_SHARD, 50)
    read, original = Mock(), parquet.ParquetFile.read_row_group

    def counted(file: Any, number: int, **how: Any) -> Any:
        read(number)
        return original(file, number, **how)

    monkeypatch.setattr(parquet.ParquetFile, "read_row_group", counted)

    assert dataset(tmp_path / "source").manifest.files

    # 126 and 124 rows in groups of 10, and those that two of 5 pieces share.
    assert 26 <= read.call_count <= 26 + 4


def test_only_images_of_missing_shards_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, repository: Repository
) -> None:
    small_steps(monkeypatch, 30, 10)
    made = dataset(tmp_path / "source").store(Local(Cache(repository.root)))
    name, (md5, _) = next(iter(made.files.items()))
    lost = Cache(repository.root).path(md5)
    content = lost.read_bytes()
    lost.unlink()
    encoded = Mock()
    original = FromPixels.content

    def counted(encoding: FromPixels, images: Any, row: int) -> bytes:
        encoded(row)
        return original(encoding, images, row)

    monkeypatch.setattr(FromPixels, "content", counted)

    assert dataset(tmp_path / "source").store(Local(Cache(repository.root))) == made

    assert lost.read_bytes() == content, name
    assert encoded.call_count == parquet.ParquetFile(lost).metadata.num_rows


def test_images_that_are_lost_between_the_passes_are_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_steps(monkeypatch, 30, 10)
    original = Group.contents
    monkeypatch.setattr(Group, "contents", lambda group, images: original(group, images.slice(1)))

    with pytest.raises(UserError, match=r"11 of 12 images of a shard were read\. Run it again"):
        _ = dataset(tmp_path / "source").manifest


def test_no_temporary_file_is_left_by_a_run_that_is_killed(
    tmp_path: Path, repository: Repository
) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED],
        cwd=PROJECT,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout
    assert process.stdout.read(1) == b"."
    before = sorted(tmp_path.iterdir())
    process.kill()
    process.wait()

    assert before == sorted(tmp_path.iterdir()) == [repository.place]


def test_several_processes_write_to_one_temporary_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "_cores", lambda: 4)
    contents = [os.urandom(1_000 + number) for number in range(100)]
    with spool.Spool() as made:

        def work(part: Sequence[bytes]) -> list[spool.Part]:
            return [made.append(memoryview(one)) for one in part]

        spans = list(workers.results(work, contents, part=3, least=1))

        assert [made.read(span) for span in spans] == contents


def test_a_temporary_file_that_was_cut_off_is_an_error() -> None:
    with spool.Spool() as made:
        span = made.append(memoryview(b"content"))

        with pytest.raises(OSError, match=f"{tempfile.gettempdir()} was cut off"):
            made.read(spool.Part(span.start, span.stop + 1))
