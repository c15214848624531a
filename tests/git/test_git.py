import http.server
import threading
from collections.abc import Iterator

import pytest

from scripts.git.git import Git
from tests.repository import Repository, Run


class _AsksForPassword(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(401)
        self.send_header("WWW-Authenticate", 'Basic realm="git"')
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Print nothing."""


@pytest.fixture
def asking() -> Iterator[str]:
    """The address of a git server that asks everybody for a password."""
    with http.server.HTTPServer(("127.0.0.1", 0), _AsksForPassword) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/dataset.git"
        server.shutdown()


def test_a_server_that_asks_for_a_password_is_one_message(
    repository: Repository, run: Run, asking: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_TERMINAL_PROMPT", "1")
    repository.git("remote", "set-url", "origin", asking)

    done = run("release")

    assert done.code == 1
    assert done.err.startswith("error: cannot fetch main and tags from origin: fatal: could not")
    assert "terminal prompts disabled" in done.err


def test_git_prints_what_is_compared_with_in_english(
    untouched: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")

    printed = Git(untouched.root)("-c", "alias.environment=!env", "environment")

    assert "LC_ALL=C" in printed.splitlines()
