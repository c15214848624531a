"""Git for untrusted commits: each command has limits of time and size."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from scripts.git import git_process
from scripts.git.git import Git, GitError

# Fetched objects arrive in one file, so that the size limit applies to all of them.
SETTINGS = {"fetch.unpackLimit": "1"}

# The limits for what pull requests have.
SECONDS = 120.0
BYTES = 256 * 1024 * 1024

# The message of git at the limit of the file size.
TOO_LARGE = (b"index-pack", b"died of signal", b"File too large")


class LimitedGit(Git):
    """A git repository whose commands are limited to `seconds`, and to files of `size` bytes.

    All processes that a command has started end with it.
    """

    def __init__(self, root: Path, seconds: float, size: int) -> None:
        """Use the repository at `root`."""
        super().__init__(root)
        self._seconds = seconds
        self._size = size

    def _run(
        self, arguments: Sequence[str], stdin: bytes | None, env: Mapping[str, str]
    ) -> subprocess.CompletedProcess[bytes]:
        command = git_process.command(arguments, SETTINGS)
        with _limited_files(self._size):
            process = subprocess.Popen(
                command,
                cwd=self.root,
                env=env,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                process_group=0,
            )
        with process:
            try:
                out, err = process.communicate(stdin, self._seconds)
            except subprocess.TimeoutExpired:
                _end(process)
                reason = f"not finished within {self._seconds:g} seconds"
                raise GitError(f"git {arguments[0]}", reason) from None
            except BaseException:
                _end(process)
                raise
        if process.returncode and any(words in err for words in TOO_LARGE):
            err += f" (the limit for a file is {self._size:,} bytes)".encode()
        return subprocess.CompletedProcess(command, process.returncode, out, err)


@contextmanager
def _limited_files(size: int) -> Iterator[None]:
    """Limit the size of files for processes that are started in the block."""
    if sys.platform == "win32":
        yield
        return
    import resource  # noqa: PLC0415 - not on Windows

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def _end(process: subprocess.Popen[bytes]) -> None:
    if sys.platform == "win32":
        process.kill()
    else:
        # The whole process group: a transfer is a separate process.
        os.killpg(process.pid, signal.SIGKILL)
