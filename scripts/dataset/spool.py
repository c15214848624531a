"""A temporary file to which several processes write."""

import multiprocessing
import os
import tempfile
from types import TracebackType
from typing import NamedTuple


class Part(NamedTuple):
    """Bytes of a file, from `start` to `stop` (exclusive)."""

    start: int
    stop: int


class Spool:
    """A temporary file for this process and those that are forked from it.

    It is one open file without a name, so nothing is left of it after the run, also where that is
    killed.
    """

    def __init__(self) -> None:
        """Create it in the folder for temporary files."""
        self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - closed by `__exit__`
        self._end = multiprocessing.Value("q", 0)

    def __enter__(self) -> "Spool":
        """Return it."""
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        """Close it, which frees its disk space."""
        self._file.close()

    def append(self, content: memoryview) -> Part:
        """Write `content`; return where it is."""
        with self._end.get_lock():
            span = Part(self._end.value, self._end.value + len(content))
            self._end.value = span.stop
        written = 0
        while written < len(content):
            written += os.pwrite(self._file.fileno(), content[written:], span.start + written)
        return span

    def read(self, span: Part) -> bytes:
        """Return the content at `span`."""
        content = bytearray()
        while more := span.stop - span.start - len(content):
            part = os.pread(self._file.fileno(), more, span.start + len(content))
            if not part:
                raise OSError(f"a temporary file in {tempfile.gettempdir()} was cut off")
            content += part
        return bytes(content)
