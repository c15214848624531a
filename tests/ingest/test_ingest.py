import hashlib
import json
import random
import shutil
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image
from pyarrow import parquet

from scripts.ingest import images_read, reading, writer
from scripts.inputs import images
from scripts.sources import identity, own, pointer
from scripts.sources.pointer import Pointer
from scripts.sources.shards import Details, Rows
from scripts.sources.source import SourceRequest
from scripts.storage.transfer import fetcher
from tests.ingest.pictures import labeled, picture, write
from tests.inputs.pictures import encoded, gray
from tests.repository import (
    Repository,
    Result,
    Run,
    config_text,
    contents,
    create,
    dvc,
    git,
    mismatched,
    objects,
    snapshot,
)

POINTER = "sources/shapes.dvc"
CONFIG = config_text(source="shapes", class_="all", samples=4, test_size=1)


@pytest.fixture(autouse=True)
def _in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read locations without a process of their own, which test_reading.py is about."""
    monkeypatch.setattr(reading, "collect", images_read.collect)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Twenty pictures in two classes."""
    return write(tmp_path / "photos", labeled(range(20), "cat", "dog"))


def read_pointer(repository: Repository) -> Pointer:
    return pointer.parse((repository.root / POINTER).read_bytes(), "shapes")


def commit(repository: Repository) -> None:
    """Merge the pointer, and a config that uses it."""
    repository.git("add", POINTER)
    repository.merge(CONFIG)


def assert_nothing_written(repository: Repository, result: Result) -> None:
    assert result.code == 1
    # What was recognized is said before any image is read.
    assert not result.out or result.out.startswith("recognized: ")
    assert "stored in" not in result.out
    assert "Traceback" not in result.err
    assert repository.git("status", "--porcelain", "--ignored") in ("", "!! .dvc/tmp/")
    assert not repository.bucket.exists()
    assert not objects(repository.cache)
    assert not list((repository.root / ".dvc" / "tmp").glob("ingest-*"))


# What is written.


def test_an_ingest_stores_shards_and_then_the_pointer(
    repository: Repository, run: Run, photos: Path
) -> None:
    result = run("ingest", "shapes", str(photos))

    assert result.code == 0, result.err
    assert result.out.splitlines()[0] == "recognized: LABEL/FILE; cat 10, dog 10"
    assert "sources/shapes.dvc: batch 1 with 20 images in 1 shard (" in result.out
    assert f"2 classes, gray, 8x8; stored in {repository.bucket}\n" in result.out
    made = read_pointer(repository)
    assert (made.meta.counts, made.meta.mode, made.meta.size) == (
        {"cat": 10, "dog": 10},
        "gray",
        "8x8",
    )
    assert [batch.shards for batch in made.batches] == [[20]]
    assert objects(repository.bucket) == objects(repository.cache)
    assert not mismatched(objects(repository.bucket))
    assert made.md5 in objects(repository.bucket)
    assert sorted(contents(repository.root / "sources" / "shapes")) == [
        "00000.parquet",
        "index/00000.parquet",
        "summary/00000.parquet",
    ]
    assert repository.git("status", "--porcelain") == "?? sources/"


def test_the_same_images_give_the_same_pointer_and_objects(
    tmp_path: Path, run: Run, photos: Path
) -> None:
    made = []
    for place in ("one", "two"):
        (tmp_path / place).mkdir()
        repository = create(tmp_path / place)
        run("ingest", "shapes", str(photos), where=repository.root)
        made.append(((repository.root / POINTER).read_bytes(), objects(repository.bucket)))
    assert made[0] == made[1]


def test_a_shard_is_plain_parquet_with_the_files_as_they_came(
    repository: Repository, run: Run, photos: Path
) -> None:
    run("ingest", "shapes", str(photos))
    table = parquet.read_table(repository.root / "sources" / "shapes" / "00000.parquet")
    known = ["image", "label", "split", "digest", "name", "checksum", "metadata"]
    assert table.column_names == known
    for row in table.to_pylist():
        content = (photos / row["name"]).read_bytes()
        assert row["image"]["bytes"] == content
        assert row["checksum"] == hashlib.sha256(content).digest()
        pixels = images.decode(row["image"]["bytes"])
        assert pixels.shape == (8, 8)
        assert row["image"]["path"] == f"{identity.identifier(row['digest'])}.png"
        assert row["split"] is None


def test_shards_and_row_groups_are_bounded(
    repository: Repository, run: Run, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "ROWS_IN_GROUP", 3)
    monkeypatch.setattr(writer, "BYTES_IN_SHARD", 700)
    assert run("ingest", "shapes", str(photos)).code == 0
    sizes = read_pointer(repository).batches[0].shards
    assert sum(sizes) == 20
    assert len(sizes) > 2
    folder = repository.root / "sources" / "shapes"
    groups = parquet.ParquetFile(folder / "00000.parquet").metadata
    assert max(groups.row_group(n).num_rows for n in range(groups.num_row_groups)) == 3
    # Any image of any shard is found.
    repository.configure(config_text(source="shapes", class_="all", samples="all", test_size=0.3))
    assert run("build").code == 0
    assert len(contents(repository.root / "dataset")) == 20


# Using it.


def test_a_source_of_ones_own_is_built_pushed_and_released_and_can_be_rebuilt(
    repository: Repository, run: Run, photos: Path
) -> None:
    run("ingest", "shapes", str(photos))
    commit(repository)
    for verb in ("validate", "plan", "build", "push", "release", "verify"):
        result = run(verb)
        assert result.code == 0, result.err
    built = contents(repository.root / "dataset")
    assert all(name.split("/")[2].startswith("s") for name in built)
    # In a clone without the cache, the shards come from the remote.
    clone = repository.place / "clone"
    git(repository.place, "clone", "--quiet", "--branch", "v0", str(repository.origin), str(clone))
    assert run("build", where=clone).code == 0
    assert contents(clone / "dataset") == built


def test_a_plan_reads_only_the_index_of_each_batch_until_it_needs_pixels(
    repository: Repository, run: Run, photos: Path
) -> None:
    run("ingest", "shapes", str(photos))
    commit(repository)
    shutil.rmtree(repository.cache)
    assert run("validate").code == 0
    assert len(objects(repository.cache)) == 2  # the list of files, and the index


def test_images_of_different_sizes_need_an_image_size(
    repository: Repository, run: Run, tmp_path: Path
) -> None:
    sizes = [(8, 8), (6, 9)]
    files = {
        f"{c}/{n}.png": picture(n, sizes[n % 2])
        for n in range(12)
        for c in "ab"
        if n % 2 == (c == "a")
    }
    result = run("ingest", "shapes", str(write(tmp_path / "photos", files)))
    assert (
        "the images differ in size, so the config needs 'encoding: original' or image_size\n"
        in result.out
    )
    repository.configure(CONFIG)
    result = run("validate")
    assert (result.code, result.out) == (1, "")
    assert result.err == (
        "dataset_config.yaml:1:9: source: the images of shapes differ in size; add a line such as"
        " 'image_size: 64' or 'image_size: 64x48', or keep the files as they are with"
        " 'encoding: original'\n"
    )
    repository.configure(f"{CONFIG}image_size: 7x5\n")
    assert run("build").code == 0
    for content in contents(repository.root / "dataset").values():
        assert images.decode(content).shape == (5, 7)


def test_the_sets_of_a_source_can_be_kept(repository: Repository, run: Run, tmp_path: Path) -> None:
    files = {
        f"{s}/{c}/{n}.png": picture(100 * n + 10 * ord(c) + len(s))
        for n in range(6)
        for c in "ab"
        for s in ("train", "test")
    }
    result = run("ingest", "shapes", str(write(tmp_path / "photos", files)))
    assert "recognized: SPLIT/LABEL/FILE; train: a 6, b 6; test: a 6, b 6\n" in result.out
    text = config_text(source="shapes", class_="all", samples="all", test_size=None)
    repository.configure(f"{text}split_by: source\n")
    assert run("build").code == 0
    built = contents(repository.root / "dataset")
    pixels = {
        split: {images.decode(x).tobytes() for name, x in built.items() if name.startswith(split)}
        for split in ("train", "test")
    }
    wanted = {
        split: {images.decode(x).tobytes() for name, x in files.items() if name.startswith(split)}
        for split in ("train", "test")
    }
    assert pixels == wanted
    result = run("ingest", "shapes", str(write(tmp_path / "more", {"a/1.png": picture(9999)})))
    assert result.code == 1
    assert (
        "shapes: the source has train and test sets, but these images are in neither" in result.err
    )


# Hugging Face's Parquet files.


def table(
    path: Path, rows: list[dict[str, object]], names: list[str] | None, **types: pa.DataType
) -> None:
    kinds = {
        "image": pa.struct({"bytes": pa.binary(), "path": pa.string()}),
        "label": pa.int64(),
        **types,
    }
    made = pa.Table.from_pylist(rows, pa.schema(list(kinds.items())))
    if names:
        features = {"image": {"_type": "Image"}, "label": {"names": names, "_type": "ClassLabel"}}
        made = made.replace_schema_metadata(
            {"huggingface": json.dumps({"info": {"features": features}})}
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    parquet.write_table(made, path)


def row(number: int, label: object) -> dict[str, object]:
    return {"image": {"bytes": picture(number), "path": None}, "label": label}


def test_parquet_files_of_hugging_face_are_ingested(
    repository: Repository, run: Run, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    write(data, {"README.md": b"text"})
    table(
        data / "data" / "train-00000-of-00001.parquet",
        [row(n, n % 2) for n in range(10)],
        ["cat", "dog"],
    )
    table(
        data / "data" / "test-00000-of-00001.parquet",
        [row(n, n % 2) for n in range(10, 14)],
        ["cat", "dog"],
    )
    result = run("ingest", "shapes", str(data))
    assert result.code == 0, result.err
    assert (
        "recognized: Parquet files with image and label; train: cat 5, dog 5; test: cat 2, dog 2\n"
        in result.out
    )
    assert "\npassed over: 1 .md\n" in result.out
    assert read_pointer(repository).meta.counts == {"cat": 7, "dog": 7}
    index = parquet.read_table(repository.root / "sources/shapes/index/00000.parquet")
    assert index.column("split").to_pylist() == ["test"] * 4 + ["train"] * 10


def test_parquet_files_can_hold_bytes_and_text_and_be_in_an_archive(
    repository: Repository, run: Run, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    rows: list[dict[str, object]] = [{"image": picture(n), "label": "ab"[n % 2]} for n in range(4)]
    table(data / "x.parquet", rows, None, image=pa.binary(), label=pa.string())
    shutil.make_archive(str(tmp_path / "x"), "zip", data)
    assert run("ingest", "shapes", str(tmp_path / "x.zip")).code == 0
    assert read_pointer(repository).meta.counts == {"a": 2, "b": 2}
    assert "nothing to ingest" in run("ingest", "shapes", str(data / "x.parquet")).out


def test_every_problem_of_parquet_files_is_named(
    repository: Repository, run: Run, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    bad: list[dict[str, object]] = [
        row(1, 0),
        row(2, 7),
        row(3, -1),
        {"image": {"bytes": None, "path": "x.png"}, "label": 0},
        {"image": {"bytes": b"text", "path": None}, "label": 0},
    ]
    table(data / "train-0.parquet", bad, ["cat"])
    table(
        data / "train-1.parquet",
        [{"img": b"", "label": 0}],
        None,
        img=pa.binary(),
        label=pa.int64(),
    )
    table(data / "validation-0.parquet", [row(1, 0)], ["cat"])
    table(data / "unnamed.parquet", [row(6, 0)], ["cat"])
    write(data, {"test-0.parquet": b"PAR1 text", "train-2.parquet": b"", "a/1.png": picture(1)})
    result = run("ingest", "shapes", str(data))
    assert_nothing_written(repository, result)
    for line in (
        "train-0.parquet row 2: its label 7 is not one of the 1 classes",
        "train-0.parquet row 3: it has no label",
        "train-0.parquet row 4: it holds no image; it may only name the path of one",
        "train-0.parquet row 5: it is not a JPEG, PNG, WebP, GIF, BMP, TIFF or PPM file",
        "train-1.parquet: its column image holds the paths of images only, not the images.",
        "test-0.parquet: it is not a Parquet file, or damaged (",
        "train-2.parquet: it is not a Parquet file, or damaged (",
        "unnamed.parquet: its name does not begin with test or train or validation, as others do",
        "a/1.png: an image beside Parquet files with images; ingest one of both by itself",
    ):
        assert f"\n    {line}" in result.err


# Ingesting again.


def test_more_images_are_a_batch_of_their_own_and_those_that_are_there_are_skipped(
    repository: Repository, run: Run, photos: Path
) -> None:
    run("ingest", "shapes", str(photos))
    first = read_pointer(repository)
    stored = objects(repository.bucket)
    write(photos, labeled(range(20, 26), "cat", "dog", "eel"))

    result = run("ingest", "shapes", str(photos))

    assert result.code == 0, result.err
    assert "skipped 20 images that the source has already\n" in result.out
    assert "batch 2 with 6 images in 1 shard (" in result.out
    second = read_pointer(repository)
    assert second.continues(first)
    assert not first.continues(second)
    assert second.meta.counts == {"cat": 12, "dog": 12, "eel": 2}
    assert second.batches[0].zones == {"*": (0.8, 0.8, 1.0)}
    assert second.batches[1].zones == {}
    assert stored.items() <= objects(repository.bucket).items()
    assert second.outs[0].size == sum(
        len(x) for x in contents(repository.root / "sources" / "shapes").values()
    )
    assert dvc(repository.root, "status") == "Data and pipelines are up to date."


def test_nothing_new_writes_nothing(repository: Repository, run: Run, photos: Path) -> None:
    run("ingest", "shapes", str(photos))
    before = snapshot(repository.root / "sources"), snapshot(repository.bucket)
    result = run("ingest", "shapes", str(photos))
    assert result.code == 0
    assert result.out.endswith("nothing to ingest: shapes has all of these images\n")
    assert (snapshot(repository.root / "sources"), snapshot(repository.bucket)) == before


def test_an_image_under_two_labels_is_reported_and_left_out_by_the_selection(
    repository: Repository, run: Run, photos: Path
) -> None:
    write(photos, {"dog/twice.png": picture(0), "cat/copy.png": picture(0)})
    result = run("ingest", "shapes", str(photos))
    assert "skipped 1 images that the source has already\n" in result.out
    assert (
        "1 images have two labels; the selection leaves them out:\n"
        "    dog/twice.png: labeled dog, but cat elsewhere\n" in result.out
    )
    more = write(photos.parent / "more", {"eel/old.png": picture(1), "eel/0.png": picture(0)})
    result = run("ingest", "shapes", str(more))
    assert "2 images have two labels" in result.out
    assert "eel/old.png: labeled eel, but dog elsewhere\n" in result.out
    assert "nothing to ingest" in run("ingest", "shapes", str(more)).out
    repository.configure(
        config_text(source="shapes", class_=["cat", "dog"], samples="all", test_size=1)
    )
    assert run("validate").out.startswith(
        "dataset_config.yaml is valid: train cat: 8, dog: 8; test cat: 1, dog: 1"
    )


def test_an_image_in_both_sets_stays_where_it_was_first(
    repository: Repository, run: Run, tmp_path: Path
) -> None:
    files = {"train/a/1.png": picture(1), "train/a/2.png": picture(2), "test/a/3.png": picture(1)}
    result = run("ingest", "shapes", str(write(tmp_path / "photos", files)))
    assert (
        "1 images are in both the train and the test set; they stay where they were found first:\n"
        "    train/a/1.png: in train, but first seen in test\n" in result.out
    )


VALUES = np.random.default_rng(0).integers(0, 256, 64, np.uint8)
# The same bytes in three shapes, each of which another image has too.
SHAPES = [(8, 8), (4, 16), (16, 4)]


def in_shapes(folder: Path, *shapes: tuple[int, int]) -> Path:
    """Write two images for each of `shapes`, of which the first has the bytes `VALUES`."""
    files = {}
    for height, width in shapes:
        name = f"{height}x{width}.png"
        files[f"cat/{name}"] = encoded(VALUES.reshape(height, width))
        files[f"dog/{name}"] = encoded((VALUES // 2 + height).reshape(height, width))
    return write(folder, files)


def identifiers(repository: Repository) -> list[str]:
    found = own.read(
        SourceRequest(
            "shapes",
            pointer=(repository.root / POINTER).read_bytes(),
            fetch_object=fetcher(repository.root),
        )
    )
    # Reading an image compares its pixels with its digest.
    assert [found.image(row).shape for row in range(len(found.labels))]
    return [found.identifier(row) for row in range(len(found.labels)) if found.labels[row] == "cat"]


def test_images_of_another_shape_with_the_same_bytes_are_other_images(
    repository: Repository, run: Run, tmp_path: Path
) -> None:
    first, all_ = in_shapes(tmp_path / "first", *SHAPES[:2]), in_shapes(tmp_path / "all", *SHAPES)

    assert "batch 1 with 4 images" in run("ingest", "shapes", str(first)).out
    before = identifiers(repository)
    result = run("ingest", "shapes", str(all_))

    assert "skipped 4 images that the source has already\n" in result.out
    assert "batch 2 with 2 images" in result.out
    assert "nothing to ingest" in run("ingest", "shapes", str(all_)).out
    found = identifiers(repository)
    assert found[:2] == before
    assert len({*found}) == 3
    # An image has the same identifier in every source, unless its bytes are there already.
    assert f"s{hashlib.sha256(VALUES.tobytes()).hexdigest()[:16]}" in before


@pytest.mark.parametrize(
    ("shapes", "added"), [(SHAPES[:1], 4), (SHAPES[:2], 1)], ids=["of one size", "of two sizes"]
)
def test_older_indexes_do_not_say_the_size_of_an_image(
    repository: Repository,
    run: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    shapes: list[tuple[int, int]],
    added: int,
) -> None:
    """Where all images of a source had one size it is known, otherwise bytes decide as before."""
    with monkeypatch.context() as patch:
        patch.setattr(writer, "write_index", without_sizes)
        patch.setattr(Details, "sha256", "")
        made = run("ingest", "shapes", str(in_shapes(tmp_path / "first", *shapes)))
    assert made.code == 0, made.err
    before = identifiers(repository)
    assert "nothing to ingest" in run("ingest", "shapes", str(tmp_path / "first")).out

    result = run("ingest", "shapes", str(in_shapes(tmp_path / "all", *SHAPES)))

    assert f"batch 2 with {added} images" in result.out
    assert identifiers(repository)[: len(before)] == before


def without_sizes(folder: Path, rows: Rows, details: Details) -> Path:
    """Write the index of a batch as it was written before it had sizes."""
    made = WRITE_INDEX(folder, rows, details)
    table = parquet.ParquetFile(made).read(columns=["label", "split", "digest"])
    parquet.write_table(table, made, **writer.OPTIONS)
    return made


WRITE_INDEX = writer.write_index


def test_growing_needs_no_older_shard(repository: Repository, run: Run, photos: Path) -> None:
    run("ingest", "shapes", str(photos))
    commit(repository)
    clone = repository.place / "clone"
    git(repository.place, "clone", "--quiet", str(repository.origin), str(clone))
    more = write(photos.parent / "more", labeled(range(50, 60), "cat", "dog"))
    assert run("ingest", "shapes", str(more), where=clone).code == 0
    grown = pointer.parse((clone / POINTER).read_bytes(), "shapes")
    assert grown.images == 30
    # The list of files, three of the new batch, the index of the old one, and the list before.
    assert len(objects(clone / ".dvc" / "cache")) == 6


# What is refused.


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("digits", "digits is the name of a known source; choose another one"),
        ("mnist_784", "mnist_784 is the name of a known source; choose another one"),
        ("../up", "'../up' cannot be the name of a source: use letters, digits, _ and -"),
        ("x.dvc", "'x.dvc' cannot be the name of a source"),
        ("größe", "'größe' cannot be the name of a source"),
    ],
)
def test_a_name_that_cannot_be_a_source_is_refused(
    repository: Repository, run: Run, photos: Path, name: str, says: str
) -> None:
    result = run("ingest", name, str(photos))
    assert result.err.startswith(f"error: {says}")
    assert result.code == 1
    assert not (repository.root / "sources").exists()


def test_names_that_differ_only_in_case_are_refused(
    repository: Repository, run: Run, photos: Path
) -> None:
    run("ingest", "shapes", str(photos))
    assert run("ingest", "Shapes", str(photos)).err == (
        "error: there is a source shapes already; use that spelling\n"
    )


def test_every_problem_with_images_is_named_at_once_and_nothing_is_written(
    repository: Repository, run: Run, photos: Path
) -> None:
    write(
        photos,
        {
            "cat/text.png": b"no image",
            "cat/cut.png": picture(1)[:60],
            "cat/moving.gif": encoded(
                gray(8, 8), "GIF", save_all=True, append_images=[Image.fromarray(255 - gray(8, 8))]
            ),
            "cat/red.png": picture(1, mode="RGB"),
            "two words/1.png": picture(51),
            "größe/1.png": picture(52),
            "gol\u202ed/1.png": picture(53),
            "top.png": picture(54),
        },
    )
    result = run("ingest", "shapes", str(photos))
    assert_nothing_written(repository, result)
    assert result.err.startswith(f"error: 5 problems in {photos}, so nothing is ingested:\n")
    for line in (
        "top.png: it is in no class folder; expected LABEL/FILE",
        "cat/text.png: it is not a JPEG, PNG, WebP, GIF, BMP, TIFF or PPM file",
        "cat/cut.png: it is damaged: its end is missing",
        "cat/moving.gif: it is an animation with 2 frames; save one picture of it",
        "gol\\u202ed: source shapes has the class 'gol\\u202ed'; the character U+202E in its name",
    ):
        assert f"\n    {line}" in result.err


def test_of_many_problems_only_the_first_are_listed(
    repository: Repository, run: Run, tmp_path: Path
) -> None:
    files = {f"{'ab'[n % 2]}/{n:03}.png": b"text" for n in range(100)}
    result = run("ingest", "shapes", str(write(tmp_path / "photos", files)))
    assert_nothing_written(repository, result)
    assert result.err.count("\n") == 23
    kept = ".dvc/tmp/problems/ingest.txt"
    assert result.err.endswith(f"    and 80 more\nthe complete list is in {kept}\n")
    listed = (repository.root / kept).read_text().splitlines()
    message = "it is not a JPEG, PNG, WebP, GIF, BMP, TIFF or PPM file"
    assert listed == [f"{name}: {message}" for name in sorted(files)]


def test_images_in_color_beside_gray_ones_make_all_of_a_version_rgb(
    repository: Repository, run: Run, photos: Path, tmp_path: Path
) -> None:
    run("ingest", "shapes", str(photos))
    repository.configure(config_text(source="shapes", class_="all", samples="all", test_size=0.2))
    assert run("build").code == 0
    gray = contents(repository.root / "dataset")
    assert {images.decode(content).shape for content in gray.values()} == {(8, 8)}

    colors = write(tmp_path / "colors", {"cat/red.png": picture(1, mode="RGB")})
    result = run("ingest", "shapes", str(colors))
    assert result.code == 0, result.err

    assert read_pointer(repository).shape.mode == "different"
    assert run("build").code == 0
    both = contents(repository.root / "dataset")
    assert {images.decode(content).shape for content in both.values()} == {(8, 8, 3)}
    assert gray.keys() < both.keys()


def test_a_very_large_file_is_refused_without_reading_it(
    repository: Repository, run: Run, photos: Path
) -> None:
    with (photos / "cat" / "large.png").open("wb") as file:
        file.truncate(70_000_000)
    result = run("ingest", "shapes", str(photos))
    assert_nothing_written(repository, result)
    assert "cat/large.png: it has 70,000,000 bytes; at most 67,108,864 are allowed" in result.err


def test_images_whose_identifiers_clash_are_refused(
    repository: Repository, run: Run, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(identity, "SHOWN", 1)
    write(photos, labeled(range(20, 300), "cat"))
    result = run("ingest", "shapes", str(photos))
    assert_nothing_written(repository, result)
    assert "error: two different images have the identifier s" in result.err


def test_a_location_without_images_is_refused(
    repository: Repository, run: Run, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    for location in ("empty", "nowhere"):
        assert_nothing_written(repository, run("ingest", "shapes", str(tmp_path / location)))
    result = run("ingest", "shapes", str(write(tmp_path / "texts", {"README.md": b"text"})))
    assert result.err.endswith("texts: there are no images; passed over: 1 .md\n")


def test_the_number_of_classes_is_bounded(
    repository: Repository, run: Run, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(images_read, "MAX_LABELS", 1)
    result = run("ingest", "shapes", str(photos))
    assert "shapes: it has 2 classes; at most 1 are allowed" in result.err


def test_files_of_somebody_where_the_shards_go_are_never_touched(
    repository: Repository, run: Run, photos: Path
) -> None:
    mine = repository.root / "sources" / "shapes"
    shutil.copytree(photos, mine)
    before = snapshot(mine)
    for location in (photos, mine):
        result = run("ingest", "shapes", str(location))
        assert result.code == 1
        assert (
            "is the folder for the shards of the source, but 0000.png is not one of them"
            in result.err
        )
    assert snapshot(mine) == before


def test_a_name_under_which_releases_used_another_source_is_refused(
    repository: Repository, run: Run, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("release").code == 0
    monkeypatch.setattr("scripts.ingest.ingest.KNOWN", set())
    assert run("ingest", "digits", str(photos)).err == (
        "error: v0 was made from another source called digits; choose another name\n"
    )


def test_a_remote_that_fails_leaves_no_pointer(
    repository: Repository, run: Run, photos: Path
) -> None:
    repository.bucket.write_text("a file in place of the folder")
    result = run("ingest", "shapes", str(photos))
    assert result.code == 1
    assert "error: " in result.err
    assert not (repository.root / "sources").exists()
    repository.bucket.unlink()
    assert run("ingest", "shapes", str(photos)).code == 0


def test_a_damaged_object_in_the_remote_is_found_before_the_pointer_is_written(
    tmp_path: Path, run: Run, photos: Path
) -> None:
    for place in ("one", "two"):
        (tmp_path / place).mkdir()
    one, two = create(tmp_path / "one"), create(tmp_path / "two")
    run("ingest", "shapes", str(photos), where=one.root)
    name = next(name for name in objects(one.bucket) if not name.endswith(".dir"))
    two.object_file(name).parent.mkdir(parents=True)
    two.object_file(name).write_bytes(b"damaged")
    result = run("ingest", "shapes", str(photos), where=two.root)
    assert result.code == 1
    assert f"rm -f {two.object_file(name)}" in result.err
    assert not (two.root / "sources").exists()


def test_a_folder_on_a_runner_is_refused_as_remote(
    repository: Repository, run: Run, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    result = run("ingest", "shapes", str(photos))
    assert "a folder on this runner's disk" in result.err
    assert not (repository.root / "sources").exists()


def test_the_order_of_the_files_decides_nothing_of_a_version(tmp_path: Path, run: Run) -> None:
    files = labeled(range(30), "a", "b")
    built = []
    for place in ("one", "two"):
        (tmp_path / place).mkdir()
        repository = create(tmp_path / place, CONFIG)
        names = sorted(files)
        random.Random(place).shuffle(names)
        renamed = {f"{name[0]}/{at:03}.png": files[name] for at, name in enumerate(names)}
        run(
            "ingest",
            "shapes",
            str(write(tmp_path / place / "photos", renamed)),
            where=repository.root,
        )
        run("build", where=repository.root)
        built.append(contents(repository.root / "dataset"))
    assert built[0] == built[1]


# In the order in which an ingest does them: each run gets one step further than the one before.
STEPS = (
    "scripts.ingest.decoding.images.read",
    "scripts.ingest.writer.write_index",
    "scripts.storage.cache.Cache.put",
    "scripts.storage.remote_folder._error_of_copy",
    "scripts.storage.remote_folder.FolderRemote.mismatched",
    "scripts.storage.cache.Cache.checkout",
    "scripts.sources.pointer.render",
)


def test_an_ingest_that_is_interrupted_leaves_no_pointer_and_can_be_run_again(
    repository: Repository, run: Run, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for step in STEPS:
        with monkeypatch.context() as patch:
            patch.setattr(step, Mock(side_effect=KeyboardInterrupt))
            result = run("ingest", "shapes", str(photos))
        assert result.code == 130, step
        assert "stored in" not in result.out
        assert not (repository.root / POINTER).exists()
        assert not list((repository.root / ".dvc" / "tmp").glob("ingest-*"))
        assert not mismatched(objects(repository.bucket))

    assert run("ingest", "shapes", str(photos)).code == 0
    assert dvc(repository.root, "status") == "Data and pipelines are up to date."
    assert not mismatched(objects(repository.bucket))
