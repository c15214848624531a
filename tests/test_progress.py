import os
import pty
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from fsspec.callbacks import TqdmCallback

from scripts import progress
from scripts.__main__ import main
from scripts.progress import Bar
from tests.repository import Repository, Run

# What takes long in each verb, with its number of steps.
WORK = [
    ("build", ["Encoding images: 10 of 10 images", "Writing files: 10 of 10 files"]),
    ("push", ["Pushing to {bucket}: 10 of 10 files", "Reading objects: 11 of 11 files"]),
    ("verify", ["Reading objects: 10 of 10 files"]),
]


@contextmanager
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Let stderr be a terminal; what it showed is in the list after the block."""
    reading, writing = pty.openpty()
    termios.tcsetwinsize(writing, (24, 80))
    shown: list[str] = []
    os.set_blocking(reading, False)
    with (
        os.fdopen(reading, "rb", buffering=0) as screen,
        os.fdopen(writing, "w") as end,
        monkeypatch.context() as patch,
    ):
        patch.setattr(sys, "stderr", end)
        yield shown
        end.flush()
        shown.append(b"".join(iter(lambda: screen.read(4096), None)).decode())


def prepare(repository: Repository, run: Run, verb: str) -> None:
    """Give the verb something to do."""
    if verb == "push":
        assert run("build").code == 0
    if verb == "verify":
        assert run("release").code == 0


def test_a_terminal_shows_a_bar_that_removes_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    with terminal(monkeypatch) as shown:
        for _ in Bar(range(3), desc="Working"):
            pass
        print("done", end="", file=sys.stderr)

    before, first, *_, cleared, rest = shown[0].split("\r")
    assert before == ""
    assert first.startswith("Working:   0%|")
    assert "0/3 [" in first
    assert "file/s]" in first
    assert cleared == " " * len(cleared)
    assert len(cleared) >= len(first)
    # The cursor is at the beginning of the line again.
    assert rest == "done"


@pytest.mark.parametrize(("verb", "work"), WORK)
def test_long_work_shows_bars_on_a_terminal(
    repository: Repository, run: Run, monkeypatch: pytest.MonkeyPatch, verb: str, work: list[str]
) -> None:
    prepare(repository, run, verb)
    monkeypatch.chdir(repository.root)

    with terminal(monkeypatch) as shown:
        assert main([verb]) == 0

    for line in work:
        # A long address is cut at the end of the line.
        assert f"\r{line.partition(':')[0].format(bucket='')}" in shown[0]
    assert shown[0].rpartition("\r")[2] == ""


@pytest.mark.parametrize(("verb", "work"), WORK)
def test_long_work_writes_lines_to_a_log(
    repository: Repository, run: Run, monkeypatch: pytest.MonkeyPatch, verb: str, work: list[str]
) -> None:
    prepare(repository, run, verb)
    monkeypatch.setattr(progress, "LOG_INTERVAL", 0)

    result = run(verb)

    assert result.code == 0
    assert "\r" not in result.err
    for line in work:
        assert line.format(bucket=repository.bucket) in result.err.splitlines()


@pytest.mark.parametrize("verb", [verb for verb, _ in WORK])
def test_short_work_writes_nothing_to_a_log(repository: Repository, run: Run, verb: str) -> None:
    prepare(repository, run, verb)

    result = run(verb)

    assert (result.code, result.err) == (0, "")


def test_a_log_gets_a_line_now_and_then(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = 0.0
    monkeypatch.setattr("tqdm.std.time", lambda: now)

    with Bar(total=1000, desc="Working", unit="image") as bar:
        for _ in range(12):
            now += 10
            bar.update(100 if now < 100 else 1)

    assert capsys.readouterr() == (
        "",
        "Working: 300 of 1,000 images\n"
        "Working: 600 of 1,000 images\n"
        "Working: 900 of 1,000 images\n"
        "Working: 903 of 1,000 images\n",
    )


def test_a_log_gets_lines_for_work_of_unknown_length(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(progress, "LOG_INTERVAL", 0)

    assert list(Bar(iter("ab"), desc="Working")) == ["a", "b"]

    assert capsys.readouterr().err.splitlines() == [
        "Working: 0 files",
        "Working: 1 files",
        "Working: 2 files",
    ]


def test_a_bar_can_be_the_one_of_a_copy(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(progress, "LOG_INTERVAL", 0)

    with TqdmCallback({"desc": "Copying"}, tqdm_cls=Bar) as callback:
        callback.set_size(2)
        callback.relative_update()
        callback.relative_update()

    assert capsys.readouterr().err.splitlines()[-1] == "Copying: 2 of 2 files"
