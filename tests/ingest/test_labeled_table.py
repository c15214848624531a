"""Tables that name images: how they are read, and joined with the files."""

import codecs
import io
import json
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from scripts.errors import UserError
from tests.ingest.listed import found, labels, pictures
from tests.ingest.pictures import write

NAMES = ("images/007.png", "images/008.png", "images/010.png")
CSV = (
    "file,label,age,weight,smokes,note\n"
    "007,cat,3,1.5,true,0012\n008,dog,,2,false,13\n010,cat,5,,True,\n"
)
METADATA: list[dict[str, object]] = [
    {"age": 3, "weight": 1.5, "smokes": True, "note": "0012"},
    {"age": None, "weight": 2.0, "smokes": False, "note": "13"},
    {"age": 5, "weight": None, "smokes": True, "note": None},
]


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    return write(tmp_path / "photos", pictures(*NAMES))


def as_json(text: str) -> list[dict[str, object]]:
    header, *rows = (line.split(",") for line in text.splitlines())
    kept = zip(rows, METADATA, strict=True)
    return [{header[0]: row[0], header[1]: row[1], **known} for row, known in kept]


def as_parquet(rows: list[dict[str, object]]) -> bytes:
    buffer = io.BytesIO()
    parquet.write_table(pa.Table.from_pylist(rows), buffer)
    return buffer.getvalue()


TABLES: dict[str, tuple[str, bytes]] = {
    "commas": ("x.csv", CSV.encode()),
    "semicolons, Windows": ("x.csv", CSV.replace(",", ";").replace("\n", "\r\n").encode()),
    "tabs": ("x.tsv", CSV.replace(",", "\t").encode()),
    "bars": ("x.txt", CSV.replace(",", "|").encode()),
    "byte order mark": ("x.csv", codecs.BOM_UTF8 + CSV.encode()),
    "UTF-16": ("x.csv", CSV.encode("utf-16")),
    "CR": ("x.CSV", CSV.replace("\n", "\r").encode()),
    "quotes and blank lines": (
        "x.csv",
        f"\n{CSV.replace('cat', chr(34) + 'cat' + chr(34))}\n\n".encode(),
    ),
    "spaces": ("x.csv", CSV.replace(",", ", ").encode()),
    "an index": (
        "x.csv",
        "\n".join(f"{n},{x}" if n else f",{x}" for n, x in enumerate(CSV.splitlines())).encode(),
    ),
    "JSON Lines": ("x.jsonl", "\n".join(map(json.dumps, as_json(CSV))).encode()),
    "JSON": ("x.json", json.dumps(as_json(CSV)).encode()),
    "JSON by file": (
        "x.json",
        json.dumps(
            {row["file"]: {k: v for k, v in row.items() if k != "file"} for row in as_json(CSV)}
        ).encode(),
    ),
    "Parquet": ("x.parquet", as_parquet(as_json(CSV))),
}


@pytest.mark.parametrize(("name", "content"), TABLES.values(), ids=TABLES)
def test_a_table_in_any_usual_form_gives_labels_and_typed_metadata(
    photos: Path, name: str, content: bytes
) -> None:
    (photos / name).write_bytes(content)
    said, images, problems = found(photos, table=name, file="file")
    assert problems == []
    assert said.startswith(
        f"recognized: FILE in images/ with {name} (file: file, label: label); cat 2"
    )
    assert labels(images) == dict(zip(NAMES, ("cat", "dog", "cat"), strict=True))
    assert [one.metadata for one in images] == METADATA
    kinds = [[type(value) for value in one.metadata.values()] for one in images]
    assert kinds[0] == [int, float, bool, str]


def test_lists_of_texts_are_kept_and_other_values_are_passed_over(photos: Path) -> None:
    rows = [
        {
            "file": name,
            "label": "a",
            "tags": ["x", "y"],
            "box": {"w": 1},
            "sizes": [1],
            "mixed": n or "x",
        }
        for n, name in enumerate(NAMES)
    ]
    (photos / "x.jsonl").write_text("\n".join(map(json.dumps, rows)))
    said, images, _ = found(photos, table="x.jsonl", file="file")
    assert images[0].metadata == {"tags": ["x", "y"], "mixed": "x"}
    assert images[1].metadata == {"tags": ["x", "y"], "mixed": "1"}
    assert said.endswith("metadata: tags, mixed\ncolumns passed over: box, sizes")


def test_rows_without_a_file_and_files_without_a_row_are_problems(photos: Path) -> None:
    text = "file,label\nimages/007.png,cat\n011,dog\n007,dog\n,dog\n008,\na,b,c\n"
    (photos / "x.csv").write_text(text)
    _, images, problems = found(photos, table="x.csv")
    assert [(one.where, one.label) for one in images] == [(NAMES[0], "cat"), (NAMES[1], None)]
    assert problems == [
        "x.csv line 7: it has 3 values, but the first line has 2",
        "x.csv line 3: there is no image '011'",
        "x.csv line 4: it names 'images/007.png' again, as 'x.csv line 2' does",
        "x.csv line 5: its file is empty",
        "images/010.png: no row of the table names it",
    ]


def test_a_name_that_several_files_have_is_a_problem_unless_a_folder_tells_them_apart(
    tmp_path: Path,
) -> None:
    write(tmp_path, pictures("a/1.png", "b/1.png", "b/2.png"))
    (tmp_path / "x.csv").write_text("file,label\n1,x\n/data/b/1.png,y\nb\\2.png,z\n")
    _, images, problems = found(tmp_path, table="x.csv", file="file")
    assert labels(images) == {"b/1.png": "y", "b/2.png": "z"}
    assert problems[0] == "x.csv line 2: '1' is the name of several files, such as a/1.png, b/1.png"


def test_names_are_compared_in_one_form_of_unicode(tmp_path: Path) -> None:
    write(tmp_path, pictures("Cafe\u0301.png", "2.png"))
    (tmp_path / "x.csv").write_text("file,label\nCaf\u00e9.png,x\n2.png,y\n")
    assert len(found(tmp_path, table="x.csv")[1]) == 2


def test_splits_from_a_column_or_from_folders(tmp_path: Path) -> None:
    write(tmp_path, pictures("train/1.png", "train/2.png", "test/3.png"))
    (tmp_path / "x.csv").write_text(
        "file,label,split,fold\n1,a,dev,Test\n2,b,train,val\n3,a,dev,x\n"
    )
    said, images, _ = found(tmp_path, table="x.csv")
    assert [*labels(images).values()] == ["validation: a", "validation: a", "train: b"]
    assert "(file: file, label: label, split: split)" in said
    _, images, problems = found(tmp_path, table="x.csv", split="fold")
    assert labels(images) == {"train/1.png": "test: a", "train/2.png": "validation: b"}
    assert problems == ["x.csv line 4: its fold is 'x', which is no name of a split"]
    (tmp_path / "x.csv").write_text("file,label\n1,a\n2,b\n3,a\n")
    _, images, _ = found(tmp_path, table="x.csv")
    assert [*labels(images).values()] == ["test: a", "train: a", "train: b"]


def test_a_group_is_metadata_also_where_it_is_the_label(photos: Path) -> None:
    (photos / "x.csv").write_text("file,who\n007,ann\n008,bob\n010,ann\n")
    said, images, _ = found(photos, table="x.csv", label="who", group="who")
    assert (images[0].label, images[0].metadata) == ("ann", {"who": "ann"})
    assert said.endswith("groups: who")


def test_labels_can_come_from_folders_beside_a_table(tmp_path: Path) -> None:
    write(tmp_path, pictures("cat/1.png", "dog/2.png"))
    (tmp_path / "metadata.csv").write_text("file_name,age\ncat/1.png,3\ndog/2.png,4\n")
    with pytest.raises(UserError, match="no column of the table is called label") as caught:
        found(tmp_path)
    assert "ingest shapes LOCATION --label parent" in str(caught.value)
    _, images, _ = found(tmp_path, label="parent")
    assert [(one.label, one.metadata) for one in images] == [
        ("cat", {"age": 3}),
        ("dog", {"age": 4}),
    ]


def test_a_column_comes_before_a_way_of_the_same_name(tmp_path: Path) -> None:
    write(tmp_path, pictures("cat/1.png", "dog/2.png"))
    (tmp_path / "x.csv").write_text("file,parent\n1,mia\n2,rex\n")
    assert [one.label for one in found(tmp_path, table="x.csv", label="parent")[1]] == [
        "mia",
        "rex",
    ]


@pytest.mark.parametrize("name", ["metadata.csv", "metadata.jsonl", "metadata.parquet"])
def test_the_metadata_of_hugging_face_needs_no_option(tmp_path: Path, name: str) -> None:
    write(tmp_path, pictures("x/1.png", "x/2.png"))
    rows: list[dict[str, object]] = [{"file_name": f"x/{n}.png", "label": n} for n in (1, 2)]
    content = {
        "metadata.csv": b"file_name,label\nx/1.png,1\nx/2.png,2\n",
        "metadata.jsonl": "\n".join(map(json.dumps, rows)).encode(),
        "metadata.parquet": as_parquet(rows),
    }
    (tmp_path / name).write_bytes(content[name])
    said, images, problems = found(tmp_path)
    assert [one.label for one in images] == ["1", "2"]
    assert said.startswith(
        f"recognized: FILE in x/ with {name} (file: file_name, label: label); 1 1"
    )
    assert problems == []


def test_several_columns_can_be_classes(photos: Path) -> None:
    (photos / "x.csv").write_text("file,cat,dog\n007,1.0,0.0\n008,1,1\n010,0,0\n")
    _, images, problems = found(photos, table="x.csv", label="cat,dog")
    assert labels(images) == {NAMES[0]: "cat"}
    assert problems[:2] == [
        "x.csv line 3: several of its labels are 1: cat, dog",
        "x.csv line 4: no label of it is 1",
    ]


@pytest.mark.parametrize(
    ("text", "options", "says"),
    [
        (
            "id,breed\n007,a\n",
            {},
            "no column of the table is called label, so say what the label is",
        ),
        ("id,breed\n007,a\n", {"label": "race"}, "--label race: x.csv has the columns id, breed"),
        ("id,breed\n007,a\n", {"label": "id,race"}, "--label id,race: x.csv has the columns"),
        ("id,label\nx,a\n", {}, "no column names images of the location, so say which one does"),
        ("a,b,label\n007,008,x\n", {}, "several columns name files (a, b), so say which one does"),
        ("id,id,label\n007,8,x\n", {}, "x.csv: it has two columns id; its first line has to name"),
        (
            "007.png,cat\n008.png,dog\n",
            {},
            "x.csv has no names of columns: its first line is a row, 007.png,cat. Write a line"
            " with names before it, such as file,label",
        ),
        (
            "x,cat,1,007\ny,cat,0,008\n",
            {"file": "file"},
            "x.csv has no names of columns: its first line is a row, x,cat,1,007. Write a line"
            " with names before it, such as label,second,third,file",
        ),
        ("", {}, "x.csv has no rows"),
        (
            "id,label\n007,a\xff\n",
            {},
            "x.csv: it is not UTF-8 text: byte 0xff in line 2. Save it with the encoding UTF-8",
        ),
        ("\xff\xfea", {}, "x.csv cannot be read as a table: 'utf-16-le' codec"),
        ("PK\x03\x04\x14", {}, "x.csv: it is a file of Excel. Save it as CSV with the encoding"),
    ],
)
def test_a_table_that_does_not_say_enough_is_refused(
    photos: Path, text: str, options: dict[str, str], says: str
) -> None:
    (photos / "x.csv").write_bytes(text.encode("latin-1"))
    with pytest.raises(UserError) as caught:
        found(photos, (), table="x.csv", **options)
    assert str(caught.value).startswith(says)


def test_a_table_beside_the_images_is_named_also_if_it_has_to_be_changed(photos: Path) -> None:
    (photos / "x.csv").write_bytes("id,label,note\n007,a,37\xb0\n008,b,38\xb0\n".encode("latin-1"))
    with pytest.raises(UserError) as caught:
        found(photos, ())
    assert "It has the columns id, label, note. To use it:" in str(caught.value)
    (photos / "x.csv").write_bytes(b"cat,007\ncat,008\n")
    with pytest.raises(UserError) as caught:
        found(photos, ())
    assert (
        "But it has no names of columns: its first line is a row, cat,007. Write a line with names"
        " before it, such as label,file. Then use it:\n    python -m scripts ingest shapes LOCATION"
        " --table x.csv --file file --label label\n"
    ) in str(caught.value)


@pytest.mark.parametrize("header", ["007,note", "name,label"])
def test_an_image_can_be_called_like_a_column(photos: Path, header: str) -> None:
    write(photos, pictures("images/name.png"))
    (photos / "x.csv").write_text(f"{header}\n007,cat\n008,dog\n010,cat\nname,dog\n")
    file, label = header.split(",")
    assert not found(photos, table="x.csv", file=file, label=label)[2]


def test_a_table_can_be_elsewhere_or_named_with_the_location(photos: Path, tmp_path: Path) -> None:
    (tmp_path / "beside.csv").write_text(CSV)
    said, images, problems = found(photos, table=str(tmp_path / "beside.csv"), file="file")
    assert (len(images), problems) == (3, [])
    assert "with beside.csv (file: file" in said
    (photos / "x.csv").write_text(CSV)
    assert len(found(photos, table="LOCATION/x.csv")[1]) == 3


def test_a_table_that_is_not_there_is_refused(photos: Path) -> None:
    (photos / "y.csv").write_text(CSV)
    with pytest.raises(UserError, match=r"there is no table x\.csv in LOCATION; there are y\.csv"):
        found(photos, table="x.csv")
