"""IDX files, as MNIST is published."""

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest

from scripts.errors import UserError
from scripts.inputs.images import decode
from tests.ingest.listed import found
from tests.ingest.pictures import write

PIXELS = np.random.default_rng(0).integers(0, 256, (3, 4, 5), np.uint8)
IMAGES = struct.pack(">IIII", 2051, 3, 4, 5) + PIXELS.tobytes()
LABELS = struct.pack(">II", 2049, 3) + bytes([7, 0, 7])


@pytest.mark.parametrize(
    ("images", "label", "split"),
    [
        ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz", "train"),
        ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte.gz", "test"),
        ("raw/t10k-images.idx3-ubyte", "raw/t10k-labels.idx1-ubyte", "test"),
        ("emnist-letters-test-images-idx3-ubyte", "emnist-letters-test-labels-idx1-ubyte", "test"),
    ],
)
def test_idx_files_are_gray_images(tmp_path: Path, images: str, label: str, split: str) -> None:
    contents = {images: IMAGES, label: LABELS}
    packed = {k: gzip.compress(v, mtime=0) if k.endswith(".gz") else v for k, v in contents.items()}
    said, read, problems = found(write(tmp_path, {**packed, "README.md": b""}))
    assert [(one.split, one.label) for one in read] == [(split, "7"), (split, "0"), (split, "7")]
    assert all((decode(one.content) == PIXELS[n]).all() for n, one in enumerate(read))
    assert said.startswith(f"recognized: IDX files with images and labels; {split}: 0 1, 7 2\n")
    assert said.endswith("\npassed over: 1 .md")
    assert problems == []


@pytest.mark.parametrize(
    ("images", "labels", "says"),
    [
        (IMAGES[:-1], LABELS, "x-train-images-idx3-ubyte: it is damaged (it ends too early)"),
        (IMAGES, LABELS[:-1], "x-train-labels-idx1-ubyte: it is damaged (it ends too early)"),
        (gzip.compress(IMAGES, mtime=0)[:-20], LABELS, "it is damaged (it is not an IDX file"),
        (LABELS + bytes(9), LABELS, "images-idx3-ubyte: it is damaged (it is not an IDX file"),
        (
            IMAGES,
            struct.pack(">II", 2049, 2) + bytes(2),
            "images-idx3-ubyte: it is damaged (it has 3 images, but there are 2 labels)",
        ),
        (
            struct.pack(">IIII", 2051, 3, 100_000, 100_000),
            LABELS,
            "it is damaged (it has images of 100,000 x 100,000 pixels)",
        ),
    ],
    ids=["images", "labels", "gzip", "labels as images", "counts", "size"],
)
def test_damaged_idx_files_are_named(
    tmp_path: Path, images: bytes, labels: bytes, says: str
) -> None:
    files = {"x-train-images-idx3-ubyte": images, "x-train-labels-idx1-ubyte": labels}
    _, _, problems = found(write(tmp_path, files))
    assert [says in problem for problem in problems] == [True]


def test_several_sets_at_once_are_refused(tmp_path: Path) -> None:
    names = [f"{s}-train-{what}-ubyte" for s in "ab" for what in ("images-idx3", "labels-idx1")]
    with pytest.raises(UserError, match="there are several sets of IDX files for one split"):
        found(write(tmp_path, dict.fromkeys(names, b"")))
    with pytest.raises(UserError, match="there are no images; passed over: 1 without ending"):
        found(write(tmp_path / "x", {"train-images-idx3-ubyte": IMAGES}))
