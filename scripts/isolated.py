"""Runs a function in a separate process, with limits of time and memory.

Untrusted input can need any amount of both, or crash the process. Here this raises an error.
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

# Seconds in which an interrupted process can end its child processes.
GRACE = 3.0
ROOT = Path(__file__).resolve().parent.parent
# Linux kills this process first when the machine runs out of memory.
ENDED_FIRST = "1000"

Result = TypeVar("Result")
# A result, or an error in words.
Answer = tuple[Any, str | None]


class IsolatedError(UserError):
    """The function failed: an error, a crash or a limit, as the text says."""


@dataclass(frozen=True)
class Limits:
    """The limits: `seconds` in total, and `memory` bytes for each process.

    The time to start the process and memory-mapped files do not count. There is no memory limit on
    Windows, and macOS does not enforce it.
    """

    seconds: float
    memory: int


def run(limits: Limits, function: Callable[..., Result], *arguments: Any) -> Result:
    """Return the result of `function` with `arguments`, called in a new process.

    Function, arguments and result must be picklable. The process inherits environment and output,
    but no threads and open connections. Raises `IsolatedError` for any exception, if the process is
    killed, and at a limit; its child processes end too.
    """
    # Not forked: locks of other threads would never be released in the child.
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
    """Let processes that are started in the block ignore interruptions."""
    if sys.platform == "win32":
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _answer(process: BaseProcess, pipe: Connection, limits: Limits) -> Answer:
    """Return the result of `process`, or its error in words."""
    # A child process can keep the pipe open, so wait for the process.
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
        # Git for untrusted commits has its own process group, which only its caller can end.
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
    """Call `function` in this process, and send the result."""
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
    """Exit when the parent process was killed."""
    if parent := multiprocessing.parent_process():
        parent.join()
    os._exit(1)


def _in_words(error: BaseException) -> str:
    """Return an unexpected error in one line, with the place in the code of this project."""
    frames = traceback.extract_tb(error.__traceback__)
    # The first one is that of this module.
    ours = [one for one in frames[1:] if Path(one.filename).is_relative_to(ROOT / "scripts")]
    place = f" at {Path(ours[-1].filename).relative_to(ROOT)}:{ours[-1].lineno}" if ours else ""
    return f"{type(error).__name__}{place}: {' '.join(str(error).split())}"
