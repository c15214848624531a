"""Work in a process of its own, with limits of time and memory.

What a stranger made can take any amount of both, or end the process that reads it. Here that is one
error like any other.
"""

import multiprocessing
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, TypeVar

from scripts.errors import UserError

# Seconds in which a process that is interrupted can end the processes that it has started.
GRACE = 3.0
ROOT = Path(__file__).resolve().parent.parent
# Linux ends this process, rather than any other one, when the memory of the machine runs out.
ENDED_FIRST = "1000"

Result = TypeVar("Result")
# A result, or what went wrong in words.
Answer = tuple[Any, str | None]


class IsolatedError(UserError):
    """The work failed, whatever the reason: an error, a crash or a limit. The text says which."""


@dataclass(frozen=True)
class Limits:
    """What the work may take: `seconds` in all, and `memory` bytes for each of its processes.

    The time to start the process does not count, nor do files that are mapped into memory. There is
    no limit of memory on Windows, and macOS does not enforce it.
    """

    seconds: float
    memory: int


def run(limits: Limits, function: Callable[..., Result], *arguments: Any) -> Result:
    """Return what `function` returns for `arguments`, called in a new process.

    The function is one of a module, and everything that is handed over can be pickled. The process
    has the environment and the output of this one, but none of its threads and open connections.
    Raises `IsolatedError` for any exception, when the process is killed, and at a limit; all
    processes that it has started end with it.
    """
    # Not forked: a lock that another thread holds would never be released there.
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(theirs, limits, function, arguments))
    with _without_interruptions():
        process.start()
    theirs.close()
    try:
        result: Result
        result, error = _answer(process, ours, limits)
    finally:
        _end(process)
        ours.close()
    if error is not None:
        raise IsolatedError(error)
    return result


@contextmanager
def _without_interruptions() -> Iterator[None]:
    """Make a process that is started in the block leave an interruption to this one."""
    if sys.platform == "win32":
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _answer(process: BaseProcess, pipe: Connection, limits: Limits) -> Answer:
    """Return the result of `process`, or what went wrong in words."""
    # Another process of the work can keep the pipe open, so its end says nothing.
    ends: list[Connection | int] = [pipe, process.sentinel]
    wait(ends)
    with suppress(EOFError, OSError):
        if pipe.poll():
            pipe.recv()  # it has started
            if not wait(ends, limits.seconds):
                return None, f"it takes longer than {limits.seconds:g} seconds"
        if pipe.poll():
            answer: Answer = pipe.recv()
            # It ends by itself now.
            process.join(GRACE)
            return answer
    process.join(GRACE)
    return None, _reason(process.exitcode)


def _reason(code: int | None) -> str:
    if code is None or code >= 0:
        return f"its process ended without a result (exit code {code})"
    name = signal.Signals(-code).name
    memory = ", perhaps because memory ran out" if name == "SIGKILL" else ""
    return f"its process was ended by {name}{memory}"


def _end(process: BaseProcess) -> None:
    """End `process`, and all others that it has started."""
    if sys.platform == "win32":
        process.kill()
        process.join()
        return
    if process.is_alive():
        # Git for what strangers made has a group of its own, which only its caller can end.
        process.terminate()
        process.join(GRACE)
    if process.pid:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    process.join()


def _work(
    pipe: Connection, limits: Limits, function: Callable[..., Any], arguments: tuple[Any, ...]
) -> None:
    """Call `function` in this process, which was started for it, and send what it returns."""
    answer: Answer
    try:
        threading.Thread(target=_end_with_parent, daemon=True).start()
        _limit(limits)
        pipe.send(None)
        answer = function(*arguments), None
    except KeyboardInterrupt:
        os._exit(1)
    except MemoryError:
        answer = None, f"it needs more than {limits.memory:,} bytes of memory"
    except UserError as error:
        answer = None, str(error)
    except BaseException as error:  # noqa: BLE001 - any is the failure of this work only
        answer = None, _in_words(error)
    sys.stdout.flush()
    sys.stderr.flush()
    pipe.send(answer)
    # Without waiting for threads, which may never end.
    os._exit(0)


def _limit(limits: Limits) -> None:
    if sys.platform == "win32":
        return
    import resource  # noqa: PLC0415 - not on Windows

    os.setpgid(0, 0)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    resource.setrlimit(resource.RLIMIT_DATA, (limits.memory, limits.memory))
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(ENDED_FIRST, encoding="ascii")


def _end_with_parent() -> None:
    """End this process when the one that started it was killed."""
    if parent := multiprocessing.parent_process():
        parent.join()
    os._exit(1)


def _in_words(error: BaseException) -> str:
    """Return an unexpected error in one line, with the place in our code where it arose."""
    frames = traceback.extract_tb(error.__traceback__)
    # The first one is that of this module.
    ours = [one for one in frames[1:] if Path(one.filename).is_relative_to(ROOT / "scripts")]
    place = f" at {Path(ours[-1].filename).relative_to(ROOT)}:{ours[-1].lineno}" if ours else ""
    return f"{type(error).__name__}{place}: {' '.join(str(error).split())}"
