import gzip
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from scripts import source
from scripts.errors import UserError
from tests.repository import Repository, Run, config_text

Table = npt.NDArray[Any]
FOUR = np.array([[0, 1, 2, 255], [3, 4, 5, 6]])
LABELS = np.array(["a", "b"])


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder for compact copies."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "dataset-sources"


@pytest.fixture
def openml(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder where scikit-learn keeps what it fetched."""
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tmp_path / "openml"))
    return tmp_path / "openml"


def keep(home: Path, name: str, columns: list[tuple[str, str]], rows: list[str]) -> Path:
    """Write an OpenML dataset into scikit-learn's cache, as if it had been fetched."""
    top = home / "openml" / "openml.org"
    data = top / "api" / "v1" / "json" / "data"
    arff = "".join(f"@ATTRIBUTE {column} {kind}\n" for column, kind in columns)
    arff = f"@RELATION {name}\n{arff}@DATA\n" + "".join(f"{row}\n" for row in rows)
    listed = {"did": 7, "name": name, "version": 1, "status": "active", "format": "ARFF"}
    listing = {"data": {"dataset": [listed]}}
    target = columns[-1][0]
    features = [
        {
            "index": str(index),
            "name": column,
            "data_type": "numeric" if kind == "NUMERIC" else "nominal",
            "is_target": str(column == target).lower(),
            "is_ignore": "false",
            "is_row_identifier": "false",
            "number_of_missing_values": str(sum(row.split(",")[index] == "?" for row in rows)),
        }
        for index, (column, kind) in enumerate(columns)
    ]
    description = {
        **{"id": "7", "name": name, "version": "1", "format": "ARFF", "file_id": "70"},
        **{"default_target_attribute": target, "status": "active", "description": ""},
        "md5_checksum": hashlib.md5(arff.encode(), usedforsecurity=False).hexdigest(),
        "url": f"https://api.openml.org/data/v1/download/70/{name}.arff",
    }
    below = data / "list" / "data_name" / name / "limit" / "2"
    files = {
        below / "data_version" / "1.gz": listing,
        below / "status" / "active" / ".gz": listing,
        data / "7.gz": {"data_set_description": description},
        data / "features" / "7.gz": {"data_features": {"feature": features}},
        data / "qualities" / "7.gz": {"data_qualities": {"quality": []}},
    }
    for file, content in files.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(gzip.compress(json.dumps(content).encode()))
    table = top / "data" / "v1" / "download" / "70" / f"{name}.arff.gz"
    table.parent.mkdir(parents=True)
    table.write_bytes(gzip.compress(arff.encode()))
    return table


def grey(count: int) -> list[tuple[str, str]]:
    return [(f"p{index}", "NUMERIC") for index in range(count)]


def test_a_table_becomes_square_images() -> None:
    made = source.from_table("tiny", FOUR, LABELS)

    assert made.pixels.tolist() == [[[0, 1], [2, 255]], [[3, 4], [5, 6]]]
    assert made.pixels.dtype == np.uint8
    assert made.labels.tolist() == ["a", "b"]


@pytest.mark.parametrize(
    ("values", "labels", "says"),
    [
        (FOUR[:, :3], LABELS, "3 values a row make no square"),
        (FOUR[0], LABELS, "it has no table of numbers"),
        (FOUR[:0], LABELS[:0], "it has no table of numbers"),
        (FOUR.astype(str), LABELS, "it has columns that are not numbers"),
        (FOUR.astype(object), LABELS, "it has columns that are not numbers"),
        (FOUR / [1, 1, 1, np.inf] * np.nan, LABELS, "it has missing values"),
        (FOUR * 1.0 / 2, LABELS, "its values are not whole numbers from 0 to 255"),
        (FOUR - 1, LABELS, "its values are not whole numbers from 0 to 255"),
        (FOUR + 1, LABELS, "its values are not whole numbers from 0 to 255"),
        (FOUR * 1e300, LABELS, "its values are not whole numbers from 0 to 255"),
        (FOUR, np.array(["a", "../b"]), "the class '../b', which cannot be the name of a folder"),
        (FOUR, np.array(["a", "b c"]), "the class 'b c', which cannot be the name of a folder"),
        (FOUR, np.array(["a", ".."]), "the class '..', which cannot be the name of a folder"),
        (FOUR, np.array(["a", ""]), "the class '', which cannot be the name of a folder"),
        (FOUR, np.array(["a", "b\n"]), r"the class 'b\\n', which cannot be the name of a folder"),
        (FOUR, np.array(["a", "A"]), "classes that differ only in upper and lower case"),
    ],
)
def test_a_table_that_is_no_set_of_grey_images_is_refused(
    values: Table, labels: Table, says: str
) -> None:
    with pytest.raises(UserError, match=f"^source odd .*{says}"):
        source.from_table("odd", values, labels)


def test_the_digits_are_1797_images_of_8_by_8_one_can_see() -> None:
    digits = source.load("digits")

    assert digits.pixels.shape == (1797, 8, 8)
    assert digits.pixels.max() == 240
    assert digits.classes == [str(digit) for digit in range(10)]


def test_classes_are_in_the_order_of_numbers_where_all_are_numbers() -> None:
    pixels = np.zeros((3, 4))
    assert source.from_table("n", pixels, np.array(["10", "9", "1"])).classes == ["1", "9", "10"]
    assert source.from_table("n", pixels, np.array(["b", "9", "a"])).classes == ["9", "a", "b"]


def test_the_checksum_tells_every_change_of_the_rows() -> None:
    made = [
        source.from_table("n", FOUR, LABELS),
        source.from_table("n", FOUR[::-1], LABELS),
        source.from_table("n", FOUR, LABELS[::-1]),
        source.from_table("n", FOUR[:1], LABELS[:1]),
        source.from_table("n", FOUR.reshape(8, 1), np.repeat(LABELS, 4)),
    ]
    assert len({one.sha256 for one in made}) == len(made)
    assert source.from_table("other", FOUR, LABELS).sha256 == made[0].sha256


def test_the_first_load_leaves_a_copy_named_by_its_checksum(cache: Path) -> None:
    first = source.load("digits")

    assert [file.name for file in (cache / "digits").iterdir()] == [f"{first.sha256}.npz"]
    assert source.load("digits").sha256 == first.sha256


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "other rows", "no archive"])
def test_a_damaged_copy_is_read_anew_and_replaced(cache: Path, damage: str) -> None:
    first = source.load("digits")
    copy = cache / "digits" / f"{first.sha256}.npz"
    whole = copy.read_bytes()
    middle = len(whole) // 2
    if damage == "other rows":
        np.savez_compressed(copy, pixels=first.pixels[:5], labels=first.labels[:5])
    else:
        copy.write_bytes(
            {
                "cut": whole[:middle],
                "flipped": whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :],
                "empty": b"",
                "no archive": b"PK but nothing else",
            }[damage]
        )

    again = source.load("digits")

    assert again.sha256 == first.sha256
    assert np.array_equal(again.pixels, first.pixels)
    with np.load(copy) as arrays:
        assert len(arrays["labels"]) == 1797


def test_a_lock_gets_the_very_copy_that_it_was_made_from(cache: Path) -> None:
    first = source.load("digits")
    other = source.Source("digits", first.pixels[:9], first.labels[:9])
    np.savez_compressed(
        cache / "digits" / f"{other.sha256}.npz", pixels=other.pixels, labels=other.labels
    )
    os.utime(cache / "digits" / f"{other.sha256}.npz", (time.time() + 9, time.time() + 9))

    assert source.load("digits").sha256 == other.sha256
    assert source.load("digits", first.sha256).sha256 == first.sha256
    assert source.load("digits", other.sha256).sha256 == other.sha256


def test_a_cache_that_cannot_be_written_is_a_clear_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))

    with pytest.raises(UserError, match="the compact copy of digits cannot be written to"):
        source.load("digits")


def test_later_loads_skip_scikit_learn_and_pandas() -> None:
    source.load("digits")
    program = (
        "import sys; from scripts import source; source.load('digits');"
        "print([name for name in ('sklearn', 'pandas', 'scipy') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_an_openml_dataset_of_grey_images_is_a_source(cache: Path, openml: Path) -> None:
    rows = ["0,10,20,255,yes", "1,2,3,4,no", "9,8,7,6,yes"]
    keep(openml, "tiny-drawings", [*grey(4), ("kind", "{yes,no}")], rows)

    made = source.load("tiny-drawings")

    assert made.pixels.tolist() == [[[0, 10], [20, 255]], [[1, 2], [3, 4]], [[9, 8], [7, 6]]]
    assert made.labels.tolist() == ["yes", "no", "yes"]
    assert made.classes == ["no", "yes"]
    shutil.rmtree(openml)
    assert source.load("tiny-drawings").sha256 == made.sha256


@pytest.mark.parametrize(
    ("columns", "rows", "says"),
    [
        ([*grey(3), ("c", "{a,b}")], ["1,2,3,a", "4,5,6,b"], "3 values a row make no square"),
        ([*grey(4), ("c", "{a,b}")], ["1,2,3,4.5,a", "4,5,6,7,b"], "not whole numbers"),
        ([*grey(4), ("c", "{a,b}")], ["1,2,3,256,a", "4,5,6,7,b"], "not whole numbers"),
        ([*grey(4), ("c", "{a,b}")], ["1,2,3,?,a", "4,5,6,7,b"], "missing values"),
        ([("p", "{x,y}"), ("c", "{a,b}")], ["x,a", "y,b"], "columns that are not numbers"),
    ],
)
def test_an_openml_dataset_of_anything_else_is_refused(
    cache: Path,
    openml: Path,
    columns: list[tuple[str, str]],
    rows: list[str],
    says: str,
) -> None:
    keep(openml, "iris", columns, rows)

    with pytest.raises(UserError, match=f"^source iris is not made of square 8-bit.*{says}"):
        source.load("iris")

    assert not cache.exists()


def test_openml_out_of_reach_is_one_clear_message(
    repository: Repository, run: Run, cache: Path, openml: Path
) -> None:
    repository.configure(config_text(source="mnist_784"))

    result = run("validate")

    assert result.code == 1
    assert result.err.splitlines()[-1].startswith(
        "error: source mnist_784: OpenML cannot be reached ("
    )
    assert "the source digits needs no network" in result.err


def test_a_damaged_download_is_named_when_openml_is_out_of_reach(cache: Path, openml: Path) -> None:
    rows = ["1,2,3,4,a", "5,6,7,8,b"]
    table = keep(openml, "tiny-drawings", [*grey(4), ("kind", "{a,b}")], rows)
    table.write_bytes(table.read_bytes()[:-12])

    with pytest.raises(UserError, match=r"the file that scikit-learn keeps below .* was damaged"):
        source.load("tiny-drawings")


@pytest.mark.xdist_group("mnist")
@pytest.mark.usefixtures("mnist")
def test_mnist_is_read_from_scikit_learns_cache() -> None:
    made = source.load("mnist_784")

    assert made.pixels.shape == (70_000, 28, 28)
    assert made.classes == [str(digit) for digit in range(10)]
    assert made.sha256 == "2c28961753a27e11d6ac0e8afd6191db55712b4015bd60a9ca058acfee79e674"
