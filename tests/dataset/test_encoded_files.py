import shutil
from collections.abc import Sequence
from pathlib import Path
from unittest.mock import Mock

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scripts import workers
from scripts.dataset import png
from scripts.dataset.dataset import Dataset
from scripts.dataset.encoded_files import EncodedFile, EncodedFiles
from scripts.dataset.encoding import FromPixels
from scripts.dataset.targets import Local
from scripts.inputs import config_file
from scripts.inputs.reader import Inputs
from scripts.sources import registry
from scripts.sources.source import SourceRequest
from scripts.sources.table import Table
from scripts.storage import manifest
from scripts.storage.cache import Cache
from tests.repository import Repository, config_text, objects

DIGITS = registry.load(SourceRequest("digits"))


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of what is known, empty."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    return tmp_path / "xdg" / "dataset-sources" / "encodings"


AS_PNG = FromPixels("png", in_color=False)


def dataset(**changes: object) -> Dataset:
    return Dataset(Inputs(config_file.parse(config_text(**changes).encode())), DIGITS)


def encoded(rows: Sequence[int]) -> dict[int, EncodedFile]:
    """Encode rows of the digits, as if nothing was known."""
    pngs = {row: png.encode(DIGITS.image(row)) for row in rows}
    return {row: EncodedFile(manifest.md5_of(data), len(data)) for row, data in pngs.items()}


def test_nothing_is_known_at_first(kept: Path) -> None:
    assert EncodedFiles(DIGITS, AS_PNG).known(range(1797)) == {}
    assert not kept.exists()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sets(st.integers(0, 1796), min_size=1, max_size=40), min_size=1, max_size=4))
def test_what_was_added_is_known_and_right(kept: Path, additions: list[set[int]]) -> None:
    shutil.rmtree(kept, ignore_errors=True)
    for rows in additions:
        EncodedFiles(DIGITS, AS_PNG).add(encoded(sorted(rows)))

    known = EncodedFiles(DIGITS, AS_PNG).known(range(1797))

    assert known == encoded(sorted(set[int]().union(*additions)))


def test_known_images_are_not_encoded_again(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, larger = dataset(samples=5).manifest, dataset(samples=6)
    assert EncodedFiles(DIGITS, AS_PNG).known(range(1797))
    spy = Mock(side_effect=png.encode)
    monkeypatch.setattr(png, "encode", spy)

    assert dataset(samples=5).manifest == first
    # A picture that tells encoders apart.
    assert spy.call_count == 1
    assert larger.manifest.files.items() > first.files.items()
    assert spy.call_count == 1 + 1 + 2


@pytest.mark.parametrize("damage", ["cut", "longer", "flipped", "empty", "a folder"])
def test_a_damaged_file_is_not_used_and_replaced(kept: Path, damage: str) -> None:
    made = dataset(samples=50).manifest
    [file] = kept.iterdir()
    content = file.read_bytes()
    middle = len(content) // 2
    file.unlink()
    if damage == "a folder":
        file.mkdir()
    else:
        file.write_bytes(
            {
                "cut": content[:middle],
                "longer": content + b"\0",
                "flipped": content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :],
                "empty": b"",
            }[damage]
        )
    assert EncodedFiles(DIGITS, AS_PNG).known(range(1797)) == {}

    assert dataset(samples=50).manifest == made
    if damage != "a folder":
        assert file.read_bytes() == content


@pytest.mark.parametrize("change", ["pixels", "encoder", "shape"])
def test_what_is_known_of_other_pixels_or_another_encoder_is_not_used(
    kept: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    assert isinstance(DIGITS, Table)
    EncodedFiles(DIGITS, AS_PNG).add(encoded(range(9)))
    pixels = DIGITS.pixels.copy()
    if change == "pixels":
        pixels[0, 0, 0] ^= 1
    if change == "shape":
        pixels = pixels.reshape(-1, 4, 16)
    if change == "encoder":
        encode = png.encode
        monkeypatch.setattr(png, "encode", lambda image: encode(image) + b"\0")

    assert EncodedFiles(Table("digits", pixels, DIGITS.labels), AS_PNG).known(range(9)) == {}


def test_a_build_stores_the_right_bytes_whatever_is_known(
    kept: Path, repository: Repository
) -> None:
    # As if somebody had written a file with a right checksum and wrong contents.
    wrong = {row: EncodedFile(manifest.md5_of(b"%d" % row), 7) for row in range(1797)}
    EncodedFiles(DIGITS, AS_PNG).add(wrong)
    made = dataset(samples=50)

    stored = made.store(Local(Cache(repository.root)))

    for name, row in made.selection.files().items():
        data = png.encode(DIGITS.image(row))
        assert stored.files[name] == (manifest.md5_of(data), len(data))
        assert objects(repository.cache)[manifest.md5_of(data)] == data


def test_one_process_and_several_store_the_same(
    kept: Path, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = dataset(class_="all", samples="all", test_size=10).store(Local(Cache(repository.root)))
    before = objects(repository.cache)
    shutil.rmtree(kept)
    shutil.rmtree(repository.cache)
    monkeypatch.setattr(workers, "MIN_ITEMS", 10)
    monkeypatch.setattr(workers, "PART", 100)

    several = dataset(class_="all", samples="all", test_size=10).store(
        Local(Cache(repository.root))
    )

    assert several == one
    assert objects(repository.cache) == before
    rows = sorted(int(Path(name).stem) for name in one.files)
    assert EncodedFiles(DIGITS, AS_PNG).known(range(1797)) == encoded(rows)
