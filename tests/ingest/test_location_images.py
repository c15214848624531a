import hashlib
import random
from pathlib import Path

import pytest

from scripts.errors import UserError
from scripts.ingest import location_images
from scripts.ingest.location_images import LocationImages
from tests.ingest.pictures import labeled, picture, write
from tests.ingest.test_locations import zipped

FILES = labeled(range(12), "cat", "dog")


def shown(read: LocationImages) -> list[tuple[str, str, bytes, int]]:
    return [(one.path, one.folder, one.levels, one.size) for one in read.images]


@pytest.mark.parametrize("most", [5, 12])
def test_the_same_images_are_chosen_in_any_order_of_the_files(tmp_path: Path, most: int) -> None:
    expected = sorted(FILES, key=lambda path: hashlib.sha256(path.encode()).digest())[:most]
    seen = []
    for seed in range(5):
        order = random.Random(seed).sample([*FILES], len(FILES))
        archive = zipped(tmp_path / f"{seed}.zip", {name: FILES[name] for name in order})
        read = location_images.read(str(archive), most)
        assert (read.count, read.chosen) == (12, most)
        seen.append(shown(read))

    assert seen == [seen[0]] * 5
    assert [path for path, *_ in seen[0]] == expected
    assert {path.split("/")[0] for path in expected} == {folder for _, folder, *_ in seen[0]}


def test_of_equal_images_the_first_is_taken_and_invalid_ones_are_noted(tmp_path: Path) -> None:
    copies = {f"{name}.png": picture(1, (9, 7)) for name in "abc"}
    write(tmp_path / "some", {**copies, "bad.png": b"x", "empty.jpg": b"", "a.txt": b"x"})

    read = location_images.read(str(tmp_path / "some"), 100)

    first = min(copies, key=lambda path: hashlib.sha256(path.encode()).digest())
    assert [(one.path, one.size, one.folder) for one in read.images] == [(first, 63, "")]
    assert (read.count, read.chosen) == (5, 5)
    assert sorted(fault.where for fault in read.invalid.found) == ["bad.png", "empty.jpg"]


@pytest.mark.isolated
def test_a_location_is_read_in_a_process_of_its_own(tmp_path: Path) -> None:
    large = picture(3, (300, 200), "RGB", "JPEG")
    folder = write(tmp_path / "some", {**FILES, "large.jpg": large})

    read = location_images.read(str(folder), 100)

    assert len(read.images) == 13
    (one,) = (image for image in read.images if image.path == "large.jpg")
    assert one.picture.shape == (37, 56, 3)
    with pytest.raises(UserError) as raised:
        location_images.read(str(tmp_path / "none"), 100)
    assert str(raised.value) == f"{tmp_path / 'none'}: there is no such file or folder"
