from scripts.inputs import additions_table, reader
from scripts.inputs.additions_table import AdditionsTable
from scripts.inputs.problems import InputError
from scripts.inputs.tree import WorkTree
from tests.inputs.pictures import encoded, gray
from tests.repository import Repository, Run

PATHS = ["additions/train/3/one.png", "additions/test/5/two.png", "additions/train/3/three.png"]
BELOW = "file_name: expected the path of a file below additions/, such as train/cat/one.jpg, found"


def parsed(text: str) -> AdditionsTable:
    found, problems = additions_table.parse(text.encode(), PATHS)
    assert not problems
    return found


def problems(text: str) -> list[str]:
    try:
        _, found = additions_table.parse(text.encode(), PATHS)
    except InputError as error:
        found = error.problems
    return [f"{one.mark.line}:{one.mark.column}: {one.message}" for one in found]


def test_values_have_the_narrowest_type_that_all_of_a_column_have() -> None:
    table = parsed(
        "age,file_name,patient,weight,new\n"
        "12,train/3/one.png,007,0.5,true\n"
        "\n"
        "14,test/5/two.png,,2,FALSE\n"
    )

    assert table.metadata == {
        PATHS[0]: {"age": 12, "patient": "007", "weight": 0.5, "new": True},
        PATHS[1]: {"age": 14, "weight": 2.0, "new": False},
    }
    assert [*table.columns.items()] == [
        ("age", (1, 1)),
        ("patient", (1, 15)),
        ("weight", (1, 23)),
        ("new", (1, 30)),
    ]


def test_it_is_read_as_spreadsheets_save_it() -> None:
    plain = parsed("file_name,note\ntrain/3/one.png,a\n")

    assert (
        parsed("\ufefffile_name;note;\r\ntrain/3/one.png;a;\r\n;;\r\n").metadata == plain.metadata
    )
    assert parsed('"file_name"\t"note"\r"train/3/one.png"\ta').metadata == plain.metadata


def test_files_without_a_row_and_a_table_without_columns_are_fine() -> None:
    assert parsed("file_name,note\n").metadata == {}
    assert parsed("file_name\ntrain/3/one.png\n").metadata == {PATHS[0]: {}}


def test_every_problem_is_named_with_its_place() -> None:
    text = (
        "note,file_name\n"
        "a,train/3/one.png\n"
        "b,train/3/one.png\n"
        "c,additions/test/5/two.png\n"
        "d,4.png\n"
        "e\n"
        "f,\n"
        '"g\0",train/3/three.png\n'
    )

    assert problems(text) == [
        "3:3: file_name: line 2 has this file already",
        f"4:3: {BELOW} 'additions/test/5/two.png'; the file of this name is test/5/two.png",
        f"5:3: {BELOW} '4.png'",
        "6:1: expected 2 values as in the first line, found 1",
        f"7:3: {BELOW} nothing",
        "8:1: note: the character U+0000 cannot be printed; remove it",
    ]


def test_a_first_line_that_is_wrong_is_named() -> None:
    assert problems("file,note\n") == [
        "1:1: expected a first line with the column file_name (paths below additions/ such as"
        " train/cat/one.jpg), found 'file,note'"
    ]
    assert problems("file_name,note,,note\n") == [
        "1:11: the column note is there more than once",
        "1:16: a column needs a name",
        "1:17: the column note is there more than once",
    ]
    assert problems(f"file_name,{'x' * 101}\n") == [
        "1:11: the name of a column has at most 100 characters, which can be printed"
    ]


def put(repository: Repository, table: str) -> None:
    for seed, path in enumerate(PATHS):
        file = repository.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(encoded(gray(8, 8, seed)))
    (repository.root / "additions" / "metadata.csv").write_text(table)


def test_additions_have_what_their_table_says(repository: Repository, run: Run) -> None:
    put(repository, "file_name;note\ntrain/3/one.png;blurred\n")

    assert run("validate").code == 0
    found = reader.read(WorkTree(repository.root))
    assert {one.name: one.metadata for one in found.additions} == {
        "train/3/one.png": {"note": "blurred"},
        "train/3/three.png": {},
        "test/5/two.png": {},
    }


def test_its_problems_are_printed_with_the_others(repository: Repository, run: Run) -> None:
    put(repository, "file_name,note\ntrain/3/four.png,a\n")
    (repository.root / PATHS[0]).write_bytes(b"text")

    result = run("validate")

    assert result.code == 1
    assert result.err.splitlines() == [
        f"additions/metadata.csv:2:1: {BELOW} 'train/3/four.png'",
        "additions/train/3/one.png:1:1: it is not a JPEG, PNG, WebP, GIF, BMP, TIFF or PPM file",
    ]


def test_a_table_in_another_folder_or_without_files_is_a_problem(
    repository: Repository, run: Run
) -> None:
    folder = repository.root / "additions" / "train"
    folder.mkdir(parents=True)
    (folder / "metadata.csv").write_text("file_name\n")
    (folder.parent / "metadata.csv").symlink_to("elsewhere.csv")

    assert [line.split(": ")[0] for line in run("validate").err.splitlines()] == [
        "additions/metadata.csv:1:1",
        *["additions/train/metadata.csv:1:1"] * 2,
    ]
