from collections.abc import Callable
from dataclasses import replace
from io import FileIO
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest
from pyarrow import parquet

from scripts.dataset.dataset import Dataset
from scripts.errors import UserError
from scripts.ingest import writer
from scripts.inputs import config_file
from scripts.inputs.images import decode
from scripts.inputs.problems import InputError
from scripts.inputs.reader import Inputs
from scripts.sources import own, pointer, registry, shards
from scripts.sources.own import Own
from scripts.sources.pointer import BatchRecord, PointerOutput, Shape
from scripts.sources.shards import Digests
from scripts.sources.source import SourceRequest
from scripts.storage.manifest import Manifest, md5_of
from tests.ingest.pictures import picture
from tests.repository import config_text
from tests.sources.batches import BatchWriter

COUNT = 250


class Store:
    """Objects in a dict, as a cache and a remote have them; `fetched` lists what was asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.fetched: list[str] = []

    def put(self, content: bytes, end: str = "") -> str:
        name = md5_of(content) + end
        (self.folder / name).write_bytes(content)
        return name

    def fetch(self, name: str) -> Path:
        self.fetched.append(name)
        if not (self.folder / name).exists():
            raise UserError(f"the object {name} is missing in gs://bucket")
        return self.folder / name


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


def source(store: Store, change: Callable[[dict[str, str]], None] | None = None) -> SourceRequest:
    """Return a request for a source of two shards; `change` may change its list of files."""
    batch = BatchWriter(store.folder)
    for number in range(COUNT):
        batch.add(picture(number), "ab"[number % 2])
        if number == COUNT // 2:
            batch.shards.close()
    batch.shards.close()
    made = batch.rows
    names = [shards.shard_name(0), shards.shard_name(1), shards.index_name(0)]
    paths = [*batch.shards.paths, batch.index()]
    files = {name: store.put(path.read_bytes()) for name, path in zip(names, paths, strict=True)}
    if change:
        change(files)
    listed = Manifest({name: (md5, 0) for name, md5 in files.items()})
    content = pointer.render(
        pointer.create(
            "own",
            PointerOutput(store.put(listed.content, ".dir"), 0, 3),
            Shape("gray", (8, 8)),
            {"a": COUNT // 2, "b": COUNT // 2},
            [BatchRecord(shards=batch.shards.sizes, sha256=made.sha256)],
        )
    )
    return SourceRequest("own", pointer=content, fetch_object=store.fetch)


def load(request: SourceRequest) -> Own:
    found = registry.load(request)
    assert isinstance(found, Own)
    return found


def test_every_row_is_found_by_its_identifier_and_has_its_pixels(store: Store) -> None:
    made = load(source(store))
    assert made.shape == (8, 8)
    assert made.own_test is None
    assert len(made.labels) == len(made.digests) == COUNT
    for row in (0, 1, 99, 100, COUNT // 2, COUNT // 2 + 1, COUNT - 1):
        assert np.array_equal(made.image(row), decode(picture(row)))
        assert made.find(made.identifier(row)) == row
    assert made.digests[-1] == made.digests[COUNT - 1]
    assert list(made.digests[2:4]) == [made.digests[2], made.digests[3]]
    with pytest.raises(IndexError):
        made.digests[COUNT]


@pytest.mark.parametrize(
    "name", ["", "s", "7", "00007", "s0000000000000000", "sxyz", "s" + "0" * 18]
)
def test_other_identifiers_are_not_found(store: Store, name: str) -> None:
    assert load(source(store)).find(name) is None


def test_only_the_shards_that_are_needed_are_fetched_and_each_once(store: Store) -> None:
    request = source(store)
    made = load(request)
    assert len(store.fetched) == 2  # the list of files, and the index
    for row in range(COUNT):
        made.image(row)
    assert len(store.fetched) == 4


def test_a_row_group_is_read_once_for_rows_that_lie_together(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = load(source(store))
    made.image(0)
    file, _ = made.shards._opened(0)
    read = Mock(wraps=file.read_row_group)
    monkeypatch.setattr(type(file), "read_row_group", lambda _file, *a, **how: read(*a, **how))
    for row in range(126):
        made.image(row)
    # 126 rows of one shard in groups of 100, of which one was read before.
    assert read.call_count == 1


def test_objects_that_cannot_be_read_are_one_message_that_tells_forks_what_to_do(
    store: Store,
) -> None:
    request = source(store)
    for file in store.folder.glob("*"):
        file.unlink()
    with pytest.raises(UserError) as caught:
        registry.load(request)
    assert str(caught.value).startswith("source own: its images cannot be read here (the object ")
    assert str(caught.value).endswith(
        "is missing in gs://bucket). Runs for forks cannot access the remote: open the pull "
        "request from a branch of this repository instead."
    )


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda files: files.pop("00001.parquet"), "its batches do not match the files"),
        (
            lambda files: files.update({"index/00000.parquet": files["00000.parquet"]}),
            "the checksum of batch 0",
        ),
    ],
)
def test_a_pointer_that_does_not_match_its_objects_is_refused(
    store: Store, change: Callable[[dict[str, str]], None], says: str
) -> None:
    with pytest.raises(InputError, match=rf"^sources/own\.dvc:1:1: .*{says}"):
        registry.load(source(store, change))


def test_an_index_that_is_no_parquet_is_refused(store: Store) -> None:
    text = store.put(b"text")
    with pytest.raises(InputError, match=r"sources/own\.dvc:1:1: the index of batch 0 is damaged"):
        registry.load(source(store, lambda files: files.update({"index/00000.parquet": text})))


def test_shards_in_another_order_are_found_by_their_pixels(store: Store) -> None:
    def swap(files: dict[str, str]) -> None:
        first, second = files["00000.parquet"], files["00001.parquet"]
        files.update({"00000.parquet": second, "00001.parquet": first})

    made = load(source(store, swap))
    with pytest.raises(UserError, match=r"image s[0-9a-f]{16} is damaged: its pixels do not match"):
        made.image(0)


def test_a_damaged_shard_is_one_message(store: Store) -> None:
    text = store.put(b"text")
    made = load(source(store, lambda files: files.update({"00000.parquet": text})))
    with pytest.raises(UserError, match=r"^source own: image s[0-9a-f]{16} is damaged: "):
        made.image(0)


def test_a_source_of_ones_own_comes_before_one_of_the_same_name_elsewhere(store: Store) -> None:
    assert isinstance(registry.KINDS[0].read(source(store)), Own)
    assert not own.provides(SourceRequest("digits"))


def test_a_build_reads_each_row_group_once(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "ROWS_IN_GROUP", 10)
    made = load(source(store))
    text = config_text(source="own", class_="all", samples="all", test_size=0.2)
    dataset = Dataset(Inputs(config_file.parse(text.encode())), made)
    read, original = Mock(), parquet.ParquetFile.read_row_group

    def counted(file: Any, number: int, **how: Any) -> Any:
        read(number)
        return original(file, number, **how)

    monkeypatch.setattr(parquet.ParquetFile, "read_row_group", counted)

    assert len(dataset.manifest.files) == COUNT

    # 126 and 124 rows, in groups of 10.
    assert read.call_count == 13 + 13


def test_files_without_a_known_checksum_are_verified_by_their_pixels(store: Store) -> None:
    made = load(source(store))
    unknown = made.rows.files.copy()
    unknown["size"] = 0
    older = replace(made, rows=replace(made.rows, files=unknown))
    rows = [3, 130, 249]

    def opened(name: str) -> FileIO:
        return FileIO(store.folder / name)

    reader = older.reader(rows, opened)
    assert [reader.file(row) for row in rows] == [made.file(row) for row in rows]
    others = Digests(b"".join(made.digests[row] for row in (4, 131, 248)))

    with pytest.raises(UserError, match="its pixels do not match their checksum"):
        replace(reader, digests=others).file(130)
