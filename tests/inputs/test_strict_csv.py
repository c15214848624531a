"""The form of a table, such as its separator and line ends, changes nothing of what it says."""

import codecs
import csv
import io
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.inputs import curation, failures
from scripts.inputs.curation import COLUMNS, Decision
from scripts.inputs.failures import Failure
from scripts.inputs.paths import CURATION_FILE
from tests.repository import Repository, Run

Rows = Sequence[Sequence[str]]
# The arguments of `written`.
Form = dict[str, Any]
VALUES = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]) | st.just(" "))
REASONS = VALUES.filter(lambda text: not text.startswith(("=", "+", "-", "@")))
SAMPLES = st.integers(0, 10**6)
RELABELED = st.tuples(st.just("relabel"), st.just("a; b"), st.just('c, "d"'), REASONS)
OTHERS = st.sampled_from(["exclude", "train", "validation", "test"])
DECIDED = RELABELED | st.tuples(OTHERS, VALUES, st.just(""), REASONS)


@st.composite
def forms(draw: st.DrawFn) -> Form:
    """Return any form."""
    return {
        "separator": draw(st.sampled_from(",;\t")),
        "end": draw(st.sampled_from(["\n", "\r\n", "\r"])),
        "mark": draw(st.booleans()),
        "columns": draw(st.integers(0, 3)),
        "rows": draw(st.integers(0, 2)),
        "quoting": draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])),
        "ends": draw(st.booleans()),
    }


def written(
    table: Rows,
    *,
    separator: str = ",",
    end: str = "\n",
    mark: bool = False,
    columns: int = 0,
    rows: int = 0,
    quoting: int = csv.QUOTE_MINIMAL,
    ends: bool = True,
) -> bytes:
    """Return `table` as a file, with empty columns and rows as spreadsheets add them."""
    text = io.StringIO(newline="")
    writer = csv.writer(
        text,
        delimiter=separator,
        lineterminator=end,
        quoting=quoting,  # type: ignore[arg-type]
    )
    writer.writerows([*row, *[""] * columns] for row in table)
    writer.writerows([[""] * (len(table[0]) + columns)] * rows)
    content = text.getvalue() if ends else text.getvalue().removesuffix(end)
    return (codecs.BOM_UTF8 if mark else b"") + content.encode()


@given(st.dictionaries(SAMPLES, DECIDED, max_size=5), forms())
def test_a_curation_means_the_same_in_every_form(
    rows: dict[int, tuple[str, ...]], form: Form
) -> None:
    table = [COLUMNS, *([f"{sample:05}", *decided] for sample, decided in rows.items())]
    # A spreadsheet drops leading zeros.
    edited = [COLUMNS, *([str(sample), *decided] for sample, decided in rows.items())]

    plain = curation.parse(written(table))
    found = curation.parse(written(edited, **form))

    assert found.sha256 == plain.sha256
    assert [one[1:5] for one in found.decisions] == [one[1:5] for one in plain.decisions]


@given(st.dictionaries(SAMPLES, DECIDED, max_size=3), forms(), REASONS)
def test_rows_that_are_appended_have_the_form_of_the_others(
    rows: dict[int, tuple[str, ...]], form: Form, reason: str
) -> None:
    table = [COLUMNS, *([str(sample), *decided] for sample, decided in rows.items())]
    before = written(table, **form)
    added = Decision(str(10**7), "test", "a;b", "", reason)

    made = curation.extended(before, [added])

    assert made.startswith(before)
    assert [*curation.parse(made).decisions][-1][:5] == added[:5]
    if form["rows"] == 0 and form["quoting"] == csv.QUOTE_MINIMAL:
        # One line without an end says nothing about how lines end.
        end = form["end"] if form["end"].encode() in before else "\n"
        assert made == written([*table, added[:5]], **(form | {"ends": True, "end": end}))


@given(st.lists(st.tuples(SAMPLES, VALUES, st.integers(0, 999)), min_size=1, max_size=5), forms())
def test_failures_mean_the_same_in_every_form(rows: list[tuple[int, str, int]], form: Form) -> None:
    table = [
        ["note", "sample", "score"],
        *([note, str(sample), f"0.{score:03}"] for sample, note, score in rows),
    ]

    found, problems = failures.parse(written(table, **form), "f.csv")

    assert not problems
    assert found == [
        Failure(str(sample), score=float(f"0.{score:03}"), line=line)
        for line, (sample, _, score) in enumerate(rows, start=2)
    ]


# At the command line

TABLE = (COLUMNS, ("00003", "test", "3", "", "a; b, c"), ("13", "exclude", "", "", "unclear"))
FORM: dict[str, Form] = {
    "Excel where commas are in numbers": {"separator": ";", "end": "\r\n", "mark": True},
    "text with tabs": {"separator": "\t", "end": "\r\n"},
    "an old Mac": {"end": "\r", "ends": False},
    "empty columns": {"separator": ";", "columns": 2, "rows": 3},
    "quotes": {"quoting": csv.QUOTE_ALL},
}


@pytest.mark.parametrize("form", FORM.values(), ids=FORM)
def test_a_curation_in_any_form_is_valid_and_gets_rows_in_it(
    repository: Repository, run: Run, form: Form
) -> None:
    file = repository.root / CURATION_FILE
    before = written(TABLE, **form)
    file.write_bytes(before)
    wrong = repository.place / "failures.csv"
    wrong.write_bytes(written([("file", "predicted"), ("00023.png", "8")], **form))

    assert run("validate").code == 0
    result = run("curate", str(wrong))

    assert "Added to curation.csv: 1 test, 0 train" in result.out
    end = form.get("end", "\n")
    lines = file.read_bytes().decode("utf-8-sig").split(end)
    fields = ["00023", "test", "3", "", "predicted 8", *[""] * form.get("columns", 0)]
    assert lines[-2:] == [form.get("separator", ",").join(fields), ""]
    assert file.read_bytes().startswith(before)


@pytest.mark.parametrize("encoding", ["utf-16", "latin-1"])
def test_another_encoding_is_one_clear_message(
    repository: Repository, run: Run, encoding: str
) -> None:
    text = written([*TABLE, ("17", "exclude", "", "", "größer")]).decode()
    (repository.root / CURATION_FILE).write_bytes(text.encode(encoding))

    result = run("validate")

    (line,) = result.err.splitlines()
    assert line.startswith(f"{CURATION_FILE}:")
    assert "Save it as CSV with the encoding UTF-8" in line


def test_what_a_spreadsheet_broke_is_refused_on_its_row(repository: Repository, run: Run) -> None:
    rows = [("5.80E+01", "test", "", "", ""), ("3", "test", "3", "", "")]
    content = written([COLUMNS, *rows], separator=";") + b"13,exclude,,,\n"
    (repository.root / CURATION_FILE).write_bytes(content)

    assert run("validate").err.splitlines() == [
        f"{CURATION_FILE}:2:1: sample: a spreadsheet has made a number of this identifier,"
        " '5.80E+01'; write the name of the file, such as 00058, and format the column as text",
        f"{CURATION_FILE}:4:1: expected 5 values ({', '.join(COLUMNS)}), found 1; separate them by"
        " semicolons as in the first line, not by commas",
    ]
