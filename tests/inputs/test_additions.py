from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from scripts.inputs import additions, config_file
from scripts.inputs.additions import MAX_FILE, MAX_FILES, MAX_TOTAL, Addition
from scripts.inputs.config import Config
from scripts.inputs.problems import START, InputError
from tests.inputs.pictures import encoded, gray, rgb
from tests.repository import config_text

ONE = encoded(gray(8, 8))


def asking(**changes: object) -> Config:
    return config_file.parse(config_text(**changes).encode())


def parsed(files: Mapping[str, bytes], desired: Config | None = None) -> list[Addition]:
    """Return the additions in `files`, which have no problem."""
    found, problems = additions.parse(files.items(), desired)
    assert not problems
    return found


def problems(files: Mapping[str, bytes], desired: Config | None = None) -> list[str]:
    """Return every problem in `files`, as it is printed."""
    return str(InputError(additions.parse(files.items(), desired)[1])).splitlines()


def test_an_addition_has_the_split_and_label_of_its_path() -> None:
    [found] = parsed({"additions/test/3/photo.png": ONE})

    assert (found.path, found.split, found.label) == ("additions/test/3/photo.png", "test", "3")
    assert np.array_equal(found.pixels, gray(8, 8))


def test_its_identifier_depends_on_its_pixels_alone() -> None:
    def identifiers(*paths: str, content: bytes = ONE) -> set[str]:
        return {parsed({path: content})[0].identifier for path in paths}

    names = ["a.png", "Ä b\n.JPEG", "..png", "x" * 5_000 + ".PNG"]
    [one] = identifiers(*(f"additions/train/{label}/{name}" for label in "35" for name in names))

    assert one == "x7962c5cc5224b17d"
    assert identifiers("additions/test/3/a.jpg", content=encoded(gray(8, 8), optimize=True)) == {
        one
    }
    assert identifiers("additions/test/3/a.png", content=encoded(gray(8, 8, seed=1))) != {one}


def test_the_order_does_not_depend_on_the_names() -> None:
    contents = [encoded(gray(8, 8, seed)) for seed in range(9)]

    def order(names: list[str]) -> list[str]:
        files = dict(zip(names, contents, strict=True))
        return [
            found.identifier
            for found in parsed({f"additions/train/3/{one}": files[one] for one in sorted(files)})
        ]

    names = [f"{index}.png" for index in range(9)]
    assert order(names) == order(names[::-1])


@pytest.mark.parametrize("form", ["PNG", "BMP", "TIFF", "PPM"])
def test_its_format_does_not_matter(form: str) -> None:
    [found] = parsed({f"additions/test/3/a.{form.lower()}": encoded(gray(8, 8), form)})
    assert found.identifier == "x7962c5cc5224b17d"


def test_its_colors_are_converted() -> None:
    see_through = Image.new("RGBA", (8, 8), (9, 9, 9, 0))
    [found] = parsed({"additions/test/3/a.webp": encoded(see_through, "WEBP", lossless=True)})
    assert found.pixels.tolist() == [[[255] * 3] * 8] * 8


def test_images_are_resized_as_the_config_says() -> None:
    [found] = parsed({"additions/test/3/a.png": encoded(rgb(20, 30))}, asking(image_size="12x16"))
    assert found.pixels.shape == (16, 12, 3)


PLACE = "expected additions/SPLIT/LABEL/NAME, such as additions/train/3/one.png"
ENDINGS = (
    "the name must end in .jpg, .jpeg, .jpe, .jfif, .png, .webp, .gif, .bmp, .dib, .tif, .tiff,"
    " .ppm, .pgm, .pbm or .pnm"
)
WRONG_PATHS = {
    "additions": PLACE,
    "additions/a.png": PLACE,
    "additions/train/a.png": PLACE,
    "additions/train/3/more/a.png": PLACE,
    "additions/train/../a/b.png": PLACE,
    "additions/Train/3/a.png": "unknown split; expected train, validation or test",
    "additions/../3/a.png": "unknown split; expected train, validation or test",
    "additions/validation/3/a.png": "there is no validation set; add validation_size to the config",
    "additions/train/3/a.txt": ENDINGS,
    "additions/train/3/png": ENDINGS,
}


@pytest.mark.parametrize(("path", "says"), WRONG_PATHS.items())
def test_a_path_that_is_not_a_split_a_label_and_a_name_is_refused(path: str, says: str) -> None:
    assert problems({path: ONE}, asking()) == [f"{path}:1:1: {says}"]


def test_there_is_a_validation_set_where_the_config_has_one_or_is_invalid() -> None:
    file = {"additions/validation/3/a.png": ONE}
    assert parsed(file, asking(validation_size=1))[0].split == "validation"
    assert not problems(file)


def test_every_problem_is_named_with_its_file() -> None:
    assert problems(
        {
            "additions/test/3/same.png": ONE,
            "additions/trian/3/b.txt": b"text",
            "additions/train/5/c.png": ONE,
            "additions/train/3/d.png": ONE[:-20],
        },
        asking(),
    ) == [
        "additions/train/3/d.png:1:1: it is damaged: its end is missing",
        "additions/train/5/c.png:1:1: it has the same pixels as additions/test/3/same.png; remove"
        " one of them",
        "additions/trian/3/b.txt:1:1: it is not a JPEG, PNG, WebP, GIF, BMP, TIFF or PPM file",
        f"additions/trian/3/b.txt:1:1: {ENDINGS}",
        "additions/trian/3/b.txt:1:1: unknown split; expected train, validation or test",
    ]


def test_what_is_valid_is_returned_beside_the_problems() -> None:
    files = {"additions/test/3/a.png": ONE, "additions/test/3/b.png": b"text"}
    found, wrong = additions.parse(files.items(), asking())
    assert ([one.path for one in found], len(wrong)) == (["additions/test/3/a.png"], 1)


def test_the_same_bytes_in_another_shape_are_no_copy() -> None:
    blank = np.zeros((4, 16), np.uint8)
    files = {
        "additions/train/3/a.png": encoded(blank),
        "additions/train/3/b.png": encoded(blank.T.copy()),
    }

    assert problems(files, asking()) == []


def test_copies_are_found_after_resizing() -> None:
    files = {
        "additions/train/3/c.png": encoded(np.full((8, 8), 7, np.uint8)),
        "additions/train/3/d.png": encoded(np.full((9, 9), 7, np.uint8)),
    }

    assert problems(files, asking(image_size=4)) == [
        "additions/train/3/d.png:1:1: it has the same pixels as additions/train/3/c.png; remove one"
        " of them"
    ]
    assert not problems(files, asking())


@given(st.text(max_size=300))
def test_any_name_is_shown_in_one_short_line_without_control_characters(name: str) -> None:
    path = f"additions/train/3/{name}"

    [found] = {one.file for one in additions.parse([(path, b"")], None)[1]}

    assert found.isprintable()
    assert len(found) <= 200
    assert found == path or not path.isprintable() or len(path) > 200
    found.encode()


def test_a_name_that_is_no_text_can_be_shown() -> None:
    path = b"additions/train/3/\xff\n::error::.png".decode(errors="surrogateescape")
    [found] = additions.parse([(path, b"")], None)[1]
    assert found == (r"additions/train/3/\udcff\n::error::.png", START, "it is empty")


def test_a_few_files_are_not_too_large() -> None:
    assert additions.too_large({}) == []
    assert additions.too_large({f"{index}": 10 for index in range(MAX_FILES)}) == []
    assert additions.too_large({f"{index}": MAX_FILE for index in range(8)}) == []


INGEST = "For more, make a custom source: python -m scripts ingest"
TOO_LARGE = {
    "too many": (
        {f"{index}": 1 for index in range(MAX_FILES + 1)},
        [f"additions:1:1: it holds 1,001 files; at most 1,000 are allowed. {INGEST}"],
    ),
    "one file": (
        {"additions/train/3/a.png": MAX_FILE + 1, "additions/train/3/b.png": 1},
        [
            "additions/train/3/a.png:1:1: it has 8,388,609 bytes; at most 8,388,608 are allowed."
            f" {INGEST}"
        ],
    ),
    "all files": (
        {f"{index}": MAX_TOTAL // 9 + 1 for index in range(9)},
        [f"additions:1:1: it holds 67,108,869 bytes; at most 67,108,864 are allowed. {INGEST}"],
    ),
}


@pytest.mark.parametrize(("sizes", "says"), TOO_LARGE.values(), ids=TOO_LARGE)
def test_more_than_a_few_files_are_a_source_of_their_own(
    sizes: dict[str, int], says: list[str]
) -> None:
    assert str(InputError(additions.too_large(sizes))).splitlines() == says


def test_small_files_with_more_pixels_than_fit_into_memory_are_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(additions, "MAX_PIXELS", 3 * 64)
    files = {f"additions/train/3/{seed}.png": encoded(gray(8, 8, seed)) for seed in range(9)}

    found, wrong = additions.parse(files.items(), None)

    assert (found, str(InputError(wrong))) == (
        [],
        f"additions:1:1: its images have more than 192 bytes of pixels. {INGEST}",
    )
    assert len(parsed(dict(list(files.items())[:3]))) == 3
    assert len(parsed(files, asking(image_size=4))) == 9
