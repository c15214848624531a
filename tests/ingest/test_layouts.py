"""Folders as teams and tools leave them: what the command says of each."""

import gzip
import io
import json
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.ingest.listed import parquet_file, pictures
from tests.ingest.pictures import picture, write
from tests.repository import Repository, Run

Files = dict[str, bytes]


def table_beside() -> Files:
    """Kaggle: a flat folder, and a table with names without ending."""
    rows = "".join(f"\n{n:03},{'pug' if n % 2 else 'beagle'}" for n in range(6))
    return {
        **{f"images/{n:03}.jpg": picture(n, mode="RGB", kind="JPEG") for n in range(6)},
        "labels.csv": f"id,breed{rows}".encode(),
    }


def label_in_name() -> Files:
    """The samples of ImageNet."""
    return pictures(*(f"n0{n}_{'tench' if n % 2 else 'goldfish'}.png" for n in range(6)))


def roboflow() -> Files:
    """A table in each folder of a split, with a column for each class."""
    made: Files = {"README.roboflow.txt": b"x"}
    for at, split in enumerate(("train", "valid", "test")):
        names = [f"p{n}_jpg.rf.{at}.jpg" for n in range(2)]
        made |= {f"{split}/{x}": picture(10 * at + n) for n, x in enumerate(names)}
        rows = "".join(f"\n{name}, {n}, {1 - n}" for n, name in enumerate(names))
        made[f"{split}/_classes.csv"] = f"filename, early, late{rows}".encode()
    return made


def coco() -> Files:
    images = [{"id": n, "file_name": f"{n:03}.png"} for n in range(4)]
    boxes = [{"image_id": n, "category_id": 1, "bbox": [1, 2, 3, 4]} for n in range(4)]
    text = json.dumps({"images": images, "annotations": boxes, "categories": [{"id": 1}]})
    return {
        **pictures(*(f"images/{n:03}.png" for n in range(4))),
        "annotations.json": text.encode(),
    }


def voc() -> Files:
    xml = b"<annotation><filename>x</filename><object><bndbox></bndbox></object></annotation>"
    return {
        **pictures(*(f"VOC/JPEGImages/{n}.png" for n in range(3))),
        **{f"VOC/Annotations/{n}.xml": xml for n in range(3)},
        "VOC/ImageSets/Main/train.txt": b"0\n1\n",
    }


def yolo() -> Files:
    made = pictures(*(f"{split}/images/{n}.png" for split in ("train", "test") for n in range(2)))
    boxes = {name.replace("images", "labels")[:-3] + "txt": b"0 .5 0.5 0.2 0.2\n" for name in made}
    return {**made, **boxes, "data.yaml": b"nc: 2"}


def gray_among_colors() -> Files:
    return {f"{'ab'[n % 2]}/{n}.png": picture(n, mode="L" if n == 3 else "RGB") for n in range(6)}


def transparent() -> Files:
    def icon(n: int) -> bytes:
        buffer = io.BytesIO()
        values = np.random.default_rng(n).integers(0, 256, (4, 4, 4), np.uint8)
        Image.fromarray(values).save(buffer, "PNG")
        return buffer.getvalue()

    return {f"{'ball' if n % 2 else 'berry'}/{n}.png": icon(n) for n in range(4)}


def oddities() -> Files:
    """An empty file, one that was cut, other formats, and what Windows leaves."""
    photos = {f"{'Cat' if n % 2 else 'Dog'}/{n}.jpg": picture(n) for n in range(6)}
    return {
        **photos,
        "Cat/666.jpg": b"",
        "Dog/11702.jpg": picture(7)[:60],
        "Cat/Thumbs.db": b"x",
        "Cat/desktop.ini": b"x",
    }


def one_bit() -> Files:
    names = (f"{a}/character{c}/{d}.png" for a in ("Greek", "Latin") for c in "01" for d in "01")
    return {name: picture(n, mode="1") for n, name in enumerate(names)}


def large() -> Files:
    return {f"{'mask' if n % 2 else 'none'}/{n}.jpg": picture(n, (60, 80)) for n in range(4)}


def class_names() -> Files:
    names = ("Apple Scab", "Pepper,_bell", "Cherry_(sour)", "Cafe\u0301", "\u0e01", "R&D")
    return pictures(*(f"{name}/{n}.png" for name in names for n in range(2)))


def validation() -> Files:
    splits = ("train", "val", "test")
    return pictures(*(f"{s}/{c}/{n}.png" for s in splits for c in ("ants", "bees") for n in "12"))


def metadata() -> Files:
    """Hugging Face's ImageFolder, with a table in each folder."""
    made = pictures(*(f"{split}/{n}.png" for split in ("train", "test") for n in range(4)))
    rows = "".join(f"\n{n}.png,{'sick' if n % 2 else 'well'},P{n // 2},{40 + n}" for n in range(4))
    text = f"file_name,label,patient_id,age{rows}".encode()
    return {**made, "train/metadata.csv": text, "test/metadata.csv": text}


def patients() -> Files:
    names = (f"{c}/patient{p}/{n}.png" for c in ("benign", "malignant") for p in "01" for n in "01")
    return pictures(*names)


def idx() -> Files:
    values = np.random.default_rng(0).integers(0, 256, (6, 5, 4), np.uint8)
    images = struct.pack(">IIII", 2051, 6, 5, 4) + values.tobytes()
    return {
        "train-images-idx3-ubyte.gz": gzip.compress(images),
        "train-labels-idx1-ubyte.gz": gzip.compress(struct.pack(">II", 2049, 6) + bytes(range(6))),
    }


def other_columns() -> Files:
    columns = {"img": [1, 2], "fine_label": [0, 1], "coarse_label": [0, 0]}
    return {
        "train-00000-of-00001.parquet": parquet_file(columns),
        "validation-00000-of-00001.parquet": parquet_file(columns | {"img": [3, 4]}),
    }


def more_columns() -> Files:
    columns = {"image": [1, 2, 3], "label": [0, 1, 0], "patient_id": ["P0", "P0", "P1"]}
    return {"train-00000-of-00001.parquet": parquet_file(columns)}


def rare() -> Files:
    return pictures(
        *(f"common/{n}.png" for n in range(8)), "single/0.png", "pair/0.png", "pair/1.png"
    )


# What is recognized at once.
RECOGNIZED: dict[Callable[[], Files], str] = {
    gray_among_colors: "LABEL/FILE; a 3, b 3",
    transparent: "LABEL/FILE; ball 2, berry 2",
    oddities: "LABEL/FILE; Cat 4, Dog 4",
    large: "LABEL/FILE; mask 2, none 2",
    class_names: (
        "LABEL/FILE; Apple Scab 2, Caf\u00e9 2, Cherry_(sour) 2, Pepper,_bell 2, R&D 2, \u0e01 2"
    ),
    validation: (
        "SPLIT/LABEL/FILE; train: ants 2, bees 2; validation: ants 2, bees 2; test: ants 2, bees 2"
    ),
    metadata: (
        "SPLIT/FILE with metadata.csv (file: file_name, label: label); train: sick 2, well 2;"
        " test: sick 2, well 2"
    ),
    idx: "IDX files with images and labels; train: 0 1, 1 1, 2 1, 3 1, 4 1, 5 1",
    more_columns: "Parquet files with image and label; train: 0 2, 1 1",
    rare: "LABEL/FILE; common 8, pair 2, single 1",
}


@pytest.mark.parametrize("layout", RECOGNIZED, ids=lambda layout: layout.__name__)
def test_what_is_clear_is_recognized(
    repository: Repository, run: Run, tmp_path: Path, layout: Callable[[], Files]
) -> None:
    result = run("ingest", "shapes", str(write(tmp_path / "x", layout())), "--dry-run")

    assert (result.code, result.err) == (0, "")
    first, *lines, last = result.out.splitlines()
    assert first == f"recognized: {RECOGNIZED[layout]}"
    assert len([line for line in lines if line.startswith("    ")]) == 3
    assert last == "dry run: no image was read, and nothing was written"
    assert repository.git("status", "--porcelain") == ""
    assert not repository.bucket.exists()


# What is asked, the options that answer it, and what is recognized then.
ASKED: dict[Callable[[], Files], tuple[str, list[str], str]] = {
    table_beside: (
        "labels.csv in {} names the images",
        ["--table", "labels.csv", "--file", "id", "--label", "breed"],
        "FILE in images/ with labels.csv (file: id, label: breed); beagle 3, pug 3",
    ),
    label_in_name: (
        "{} has its images in no class folders, such as n00_goldfish.png",
        ["--label", r"name:_([^\W\d_]+)\."],
        r"FILE (name:_([^\W\d_]+)\.); goldfish 3, tench 3",
    ),
    roboflow: (
        "test/_classes.csv in {} names the images",
        ["--table", "_classes.csv", "--file", "filename", "--label", "early,late"],
        "SPLIT/FILE with _classes.csv (file: filename, label: early or late); train: early 1,"
        " late 1; validation: early 1, late 1; test: early 1, late 1",
    ),
    coco: (
        "{} has annotations of boxes or masks, which are not supported yet: COCO (1 file such as"
        " annotations.json)",
        ["--label", "parent"],
        "LABEL/FILE; images 4",
    ),
    voc: (
        "{} has annotations of boxes or masks, which are not supported yet: Pascal VOC (3 files",
        ["--label", "parent"],
        "LABEL/FILE in VOC/; JPEGImages 3",
    ),
    yolo: (
        "{} has annotations of boxes or masks, which are not supported yet: YOLO (4 files",
        ["--label", "parent"],
        "SPLIT/LABEL/FILE; train: images 2; test: images 2",
    ),
    one_bit: (
        "{} has its images in deeper folders than LABEL/FILE, such as Greek/character0/0.png",
        ["--label", "path"],
        "LABEL/.../FILE; Greek/character0 2, Greek/character1 2, Latin/character0 2,"
        " Latin/character1 2",
    ),
    patients: (
        "{} has its images in deeper folders than LABEL/FILE, such as benign/patient0/0.png",
        ["--label", "name:^(?P<label>[^/]+)/(?P<folder>[^/]+)/"],
        "FILE (name:^(?P<label>[^/]+)/(?P<folder>[^/]+)/); benign 4, malignant 4",
    ),
    other_columns: (
        "no column of the Parquet files is called label; they have img, fine_label, coarse_label",
        ["--label", "fine_label"],
        "Parquet files with img and fine_label; train: 0 1, 1 1; validation: 0 1, 1 1",
    ),
}


@pytest.mark.parametrize("layout", ASKED, ids=lambda layout: layout.__name__)
def test_what_is_not_clear_is_asked_with_the_command_that_says_it(
    repository: Repository, run: Run, tmp_path: Path, layout: Callable[[], Files]
) -> None:
    asks, answer, recognized = ASKED[layout]
    photos = str(write(tmp_path / "x", layout()))

    result = run("ingest", "shapes", photos, "--dry-run")

    assert (result.code, result.out) == (1, "")
    assert result.err.startswith(f"error: {asks.format(photos)}")
    # The command is printed as a shell takes it.
    shown = [f"'{word}'" if set(word) & set("(\\") else word for word in answer]
    assert f"ingest shapes {photos} {' '.join(shown)} --dry-run\n" in result.err
    result = run("ingest", "shapes", photos, *answer, "--dry-run")
    assert result.code == 0, result.err
    assert result.out.splitlines()[0] == f"recognized: {recognized}"
    assert not repository.bucket.exists()
