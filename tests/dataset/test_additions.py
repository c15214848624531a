from typing import Any

import numpy as np
import pytest

from scripts.dataset import png
from scripts.dataset.additions import problems_of
from scripts.dataset.dataset import Dataset
from scripts.inputs import additions, config_file
from scripts.inputs.additions import Addition
from scripts.inputs.config import TEST, TRAIN
from scripts.inputs.curation import NO_DECISIONS, Curation, Decision
from scripts.inputs.images import Pixels
from scripts.inputs.problems import InputError
from scripts.inputs.reader import Inputs
from scripts.releases import index
from scripts.sources import registry
from scripts.sources.source import Source, SourceRequest
from scripts.sources.table import Table
from tests.inputs.pictures import encoded, gray, rgb
from tests.repository import config_text

DIGITS = registry.load(SourceRequest("digits"))


def made(
    *files: tuple[str, Pixels],
    source: Source = DIGITS,
    curation: Curation = NO_DECISIONS,
    **changes: Any,
) -> Dataset:
    """Return the dataset with `files` below `additions/`."""
    desired = config_file.parse(config_text(**changes).encode())
    contents = [(f"additions/{path}", encoded(pixels)) for path, pixels in files]
    found, problems = additions.parse(contents, desired)
    assert not problems
    return Dataset(Inputs(desired, curation, tuple(found)), source)


def test_additions_come_on_top_in_the_split_that_their_path_names() -> None:
    files = [("train/3/a.png", gray(8, 8)), ("test/5/b.png", gray(8, 8, 1))]
    without, dataset = made(), made(*files)

    new = dataset.selection.files().keys() - without.selection.files().keys()
    one, other = (additions.identifier(pixels) for _, pixels in files)
    assert new == {f"train/3/{one}.png", f"test/no3/{other}.png"}
    assert without.selection.files().keys() <= dataset.selection.files().keys()
    assert len(dataset.selection.on_top) == 2


def test_without_its_addition_a_dataset_has_its_bytes_of_before() -> None:
    before = made().manifest
    with_one = made(("train/3/a.png", gray(8, 8))).manifest
    assert with_one.files.items() > before.files.items()
    assert made().manifest == before


def test_the_name_of_the_file_does_not_matter() -> None:
    pictures = [gray(8, 8, seed) for seed in range(4)]

    def named(names: str) -> Dataset:
        return made(
            *((f"train/3/{name}.png", one) for name, one in zip(names, pictures, strict=True))
        )

    assert named("abcd").manifest == named("dacb").manifest
    assert named("abcd").selection.rows == named("dacb").selection.rows


@pytest.mark.parametrize("size", [None, 8, 5, "6x11"])
def test_digests_names_and_pixels_agree(size: object) -> None:
    pixels = [gray(8, 8, seed) for seed in range(3)]
    if size:
        pixels += [gray(20, 30), gray(5, 5)]
    files = [(f"{(TRAIN, TEST)[n % 2]}/3/{n}.png", one) for n, one in enumerate(pixels)]
    dataset = made(*files, image_size=size)

    selected = dataset.selection.files()
    names = [name for name in selected if name.rpartition("/")[2].startswith("x")]
    assert len(names) == len(pixels)
    height, width = dataset.config.size or (8, 8)
    for name in names:
        image = dataset.images.image(selected[name])
        assert image.shape == (height, width)
        assert name.endswith(f"/{additions.identifier(image)}.png")
    shown = index.of_dataset(dataset)
    pngs = {name: png.encode(dataset.images.image(row)) for name, row in selected.items()}
    assert shown.as_shown == index.of_files(pngs.items())
    assert len(shown.places) == len(selected)


def test_an_addition_of_a_class_that_the_dataset_does_not_have_is_left_out() -> None:
    dataset = made(("train/5/a.png", gray(8, 8)), ("train/4/b.png", gray(8, 8, 1)), class_=[3, 4])

    [left_out] = dataset.selection.left_out
    assert dataset.images.labels[left_out] == "5"
    assert left_out not in dataset.selection.places()
    assert len(dataset.selection.files()) == 11


def problems(*files: tuple[str, Pixels], source: Source = DIGITS, **changes: Any) -> list[str]:
    """Return the problems with `files`, as they are printed."""
    with pytest.raises(InputError) as caught:
        _ = made(*files, source=source, **changes).selection
    return str(caught.value).splitlines()


def test_a_label_that_the_source_does_not_have_is_refused() -> None:
    assert problems(("train/no3/a.png", gray(8, 8)), ("train/Ä/b.png", gray(8, 8, 1))) == [
        f"additions/train/{label}/{name}.png:1:1: digits has no class of this name; it has 0, 1, 2,"
        " 3, 4, 5, 6, 7, 8, 9"
        for label, name in (("no3", "a"), ("Ä", "b"))
    ]


@pytest.mark.parametrize(
    ("pixels", "found"),
    [
        (gray(8, 9), "9 x 8 gray"),
        (gray(28, 28), "28 x 28 gray"),
        (rgb(8, 8), "8 x 8 RGB"),
    ],
)
def test_an_image_of_another_size_or_mode_than_the_source_has_is_refused(
    pixels: Pixels, found: str
) -> None:
    says = f"it is {found}, but the images of digits are 8 x 8 gray"
    assert problems(("train/3/a.png", pixels)) == [f"additions/train/3/a.png:1:1: {says}"]


def test_with_image_size_any_size_is_accepted_but_not_another_mode() -> None:
    dataset = made(("train/3/a.png", gray(30, 20)), image_size="6x11")
    assert len(dataset.selection.files()) == 11
    assert problems(("train/3/a.png", rgb(30, 20)), image_size="6x11") == [
        "additions/train/3/a.png:1:1: it is 6 x 11 RGB, but the images of digits are 6 x 11 gray"
    ]


def test_a_copy_of_an_image_of_the_source_is_refused() -> None:
    assert problems(("train/5/a.png", DIGITS.image(7)), ("train/3/b.png", DIGITS.image(1796))) == [
        f"additions/train/{path}.png:1:1: it is a copy of sample {row} of digits, which has the"
        f" label {label}; remove it. To move that sample to a split, add a row to curation.csv"
        for path, row, label in [("3/b", "01796", 8), ("5/a", "00007", 7)]
    ]


def test_copies_of_images_of_the_source_are_found_after_resizing() -> None:
    assert (
        "it is a copy of sample 00007 of"
        in problems(("train/5/a.png", DIGITS.image(7)), image_size=5)[0]
    )


def test_a_copy_of_what_an_image_of_the_source_is_resized_to_is_refused() -> None:
    pixels = np.repeat(np.arange(9, dtype=np.uint8), 64).reshape(9, 8, 8)
    flat = Table("flat", pixels, np.array(list("abababaab")))
    sizes = {"class_": "a", "samples": 2, "test_size": 1, "image_size": 5}

    [found] = problems(("train/b/a.png", np.full((20, 30), 2, np.uint8)), source=flat, **sizes)

    assert "it is a copy of sample 00002 of flat, which has the label a;" in found


def test_a_copy_of_an_excluded_or_ambiguous_image_is_refused_too() -> None:
    pixels = np.repeat(np.arange(8, dtype=np.uint8), 64).reshape(8, 8, 8)
    pixels[5] = pixels[0]
    rows = Table("rows", pixels, np.array(list("abababab")))
    excluded = Curation((Decision("1", "exclude", "", "", ""),))
    for row in (0, 1):
        dataset = made(
            ("train/b/a.png", pixels[row]),
            source=rows,
            curation=excluded,
            class_="a",
            samples=2,
            test_size=1,
        )
        with pytest.raises(InputError, match=f"it is a copy of sample 0000{row} of rows"):
            _ = dataset.selection


def test_every_problem_is_named_at_once() -> None:
    lines = problems(
        ("train/x/a.png", gray(9, 9)),
        ("train/y/b.png", DIGITS.image(7)),
        class_=11,
    )
    assert [line.split(": ")[0] for line in lines] == [
        *["additions/train/x/a.png:1:1"] * 2,
        *["additions/train/y/b.png:1:1"] * 2,
        "dataset_config.yaml:2:8",
    ]


def test_where_the_images_of_the_source_differ_in_size_no_addition_is_compared_with_them() -> None:
    class Mixed:
        name, shape = "mixed", None
        labels, digests = np.array(["a"]), [b"0" * 32]

    addition = Addition("additions/train/a/b.png", TRAIN, "a", rgb(3, 4), b"", b"", ".png")
    mixed: Source = Mixed()  # type: ignore[assignment]
    assert not list(problems_of([addition], mixed, config_file.parse(config_text().encode())))
