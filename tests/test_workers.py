import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from functools import partial

import pytest

from scripts import workers
from scripts.errors import UserError
from tests.repository import PROJECT

MANY = range(3 * workers.MIN_ITEMS)
LONG = """\
import os, time
from scripts import workers

def work(part):
    os.write(1, f"{os.getpid()}\\n".encode())
    time.sleep(60)
    return list(part)

list(workers.results(work, range(2 * workers.MIN_ITEMS)))
"""

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux") or len(os.sched_getaffinity(0)) == 1,
    reason="this machine has no second core, or cannot fork",
)


def with_process(offset: int, part: Sequence[int]) -> list[tuple[int, int]]:
    return [(offset + item, os.getpid()) for item in part]


def test_results_are_in_the_order_of_the_items_and_from_other_processes() -> None:
    found = list(workers.results(partial(with_process, 7), MANY))

    assert [value for value, _ in found] == [7 + item for item in MANY]
    assert os.getpid() not in {process for _, process in found}
    assert not multiprocessing.active_children()


@pytest.mark.parametrize("count", [0, 1, workers.MIN_ITEMS - 1])
def test_few_items_need_no_other_process(count: int) -> None:
    found = list(workers.results(partial(with_process, 0), range(count)))

    assert found == [(item, os.getpid()) for item in range(count)]


def test_on_one_core_no_other_process_is_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0})

    assert {process for _, process in workers.results(partial(with_process, 0), MANY)} == {
        os.getpid()
    }


def failing(part: Sequence[int]) -> list[int]:
    if MANY[-1] in part:
        raise UserError("the last item is damaged")
    return list(part)


def test_an_error_is_raised_here_and_no_process_is_left() -> None:
    with pytest.raises(UserError, match=r"^the last item is damaged$"):
        list(workers.results(failing, MANY))
    assert not multiprocessing.active_children()


def killed(part: Sequence[int]) -> list[int]:
    if MANY[-1] in part:
        os.kill(os.getpid(), signal.SIGKILL)
    return list(part)


def test_a_process_that_is_killed_is_one_message() -> None:
    with pytest.raises(UserError, match=r"^a process of this run was killed, .* Run it again"):
        list(workers.results(killed, MANY))
    assert not multiprocessing.active_children()


def test_no_process_outlives_the_one_that_started_it() -> None:
    command = [sys.executable, "-c", LONG]
    with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        children = {int(parent.stdout.readline()) for _ in range(2)}
        parent.kill()
    end = time.monotonic() + 10
    while any(is_running(child) for child in children):
        assert time.monotonic() < end
        time.sleep(0.05)


def is_running(process: int) -> bool:
    try:
        with open(f"/proc/{process}/stat") as file:  # noqa: PTH123
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
