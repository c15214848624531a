import gzip
import hashlib
import json
import os
import pickle
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from email.message import Message
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, Literal
from unittest.mock import Mock
from urllib.error import HTTPError
from urllib.request import Request

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from sklearn.datasets import _openml

from scripts.errors import UserError
from scripts.sources import copies, registry, table
from scripts.sources import openml as openml_kind
from scripts.sources.resized import Resized
from scripts.sources.source import Pixels, Source, SourceError, SourceRequest, classes
from scripts.sources.table import Table
from tests.repository import Repository, Run, config_text

Values = npt.NDArray[Any]
FOUR = np.array([[0, 1, 2, 255], [3, 4, 5, 6]])
LABELS = np.array(["a", "b"])


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder for local copies."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "dataset-sources"


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    # scikit-learn waits for a second before each of its three further attempts.
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)


@pytest.fixture
def openml(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of scikit-learn."""
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tmp_path / "openml"))
    return tmp_path / "openml"


def keep(
    home: Path,
    name: str,
    columns: list[tuple[str, str]],
    rows: list[str],
    targets: Sequence[str] | None = None,
) -> Path:
    """Write an OpenML dataset into scikit-learn's cache, as if it had been fetched.

    The last column has the classes, unless `targets` names others. Return the file of the rows.
    """
    top = home / "openml" / "openml.org"
    data = top / "api" / "v1" / "json" / "data"
    arff = "".join(f"@ATTRIBUTE {column} {kind}\n" for column, kind in columns)
    arff = f"@RELATION {name}\n{arff}@DATA\n" + "".join(f"{row}\n" for row in rows)
    listed = {"did": 7, "name": name, "version": 1, "status": "active", "format": "ARFF"}
    listing = {"data": {"dataset": [listed]}}
    targets = [columns[-1][0]] if targets is None else targets
    features = [
        {
            "index": str(index),
            "name": column,
            "data_type": "numeric" if kind == "NUMERIC" else "nominal",
            "is_target": str(column in targets).lower(),
            "is_ignore": "false",
            "is_row_identifier": "false",
            "number_of_missing_values": str(sum(row.split(",")[index] == "?" for row in rows)),
        }
        for index, (column, kind) in enumerate(columns)
    ]
    description = {
        **{"id": "7", "name": name, "version": "1", "format": "ARFF", "file_id": "70"},
        **{"default_target_attribute": ",".join(targets), "status": "active", "description": ""},
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
    for path, content in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress(json.dumps(content).encode()))
    file = top / "data" / "v1" / "download" / "70" / f"{name}.arff.gz"
    file.parent.mkdir(parents=True)
    file.write_bytes(gzip.compress(arff.encode()))
    return file


def gray(count: int) -> list[tuple[str, str]]:
    return [(f"p{index}", "NUMERIC") for index in range(count)]


def test_a_table_becomes_square_images() -> None:
    made = table.from_values("tiny", FOUR, LABELS)

    assert made.pixels.tolist() == [[[0, 1], [2, 255]], [[3, 4], [5, 6]]]
    assert made.pixels.dtype == np.uint8
    assert made.labels.tolist() == ["a", "b"]


@pytest.mark.parametrize(
    ("values", "labels", "says"),
    [
        (FOUR[:, :3], LABELS, "3 values in a row are not one square"),
        (FOUR[0], LABELS, "it has no table of numbers"),
        (FOUR[:0], LABELS[:0], "it has no table of numbers"),
        (FOUR.astype(str), LABELS, "it has columns that are not numbers"),
        (FOUR.astype(object), LABELS, "it has columns that are not numbers"),
        (FOUR / [1, 1, 1, np.inf] * np.nan, LABELS, "it has missing values"),
        (FOUR * 1.0 / 2, LABELS, "its values are not whole numbers from 0 to 255"),
        (FOUR - 1, LABELS, "its values are not whole numbers from 0 to 255"),
        (FOUR + 1, LABELS, "its values are not whole numbers from 0 to 255"),
        (FOUR * 1e300, LABELS, "its values are not whole numbers from 0 to 255"),
        (FOUR, np.array(["a", ""]), "a class without a name: ''"),
        (FOUR, np.array(["a", "b\n"]), r"the class 'b\\n'; the character U\+000A"),
    ],
)
def test_a_table_without_square_gray_images_or_usable_classes_is_refused(
    values: Values, labels: Values, says: str
) -> None:
    with pytest.raises(SourceError, match=f"^source odd .*{says}"):
        table.from_values("odd", values, labels)


# Colors

COLORS = st.integers(2, 5).flatmap(lambda side: arrays.arrays(np.uint8, (2, side, side, 3)))


def values_of(pixels: Values, channels: str) -> Values:
    """Return color images as a table lists them."""
    return (pixels.transpose(0, 3, 1, 2) if channels == "first" else pixels).reshape(2, -1)


@pytest.mark.parametrize("channels", ["first", "last"])
@given(COLORS)
def test_color_images_are_read_as_channels_says(channels: str, pixels: Values) -> None:
    made = table.from_values("colors", values_of(pixels, channels), LABELS, channels)

    assert np.array_equal(made.pixels, pixels)
    assert made.shape == pixels.shape[1:]
    assert made.digests == [hashlib.sha256(one.tobytes()).digest() for one in pixels]


@given(COLORS)
def test_cifar_10_is_known_to_list_one_color_after_the_other(pixels: Values) -> None:
    known = table.from_values("CIFAR_10", values_of(pixels, "first"), LABELS)
    overridden = table.from_values("CIFAR_10", values_of(pixels, "last"), LABELS, "last")

    assert np.array_equal(known.pixels, pixels)
    assert np.array_equal(overridden.pixels, pixels)


def test_the_checksum_tells_color_images_that_are_read_in_two_ways() -> None:
    values = np.arange(24).reshape(2, 12)
    made = [table.from_values("n", values, LABELS, way) for way in ("first", "last")]

    assert made[0].sha256 != made[1].sha256


NO_CHANNELS = (
    "source tiny-colors has color images, but the order of their values is unknown. Add"
    " 'channels: first' if all red values come first, or 'channels: last' if the three colors of"
    " each pixel are together, and look at the samples."
)
NOT_OF_COLORS = "is not an OpenML table of color images; remove 'channels' from the config."


def keep_colors(openml: Path) -> None:
    rows = [",".join([*map(str, range(start, start + 12)), "ab"[start % 2]]) for start in range(8)]
    keep(openml, "tiny-colors", [*gray(12), ("kind", "{a,b}")], rows)


def test_an_openml_dataset_of_color_images_is_a_source(cache: Path, openml: Path) -> None:
    keep_colors(openml)

    first = registry.load(SourceRequest("tiny-colors", "first"))
    last = registry.load(SourceRequest("tiny-colors", "last"))

    assert first.image(0).tolist() == [[[0, 4, 8], [1, 5, 9]], [[2, 6, 10], [3, 7, 11]]]
    assert last.image(0).tolist() == [[[0, 1, 2], [3, 4, 5]], [[6, 7, 8], [9, 10, 11]]]
    # A copy says how it was read by its checksum.
    shutil.rmtree(openml)
    for made in (first, last):
        again = registry.load(SourceRequest("tiny-colors"), made.sha256)
        assert np.array_equal(again.image(3), made.image(3))


def test_missing_channels_are_a_problem_of_the_config_that_says_what_to_add(
    repository: Repository, run: Run, cache: Path, openml: Path
) -> None:
    keep_colors(openml)
    wish = {"source": "tiny-colors", "class_": "a", "samples": 2, "test_size": 1}
    repository.configure(config_text(**wish))
    assert run("validate") == (1, "", f"dataset_config.yaml:1:9: {NO_CHANNELS}\n")

    repository.configure(config_text(**wish, channels="last"))
    result = run("build")
    assert result.code == 0, result.err


@pytest.mark.parametrize("channels", ["first", "last"])
def test_channels_of_gray_images_are_refused(
    cache: Path, openml: Path, channels: Literal["first", "last"]
) -> None:
    keep(openml, "tiny-drawings", [*gray(4), ("kind", "{a,b}")], ["1,2,3,4,a", "5,6,7,8,b"])

    for name in ("tiny-drawings", "digits"):
        with pytest.raises(SourceError, match=f"^source {name} {NOT_OF_COLORS}$"):
            registry.load(SourceRequest(name, channels))


# The sets and the identifiers of a table


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("mnist_784", 60_000),
        ("Fashion-MNIST", 60_000),
        ("Kuzushiji-MNIST", 60_000),
        ("CIFAR_10", 50_000),
    ],
)
def test_the_own_test_sets_of_known_datasets_begin_at_a_row(name: str, start: int) -> None:
    made = Table(name, np.zeros((start + 10, 1, 1), np.uint8), np.full(start + 10, "a"))

    assert made.own_test is not None
    assert made.own_test.tolist() == [False] * start + [True] * 10
    assert Table("other", made.pixels, made.labels).own_test is None


def test_a_row_is_found_by_its_number_with_or_without_leading_zeros() -> None:
    digits = load_table("digits")

    assert [digits.find(number) for number in ("7", "00007", "000000007", "0", "1796")] == [
        *(7, 7, 7),
        *(0, 1796),
    ]
    for identifier in ("1797", "-1", "", "7.0", "\u0667", "s0123456789abcdef", "9" * 12):
        assert digits.find(identifier) is None
    assert all(digits.find(digits.identifier(row)) == row for row in range(0, 1797, 100))


# Resized images

# The SHA-256 of all images. Released bytes depend on them: the same on every machine.
RESIZED = {
    (28, 28): "d5d7e8cb09a93d5b5fe0bf2264f94b18ff450fad9e55f824764c08039eda51b1",
    (5, 3): "19891ef6b21a29bd8fd72537cd425feb4d8e919122fdff63ef4b01cc5504a03d",
    (1, 1): "4114c4d9a9bca300b02d49040c63919f8047d773668a279b1d56e7a8b47c6697",
}
RESIZED_COLORS = "0ed2febfd424e323f77359c1ddc2e5eb7709f4ae1762421f9cc35c603533e117"


def sha256_of(source: Source) -> str:
    rows = range(len(source.labels))
    return hashlib.sha256(b"".join(source.image(row).tobytes() for row in rows)).hexdigest()


@pytest.mark.parametrize("size", RESIZED)
def test_resized_images_have_the_known_bytes(size: tuple[int, int]) -> None:
    made = Resized(load_table("digits"), size)

    assert made.shape == size
    assert sha256_of(made) == RESIZED[size]


def test_resized_color_images_have_the_known_bytes() -> None:
    values = (np.arange(20 * 3 * 12 * 12) ** 2 % 251).reshape(20, -1)
    made = Resized(table.from_values("n", values, np.full(20, "a"), "last"), (7, 9))

    assert made.shape == (7, 9, 3)
    assert sha256_of(made) == RESIZED_COLORS


def test_images_are_resized_once_for_their_digests(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    digits, read = load_table("digits"), list[int]()

    class Watched(Resized):
        def image(self, row: int) -> Pixels:
            read.append(row)
            return super().image(row)

    first = Watched(digits, (4, 6)).digests
    assert sorted(read) == [*range(len(digits.labels))]
    assert Watched(digits, (4, 6)).digests == first
    assert len(read) == len(digits.labels)
    # A damaged file is not used.
    [file] = (tmp_path / "dataset-sources" / "resized").iterdir()
    file.write_bytes(file.read_bytes()[::-1])
    assert Watched(digits, (4, 6)).digests == first
    assert len(read) == 2 * len(digits.labels)


def test_a_resized_source_is_the_same_but_for_its_pixels() -> None:
    digits = load_table("digits")
    made: Source = Resized(digits, (4, 6))

    assert made.keys == digits.digests
    assert made.digests == [
        hashlib.sha256(made.image(row).tobytes()).digest() for row in range(1797)
    ]
    for of in ("name", "sha256", "own_test"):
        assert getattr(made, of) == getattr(digits, of)
    assert [*made.batches] == [*digits.batches]
    assert np.array_equal(made.labels, digits.labels)
    assert made.identifier(9) == "00009"
    assert made.find("9") == 9


def test_images_that_have_the_size_keep_their_pixels() -> None:
    digits = load_table("digits")

    assert sha256_of(Resized(digits, (8, 8))) == sha256_of(digits)


def load_table(name: str, sha256: str | None = None) -> Table:
    source = registry.load(SourceRequest(name), sha256)
    assert isinstance(source, Table)
    return source


def test_the_digits_are_1797_visible_images_of_8_by_8() -> None:
    digits = load_table("digits")

    assert digits.pixels.shape == (1797, 8, 8)
    assert digits.pixels.max() == 240
    assert classes(digits) == [str(digit) for digit in range(10)]


def test_classes_are_sorted_by_number_if_all_are_numbers() -> None:
    def sorted_classes(labels: list[str]) -> list[str]:
        return classes(table.from_values("n", np.zeros((3, 4)), np.array(labels)))

    assert sorted_classes(["10", "9", "1"]) == ["1", "9", "10"]
    assert sorted_classes(["b", "9", "a"]) == ["9", "a", "b"]


def test_the_checksum_changes_with_every_change_of_the_rows() -> None:
    made = [
        table.from_values("n", FOUR, LABELS),
        table.from_values("n", FOUR[::-1], LABELS),
        table.from_values("n", FOUR, LABELS[::-1]),
        table.from_values("n", FOUR[:1], LABELS[:1]),
        table.from_values("n", FOUR.reshape(8, 1), np.repeat(LABELS, 4)),
    ]
    assert len({one.sha256 for one in made}) == len(made)
    assert table.from_values("other", FOUR, LABELS).sha256 == made[0].sha256


def test_the_checksum_does_not_depend_on_how_the_pixels_lie_in_memory() -> None:
    made = table.from_values("n", FOUR, LABELS)
    other = Table("n", np.asfortranarray(made.pixels), made.labels)

    assert other.sha256 == made.sha256
    assert other.digests == made.digests


def test_a_digest_is_the_sha256_of_the_pixels_of_a_row() -> None:
    values = np.concatenate([FOUR, FOUR[:1]])
    made: Source = table.from_values("n", values, np.array(["a", "b", "c"]))

    assert list(made.digests) == [
        hashlib.sha256(made.image(row).tobytes()).digest() for row in range(3)
    ]
    assert made.digests[0] == made.digests[2] != made.digests[1]


def unavailable(request: SourceRequest) -> Source:
    raise UserError(f"{request.name} is not available")


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Make the origin of every source unavailable from now on."""

    def fall() -> None:
        for kind in registry.KINDS:
            monkeypatch.setattr(kind, "read", unavailable)

    return fall


def test_the_first_load_keeps_a_copy_named_after_its_checksum(
    cache: Path, offline: Callable[[], None]
) -> None:
    first = load_table("digits")

    assert [file.name for file in (cache / "digits").iterdir()] == [f"{first.sha256}.npy"]
    offline()
    again = load_table("digits", first.sha256)
    assert np.array_equal(again.pixels, first.pixels)
    assert again.labels.tolist() == first.labels.tolist()


def test_a_copy_is_not_used_without_a_recorded_checksum(
    cache: Path, offline: Callable[[], None]
) -> None:
    first = load_table("digits")
    copies.keep(Table("digits", first.pixels[:9], first.labels[:9]))

    assert load_table("digits").sha256 == first.sha256
    offline()
    with pytest.raises(UserError, match=r"^digits is not available$"):
        load_table("digits")


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "other rows", "not an array"])
def test_a_damaged_copy_is_read_again_from_the_origin_and_replaced(
    cache: Path, damage: str
) -> None:
    first = load_table("digits")
    copy = cache / "digits" / f"{first.sha256}.npy"
    intact = copy.read_bytes()
    middle = len(intact) // 2
    if damage == "other rows":
        other = Table("digits", first.pixels[:5], first.labels[:5])
        copies.keep(other)
        copy.write_bytes((copy.with_name(f"{other.sha256}.npy")).read_bytes())
    else:
        copy.write_bytes(
            {
                "cut": intact[:middle],
                "flipped": intact[:middle] + bytes([intact[middle] ^ 1]) + intact[middle + 1 :],
                "empty": b"",
                "not an array": b"\x93NUMPY but nothing else",
            }[damage]
        )
    assert copies.find("digits", first.sha256) is None

    again = load_table("digits", first.sha256)

    assert again.sha256 == first.sha256
    assert np.array_equal(again.pixels, first.pixels)
    assert copy.read_bytes() == intact
    assert copies.find("digits", first.sha256)


class Trap:
    """An object that makes a folder when it is unpickled."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        return os.mkdir, (str(self.folder),)


@pytest.mark.parametrize("place", ["pixels", "labels", "file"])
def test_a_pickle_in_place_of_a_copy_is_never_unpickled(
    cache: Path, tmp_path: Path, place: str
) -> None:
    first = load_table("digits")
    copy = cache / "digits" / f"{first.sha256}.npy"
    trap = Trap(tmp_path / "unpickled")
    if place == "file":
        copy.write_bytes(pickle.dumps(trap))
    else:
        arrays = {"pixels": first.pixels, "labels": first.labels}
        with copy.open("wb") as file:
            for values in (arrays | {place: np.array([trap], dtype=object)}).values():
                np.save(file, values)

    assert copies.find("digits", first.sha256) is None
    assert load_table("digits", first.sha256).sha256 == first.sha256
    assert not trap.folder.exists()
    assert copies.find("digits", first.sha256)


def test_the_trap_of_that_test_works(tmp_path: Path) -> None:
    trap = Trap(tmp_path / "unpickled")
    np.savez_compressed(tmp_path / "copy.npz", pixels=np.array([trap], dtype=object))

    with np.load(tmp_path / "copy.npz", allow_pickle=True) as arrays:
        _ = arrays["pixels"]

    assert trap.folder.exists()


def test_a_recorded_checksum_gets_the_copy_with_that_checksum(cache: Path) -> None:
    first = load_table("digits")
    other = Table("digits", first.pixels[:9], first.labels[:9])
    copies.keep(other)

    assert load_table("digits", first.sha256).sha256 == first.sha256
    assert load_table("digits", other.sha256).sha256 == other.sha256


def test_without_a_copy_that_has_the_recorded_checksum_the_origin_is_read(cache: Path) -> None:
    first = load_table("digits")
    assert load_table("digits", "0" * 64).sha256 == first.sha256


def test_the_copy_in_the_remote_is_used_and_kept_where_there_is_no_local_one(
    cache: Path, offline: Callable[[], None]
) -> None:
    first = load_table("digits")
    content = copies.render(first)
    shutil.rmtree(cache)
    offline()

    again = registry.load(SourceRequest("digits"), first.sha256, lambda: content)

    assert again.sha256 == first.sha256
    assert load_table("digits", first.sha256).sha256 == first.sha256


def test_the_remote_is_not_read_where_there_is_a_local_copy_or_no_recorded_checksum(
    cache: Path,
) -> None:
    fetch = Mock(side_effect=AssertionError)
    first = registry.load(SourceRequest("digits"), None, fetch)

    assert registry.load(SourceRequest("digits"), first.sha256, fetch).sha256 == first.sha256


@pytest.mark.parametrize("problem", ["missing", "damaged", "other rows", "pickle"])
def test_a_copy_in_the_remote_that_is_not_the_recorded_one_is_not_used(
    cache: Path, tmp_path: Path, problem: str
) -> None:
    first = load_table("digits")
    content = {
        "damaged": copies.render(first)[:-99],
        "other rows": copies.render(Table("digits", first.pixels[:9], first.labels[:9])),
        "pickle": pickle.dumps(Trap(tmp_path / "unpickled")),
    }
    shutil.rmtree(cache)

    def fetch() -> bytes:
        if problem == "missing":
            raise UserError("it is missing")
        return content[problem]

    assert registry.load(SourceRequest("digits"), first.sha256, fetch).sha256 == first.sha256
    assert not (tmp_path / "unpickled").exists()
    assert [file.name for file in (cache / "digits").iterdir()] == [f"{first.sha256}.npy"]


def test_of_a_local_copy_only_what_is_needed_is_in_memory(cache: Path) -> None:
    sha256 = load_table("digits").sha256

    again = load_table("digits", sha256)

    assert isinstance(again.pixels.base, np.memmap)
    assert not again.pixels.flags.writeable


@pytest.mark.parametrize("part", [1, 64, 1000, 10**9])
def test_pixels_that_are_read_in_parts_have_the_same_checksums(
    cache: Path, monkeypatch: pytest.MonkeyPatch, part: int
) -> None:
    first = load_table("digits")
    monkeypatch.setattr(table, "PART", part)

    for again in (Table("digits", first.pixels, first.labels), copies.find("digits", first.sha256)):
        assert again is not None
        assert again.sha256 == first.sha256
        assert again.digests == [hashlib.sha256(one.tobytes()).digest() for one in first.pixels]
    assert (cache / "digits").exists()


def test_a_cache_that_cannot_be_written_costs_only_time(
    repository: Repository, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))

    first = load_table("digits")

    assert load_table("digits", first.sha256).sha256 == first.sha256
    assert copies.parse("digits", copies.render(first))
    for verb in ("validate", "build", "push", "release", "build"):
        result = run(verb)
        assert result.code == 0, result.err


def test_temporary_files_that_a_killed_run_left_are_removed_after_a_day(cache: Path) -> None:
    (cache / "digits").mkdir(parents=True)
    old, fresh = cache / "digits" / "old.tmp", cache / "digits" / "fresh.tmp"
    for file, hours in ((old, 25), (fresh, 23)):
        file.write_bytes(b"a part")
        os.utime(file, (time.time() - hours * 3600,) * 2)

    registry.load(SourceRequest("digits"))

    assert not old.exists()
    assert fresh.exists()


def test_later_loads_import_neither_scikit_learn_nor_pandas() -> None:
    recorded = registry.load(SourceRequest("digits")).sha256
    program = (
        "import sys; from scripts.sources import registry, source;"
        f"registry.load(source.SourceRequest('digits'), {recorded!r});"
        "print([name for name in ('sklearn', 'pandas', 'scipy') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_an_openml_dataset_of_gray_images_is_a_source(cache: Path, openml: Path) -> None:
    rows = ["0,10,20,255,yes", "1,2,3,4,no", "9,8,7,6,yes"]
    keep(openml, "tiny-drawings", [*gray(4), ("kind", "{yes,no}")], rows)

    made = load_table("tiny-drawings")

    assert made.pixels.tolist() == [[[0, 10], [20, 255]], [[1, 2], [3, 4]], [[9, 8], [7, 6]]]
    assert made.labels.tolist() == ["yes", "no", "yes"]
    assert classes(made) == ["no", "yes"]
    shutil.rmtree(openml)
    assert registry.load(SourceRequest("tiny-drawings"), made.sha256).sha256 == made.sha256
    with pytest.raises(UserError, match=r"^source tiny-drawings: OpenML cannot be reached"):
        registry.load(SourceRequest("tiny-drawings"))


def test_a_download_is_parsed_only_once(
    cache: Path, openml: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = ["0,10,20,255,yes", "1,2,3,4,no"]
    keep(openml, "tiny-drawings", [*gray(4), ("kind", "{yes,no}")], rows)
    first = load_table("tiny-drawings")
    parsed, parse = list[str](), openml_kind._parsed

    def counted(request: SourceRequest) -> Table:
        parsed.append(request.name)
        return parse(request)

    monkeypatch.setattr(openml_kind, "_parsed", counted)

    assert load_table("tiny-drawings").sha256 == first.sha256
    assert parsed == []
    # A damaged copy, another question and another download.
    [copy] = (cache / "tiny-drawings").iterdir()
    copy.write_bytes(copy.read_bytes()[:-1])
    assert load_table("tiny-drawings").sha256 == first.sha256
    assert len(parsed) == 1
    for file in (cache / "downloads").iterdir():
        file.write_bytes(b"")
    assert load_table("tiny-drawings").sha256 == first.sha256
    assert len(parsed) == 2
    shutil.rmtree(openml)
    keep(openml, "tiny-drawings", [*gray(4), ("kind", "{yes,no}")], [*rows, "9,8,7,6,yes"])
    assert len(load_table("tiny-drawings").labels) == 3
    assert len(parsed) == 3


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder whose `openml` is served in place of OpenML's own address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = (tmp_path / "openml" / "openml.org" / f".{self.path}.gz").read_bytes()
            self.send_response(200)
            self.send_header("Content-Encoding", "gzip")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    address = f"http://127.0.0.1:{server.server_port}/"
    urlopen = _openml.urlopen

    def redirected(request: Request) -> Any:
        return urlopen(re.sub(r"^https://[a-z.]+openml\.org/", address, request.full_url))

    monkeypatch.setattr(_openml, "urlopen", redirected)
    yield tmp_path
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_cache_of_scikit_learn_that_cannot_be_written_costs_only_time(
    cache: Path, served: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(served, "tiny-drawings", [*gray(4), ("kind", "{a,b}")], ["1,2,3,4,a", "5,6,7,8,b"])
    (served / "home").mkdir()
    (served / "home" / "openml").touch()
    for unwritable in ("home", "home/openml", "home/openml/below"):
        monkeypatch.setenv("SCIKIT_LEARN_DATA", str(served / unwritable))
        assert load_table("tiny-drawings").labels.tolist() == ["a", "b"]


def test_openml_that_cannot_be_reached_is_named_also_where_nothing_can_be_cached(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "openml").touch()
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tmp_path / "home"))

    with pytest.raises(UserError, match=r"^source tiny-drawings: OpenML cannot be reached"):
        registry.load(SourceRequest("tiny-drawings"))


@pytest.mark.parametrize(
    ("columns", "rows", "says"),
    [
        (
            [*gray(3), ("c", "{a,b}")],
            ["1,2,3,a", "4,5,6,b"],
            "3 values in a row are not one square",
        ),
        ([*gray(4), ("c", "{a,b}")], ["1,2,3,4.5,a", "4,5,6,7,b"], "not whole numbers"),
        ([*gray(4), ("c", "{a,b}")], ["1,2,3,256,a", "4,5,6,7,b"], "not whole numbers"),
        ([*gray(4), ("c", "{a,b}")], ["1,2,3,?,a", "4,5,6,7,b"], "missing values"),
        ([("p", "{x,y}"), ("c", "{a,b}")], ["x,a", "y,b"], "columns that are not numbers"),
    ],
)
def test_an_openml_dataset_without_square_gray_images_is_refused(
    cache: Path,
    openml: Path,
    columns: list[tuple[str, str]],
    rows: list[str],
    says: str,
) -> None:
    keep(openml, "iris", columns, rows)

    with pytest.raises(SourceError, match=f"^source iris is not made of square 8-bit.*{says}"):
        registry.load(SourceRequest("iris"))

    assert not cache.exists()


def test_an_openml_dataset_without_a_single_column_of_classes_is_refused(
    cache: Path, openml: Path
) -> None:
    columns = [*gray(4), ("c", "{a,b}"), ("d", "{x,y}")]
    keep(openml, "tiny", columns, ["1,2,3,4,a,x", "5,6,7,8,b,y"], ["c", "d"])

    with pytest.raises(
        SourceError, match=r"^source tiny has no single column with the class of each row\.$"
    ):
        registry.load(SourceRequest("tiny"))


def test_openml_that_cannot_be_reached_is_one_message(
    repository: Repository, run: Run, cache: Path, openml: Path
) -> None:
    repository.configure(config_text(source="mnist_784"))

    result = run("validate")

    assert (result.code, result.out) == (1, "")
    assert result.err.splitlines()[-1].startswith(
        "error: source mnist_784: OpenML cannot be reached ("
    )
    assert "the source digits needs no network" in result.err


@pytest.mark.parametrize(
    "error",
    [
        HTTPError("http://x", 412, "Precondition Failed", Message(), None),
        ValueError("Dataset colors with status active not found."),
    ],
    ids=["OpenML's answer", "scikit-learn's error"],
)
def test_a_name_that_openml_does_not_have_is_a_problem_of_the_config(
    repository: Repository,
    run: Run,
    cache: Path,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
) -> None:
    monkeypatch.setattr("sklearn.datasets.fetch_openml", Mock(side_effect=error))
    repository.configure(config_text(source="colors"))

    assert run("validate") == (
        1,
        "",
        "dataset_config.yaml:1:9: source colors: OpenML has no active dataset of this name."
        " Check the name on openml.org, or use digits.\n",
    )


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (
            HTTPError("http://x", 500, "Internal Server Error", Message(), None),
            "source colors: OpenML cannot be reached (HTTP Error 500: Internal Server Error)."
            " Try again later; the source digits needs no network.",
        ),
        (
            ValueError("Bad\n  line 3"),
            "source colors: OpenML's file cannot be read (Bad line 3)."
            " It may be damaged; try again.",
        ),
    ],
    ids=["server error", "damaged file"],
)
def test_what_may_work_later_is_not_a_problem_of_the_config(
    cache: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, message: str
) -> None:
    monkeypatch.setattr("sklearn.datasets.fetch_openml", Mock(side_effect=error))

    with pytest.raises(UserError) as caught:
        registry.load(SourceRequest("colors"))

    assert not isinstance(caught.value, SourceError)
    assert str(caught.value) == message


def test_a_damaged_download_is_named_if_openml_cannot_be_reached(cache: Path, openml: Path) -> None:
    rows = ["1,2,3,4,a", "5,6,7,8,b"]
    file = keep(openml, "tiny-drawings", [*gray(4), ("kind", "{a,b}")], rows)
    file.write_bytes(file.read_bytes()[:-12])

    with pytest.raises(UserError, match=r"the file in scikit-learn\'s cache below .* is damaged"):
        registry.load(SourceRequest("tiny-drawings"))
