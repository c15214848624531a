import csv
import io
import re
import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.inputs import curation
from scripts.inputs.config import SPLITS
from scripts.inputs.curation import (
    COLUMNS,
    MAX_BYTES,
    MAX_ROWS,
    MAX_VALUE,
    Curation,
    InvalidCurationError,
)
from scripts.inputs.paths import CONFIG_FILE, CURATION_FILE
from scripts.inputs.problems import InputError
from scripts.inputs.strict_csv import MAX_LINE
from tests.repository import PROJECT, Repository, Run, config_text, snapshot

HEADER = "sample,action,label,new_label,reason"
GOOD = "58,test,7,,"
# (line, column, message)
Places = list[tuple[int, int, str]]

ACTIONS = "action: expected exclude, relabel, train, validation or test, found "
NOT_A_SAMPLE = "sample: expected the identifier of a sample, which is the name of its file, found "
FORMULA = "reason: a spreadsheet would run this as a formula; start it with a letter, found "
NEITHER = "a relabel needs the label and the new label"
OPEN = "the quote that begins here is not closed; values cannot have line breaks"
NO_COMMA = "expected a comma after the closing quote; a quote within a value is doubled"
FIVE = f"expected 5 values ({', '.join(COLUMNS)}), found "
MADE_A_NUMBER = "a spreadsheet has made a number of this identifier"
AS_TEXT = "write the name of the file, such as 00058, and format the column as text"
UTF_16 = "UTF-16 text, such as the Unicode text of Excel"
FIRST_LINE = f"the first line must be {HEADER}, found "


def file(*rows: str) -> bytes:
    return "".join(f"{line}\n" for line in (HEADER, *rows)).encode()


def problems_of(content: bytes) -> Places:
    with pytest.raises(InputError) as caught:
        curation.parse(content)
    assert {problem.file for problem in caught.value.problems} == {CURATION_FILE}
    return [(*problem.mark, problem.message) for problem in caught.value.problems]


# For each kind of invalid file its content and the problems in it.
INVALID: dict[str, tuple[bytes, Places]] = {
    "an empty file": (b"", [(1, 1, f"{FIRST_LINE}nothing")]),
    "a wrong header": (
        b"sample,label\n58,7\n",
        [(1, 1, f"{FIRST_LINE}'sample,label'")],
    ),
    "a header with another order": (
        b"action,sample,label,new_label,reason\n",
        [(1, 1, f"{FIRST_LINE}'action,sample,label,new_label,reason'")],
    ),
    "semicolons in the header only": (
        f"{HEADER.replace(',', ';')}\n{GOOD}\n".encode(),
        [(2, 1, f"{FIVE}1; separate them by semicolons as in the first line, not by commas")],
    ),
    "a row of tabs": (
        file("58\ttest\t7\t\tone"),
        [(2, 1, f"{FIVE}1; separate them by commas as in the first line, not by tabs")],
    ),
    "a row in quotes": (
        file('"60,exclude,,,""a"" b"'),
        [(2, 1, f"{FIVE}1; the whole line is in quotes, remove them")],
    ),
    "a header with separators of two kinds": (
        HEADER.replace(",", ";", 1).encode(),
        [(1, 1, f"{FIRST_LINE}'sample;{HEADER[7:]}'")],
    ),
    "numbers that a spreadsheet made of identifiers": (
        file("5.80E+01,test,7,,", "58.0,test,7,,", '"60,947",exclude,,,', "1e3,exclude,,,"),
        [
            (line, 1, f"sample: {MADE_A_NUMBER}, '{value}'; {AS_TEXT}")
            for line, value in enumerate(["5.80E+01", "58.0", "60,947", "1e3"], start=2)
        ],
    ),
    "no header": (f"{GOOD}\n".encode(), [(1, 1, f"{FIRST_LINE}'58,test,7,,'")]),
    "a blank first line": (
        f"\n{HEADER}\n".encode(),
        [(1, 1, f"{FIRST_LINE}nothing")],
    ),
    "a long wrong header": (b"x" * 100, [(1, 1, f"{FIRST_LINE}'{'x' * 40}…'")]),
    "a wrong row with the line ends of an old Mac": (
        f"{HEADER}\r{GOOD}\r60,remove,,,\r".encode(),
        [(3, 4, f"{ACTIONS}'remove'")],
    ),
    "line ends of two kinds": (
        f"{HEADER}\r{GOOD}\r60,exclude,,,\n".encode(),
        [(1, 1, "the line endings are mixed, CR and LF; save it with LF only")],
    ),
    "a line end of an old Mac between others": (
        file(f"{GOOD}\r60,exclude,,,"),
        [(2, 1, f"{FIVE}6")],
    ),
    "a sixth column": (f"{HEADER},who\n".encode(), [(1, 1, f"{FIRST_LINE}'{HEADER},who'")]),
    "a value behind empty columns": (file(f"{GOOD},,x"), [(2, 1, f"{FIVE}7")]),
    "the character NUL": (
        file("58,test,7,,a\0b"),
        [(2, 12, "reason: the character U+0000 cannot be printed; remove it")],
    ),
    "binary": (
        b"\x89PNG\r\n\x1a\n" + bytes(range(256)),
        [(1, 1, "not UTF-8 text: byte 0x89. Save it as CSV with the encoding UTF-8")],
    ),
    "UTF-16": (
        file(GOOD).decode().encode("utf-16"),
        [(1, 1, f"{UTF_16}. Save it as CSV with the encoding UTF-8")],
    ),
    "latin-1": (
        file(GOOD, "60,exclude,,,é").decode().encode("latin-1"),
        [(3, 14, "not UTF-8 text: byte 0xe9. Save it as CSV with the encoding UTF-8")],
    ),
    "latin-1 behind other letters": (
        file("60,exclude,,,é").rstrip() + b" \xe9\n",
        [(2, 16, "not UTF-8 text: byte 0xe9. Save it as CSV with the encoding UTF-8")],
    ),
    "100,000 rows": (
        file(*(f"{number},exclude,,," for number in range(100_000))),
        [(1, 1, "the file has 100,000 rows; at most 50,000 are allowed")],
    ),
    "a huge file": (
        file(GOOD) + b"\n" * MAX_BYTES,
        [(1, 1, "the file has 8,388,657 bytes; at most 8,388,608 are allowed")],
    ),
    "a line of eight million commas": (
        file("," * 8_000_000),
        [(2, 1, "the line has 8,000,000 characters; at most 16,000 are allowed")],
    ),
    "an unknown action": (file("58,remove,7,,"), [(2, 4, f"{ACTIONS}'remove'")]),
    "an action in capitals": (file("58,Test,7,,"), [(2, 4, f"{ACTIONS}'Test'")]),
    "an action with a space": (file("58, test,7,,"), [(2, 4, f"{ACTIONS}' test'")]),
    "no action": (file("58,,7,,"), [(2, 4, f"{ACTIONS}nothing")]),
    "a formula in place of an action": (file("58,=cmd(),7,,"), [(2, 4, f"{ACTIONS}'=cmd()'")]),
    "a name of a file": (file("00058.png,test,,,"), [(2, 1, f"{NOT_A_SAMPLE}'00058.png'")]),
    "a path": (file("../../etc/passwd,test,,,"), [(2, 1, f"{NOT_A_SAMPLE}'../../etc/passwd'")]),
    "a negative number": (file("-1,test,,,"), [(2, 1, f"{NOT_A_SAMPLE}'-1'")]),
    "digits of another script": (file("٣,test,,,"), [(2, 1, f"{NOT_A_SAMPLE}'٣'")]),
    "a number of 13 digits": (file(f"{10**12},test,,,"), [(2, 1, f"{NOT_A_SAMPLE}'{10**12}'")]),
    "a formula in place of a sample": (file("=cmd(),test,,,"), [(2, 1, f"{NOT_A_SAMPLE}'=cmd()'")]),
    "no sample": (file(",test,7,,"), [(2, 1, f"{NOT_A_SAMPLE}nothing")]),
    "capital hex digits": (
        file("s0123456789ABCDEF,test,,,"),
        [(2, 1, f"{NOT_A_SAMPLE}'s0123456789ABCDEF'")],
    ),
    "an addition": (
        file("x0123456789abcdef,test,,,"),
        [
            (
                2,
                1,
                "sample: to change an image below additions/, move or remove its file",
            )
        ],
    ),
    "a relabel without labels": (
        file("58,relabel,,,"),
        [(2, 12, f"label: {NEITHER}"), (2, 13, f"new_label: {NEITHER}")],
    ),
    "a relabel without the new label": (
        file("58,relabel,7,,"),
        [(2, 14, f"new_label: {NEITHER}")],
    ),
    "a relabel to the same label": (
        file("58,relabel,7,7,"),
        [(2, 14, "new_label: it is the label already: '7'")],
    ),
    "a new label of what is no relabel": (
        file("58,exclude,7,9,"),
        [(2, 14, "new_label: only a relabel has one, found '9'")],
    ),
    **{
        f"a reason that begins with {reason[0]}": (
            file(f"58,test,7,,{written}"),
            [(2, 12, f"{FORMULA}{reason!r}")],
        )
        for reason, written in {
            "=cmd()": "=cmd()",
            "=HYPERLINK('http://x')": "\"=HYPERLINK('http://x')\"",
            "+1": "+1",
            "-1": "-1",
            "@SUM(A1)": "@SUM(A1)",
        }.items()
    },
    "a tab before a formula": (
        file("58,test,7,,\t=cmd()"),
        [(2, 12, "reason: the character U+0009 cannot be printed; remove it")],
    ),
    "a NUL": (
        file("58,test,7,,a\0b"),
        [(2, 12, "reason: the character U+0000 cannot be printed; remove it")],
    ),
    "a terminal escape sequence": (
        file("58,test,\x1b[31m7,,"),
        [(2, 9, "label: the character U+001B cannot be printed; remove it")],
    ),
    "a carriage return within a line": (
        file("58,test,7,,one\rtwo"),
        [(2, 12, "reason: the character U+000D cannot be printed; remove it")],
    ),
    "a line separator": (
        file("58,test,7,,one\u2028two"),
        [(2, 12, "reason: the character U+2028 cannot be printed; remove it")],
    ),
    "text that is shown from right to left": (
        file("58,test,7,,one\u202etwo"),
        [(2, 12, "reason: the character U+202E cannot be printed; remove it")],
    ),
    "a long reason": (
        file(f"58,test,7,,{'x' * 1001}"),
        [(2, 12, "reason: too long; at most 1,000 characters are allowed")],
    ),
    "a long sample": (
        file(f"{'5' * 2000},test,7,,"),
        [
            (2, 1, f"{NOT_A_SAMPLE}'{'5' * 40}…'"),
            (2, 1, "sample: too long; at most 1,000 characters are allowed"),
        ],
    ),
    "too few values": (file("58,test,7"), [(2, 1, f"{FIVE}3")]),
    "too many values": (file("58,test,7,,one,two"), [(2, 1, f"{FIVE}6")]),
    "a reason with a comma and no quotes": (
        file("58,exclude,,,blurred, and cut"),
        [(2, 1, f"{FIVE}6")],
    ),
    "a line of spaces": (file("  "), [(2, 1, f"{FIVE}1")]),
    "a quote that is not closed": (file('58,test,7,,"one'), [(2, 12, OPEN)]),
    "a quote that is closed twice": (file('58,test,7,,"one""'), [(2, 12, OPEN)]),
    "a quote in the second value that is not closed": (file('58,"test,7,,one'), [(2, 4, OPEN)]),
    "text behind a quote": (file('58,test,7,,"one" two'), [(2, 17, NO_COMMA)]),
    "a line break within quotes": (
        file('58,test,7,,"one', 'two"', "59,exclude,,,"),
        [(2, 12, OPEN), (3, 1, f"{FIVE}1")],
    ),
    "the same row twice": (
        file(GOOD, "60,exclude,,,", GOOD),
        [(4, 1, "sample 58: this row repeats line 2 (test)")],
    ),
    "the same row with other zeros and another reason": (
        file("58,test,7,,", "00058,test,,,again"),
        [(3, 1, "sample 00058: this row repeats line 2 (test)")],
    ),
    "two relabels of a sample": (
        file("58,relabel,7,9,", "58,relabel,7,1,"),
        [(3, 1, "sample 58: this row contradicts line 2 (relabel)")],
    ),
    "a sample in two splits": (
        file("58,train,,,", "58,test,,,"),
        [(3, 1, "sample 58: this row contradicts line 2 (train)")],
    ),
    "a sample that is excluded and in a split": (
        file("58,exclude,,,", "58,test,,,"),
        [(3, 1, "sample 58: this row contradicts line 2 (exclude)")],
    ),
    "a sample that is relabeled and excluded": (
        file("58,relabel,7,9,", "58,exclude,,,"),
        [(3, 1, "sample 58: this row contradicts line 2 (relabel)")],
    ),
    "a third row about a sample": (
        file("58,relabel,7,9,", "58,test,,,", "58,train,,,"),
        [(4, 1, "sample 58: this row contradicts line 3 (test)")],
    ),
}


@pytest.mark.parametrize(("content", "expected"), INVALID.values(), ids=INVALID)
def test_an_invalid_curation_gives_its_problems_with_their_places(
    content: bytes, expected: Places
) -> None:
    started = time.monotonic()

    assert problems_of(content) == expected
    assert time.monotonic() - started < 30


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_a_byte_order_mark_is_named(encoding: str) -> None:
    ((line, column, message),) = problems_of(file(GOOD).decode().encode(encoding))

    assert (line, column) == (1, 1)
    assert message.startswith(UTF_16)


def test_all_problems_are_reported_at_once_in_the_order_of_the_file() -> None:
    rows = ["58,test,,,", "x,foo,,9,=cmd()", '"58,', "", "58,train,,,", "1", "60,relabel,,,"]

    assert [(line, column) for line, column, _ in problems_of(file(*rows))] == [
        *[(3, 1), (3, 3), (3, 10)],
        *[(4, 1), (6, 1), (7, 1)],
        *[(8, 12), (8, 13)],
    ]


def test_the_valid_part_is_what_has_no_problem() -> None:
    rows = ["58,test,,,", "x,foo,,9,", "58,train,,,", "60,relabel,8,9,", "61,relabel,,,"]

    with pytest.raises(InvalidCurationError) as caught:
        curation.parse(file(*rows))

    left = caught.value.valid_part.decisions
    assert [(one.sample, one.action) for one in left] == [("58", "test"), ("60", "relabel")]


# Valid files


@pytest.mark.parametrize(
    "content",
    [
        f"{HEADER}\n{GOOD}\n",
        f"{HEADER}\n{GOOD}",
        f"\ufeff{HEADER}\n{GOOD}\n",
        f"{HEADER}\r\n{GOOD}\r\n",
        f"\ufeff{HEADER}\r\n\r\n{GOOD}\r\n\r\n",
        f"{HEADER}\n\n\n{GOOD}\n\n",
        f'{HEADER}\n"58","test","7","",""\n',
        f"{HEADER}\n00058,test,7,,\n",
        f"{HEADER}\r{GOOD}\r",
        f"{HEADER},,\n{GOOD},,\n,,,,,,\n",
        f'"sample","action","label","new_label","reason"\n{GOOD}\n',
        f"{HEADER}\n{GOOD}\n".replace(",", ";"),
        f"{HEADER}\n{GOOD}\n".replace(",", "\t"),
        f"\ufeff{HEADER};;\r\n{GOOD};;\r\n;;;;;;\r\n".replace(",", ";"),
        f'{HEADER}\n{GOOD}\n"","","","",""\n',
    ],
    ids=[
        "plain",
        "no line break at the end",
        "a byte order mark",
        "CRLF",
        "a byte order mark, CRLF and blank lines",
        "blank lines",
        "quotes around every value",
        "leading zeros",
        "line ends of an old Mac",
        "empty columns and rows",
        "a header in quotes",
        "semicolons",
        "tabs",
        "semicolons, empty columns and rows",
        "an empty row in quotes",
    ],
)
def test_what_editors_and_spreadsheets_write_means_the_same(content: str) -> None:
    parsed = curation.parse(content.encode())

    assert [one[1:5] for one in parsed.decisions] == [("test", "7", "", "")]
    assert [one.key for one in parsed.decisions] == ["58"]
    assert parsed.sha256 == curation.parse(file(GOOD)).sha256


@pytest.mark.parametrize("content", [HEADER, f"{HEADER}\n", f"{HEADER}\r\n\r\n"])
def test_a_header_alone_is_no_decision(content: str) -> None:
    assert curation.parse(content.encode()) == Curation()


def test_the_template_has_a_header_alone() -> None:
    assert curation.parse((PROJECT / CURATION_FILE).read_bytes()) == Curation()


def test_the_largest_allowed_curation_is_read() -> None:
    rows = [f"{number},exclude,4,," for number in range(MAX_ROWS)]
    assert len(curation.parse(file(*rows)).decisions) == MAX_ROWS


def test_the_longest_allowed_row_is_read() -> None:
    quotes = '""' * MAX_VALUE
    row = f'{10**11},relabel,"{quotes}","{quotes[2:]}x","{quotes}"'
    assert len(row) < MAX_LINE

    ((_, _, label, new_label, reason, _),) = curation.parse(file(row)).decisions

    assert (len(label), len(new_label), len(reason)) == (MAX_VALUE,) * 3


def test_quotes_hold_commas_and_doubled_quotes() -> None:
    row = '60947,relabel,8,9,"reads as a ""9"", five of five"'

    (decision,) = curation.parse(file(row)).decisions

    assert decision[:5] == ("60947", "relabel", "8", "9", 'reads as a "9", five of five')
    assert [mark.column for mark in decision.marks] == [1, 7, 15, 17, 19]


def test_a_relabel_goes_together_with_a_pin() -> None:
    for pin in SPLITS:
        rows = ["58,relabel,7,9,", f"58,{pin},7,,"]
        for one in (rows, rows[::-1]):
            assert len(curation.parse(file(*one)).decisions) == 2


# The checksum


def test_the_checksum_is_that_of_what_the_decisions_mean() -> None:
    rows = ["58,test,,,", "60,relabel,8,9,", "60,train,,,", "7,exclude,,,"]
    known = curation.parse(file(*rows)).sha256
    same = [
        rows[::-1],
        ["058,test,7,,why", "60,relabel,8,9,", '00060,train,8,,"a, b"', "7,exclude,4,,"],
    ]
    others = [
        rows[1:],
        ["59,test,,,", *rows[1:]],
        ["58,train,,,", *rows[1:]],
        [*rows[:1], "60,relabel,8,3,", *rows[2:]],
    ]

    assert {curation.parse(file(*one)).sha256 for one in same} == {known}
    assert len({known, *(curation.parse(file(*one)).sha256 for one in others)}) == 5
    assert Curation().sha256 is None


# Properties

TEXT = st.text(
    st.sampled_from('07sx",=\r\n\t\0 é\ufeff\u2028') | st.characters(codec="utf-8"), max_size=30
)
VALUE = st.sampled_from(["58", "test", "relabel", "exclude", "9"]) | TEXT


@given(
    st.binary(max_size=200)
    | st.binary(max_size=100).map(lambda rows: file() + rows)
    | st.lists(TEXT, max_size=5).map(lambda lines: file(*lines))
    | st.lists(st.tuples(*[VALUE] * 5), max_size=5).map(lambda rows: file(*map(",".join, rows)))
)
def test_any_content_is_a_curation_or_gives_problems_with_their_places(content: bytes) -> None:
    try:
        parsed = curation.parse(content)
    except InputError as error:
        message = str(error)
    else:
        assert isinstance(parsed, Curation)
        return
    for line in message.split("\n"):
        assert re.match(rf"{CURATION_FILE}:[1-9][0-9]*:[1-9][0-9]*: .", line)


PRINTABLE = st.characters(exclude_categories=["C", "Z"]) | st.just(" ")
VALUES = st.text(PRINTABLE, min_size=1, max_size=20)
SAMPLES = st.integers(0, 10**12 - 1).map(str) | st.from_regex(r"s[0-9a-f]{16}", fullmatch=True)


@st.composite
def decisions(draw: st.DrawFn) -> tuple[str, ...]:
    reason = draw(st.just("") | VALUES.filter(lambda text: text[0] not in "=+-@"))
    label = draw(VALUES)
    if draw(st.booleans()):
        return (draw(SAMPLES), "relabel", label, label + draw(VALUES), reason)
    action = draw(st.sampled_from(["exclude", *SPLITS]))
    return (draw(SAMPLES), action, draw(st.sampled_from(["", label])), "", reason)


@given(
    st.lists(decisions(), max_size=8, unique_by=lambda row: row[0].lstrip("0")),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    st.sampled_from(["\n", "\r\n"]),
)
def test_what_pythons_csv_module_writes_is_read_as_it_was(
    rows: list[tuple[str, ...]], quoting: int, end: str
) -> None:
    written = io.StringIO()
    writer = csv.writer(written, quoting=quoting, lineterminator=end)  # type: ignore[arg-type]
    written.write(HEADER + end)
    writer.writerows(rows)

    parsed = curation.parse(written.getvalue().encode()).decisions

    assert [one[:5] for one in parsed] == rows
    lines = written.getvalue().split(end)
    for one in parsed:
        line = lines[one.marks[0].line - 1]
        starts = [mark.column for mark in one.marks]
        for value, (start, stop) in zip(one[:5], pairwise([*starts, len(line) + 2]), strict=True):
            quoted = '"' + value.replace('"', '""') + '"'
            assert line[start - 1 : stop - 2] in {value, quoted}


# In a repository


def curated(repository: Repository, *rows: str, **config: object) -> None:
    repository.configure(config_text(**config))
    (repository.root / CURATION_FILE).write_bytes(file(*rows))


@pytest.mark.parametrize("verb", ["validate", "build", "plan"])
def test_problems_of_config_curation_and_source_are_reported_in_one_run(
    untouched: Repository, run: Run, verb: str
) -> None:
    rows = [
        *["3,foo,,,", "3,exclude,4,,", "1797,exclude,,,", "13,relabel,3,x,", "23,validation,3,,"],
        *["23,test,3,,", "s0123456789abcdef,test,,,"],
    ]
    curated(untouched, *rows, seed=-1, samples=5000)
    before = snapshot(untouched.place)

    result = run(verb, where=untouched.root)

    lines = [
        f"{CURATION_FILE}:2:3: {ACTIONS}'foo'",
        f"{CURATION_FILE}:3:11: label: the label of 3 in digits is 3, not 4",
        f"{CURATION_FILE}:4:1: sample: digits has no sample 1797",
        f"{CURATION_FILE}:5:14: new_label: digits has no class 'x'; it has 0, 1, 2, 3, 4, 5, 6, 7,"
        " 8, 9",
        f"{CURATION_FILE}:6:4: action: there is no validation set; add validation_size to the"
        " config",
        f"{CURATION_FILE}:7:1: sample 23: this row contradicts line 6 (validation)",
        f"{CURATION_FILE}:8:1: sample: digits has no sample s0123456789abcdef",
        f"{CONFIG_FILE}:3:10: samples: folder 3 needs 5,000 images, but digits has only 183 for it",
        f"{CONFIG_FILE}:3:10: samples: folder no3 needs 5,000 images, but digits has only 1,614"
        " for it",
        f"{CONFIG_FILE}:5:7: seed: must be at least 0, found -1",
    ]
    assert result.err.splitlines() == lines
    assert (result.code, result.out) == (1, "")
    assert snapshot(untouched.place) == before


def test_problems_are_shown_on_their_lines_of_the_pull_request(
    untouched: Repository, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    curated(untouched, '3,test,3,,"100 % sure', "9999,test,,,", samples=0)

    result = run("validate", where=untouched.root)

    assert result.code == 1
    assert result.out.splitlines() == [
        f"::error file={CURATION_FILE},line=2,col=11::{OPEN}",
        f"::error file={CURATION_FILE},line=3,col=1::sample: digits has no sample 9999",
        f"::error file={CONFIG_FILE},line=3,col=10::samples: must be at least 1, found 0",
    ]


def test_a_config_without_its_source_hides_no_problem_of_the_curation(
    untouched: Repository, run: Run
) -> None:
    curated(untouched, "3,foo,,,", source="../x")

    result = run("validate", where=untouched.root)

    assert [line.split(": ")[0] for line in result.err.splitlines()] == [
        f"{CURATION_FILE}:2:3",
        f"{CONFIG_FILE}:1:9",
    ]


def test_a_link_in_place_of_the_curation_is_one_message(repository: Repository, run: Run) -> None:
    (repository.root / "elsewhere.csv").write_bytes(file(GOOD))
    (repository.root / CURATION_FILE).symlink_to("elsewhere.csv")

    assert run("validate") == (
        1,
        "",
        f"{CURATION_FILE}:1:1: not a regular file; links, folders and devices are not read\n",
    )


def test_no_curation_is_as_good_as_an_empty_one(repository: Repository, run: Run) -> None:
    assert run("validate").code == 0
    curated(repository)
    assert run("validate").code == 0
