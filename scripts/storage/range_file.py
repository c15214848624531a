"""An object of a remote, of which only what is read is transferred."""

import io
import os
from collections.abc import Callable
from typing import Any

# The least number of bytes of a request: parts that are read one after the other are small.
BLOCK = 2 * 1024**2


class RangeFile(io.RawIOBase):
    """A file of `size` bytes; `read` returns those from one offset to another. A block is kept."""

    def __init__(self, size: int, read: Callable[[int, int], bytes]) -> None:
        """Begin at its start."""
        self._size, self._read, self._at = size, read, 0
        self._block, self._start = b"", 0

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Continue at an offset."""
        self._at = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        return self._at

    def readinto(self, buffer: Any) -> int:
        """Fill `buffer` as far as there is something; return the number of bytes."""
        count = min(len(buffer), self._size - self._at)
        if count <= 0:
            return 0
        if not self._start <= self._at <= self._start + len(self._block) - count:
            stop = min(self._at + max(count, BLOCK), self._size)
            self._block = self._read(self._at, stop)
            self._start = self._at
        start = self._at - self._start
        content = self._block[start : start + count]
        buffer[: len(content)] = content
        self._at += len(content)
        return len(content)
