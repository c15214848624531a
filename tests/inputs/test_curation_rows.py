import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.inputs import curation
from scripts.inputs.curation import Decision

HEADER = b"sample,action,label,new_label,reason\n"
PINNED = Decision("00058", "test", "3", "", 'predicted "7", not 3')
ROW = b'00058,test,3,,"predicted ""7"", not 3"\n'


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        (None, HEADER + ROW),
        (HEADER, HEADER + ROW),
        (HEADER[:-1], HEADER + ROW),
        (HEADER + b"7,exclude,,,\n", HEADER + b"7,exclude,,,\n" + ROW),
        (HEADER + b'7,exclude,,,"odd"', HEADER + b'7,exclude,,,"odd"\n' + ROW),
        (
            HEADER.replace(b"\n", b"\r\n") + b"\r\n7,exclude,,,\r\n",
            HEADER.replace(b"\n", b"\r\n") + b"\r\n7,exclude,,,\r\n" + ROW.replace(b"\n", b"\r\n"),
        ),
        (b"\xef\xbb\xbf" + HEADER, b"\xef\xbb\xbf" + HEADER + ROW),
        (
            HEADER.replace(b"\n", b"\r") + b"7,exclude,,,",
            (HEADER + b"7,exclude,,,\n" + ROW).replace(b"\n", b"\r"),
        ),
        (
            HEADER.replace(b"\n", b"\r\n") + b"7,exclude,,,",
            (HEADER + b"7,exclude,,,\n" + ROW).replace(b"\n", b"\r\n"),
        ),
        (
            b"sample;action;label;new_label;reason\r\n7;exclude;;;a, b\r\n",
            b"sample;action;label;new_label;reason\r\n7;exclude;;;a, b\r\n"
            b'00058;test;3;;"predicted ""7"", not 3"\r\n',
        ),
        (
            b"sample\taction\tlabel\tnew_label\treason\n",
            b"sample\taction\tlabel\tnew_label\treason\n"
            b'00058\ttest\t3\t\t"predicted ""7"", not 3"\n',
        ),
        (
            HEADER[:-1] + b",,\n7,exclude,,,,,\n",
            HEADER[:-1] + b",,\n7,exclude,,,,,\n" + ROW[:-1] + b",,\n",
        ),
    ],
    ids=[
        *["no file", "empty", "no line end", "rows", "row without end", "Windows", "mark", "Mac"],
        *["Windows without line end", "semicolons", "tabs", "empty columns"],
    ],
)
def test_rows_are_added_at_the_end_and_the_others_stay_byte_for_byte(
    before: bytes | None, expected: bytes
) -> None:
    made = curation.extended(before, [PINNED])

    assert made == expected
    assert curation.parse(made).decisions[-1][:5] == PINNED[:5]


@given(st.lists(st.integers(0, 10**11), unique=True, max_size=5))
def test_the_rows_that_are_added_are_read_as_they_were_meant(rows: list[int]) -> None:
    decisions = [Decision(str(row), "exclude", "", "", 'a "b", c') for row in rows]

    found = curation.parse(curation.extended(HEADER, decisions)).decisions

    assert [one[:5] for one in found] == [one[:5] for one in decisions]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("00058", "00058"),
        ("test/3/00058.png", "00058"),
        (r"a\00058.png", "00058"),
        ("s0123456789abcdef.png", "s0123456789abcdef"),
        ("58.jpg", "58"),
        ("58.5", None),
        ("", None),
        ("../58/", None),
        ("٣", None),
    ],
)
def test_an_identifier_is_found_in_a_path(text: str, expected: str | None) -> None:
    assert curation.identifier_in(text) == expected
