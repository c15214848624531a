"""Servers of the tests: processes on free ports of 127.0.0.1, ended by their process id."""

import os
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import requests

# Seconds.
START_TIMEOUT = 30


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def session() -> requests.Session:
    """Return a client that does not use the proxy of the machine."""
    made = requests.Session()
    made.trust_env = False
    return made


@contextmanager
def serving(command: Sequence[str], ready: str, **environment: str) -> Iterator[None]:
    """Run a server until the block ends; `ready` is an address that answers once it runs."""
    process = subprocess.Popen(
        command,
        env=os.environ | environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait(process, ready)
        yield
    finally:
        process.terminate()
        process.wait()


def _wait(process: subprocess.Popen[bytes], ready: str) -> None:
    client, deadline = session(), time.monotonic() + START_TIMEOUT
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            client.get(ready, timeout=1)
        except requests.RequestException:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"no answer from {ready}")
