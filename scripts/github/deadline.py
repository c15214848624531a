"""A total time limit."""

import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class ExpiredError(BaseException):
    """The time limit is exceeded. Not an `Exception`, so that libraries do not catch it."""


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Raise `ExpiredError` in the block after a time limit, whatever it is waiting for.

    The time limit of a request applies to each part of the response, so a server that sends one
    byte per second never reaches it. On Windows, where no workflow runs, there is no limit.
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
        # The block can be inside another one, whose limit still applies.
        left = max(outer - (time.monotonic() - started), 0.001) if outer else 0
        signal.signal(signal.SIGALRM, before)
        signal.setitimer(signal.ITIMER_REAL, left)
