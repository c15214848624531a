import io
import re
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from scripts.sources import registry
from scripts.sources.source import Pixels, SourceRequest
from tests.doubles.storage import BUCKET, Storage
from tests.ingest.pictures import write
from tests.ingest.test_locations import tar, zipped
from tests.repository import Released, Repository, Run, config_text

CONFIG = config_text(class_="all", samples=60, test_size=10)
COMPARED = re.compile(r"(\S+): compared (\d+) of (\d+) images with 600 of 600 images of v0")
LIKE = "no difference that is more than chance: the images are like those of v0"


def same(pixels: Pixels) -> Pixels:
    return pixels


def inverted(pixels: Pixels) -> Pixels:
    return 255 - pixels


def digits(
    count: int = 40, change: Callable[[Pixels], Pixels] = same, folder: str = "{number}"
) -> dict[str, bytes]:
    """Return files of digits at random; `folder` can contain their label and number."""
    source = registry.load(SourceRequest("digits"))
    rows = np.random.default_rng(1).permutation(len(source.labels))[:count].tolist()
    made = {}
    for row in rows:
        buffer = io.BytesIO()
        Image.fromarray(change(source.image(row))).save(buffer, "PNG")
        place = folder.format(number=f"{row % 7}", label=source.labels[row])
        made[f"{place}/{row}.png"] = buffer.getvalue()
    return made


@pytest.fixture
def released(released_as: Released) -> Repository:
    """A repository with v0: 60 images of each digit."""
    return released_as(CONFIG)


@pytest.fixture
def bucket(emulator: Storage, monkeypatch: pytest.MonkeyPatch) -> Storage:
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", emulator.url)
    return emulator


def test_digits_are_like_those_of_the_release_and_inverted_ones_are_not(
    released: Repository, run: Run, tmp_path: Path
) -> None:
    write(tmp_path / "same", digits(folder="camera{number}"))
    write(tmp_path / "inverted", digits(change=inverted, folder="camera{number}"))

    like, other = run("drift", str(tmp_path / "same")), run("drift", str(tmp_path / "inverted"))

    assert (like.code, other.code) == (0, 0)
    first, *_ = like.out.splitlines()
    found = COMPARED.fullmatch(first)
    assert found
    assert found.groups() == (str(tmp_path / "same"), "40", "40")
    assert LIKE in like.out.splitlines()
    assert "the images are not like those of v0; what differs by more than chance: " in other.out
    rows = dict(re.findall(r"^(\w+)  +(.*)$", other.out, re.MULTILINE))
    assert rows.keys() == {"similarity", "brightness", "contrast", "sharpness"}
    strangest = re.findall(
        r"^ +(\d+)\. (camera\d/\d+\.png): distance (\S+); 100.0 %", other.out, re.M
    )
    assert [number for number, *_ in strangest] == [str(n) for n in range(1, 11)]
    assert {name for _, name, _ in strangest} <= digits(folder="camera{number}").keys()


def test_folders_that_are_called_like_classes_are_compared(
    released: Repository, run: Run, tmp_path: Path
) -> None:
    write(tmp_path / "mixed", digits(folder="{label}"))
    only = {
        name: content for name, content in digits(400, folder="{label}").items() if name[0] == "3"
    }
    write(tmp_path / "threes", only)

    mixed, threes = run("drift", str(tmp_path / "mixed")), run("drift", str(tmp_path / "threes"))

    assert LIKE in mixed.out
    assert re.search(r"^class mix +\S+: 10 % +\S+: \d+ %", mixed.out, re.MULTILINE)
    assert re.search(r"^class mix +3: 10 % +3: 100 % +0\.\d+ %$", threes.out, re.MULTILINE)
    # The order of files, and whether they are in an archive, changes nothing.
    tar(tmp_path / "a.tar", dict(reversed(only.items())))
    zipped(tmp_path / "b.zip", dict(sorted(only.items(), key=lambda one: one[1])))
    for name in ("a.tar", "b.zip"):
        archived = run("drift", str(tmp_path / name)).out
        assert archived.replace(name, "threes") == threes.out


def test_files_that_are_no_images_are_named_and_copies_count_once(
    released: Repository, run: Run, tmp_path: Path
) -> None:
    files: Mapping[str, bytes] = digits()
    first = next(iter(files.values()))
    write(tmp_path / "some", {**files, "bad.png": b"no", "copy.png": first, "notes.txt": b"x"})

    result = run("drift", str(tmp_path / "some"))

    assert result.code == 0
    assert ": compared 40 of 42 images with 600 of 600 images of v0\n" in result.out
    assert "left out 1 invalid file:\n    bad.png: it is not a JPEG, PNG" in result.out


def test_a_bucket_is_read_with_photos_of_any_size(
    released: Repository, run: Run, bucket: Storage
) -> None:
    for name, content in digits(30).items():
        bucket.overwrite(f"drifting/{name}", content)
    buffer = io.BytesIO()
    Image.effect_mandelbrot((300, 200), (-2, -1, 1, 1), 40).convert("RGB").save(buffer, "JPEG")
    bucket.overwrite("drifting/large.jpg", buffer.getvalue())

    result = run("drift", f"gs://{BUCKET}/drifting")

    assert result.code == 0, result.err
    assert result.out.startswith(f"gs://{BUCKET}/drifting: compared 31 of 31 images with 600")
    assert re.search(r"^size +64 pixels +64 pixels +\d", result.out, re.MULTILINE)
    assert "  1. large.jpg: distance" in result.out


def test_another_release_can_be_compared_and_the_sheet_shows_the_strangest(
    released_as: Released, run: Run, tmp_path: Path
) -> None:
    repository = released_as(CONFIG, config_text(class_=3, samples=150, test_size=10))
    write(tmp_path / "same", digits())
    sheet = tmp_path / "sheet.png"

    newest = run("drift", str(tmp_path / "same"))
    older = run("drift", str(tmp_path / "same"), "--against", "v0", "--sheet", str(sheet))

    assert "the images are not like those of v1" in newest.out
    assert LIKE in older.out
    picture = Image.open(sheet)
    assert picture.height > 10 * 56
    assert "Drew" in older.err
    assert run("drift", str(tmp_path / "same"), "--against", "stable").err == (
        "error: releases.yaml names no stable release; name one with --against\n"
    )
    (repository.root / "releases.yaml").write_text("stable: v0\n")
    assert run("drift", str(tmp_path / "same"), "--against", "stable").out == older.out


def test_few_images_say_nothing(released: Repository, run: Run, tmp_path: Path) -> None:
    write(tmp_path / "few", digits(19))
    result = run("drift", str(tmp_path / "few"), "--sheet", str(tmp_path / "sheet.png"))
    assert result.code == 0
    assert result.out.splitlines()[1:] == ["fewer than 20 images say nothing"]
    assert not (tmp_path / "sheet.png").exists()


def test_what_cannot_be_compared_is_one_message(
    released: Repository, run: Run, tmp_path: Path
) -> None:
    write(tmp_path / "none", {"a.txt": b"x"})
    for arguments, message in (
        ([str(tmp_path / "none")], f"{tmp_path}/none: there are no image files"),
        ([str(tmp_path / "away")], f"{tmp_path}/away: there is no such file or folder"),
        (["https://example.org/x"], "https://example.org/x is not supported"),
        ([str(tmp_path / "none"), "--against", "v7"], "v7 is not a release"),
    ):
        result = run("drift", *arguments)
        assert (result.code, result.out) == (1, "")
        assert result.err.startswith(f"error: {message}")


def test_before_the_first_release_there_is_nothing_to_compare_with(
    repository: Repository, run: Run, tmp_path: Path
) -> None:
    result = run("drift", str(tmp_path))
    assert (result.code, result.out) == (1, "")
    assert result.err == (
        "error: nothing is released yet, so there is no version to compare with\n"
    )
