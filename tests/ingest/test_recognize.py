"""Splits and labels from paths, what is asked, and what is left out."""

import json
from pathlib import Path

import pytest
from pyarrow import parquet

from scripts.errors import UserError
from scripts.ingest import images_read, reading
from tests.ingest.listed import found, labels, parquet_file, pictures
from tests.ingest.pictures import labeled, write
from tests.repository import Repository, Run


@pytest.fixture(autouse=True)
def _in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "collect", images_read.collect)


def asked(location: Path, **how: str) -> str:
    """Return the message that refuses a location."""
    with pytest.raises(UserError) as caught:
        found(location, (), **how)
    return str(caught.value)


@pytest.mark.parametrize(
    ("names", "form", "place"),
    [
        (["a/1.png", "b/2.jpg"], "LABEL/FILE", "a"),
        (["train/a/1.png", "test/b/2.png"], "SPLIT/LABEL/FILE", "train: a"),
        (["train/a/1.png", "train/b/1.png"], "SPLIT/LABEL/FILE", "train: a"),
        (["VALID/a/1.png", "Testing/b/1.png"], "SPLIT/LABEL/FILE", "validation: a"),
        (["dev/a/1.png", "training/b/1.png"], "SPLIT/LABEL/FILE", "validation: a"),
        (["top/a/1.png", "top/b/2.png"], "LABEL/FILE in top/", "a"),
        (["x/y/a/1.png", "x/y/b/2.png", "x/read.txt"], "LABEL/FILE in x/y/", "a"),
        (["x/train/a/1.png", "x/train/b/1.png"], "SPLIT/LABEL/FILE in x/", "train: a"),
        (["a/1.png", "README.md", "b/2.png", "b/notes.txt"], "LABEL/FILE", "a"),
    ],
)
def test_folders_are_splits_and_labels(
    tmp_path: Path, names: list[str], form: str, place: str
) -> None:
    said, images, problems = found(write(tmp_path, pictures(*names)))
    assert said.startswith(f"recognized: {form}; ")
    assert labels(images)[names[0]] == place
    assert problems == []


@pytest.mark.parametrize(
    ("names", "wrong"),
    [
        (["1.png", "a/2.png", "b/3.png"], ["1.png: it is in no class folder; expected LABEL/FILE"]),
        (
            ["a/1.png", "b/c/2.png", "b/3.png"],
            ["b/c/2.png: it is in deeper folders than LABEL/FILE; --label parent takes"],
        ),
        (
            ["train/a/1.png", "train/b/2.png", "val/a/2.png", "test/3.png"],
            ["test/3.png: it is in no class folder; expected SPLIT/LABEL/FILE"],
        ),
    ],
)
def test_each_image_in_the_wrong_place_is_named(
    tmp_path: Path, names: list[str], wrong: list[str]
) -> None:
    _, images, problems = found(write(tmp_path, pictures(*names)))
    assert len(images) == len(names) - len(wrong)
    for problem, expected in zip(problems, wrong, strict=True):
        assert problem.startswith(expected)


def test_labels_from_deeper_folders(tmp_path: Path) -> None:
    write(tmp_path, pictures("x/train/a/b/1.png", "x/train/a/c/2.png", "x/test/d/b/3.png"))
    _, parents, _ = found(tmp_path, label="parent")
    assert [*labels(parents).values()] == ["test: b", "train: b", "train: c"]
    _, paths, _ = found(tmp_path, label="path")
    assert [*labels(paths).values()] == ["test: d/b", "train: a/b", "train: a/c"]


def test_folders_like_splits_beside_others_are_said_to_be_none(tmp_path: Path) -> None:
    write(tmp_path, pictures("x/train/a/1.png", "x/val/a/2.png", "x/more/b/3.png"))
    said, images, _ = found(tmp_path, label="parent")
    note = "no splits: train, val are beside other folders (more), so they are not taken for splits"
    assert said.splitlines()[-1] == note
    assert [one.split for one in images] == [None] * 3
    said, _, _ = found(write(tmp_path / "y", pictures("train/1.png", "bus/2.png")))
    assert "no splits" not in said


def test_labels_from_names(tmp_path: Path) -> None:
    names = ("train/cat.17.jpg", "train/dog.2.jpg", "test/cat.3.jpg", "test/7.jpg")
    _, images, problems = found(write(tmp_path, pictures(*names)), label=r"name:^([a-z]+)\.")
    assert labels(images) == {
        "test/cat.3.jpg": "test: cat",
        "train/cat.17.jpg": "train: cat",
        "train/dog.2.jpg": "train: dog",
    }
    assert problems == [r"test/7.jpg: its name does not match ^([a-z]+)\."]


def test_named_groups_of_a_pattern_are_metadata(tmp_path: Path) -> None:
    pattern = "name:(?P<label>[^/]+)/(?P<patient>p[0-9])/"
    write(tmp_path, pictures("sick/p1/1.png", "well/p2/1.png"))
    said, images, _ = found(tmp_path, label=pattern, group="patient")
    assert [(one.label, one.metadata) for one in images] == [
        ("sick", {"patient": "p1"}),
        ("well", {"patient": "p2"}),
    ]
    assert "\nmetadata: patient\ngroups: patient" in said


@pytest.mark.parametrize(
    ("pattern", "says"),
    [
        ("(", "--label name:( is no regular expression: missing )"),
        ("a", "--label name:a needs one group in parentheses, which is the label; it has 0"),
        ("(a)(b)", "--label name:(a)(b) needs one group in parentheses"),
        ("(?P<label>a)(b)", "--label name:(?P<label>a)(b) needs one group"),
    ],
)
def test_a_pattern_that_is_not_valid_is_refused(tmp_path: Path, pattern: str, says: str) -> None:
    write(tmp_path, pictures("a/1.png", "b/1.png"))
    assert asked(tmp_path, label=f"name:{pattern}").startswith(says)


@pytest.mark.parametrize(
    ("names", "says"),
    [
        (["train2017/1.png", "val2017/2.png"], "They are called like splits, not like classes"),
        (["train/1.png", "test_images/2.png"], "They are called like splits"),
        (["images/1.png", "images/2.png"], "One class for everything is probably not what you"),
        (["photos-of-2020/cat1.png", "photos-of-2020/dog2.png"], "One class for everything"),
        (["train/images/1.png", "val/images/2.png"], "One class for everything"),
        ([f"{n}/1.png" for n in range(5)], "Each file would be a class of its own"),
        (
            ["images/1.png", "images/2.png", "masks/1.png", "masks/2.png"],
            "The folder masks probably has masks of the images in images",
        ),
        (
            ["img/1.jpg", "img/2.jpg", "seg_masks/1_mask.png", "seg_masks/2_mask.png"],
            "The folder seg_masks probably has masks of the images in img",
        ),
        (
            [f"{of}s/{n}_{of}.png" for of in ("annotation", "image", "mask") for n in "12"],
            "has masks of the images in images",
        ),
        (
            ["Images/IMG_1.jpg", "Images/IMG_2.jpg", "Masks/Mask_1.png", "Masks/Mask_2.png"],
            "The folder Masks probably has masks of the images in Images",
        ),
        (
            ["a/1.png", "a/1_mask.png", "b/2.png", "b/2_mask.png"],
            "2 files are probably masks of others, by their names",
        ),
        (
            ["a/1_image.png", "a/1_mask.png", "a/1_mask_2.png", "b/2.png", "b/2_label.png"],
            "3 files are probably masks of others, by their names",
        ),
    ],
)
def test_labels_that_are_probably_wrong_are_asked_for(
    tmp_path: Path, names: list[str], says: str
) -> None:
    write(tmp_path, pictures(*names))
    message = asked(tmp_path)
    assert says in message
    assert "\n    python -m scripts ingest shapes LOCATION --label parent" in message
    # That says: yes, as it is.
    _, images, problems = found(tmp_path, label="parent")
    assert len(images) == len(names)
    assert problems == []


@pytest.mark.parametrize(
    "names",
    [
        ["cat/1.png", "mask/1.png"],  # people with and without
        ["mask/mask_1.jpg", "no_mask/no_mask_1.png", "no_mask/2.png"],
        ["a/label_1.png", "a/label_2.png", "b/mask.png", "b/image.png"],
        ["train/a/1.png", "test/a/2.png"],
        ["a/1.png", "b/2.png", "c/3.png"],
        ["test/1.png", "training/2.png", "other/3.png"],
    ],
)
def test_labels_that_may_be_right_are_not_asked_for(tmp_path: Path, names: list[str]) -> None:
    assert len(found(write(tmp_path, pictures(*names)))[1]) == len(names)


def test_more_images_of_one_class_are_fine_where_the_source_has_classes(tmp_path: Path) -> None:
    write(tmp_path / "x", pictures("eel/1.png", "eel/2.png"))
    assert "One class for everything" in asked(tmp_path / "x")
    said, images, _ = found(tmp_path / "x", known=("cat", "dog"))
    assert said.startswith("recognized: LABEL/FILE; eel 2\n")
    assert len(images) == 2
    write(tmp_path / "y", pictures("images/1.png", "images/2.png"))
    with pytest.raises(UserError):
        found(tmp_path / "y", known=("cat", "dog"))
    assert found(tmp_path / "y", known=("images", "dog"))[1]


def test_images_in_no_folder_are_asked_for_with_a_pattern_that_fits(tmp_path: Path) -> None:
    message = asked(
        write(tmp_path / "x", pictures("cat.1.jpg", "cat.2.jpg", "dog.1.jpg", "dog.2.jpg"))
    )
    assert r"(which finds cat 2, dog 2):" in message
    assert r"--label 'name:^([^\W\d_]+)[-_. ]*\d'" in message
    message = asked(write(tmp_path / "y", pictures("1.jpg", "2.jpg")))
    assert "a regular expression with one group:" in message


def test_a_table_or_json_that_names_the_images_is_offered(tmp_path: Path) -> None:
    write(tmp_path, pictures(*(f"{c}/{n}.png" for c in "ab" for n in range(2))))
    (tmp_path / "notes.csv").write_text("name,value\nx,1\ny,2\n")
    (tmp_path / "notes.json").write_text('{"version": "1.0"}')
    assert len(found(tmp_path)[1]) == 4
    (tmp_path / "all.json").write_text(
        json.dumps({"x": [{"deep": f"{c}/0.png"} for c in "ab"] * 3})
    )
    assert len(found(tmp_path)[1]) == 4  # too few to be all
    (tmp_path / "all.json").write_text(json.dumps({f"{c}/{n}.png": 1 for c in "ab" for n in "01"}))
    assert "all.json in LOCATION names the images" in asked(tmp_path)
    (tmp_path / "all.json").unlink()
    (tmp_path / "all.parquet").write_bytes(parquet_file({"path": ["a/0.png", "b/1.png"]}))
    assert "--table all.parquet --file path --label COLUMN" in asked(tmp_path)
    assert len(found(tmp_path, label="parent")[1]) == 4


def test_annotations_of_labelme_are_named(tmp_path: Path) -> None:
    write(tmp_path, pictures("a/1.png", "b/2.png"))
    (tmp_path / "a" / "1.json").write_text('{"version": "5", "shapes": [], "imagePath": "1.png"}')
    assert "labelme (1 file such as a/1.json)" in asked(tmp_path)


def test_other_files_are_passed_over_by_ending_and_hidden_ones_are_not_named(
    repository: Repository, run: Run, tmp_path: Path
) -> None:
    others = {f"a/{n}.xml": b"<x/>" for n in range(12)} | {"b/x.py": b"", "LICENSE": b""}
    left = {"a/.DS_Store": b"", "b/Thumbs.db": b"", "__MACOSX/a/._1.png": b"", "@eaDir/1.png": b""}
    photos = write(tmp_path / "x", {**labeled(range(4), "a", "b"), **others, **left})

    result = run("ingest", "shapes", str(photos))

    assert result.code == 0, result.err
    assert "\npassed over: 12 .xml, 1 .py, 1 without ending\n" in result.out


def test_a_long_list_of_classes_is_cut(tmp_path: Path) -> None:
    names = [f"{n:03}/{m}.png" for n in range(100) for m in range(2)]
    said, _, _ = found(write(tmp_path, dict.fromkeys(names, b"")))
    assert said.splitlines()[0].endswith(", 010 2, 011 2 and 88 more")


def test_a_class_is_any_text_that_a_person_can_read(tmp_path: Path) -> None:
    names = ("Gr\u00f6\u00dfe/1.png", "golden retriever/1.png", "bell\x07/1.png", "\u732b/1.png")
    _, images, problems = found(write(tmp_path, pictures(*names)))
    assert {one.label for one in images} == {"Gr\u00f6\u00dfe", "golden retriever", "\u732b"}
    assert problems == ["bell\\x07/1.png: its label 'bell\\x07' has control characters"]


def test_columns_without_a_table_are_refused(tmp_path: Path) -> None:
    write(tmp_path, pictures("a/1.png", "b/1.png"))
    assert asked(tmp_path, label="breed").endswith(
        "has no table that is known. Name one with --table FILE, or one of parent, path,"
        " name:PATTERN"
    )
    assert asked(tmp_path, group="patient").startswith("--group patient names a column")


def test_a_location_of_other_files_says_which_there_are(tmp_path: Path) -> None:
    assert asked(write(tmp_path / "x", {"a/1.heic": b"", "a/2.heic": b""})) == (
        "LOCATION: there are no images; passed over: 2 .heic"
    )
    assert asked(write(tmp_path / "y", {"x.zip": b""})).endswith(
        "Ingest an archive by its own path, such as x.zip"
    )


def test_validation_sets_are_stored(repository: Repository, run: Run, tmp_path: Path) -> None:
    names = (f"{split}/{c}/1.png" for split in ("train", "val", "test") for c in "ab")
    result = run("ingest", "shapes", str(write(tmp_path / "x", pictures(*names))))
    assert result.code == 0, result.err
    index = parquet.read_table(repository.root / "sources/shapes/index/00000.parquet")
    assert sorted(index.column("split").to_pylist()) == (
        ["test"] * 2 + ["train"] * 2 + ["validation"] * 2
    )


def test_invalid_files_can_be_left_out(repository: Repository, run: Run, tmp_path: Path) -> None:
    files = {**labeled(range(10), "a", "b"), "a/x.png": b"text", "b/y.png": b"", "top.png": b""}
    photos = str(write(tmp_path / "x", files))
    result = run("ingest", "shapes", photos)
    assert result.err.startswith(f"error: 3 problems in {photos}, so nothing is ingested:\n")
    command = f"python -m scripts ingest shapes {photos} --skip-invalid"
    assert result.err.endswith(f"\nTo leave them out:\n    {command}\n")

    result = run("ingest", "shapes", photos, "--skip-invalid")

    assert result.code == 0
    assert result.err.splitlines() == [
        "left out: top.png: it is in no class folder; expected LABEL/FILE",
        "left out: a/x.png: it is not a JPEG, PNG, WebP, GIF, BMP, TIFF or PPM file",
        "left out: b/y.png: it is empty",
    ]
    assert "\nleft out 3 files that are invalid\n" in result.out
    assert "batch 1 with 10 images in 1 shard" in result.out
    written = (repository.root / "sources" / "shapes.dvc").read_text()
    assert "\n    skipped: 3\n" in written
    assert run("ingest", "shapes", photos, "--skip-invalid").code == 0


def test_a_dry_run_names_problems_and_writes_nothing(
    repository: Repository, run: Run, tmp_path: Path
) -> None:
    photos = str(write(tmp_path / "x", {**labeled(range(4), "a", "b"), "top.png": b""}))
    result = run("ingest", "shapes", photos, "--dry-run")
    assert result.code == 1
    assert result.out.startswith("recognized: LABEL/FILE; a 2, b 2\n    a/0000.png: a\n")
    assert "top.png: it is in no class folder" in result.err
    result = run("ingest", "shapes", photos, "--dry-run", "--skip-invalid")
    assert (result.code, result.out.splitlines()[-1]) == (
        0,
        "dry run: no image was read, and nothing was written",
    )
    assert repository.git("status", "--porcelain") == ""
    assert not repository.bucket.exists()
