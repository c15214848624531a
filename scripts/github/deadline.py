"""A limit for the time that something takes as a whole."""

import signal
import sys
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
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
