"""An object of a remote, of which only what is read is transferred."""

import io
import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any


class RangeFile(io.RawIOBase):
    """The file at `path` of the file system `fs`, an object of fsspec.

    Errors of `fs` are raised as those of `reporting`.
    """

    def __init__(
        self, fs: Any, path: str, reporting: Callable[[str], AbstractContextManager[None]]
    ) -> None:
        """Begin at its start."""
        self._fs, self._path, self._reporting, self._at = fs, path, reporting, 0
        with reporting("read from"):
            self._size = int(fs.info(path)["size"])

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
        start, stop = self._at, min(self._at + len(buffer), self._size)
        if start >= stop:
            return 0
        with self._reporting("read from"):
            content = self._fs.cat_file(self._path, start=start, end=stop)
        buffer[: len(content)] = content
        self._at += len(content)
        return len(content)
