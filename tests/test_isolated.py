import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from scripts.git.limited import LimitedGit
from scripts.isolated import IsolatedError, Limits, run
from tests import isolated_work
from tests.repository import PROJECT

LIMITS = Limits(seconds=60.0, memory=1024**3)
SHORT = Limits(seconds=1.0, memory=1024**3)
MiB = 1024**2
LIMITED_MEMORY = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="only Linux enforces the limit of memory"
)
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals")


def is_running(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="ascii")
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


def ended(pids: Path) -> bool:
    started = [int(one) for one in pids.read_text().split()]
    until = time.monotonic() + 10
    while any(map(is_running, started)) and time.monotonic() < until:
        time.sleep(0.05)
    return len(started) > 1 and not any(map(is_running, started))


def test_the_result_comes_from_another_process() -> None:
    value, process = run(LIMITS, isolated_work.product, 6, 7)

    assert value == 42
    assert process != os.getpid()


def test_a_large_result_arrives() -> None:
    assert run(LIMITS, bytes, 50 * MiB) == bytes(50 * MiB)


@pytest.mark.parametrize(
    ("work", "message"),
    [
        (isolated_work.refuse, "the config is wrong"),
        (isolated_work.refuse_in_the_config, "dataset_config.yaml:1:1: no such class"),
        (isolated_work.leave, "SystemExit: 7"),
    ],
)
def test_an_error_is_its_text(work: object, message: str) -> None:
    with pytest.raises(IsolatedError) as caught:
        run(LIMITS, work)  # type: ignore[arg-type]

    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_any_exception_is_an_error_of_the_work() -> None:
    with pytest.raises(IsolatedError, match=r"^ZeroDivisionError: division by zero$"):
        run(LIMITS, isolated_work.divide, 1)


@POSIX
@pytest.mark.parametrize(
    ("number", "message"),
    [
        (9, "its process was ended by SIGKILL, perhaps because memory ran out"),
        (11, "its process was ended by SIGSEGV"),
    ],
)
def test_a_killed_process_is_an_error_of_the_work(number: int, message: str) -> None:
    with pytest.raises(IsolatedError) as caught:
        run(LIMITS, isolated_work.end_by, number)

    assert str(caught.value) == message


@LIMITED_MEMORY
def test_memory_is_bounded() -> None:
    limits = Limits(seconds=60.0, memory=600 * MiB)

    assert run(limits, isolated_work.fill, 100 * MiB) == 100 * MiB
    with pytest.raises(IsolatedError, match=r"^it needs more than 629,145,600 bytes of memory$"):
        run(limits, isolated_work.fill, 700 * MiB)


@LIMITED_MEMORY
def test_all_processes_end_at_the_limit_of_time(tmp_path: Path) -> None:
    pids = tmp_path / "pids"

    with pytest.raises(IsolatedError, match=r"^it takes longer than 1 seconds$"):
        run(SHORT, isolated_work.wait_with_others, pids)

    assert ended(pids)


@LIMITED_MEMORY
def test_git_for_what_strangers_made_ends_too(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    pids = tmp_path / "pids"

    with pytest.raises(IsolatedError, match=r"^it takes longer than 1 seconds$"):
        run(SHORT, isolated_work.wait_for_git, LimitedGit(tmp_path, 60.0, MiB), pids)

    assert ended(pids)


@LIMITED_MEMORY
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_the_process_ends_with_the_one_that_started_it(tmp_path: Path, number: int) -> None:
    pids = tmp_path / "pids"
    code = (
        # Who starts the tests in the background of a shell has it ignored.
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler);"
        "from pathlib import Path; from scripts.isolated import Limits, run;"
        " from scripts.git.limited import LimitedGit;"
        " from tests.isolated_work import wait_for_git;"
        " git = LimitedGit(Path(), 60, 1024);"
        f" run(Limits(60, {1024**3}), wait_for_git, git, Path({str(pids)!r}))"
    )
    process = subprocess.Popen([sys.executable, "-c", code], cwd=PROJECT, stderr=subprocess.DEVNULL)
    until = time.monotonic() + 45
    while not (pids.exists() and pids.read_text().strip()) and time.monotonic() < until:
        time.sleep(0.05)

    process.send_signal(number)
    process.wait(45)

    isolated = int(pids.read_text().split()[1])
    until = time.monotonic() + 10
    while is_running(isolated) and time.monotonic() < until:
        time.sleep(0.05)
    assert not is_running(isolated)
