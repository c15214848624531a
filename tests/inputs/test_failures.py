import io
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import pandas
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from scripts.inputs import curation, failures
from scripts.inputs.curation import Decision
from scripts.inputs.failures import Failure
from scripts.inputs.problems import InputError

FILE = "failures.csv"
HEADER = "file,label,predicted,score\n"


def problems(content: bytes | str) -> list[str]:
    with pytest.raises(InputError) as caught:
        failures.parse(content.encode() if isinstance(content, str) else content, FILE)
    return str(caught.value).splitlines()


def test_an_evaluation_is_read_with_whatever_else_it_writes() -> None:
    text = 'loss,file,label,note,predicted,score\n2.1,test/no3/00058.png,no3,"a, b",3,0.92\n'

    assert failures.parse(text.encode(), FILE) == (
        [Failure("00058", "no3", "3", 0.92, 2, "no3")],
        [],
    )


@pytest.mark.parametrize(
    "value",
    [
        "00058.png",
        "test/no3/00058.png",
        "/home/ada/out/dataset/test/no3/00058.png",
        r"C:\out\test\no3\00058.png",
        "00058",
    ],
)
def test_a_sample_is_known_by_its_file_wherever_it_lies(value: str) -> None:
    (found,), wrong = failures.parse(f"file\n{value}\n".encode(), FILE)

    assert (found.sample, found.folder) == ("00058", "no3" if "test" in value else "")
    assert wrong == []


def test_a_sample_is_known_by_its_identifier() -> None:
    text = "sample\n58\n\ns0123456789abcdef\nx0123456789abcdef\n"

    found, _ = failures.parse(text.encode(), FILE)
    assert [one.sample for one in found] == [
        "58",
        "s0123456789abcdef",
        "x0123456789abcdef",
    ]


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbffile,label\n00058.png,3\n",
        b"file,label\r\n00058.png,3\r\n",
        b'"file","label"\n"00058.png","3"\n',
        b"file, label\n00058.png, 3",
        b"file,label\r00058.png,3\r",
        b"file,label,,\n00058.png,3,,\n,,,\n",
        b"file,label\n00058.png,3,,\n",
        b"file;label\n00058.png;3\n",
        b"file\tlabel\r\n00058.png\t3\r\n",
        b'\xef\xbb\xbf"a, b";file;label;\n1;00058.png;3;\n;;;\n',
    ],
    ids=[
        *["byte order mark", "Windows", "quotes", "spaces", "Mac", "empty columns", "empty values"],
        *["semicolons", "tabs", "semicolons and a comma in a name"],
    ],
)
def test_csv_is_read_as_programs_write_it(content: bytes) -> None:
    assert failures.parse(content, FILE) == ([Failure("00058", "3", line=2)], [])


def test_a_score_can_have_a_decimal_comma_where_semicolons_separate_values() -> None:
    text = "sample;score\n58;0,92\n59;-1,5E-3\n60;0.5\n61;1,2,3\n"

    found, wrong = failures.parse(text.encode(), FILE)

    assert [one.score for one in found] == [0.92, -0.0015, 0.5]
    assert [(*one.mark, one.message) for one in wrong] == [
        (5, 4, "score: expected a number, found '1,2,3'")
    ]


def test_a_number_that_a_spreadsheet_made_of_an_identifier_is_named() -> None:
    assert problems("file,label\n58.0,3\n") == [
        "failures.csv:2:1: file: a spreadsheet has made a number of this identifier, '58.0'; write"
        " the name of the file, such as 00058, and format the column as text"
    ]


@pytest.mark.parametrize(
    ("failure", "expected"),
    [
        (Failure("1", "3", "7", 0.9213), "predicted 7 instead of 3, score 0.921"),
        (Failure("1", "", "7"), "predicted 7"),
        (Failure("1", "3", "", 12.0), "score 12"),
        (Failure("1"), "wrong prediction"),
    ],
)
def test_the_reason_says_what_the_model_got_wrong(failure: Failure, expected: str) -> None:
    assert failure.reason == expected


def test_every_problem_is_reported_with_its_place() -> None:
    rows = [
        "",
        "cat.png,3,7,high",
        "00002.png,3,7",
        '00003.png,"3,7,0.5',
        "00004.png,3,a\x1bb,nan",
        "00006.png,3,7,1_0",
        f"00005.png,{'3' * 101},7,",
    ]

    assert problems(HEADER + "\n".join(rows)) == [
        "failures.csv:3:1: file: expected a sample of the dataset, such as test/3/00058.png, found"
        " 'cat.png'",
        "failures.csv:3:13: score: expected a number, found 'high'",
        "failures.csv:4:1: expected 4 values as in the first line, found 3",
        "failures.csv:5:11: the quote that begins here is not closed; values cannot have"
        " line breaks",
        "failures.csv:6:13: predicted: has a character that cannot be printed",
        "failures.csv:6:17: score: expected a number, found 'nan'",
        "failures.csv:7:15: score: expected a number, found '1_0'",
        "failures.csv:8:11: label: too long; at most 100 characters are allowed",
    ]


def test_the_other_rows_are_read() -> None:
    text = f"{HEADER}00001.png,3,7,0.5\ncat.png,3,7,high\n00002.png,3,7,1\n"

    found, wrong = failures.parse(text.encode(), FILE)

    assert [(one.sample, one.line) for one in found] == [("00001", 2), ("00002", 4)]
    assert [problem.mark for problem in wrong] == [(3, 1), (3, 13)]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (
            "file,note;sample\n",
            "commas and semicolons separate the names of columns; use only one of them",
        ),
        (b"PK\x03\x04\x14\x00", "a file of Excel. Save it as CSV with the encoding UTF-8"),
        (b"\xd0\xcf\x11\xe0\xa1", "a file of Excel. Save it as CSV with the encoding UTF-8"),
        ("file\n".encode("utf-16"), "UTF-16 text, such as the Unicode text of Excel. Save it as"),
        (
            "file,label\r1.png,3\r2.png,4\n",
            "the line endings are mixed, CR and LF; save it with LF",
        ),
        ("", "expected a first line with the column file (file names such as 00058.png) or sample"),
        ("path,label\n", "expected a first line with the column file (file names such as 00058"),
        ("file\n" * 500_002, "the file has 500,001 rows; at most 500,000 are allowed"),
        (b"file\n" + b" " * 40_000_000, "the file has 40,000,005 bytes; at most 33,554,432 are"),
    ],
)
def test_a_file_of_another_kind_gets_one_clear_message(content: bytes | str, expected: str) -> None:
    (found,) = problems(content)
    assert found.startswith(f"failures.csv:1:1: {expected}")


def test_file_and_sample_may_both_name_a_sample_if_they_agree() -> None:
    text = "sample,file\n58,test/no3/00058.png\n00059,test/3/00058.png\n"

    found, wrong = failures.parse(text.encode(), FILE)

    assert found == [Failure("00058", line=2, folder="no3")]
    assert [(*one.mark, one.message) for one in wrong] == [
        (3, 1, "sample: another sample than that of the column file, 'test/3/00058.png'")
    ]


def test_a_column_that_is_there_twice_is_a_problem() -> None:
    assert problems("file,label,label\n00058.png,3,7\n") == [
        "failures.csv:1:6: the column label is there more than once",
        "failures.csv:1:12: the column label is there more than once",
    ]


PRINTABLE = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), max_size=100)


@given(PRINTABLE, PRINTABLE, st.floats(allow_nan=False, allow_infinity=False) | st.none())
def test_no_prediction_makes_a_reason_that_the_curation_refuses(
    label: str, predicted: str, score: float | None
) -> None:
    reason = Failure("58", label, predicted, score).reason
    made = curation.extended(None, [Decision("00058", "test", "3", "", reason)])

    (decision,) = curation.parse(made).decisions
    assert decision[:5] == ("00058", "test", "3", "", reason)


ROWS = {
    "image": [{"bytes": b"png", "path": "00058.png"}, {"bytes": b"png", "path": "00059.png"}],
    "label": [1, 0],
    "sample": ["00058", "00059"],
    "file": ["test/no3/00058.png", "test/3/00059.png"],
    "predicted": [0, None],
    "score": [0.25, None],
}


def parquet_of(columns: Mapping[str, object]) -> bytes:
    sink = io.BytesIO()
    parquet.write_table(pa.table(columns), sink)
    return sink.getvalue()


def test_the_parquet_file_of_a_release_is_read_with_a_column_added(tmp_path: Path) -> None:
    path = tmp_path / "test.parquet"
    path.write_bytes(parquet_of(ROWS))
    expected = [
        Failure("00058", "1", "0", 0.25, 1, "no3"),
        Failure("00059", "0", "", None, 2, "3"),
    ]

    assert failures.read(path) == (expected, [])


def test_pandas_writes_whole_numbers_as_floats_where_one_is_missing(tmp_path: Path) -> None:
    table = pandas.DataFrame({"sample": ["1", "2"], "predicted": [3, None]})
    table.to_parquet(tmp_path / "test.parquet")

    found, _ = failures.read(tmp_path / "test.parquet")
    assert [one.predicted for one in found] == ["3", ""]


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"label": [1], "predicted": [2]}, "expected a column file or sample, found label, predic"),
        (
            {"sample": ["1"], "predicted": [[1, 2]]},
            "the Parquet file cannot be read: a value is a list; expected text or numbers",
        ),
    ],
)
def test_a_parquet_file_of_another_kind_gets_one_clear_message(
    columns: dict[str, object], expected: str, tmp_path: Path
) -> None:
    path = tmp_path / "test.parquet"
    path.write_bytes(parquet_of(columns))

    with pytest.raises(InputError) as caught:
        failures.read(path)
    assert str(caught.value).startswith(f"{path}:1:1: {expected}")


@given(data=st.data())
def test_a_damaged_parquet_file_gets_a_message_and_never_a_traceback(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    content = bytearray(parquet_of(ROWS))
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(4, len(content) - 1))] = data.draw(st.integers(0, 255))
    size = data.draw(st.integers(4, len(content)))

    path = tmp_path_factory.getbasetemp() / "damaged.parquet"
    path.write_bytes(content[:size])

    with suppress(InputError):
        failures.read(path)
