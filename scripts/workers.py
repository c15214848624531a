"""Runs functions on all cores, in parts.

The function takes a part of the items and returns a result for each. It can read and write files,
can be run again, and shares no state with other parts.
"""

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from itertools import chain
from typing import Any, TypeVar

from scripts.errors import UserError

# Items of one part. With fewer, sending them takes longer than the work.
PART = 500
# Fewer items are finished before the processes have started.
MIN_ITEMS = 2_000

Item = TypeVar("Item")
Result = TypeVar("Result")
Work = Callable[[Sequence[Item]], list[Result]]

# In a worker process: its function.
_work: Work[Any, Any] = list


def results(
    work: Work[Item, Result], items: Sequence[Item], part: int = PART, least: int = MIN_ITEMS
) -> Iterator[Result]:
    """Yield the results for `items`, in order; each call gets `part` of them.

    Fewer items than `least` are processed in this process. Raises the errors of `work`, and
    `UserError` if a process is killed.
    """
    parts = [items[start : start + part] for start in range(0, len(items), part)]
    count = _cores()
    if len(items) < least or count == 1:
        yield from chain.from_iterable(map(work, parts))
        return
    with _pool(work, count) as executor:
        try:
            yield from chain.from_iterable(executor.map(_call, parts))
        except BrokenProcessPool:
            raise UserError(
                "a process of this run was killed, perhaps because memory ran out. Run it again."
            ) from None


@contextmanager
def _pool(work: Work[Any, Any], count: int) -> Iterator[Executor]:
    """Give an executor for `_call`; after an error, no more parts are started."""
    # Forked processes share the source in memory.
    context = multiprocessing.get_context("fork")
    executor = ProcessPoolExecutor(count, context, _start, (work,))
    try:
        yield executor
    finally:
        executor.shutdown(cancel_futures=True)


def _cores() -> int:
    """Return the number of processes: 1 if they cannot be forked safely."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else 1


def _start(work: Work[Any, Any]) -> None:
    """Prepare a worker process."""
    global _work  # noqa: PLW0603 - a process has one work
    _work = work
    # The parent process handles interruptions.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """Exit when the parent process was killed."""
    if parent := multiprocessing.parent_process():
        parent.join()
    os._exit(1)


def _call(part: Sequence[Any]) -> list[Any]:
    return _work(part)
