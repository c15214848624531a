from pathlib import PurePosixPath

import pytest

from scripts.ingest import layout
from scripts.ingest.findings import Findings


def paths(*names: str) -> list[PurePosixPath]:
    return [PurePosixPath(name) for name in names]


@pytest.mark.parametrize(
    ("names", "says", "place"),
    [
        (["a/1.png", "b/2.jpg"], "LABEL/FILE", (None, "a")),
        (["train/a/1.png", "test/b/2.png"], "train/LABEL/FILE and test/LABEL/FILE", ("train", "a")),
        (
            ["train/a/1.png", "train/b/1.png"],
            "train/LABEL/FILE and test/LABEL/FILE",
            ("train", "a"),
        ),
        # A classifier of trains and tests.
        (["train/1.png", "test/2.png"], "LABEL/FILE", (None, "train")),
        (["top/a/1.png", "top/b/2.png"], "LABEL/FILE in top/", (None, "a")),
        (["x/y/a/1.png", "x/y/b/2.png", "x/read.txt"], "LABEL/FILE in x/y/", (None, "a")),
        (["x/train/a/1.png"], "train/LABEL/FILE and test/LABEL/FILE in x/", ("train", "a")),
        (["a/1.png"], "LABEL/FILE", (None, "a")),
        (["a/1.png", "README.md", "b/2.png"], "LABEL/FILE", (None, "a")),
    ],
)
def test_the_arrangement_of_files_is_recognized(
    names: list[str], says: str, place: tuple[str | None, str]
) -> None:
    found, problems = layout.recognize(paths(*names)), Findings()
    assert str(found) == says
    assert found.place(PurePosixPath(names[0])) == place
    layout.check(found, paths(*names), problems)
    assert problems.count == 0


@pytest.mark.parametrize(
    ("names", "wrong"),
    [
        (["1.png", "a/2.png"], ["1.png: expected LABEL/FILE"]),
        (["a/1.png", "b/c/2.png", "b/3.png"], ["b/c/2.png: expected LABEL/FILE"]),
        (
            ["train/a/1.png", "validation/a/2.png", "test/3.png"],
            ["validation/a/2.png: a source has train and test sets only", "test/3.png: expected"],
        ),
        (["a/1.png", "b/notes/x.txt"], ["b/notes/x.txt: expected LABEL/FILE"]),
    ],
)
def test_each_file_in_the_wrong_place_is_named(names: list[str], wrong: list[str]) -> None:
    problems = Findings()
    layout.check(layout.recognize(paths(*names)), paths(*names), problems)
    assert problems.count == len(wrong)
    for found, expected in zip((one.line for one in problems.found), wrong, strict=True):
        assert found.startswith(expected)


def test_files_outside_of_the_class_folders_that_are_no_images_are_passed_over() -> None:
    names = paths("README.md", "a/1.png", "b/2.png", "a/notes.txt")
    found, problems = layout.recognize(names), Findings()
    assert layout.check(found, names, problems) == ["README.md"]
    assert problems.count == 0
    # It is read, and refused because it is no image.
    assert found.place(PurePosixPath("a/notes.txt")) == (None, "a")
