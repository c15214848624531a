import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.errors import UserError, printable
from tests.repository import Repository, Run


@given(st.text())
def test_a_message_never_controls_the_terminal(text: str) -> None:
    message = str(UserError(text))

    assert all(character.isprintable() or character == "\n" for character in message)
    assert message.count("\n") == text.count("\n")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x9b0m", r"\x1b[31mred\x9b0m"),
        ("a\tb\r", r"a\tb\r"),
        ("two\nlines, ä and 数", "two\nlines, ä and 数"),
        ("\u202etxt", r"\u202etxt"),
    ],
)
def test_control_characters_are_written_out(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_what_origin_prints_cannot_control_the_terminal(repository: Repository, run: Run) -> None:
    repository.check_updates("printf '\\033[2Jcleared declined\\n' >&2; exit 1")

    result = run("release")

    assert result.code == 1
    assert "\x1b" not in result.err
    assert r"\x1b[2Jcleared declined" in result.err
