import os
import pty
import subprocess
import sys
import termios
from pathlib import Path

import pytest

from scripts.__main__ import main
from tests.repository import Repository, Run, config_text

VERBS = ("validate", "plan", "build", "push", "release", "verify", "remote")
PROGRAM = (sys.executable, "-m", "scripts")


def process(where: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PROGRAM, *arguments], cwd=where, capture_output=True, text=True, check=False
    )


def test_help_lists_every_verb(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--help"])

    assert caught.value.code == 0
    said = capsys.readouterr().out
    for verb in VERBS:
        assert f"    {verb} " in said


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help_that_says_what_it_does(
    verb: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main([verb, "--help"])

    assert caught.value.code == 0
    assert len(capsys.readouterr().out) > 200


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["bild"],
        ["build", "extra"],
        ["plan", "--format", "yaml"],
        ["plan", "--against"],
        ["remote"],
        ["verify", "--slow"],
    ],
    ids=" ".join,
)
def test_wrong_usage_exits_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)

    assert caught.value.code == 2
    assert capsys.readouterr().err.startswith("usage: ")


@pytest.mark.parametrize("verb", ["validate", "plan", "build", "push", "release", "verify"])
def test_outside_of_a_repository_every_verb_says_so(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))

    result = run(verb, where=tmp_path)

    assert result == (1, "", "error: this is no git repository. Run this in a clone of one.\n")


def test_verbs_work_from_a_folder_below(repository: Repository, run: Run) -> None:
    (repository.root / "docs").mkdir()

    assert run("build", where=repository.root / "docs").code == 0

    assert repository.lock.exists()
    assert not (repository.root / "docs" / "dataset").exists()


def test_validate_says_what_the_config_asks_for(repository: Repository, run: Run) -> None:
    repository.configure(config_text(samples={"3": 5, "no3": 9}))
    assert run("validate") == (
        0,
        "dataset_config.yaml is valid: train 3: 3, no3: 7; test 3: 2, no3: 2\n",
        "",
    )


def test_a_user_error_in_a_process_is_a_message_and_no_traceback(untouched: Repository) -> None:
    done = process(untouched.root, "push")

    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("error: there is no dataset.dvc yet.")
    assert "Traceback" not in done.stderr


def test_a_reader_that_has_seen_enough_gets_no_traceback(repository: Repository) -> None:
    # `plan | head -0`: nobody reads on by the time that it writes.
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as closed:
        done = subprocess.run(
            [*PROGRAM, "plan"],
            cwd=repository.root,
            stdout=closed,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )

    assert (done.returncode, done.stderr) == (0, "")


LONG = config_text(class_="all", samples=150, test_size=20)


def test_long_work_is_quiet_in_a_log(repository: Repository) -> None:
    repository.configure(LONG)

    assert process(repository.root, "build").stderr == ""
    assert process(repository.root, "push").stderr == ""


@pytest.mark.parametrize(
    ("verb", "shown"), [("build", b"Drawing"), ("push", b"Pushing to"), ("verify", b"Reading")]
)
def test_long_work_shows_progress_on_a_terminal(
    repository: Repository, run: Run, verb: str, shown: bytes
) -> None:
    repository.merge(LONG)
    if verb != "build":
        run("build")
    if verb == "verify":
        run("release")
    terminal, end = pty.openpty()
    termios.tcsetwinsize(end, (24, 80))
    with subprocess.Popen(
        [*PROGRAM, verb], cwd=repository.root, stdout=subprocess.DEVNULL, stderr=end
    ) as running:
        os.close(end)
        said = b""
        while chunk := read(terminal):
            said += chunk
    os.close(terminal)

    assert running.returncode == 0
    assert shown in said


def read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 4096)
    except OSError:
        # Linux reports the other end's closing as an error.
        return b""
