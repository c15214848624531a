"""A network that fails on demand: a proxy in front of a server of the tests."""

import http.client
import json
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum, auto
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = tuple[int, bytes]
HOP_BY_HOP = {"connection", "transfer-encoding", "content-length", "server", "date"}
FOREVER = float("inf")
# Seconds; how soon the proxy notices that it has to stop.
POLL = 0.02


# Seconds between two bytes of an answer that arrives slowly.
PAUSE = 0.1


class Harm(Enum):
    """What can happen to a connection."""

    # It is closed before the request is handled, or in the middle of the answer.
    REFUSED = auto()
    CUT = auto()
    # The answer is late, or arrives byte by byte.
    LATE = auto()
    SLOW = auto()
    # A byte in the middle is another one, of the answer or of what was sent.
    DAMAGED = auto()
    DAMAGED_BEFORE = auto()


@dataclass
class Fault:
    """Answers with `status` in place of the server where `match` is found in METHOD and path.

    Or it does a harm to the connection.
    """

    kind: int | Harm
    match: str = ""
    count: float = FOREVER
    until: float = FOREVER
    headers: dict[str, str] = field(default_factory=dict)
    # After the server has handled the request: only the answer is lost.
    late: bool = False


@dataclass
class Proxy:
    """What the proxy does and has seen; `routes` handles what the server does not support."""

    port: int
    upstream: int
    routes: Callable[[str, str], Answer | None] = lambda _method, _path: None
    faults: list[Fault] = field(default_factory=list)
    # Decides on the fault of a request that none of `faults` is for.
    chance: Callable[[str], Fault | None] = lambda _request: None
    seen: list[str] = field(default_factory=list)
    # The requests that sent JSON, with what they sent.
    sent: list[tuple[str, Any]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def fail(self, kind: int | Harm, match: str = "", **how: Any) -> None:
        if "seconds" in how:
            how["until"] = time.monotonic() + how.pop("seconds")
        self.faults.append(Fault(kind, match, **how))

    def recover(self) -> None:
        self.faults.clear()
        self.chance = lambda _request: None

    def reset(self) -> None:
        self.recover()
        self.seen.clear()
        self.sent.clear()

    def fault_for(self, request: str) -> Fault | None:
        for fault in self.faults:
            if (
                fault.count > 0
                and time.monotonic() < fault.until
                and re.search(fault.match, request)
            ):
                fault.count -= 1
                return fault
        return self.chance(request)


@contextmanager
def before(
    upstream: int, routes: Callable[[str, str], Answer | None] = lambda _method, _path: None
) -> Iterator[Proxy]:
    """Serve a proxy in front of the server on the port `upstream` until the block ends."""
    proxy = Proxy(0, upstream, routes)
    handler = type("Handler", (_Handler,), {"proxy": proxy})
    server = _Server(("127.0.0.1", 0), handler)
    proxy.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, args=(POLL,), daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *client: Any) -> None:
        # A client may close its connection at any time.
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(*client)


class _Handler(BaseHTTPRequestHandler):
    proxy: Proxy
    protocol_version = "HTTP/1.1"
    # Otherwise most answers wait 40 ms for the client's acknowledgement of their headers.
    disable_nagle_algorithm = True

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        body = self._body()
        request = f"{self.command} {self.path}"
        self.proxy.seen.append(request)
        if body and self.headers.get("Content-Type", "").startswith("application/json"):
            self.proxy.sent.append((request, json.loads(body)))
        fault = self.proxy.fault_for(request)
        harm = fault.kind if fault and isinstance(fault.kind, Harm) else None
        if harm is Harm.REFUSED:
            self.close_connection = True
            return
        if fault and not harm and not fault.late:
            self._fail(fault)
            return
        if answer := self.proxy.routes(self.command, self.path):
            status, content = answer
            headers = {"Content-Type": "application/json"}
        else:
            sent = _damaged(body) if harm is Harm.DAMAGED_BEFORE else body
            status, content, headers = self._forward(sent)
        if fault and not harm:
            self._fail(fault)
        else:
            self._answer(status, content, headers, harm)

    do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_GET  # noqa: N815 - names of the library

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def _forward(self, body: bytes) -> tuple[int, bytes, dict[str, str]]:
        connection = http.client.HTTPConnection("127.0.0.1", self.proxy.upstream, timeout=60)
        headers = {k: v for k, v in self.headers.items() if k.lower() not in HOP_BY_HOP}
        connection.request(self.command, self.path, body, headers)
        response = connection.getresponse()
        content = response.read()
        mine, theirs = f":{self.proxy.port}/", f":{self.proxy.upstream}/"
        kept = {k: v for k, v in response.getheaders() if k.lower() not in HOP_BY_HOP}
        # Addresses in answers lead back through the proxy.
        if "json" in kept.get("Content-Type", kept.get("content-type", "")):
            content = content.replace(theirs.encode(), mine.encode())
        kept = {k: v.replace(theirs, mine) for k, v in kept.items()}
        if self.command == "HEAD":
            kept["Content-Length"] = response.getheader("Content-Length", "0")
        return response.status, content, kept

    def _fail(self, fault: Fault) -> None:
        status = fault.kind
        assert not isinstance(status, Harm)
        message = {"message": f"fault {status}", "error": {"code": status}}
        headers = {"Content-Type": "application/json", **fault.headers}
        self._answer(status, json.dumps(message).encode(), headers)

    def _answer(
        self, status: int, content: bytes, headers: dict[str, str], harm: Harm | None = None
    ) -> None:
        if harm is Harm.LATE:
            time.sleep(PAUSE)
        if harm is Harm.DAMAGED:
            content = _damaged(content)
        try:
            self.send_response(status)
            for name, value in {"Content-Length": str(len(content)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self._send(content, harm)
        except ConnectionError:
            # The client closed the connection, for example because it was killed.
            self.close_connection = True

    def _send(self, content: bytes, harm: Harm | None) -> None:
        if harm is Harm.CUT:
            self.wfile.write(content[: len(content) // 2])
            self.close_connection = True
        elif harm is Harm.SLOW:
            for byte in content:
                self.wfile.write(bytes([byte]))
                time.sleep(PAUSE)
        else:
            self.wfile.write(content)


def _damaged(content: bytes) -> bytes:
    middle = len(content) // 2
    changed = bytes(byte ^ 1 for byte in content[middle : middle + 1])
    return content[:middle] + changed + content[middle + 1 :]
