from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.errors import UserError, printable
from tests.repository import Repository, Run, config_text, create, process


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
    hook = repository.origin / "hooks" / "update"
    hook.write_text("#!/bin/sh\nprintf '\\033[2Jcleared declined\\n' >&2; exit 1\n")
    hook.chmod(0o755)

    result = run("release")

    assert result.code == 1
    assert "\x1b" not in result.err
    assert r"\x1b[2Jcleared declined" in result.err


@pytest.mark.parametrize("utf8", ["0", "1"])
def test_a_path_with_other_letters_works_in_every_locale(tmp_path: Path, utf8: str) -> None:
    place = tmp_path / "Größe 数"
    place.mkdir()
    repository = create(place)
    env = {"PYTHONUTF8": utf8, "LC_ALL": "C", "PYTHONCOERCECLOCALE": "0"}
    verbs = ("validate", "plan", "build", "release", "verify")

    done = process(repository.root, *verbs, **env)

    assert done.returncode == 0, done.stderr.decode()
    repository.configure(config_text(samples=0))
    failed = process(repository.root, "validate", **env)
    assert failed.returncode == 1
    assert b"Traceback" not in failed.stderr
