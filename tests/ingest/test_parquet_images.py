"""Parquet files with images: their columns, labels and splits."""

import datetime
import json
from pathlib import Path

import pyarrow as pa
import pytest

from scripts.errors import UserError
from tests.ingest.listed import found, labels, parquet_file, pictures
from tests.ingest.pictures import write

FEATURES = {
    "label": {"names": ["cat", "dog"], "_type": "ClassLabel"},
    "size": {"names": ["small", "large"], "_type": "ClassLabel"},
}
FOOTER = json.dumps({"info": {"features": FEATURES}}).encode()


def test_all_other_columns_are_metadata(tmp_path: Path) -> None:
    columns = {
        "image": [1, 2],
        "label": [0, 1],
        "size": [1, None],
        "age": [40, None],
        "weight": [1.5, 2.0],
        "smokes": [True, False],
        "note": ["x", "0012"],
        "tags": pa.array([["a", "b"], None], pa.list_(pa.string())),
        "day": [datetime.date(2020, 1, 2), None],
        "box": [[1, 2], [3, 4]],
    }
    said, images, _ = found(write(tmp_path, {"x.parquet": parquet_file(columns, FOOTER)}))
    assert [one.label for one in images] == ["cat", "dog"]
    assert [dict(one.metadata) for one in images] == [
        {
            **{"size": "large", "age": 40, "weight": 1.5, "smokes": True, "note": "x"},
            **{"tags": ["a", "b"], "day": "2020-01-02"},
        },
        {
            **{"size": None, "age": None, "weight": 2.0, "smokes": False, "note": "0012"},
            **{"tags": None, "day": None},
        },
    ]
    assert said.endswith(
        "metadata: size, age, weight, smokes, note, tags, day\ncolumns passed over: box"
    )


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("default/train/0000.parquet", "train"),
        ("data/validation-00000-of-00002.parquet", "validation"),
        ("data/dev.parquet", "validation"),
        ("test-0.parquet", "test"),
        ("all.parquet", None),
        ("training.parquet", "train"),
    ],
)
def test_splits_are_in_the_names_of_files_or_folders(
    tmp_path: Path, name: str, split: str | None
) -> None:
    write(tmp_path, {name: parquet_file({"image": [1], "label": ["a"]})})
    assert [one.split for one in found(tmp_path)[1]] == [split]


def test_a_file_without_a_split_beside_others_is_left_out(tmp_path: Path) -> None:
    content = parquet_file({"image": [1], "label": ["a"]})
    write(tmp_path, {"train-0.parquet": content, "extra-0.parquet": content})
    _, images, problems = found(tmp_path)
    assert labels(images) == {"train-0.parquet row 1": "train: a"}
    assert problems == ["extra-0.parquet: its name does not begin with train, as others do"]


def test_splits_can_be_in_a_column(tmp_path: Path) -> None:
    columns = {"image": [1, 2, 3], "label": ["a", "b", "c"], "fold": ["train", "TEST", "x"]}
    write(tmp_path, {"x.parquet": parquet_file(columns)})
    said, images, problems = found(tmp_path, split="fold")
    assert labels(images) == {"x.parquet row 1": "train: a", "x.parquet row 2": "test: b"}
    assert problems == ["x.parquet row 3: its fold is 'x', which is no name of a split"]
    assert "; train: a 1; test: b 1\n" in said


def test_files_that_hold_paths_only_are_named_as_such(tmp_path: Path) -> None:
    content = parquet_file({"image": [None, None], "label": [0, 1]})
    text = parquet_file({"picture": ["1.png"], "label": [0]})
    write(tmp_path, {"x.parquet": content, "y.parquet": text})
    with pytest.raises(UserError) as caught:
        found(tmp_path)
    assert "x.parquet: its column image holds the paths of images only" in str(caught.value)
    assert "y.parquet: it has no column with images" in str(caught.value)


def test_a_parquet_file_with_paths_is_a_table_of_the_images_beside_it(tmp_path: Path) -> None:
    write(tmp_path, pictures("None.png", "x.png"))
    content = parquet_file({"image": [None], "label": ["a"], "age": [3]})
    write(tmp_path, {"x.parquet": content})
    _, images, problems = found(tmp_path, table="x.parquet", file="image")
    assert [(one.where, one.label, one.metadata) for one in images] == [
        ("None.png", "a", {"age": 3})
    ]
    assert problems == ["x.png: no row of the table names it"]


def test_a_column_that_is_not_there_is_named(tmp_path: Path) -> None:
    write(tmp_path, {"x.parquet": parquet_file({"image": [1], "label": [0]})})
    with pytest.raises(UserError, match="--group patient: it has image, label"):
        found(tmp_path, group="patient")


def test_labels_can_be_missing_or_wrong(tmp_path: Path) -> None:
    columns = {"image": [1, 2, 3, 4], "label": [0, -1, None, 7]}
    write(tmp_path, {"x.parquet": parquet_file(columns, FOOTER)})
    said, images, problems = found(tmp_path)
    assert [one.label for one in images] == ["cat", None, None]
    assert "; cat 1, no label 2\n" in said
    assert problems == ["x.parquet row 4: its label 7 is not one of the 2 classes"]
