import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.storage.cache import Cache
from tests.repository import Repository


@pytest.fixture
def silent() -> Iterator[str]:
    """The address of a server that accepts every connection and never answers."""
    accepted: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def accept() -> None:
            try:
                while True:
                    accepted.append(server.accept()[0])
            except OSError:
                return  # closed at the end of the test

        threading.Thread(target=accept, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)
    for connection in accepted:
        connection.close()


@pytest.fixture
def cache(untouched: Repository, tmp_path: Path) -> Cache:
    """An empty cache."""
    (tmp_path / ".dvc" / "tmp").mkdir(parents=True)
    return Cache(tmp_path)
