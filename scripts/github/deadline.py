"""A limit for the time that something takes as a whole."""

import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class ExpiredError(BaseException):
    """The time is over. No `Exception`, so that no library takes it for one of its own."""


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Raise `ExpiredError` in the block when it takes longer, whatever it is waiting for.

    The time limit of a request is for each part of the answer, so that a server which sends one
    byte a second never reaches it. On Windows, where no workflow runs, there is no limit.
    """
    if sys.platform == "win32":
        yield
        return

    def expire(_: int, __: FrameType | None) -> None:
        raise ExpiredError

    before = signal.signal(signal.SIGALRM, expire)
    started = time.monotonic()
    outer, _ = signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        # The block can be a part of another one, whose limit goes on.
        left = max(outer - (time.monotonic() - started), 0.001) if outer else 0
        signal.signal(signal.SIGALRM, before)
        signal.setitimer(signal.ITIMER_REAL, left)
