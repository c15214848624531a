"""Google Cloud Storage in memory: fast, with as many other objects as wanted, and with faults.

`python -m tests.doubles.bucket PORT DELAY OTHERS FOLDER [CACHE]` serves one in a process of its
own, with the objects of a cache. Its counts are at `/counts`, and begin again each time.
"""

import asyncio
import hashlib
import json
import re
import sys
import threading
from base64 import b64encode
from bisect import bisect_left, insort
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum, auto
from heapq import merge
from pathlib import Path
from typing import NamedTuple, cast, overload
from urllib.parse import parse_qs, unquote, urlsplit

BUCKET = "bucket"
OBJECTS = f"/storage/v1/b/{BUCKET}/o"
UPLOADS = f"/upload/storage/v1/b/{BUCKET}/o"
WRITTEN = "2026-01-02T03:04:05.678Z"
PAGE = 1000
TOKEN = {
    "access_token": "secret",
    "expires_in": 3600,
    "token_type": "Bearer",
    "issued_token_type": "urn:ietf:params:oauth:token-type:access_token",
}
LISTING = f"GET {OBJECTS}?"


class Trouble(Enum):
    """What can go wrong with a request, besides a status in place of its answer."""

    # The connection is closed before the request is handled, or after it.
    CLOSED = auto()
    LOST = auto()
    # What was sent is not stored although the answer says so, or is stored with another byte.
    FORGOTTEN = auto()
    DAMAGED = auto()


class Stored(NamedTuple):
    content: bytes
    generation: int
    # Composite objects have none.
    md5: str | None


class Answer(NamedTuple):
    status: int
    content: bytes
    headers: Mapping[str, str] = {}


class Others(Sequence[str]):
    """The sorted names of objects that take no memory, evenly spread below a folder."""

    def __init__(self, folder: str, count: int) -> None:
        self._folder, self._count = folder, count

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[str]: ...
    def __getitem__(self, index: int | slice) -> str | Sequence[str]:
        if isinstance(index, slice):
            return [self[one] for one in range(*index.indices(self._count))]
        name = f"{index * 2**128 // self._count:032x}"
        return f"{self._folder}/files/md5/{name[:2]}/{name[2:]}"


@dataclass
class Bucket:
    """A bucket; `seen` are its requests, `received` and `sent` the bytes of their bodies."""

    delay: float = 0
    others: Others = field(default_factory=lambda: Others("", 0))
    url: str = ""
    seen: list[str] = field(default_factory=list)
    # The tokens that were sent; `/token` gives one.
    tokens: set[str] = field(default_factory=set)
    received: int = 0
    sent: int = 0
    stored: dict[str, Stored] = field(default_factory=dict)
    _names: list[str] = field(default_factory=list)
    _faults: list[tuple[Trouble | int, str, int]] = field(default_factory=list)
    _uploads: dict[str, tuple[str, dict[str, str], bytearray]] = field(default_factory=dict)
    _generation: int = 0

    @property
    def listings(self) -> int:
        return sum(one.startswith(LISTING) for one in self.seen)

    def fail(self, trouble: Trouble | int, match: str = "", count: int = 1) -> None:
        """Let the next `count` requests fail in which `match` is found in METHOD and path."""
        self._faults.append((trouble, match, count))

    def put(self, name: str, content: bytes, *, composite: bool = False) -> Stored:
        if name not in self.stored:
            insort(self._names, name)
        self._generation += 1
        md5 = None if composite else _md5(content)
        self.stored[name] = Stored(content, self._generation, md5)
        return self.stored[name]

    def delete(self, name: str) -> None:
        del self.stored[name]
        self._names.remove(name)

    def reset(self) -> None:
        """Forget the requests and the faults."""
        self.seen.clear()
        self._faults.clear()
        self.received = self.sent = 0

    def answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Handle a request; raises `ConnectionError` if there is no answer."""
        request = f"{method} {target}"
        if request == "GET /counts":
            return Answer(200, json.dumps(self._counts()).encode())
        if target == "/token":
            return Answer(200, json.dumps(TOKEN).encode())
        self.seen.append(request)
        self.tokens.add(headers.get("authorization", ""))
        self.received += len(body)
        trouble = self._trouble(request)
        if trouble is Trouble.CLOSED:
            raise ConnectionResetError
        if isinstance(trouble, int):
            return _error(trouble)
        found = self._handled(method, target, headers, body, trouble)
        if trouble is Trouble.LOST:
            raise ConnectionResetError
        self.sent += len(found.content)
        return found

    def _counts(self) -> dict[str, int]:
        counts = {"requests": len(self.seen), "listings": self.listings}
        counts |= {"received": self.received, "sent": self.sent}
        self.reset()
        return counts

    def _trouble(self, request: str) -> Trouble | int | None:
        for number, (trouble, match, count) in enumerate(self._faults):
            if count and re.search(match, request):
                self._faults[number] = (trouble, match, count - 1)
                return trouble
        return None

    def _handled(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str],
        body: bytes,
        trouble: Trouble | None,
    ) -> Answer:
        parts = urlsplit(target)
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        path = parts.path.removeprefix("/download")
        if path == UPLOADS:
            return self._upload(query, headers, body, trouble)
        if path == OBJECTS:
            return self._listing(query)
        if path == f"/storage/v1/b/{BUCKET}":
            return Answer(200, json.dumps({"name": BUCKET}).encode())
        if not path.startswith(f"{OBJECTS}/"):
            return _error(404)
        return self._object(unquote(path.removeprefix(f"{OBJECTS}/")), method, query, headers)

    def _object(
        self, name: str, method: str, query: Mapping[str, str], headers: Mapping[str, str]
    ) -> Answer:
        if name not in self.stored:
            return _error(404)
        if method == "DELETE":
            self.delete(name)
            return Answer(204, b"")
        if query.get("alt") == "media":
            return _part(self.stored[name].content, headers.get("range"))
        return self._metadata(name, self.stored[name], query)

    def _metadata(self, name: str, stored: Stored, query: Mapping[str, str]) -> Answer:
        found = _chosen(_resource(name, stored), query.get("fields", ""))
        return Answer(200, json.dumps(found).encode())

    def _upload(
        self,
        query: Mapping[str, str],
        headers: Mapping[str, str],
        body: bytes,
        trouble: Trouble | None,
    ) -> Answer:
        resource: dict[str, str] = {}
        if "upload_id" in query:
            name, resource, sent = self._uploads[query["upload_id"]]
            sent += body
            first, _, total = headers["content-range"].removeprefix("bytes ").partition("/")
            if len(sent) < int(total):
                return Answer(308, b"", {"Range": f"bytes=0-{first.partition('-')[2]}"})
            content = bytes(sent)
        elif query["uploadType"] == "multipart":
            resource, content = _parts(headers["content-type"], body)
            name = query.get("name") or resource["name"]
        else:
            resource = json.loads(body or b"{}")
            name, content = query.get("name") or resource["name"], body
        if query.get("ifGenerationMatch") == "0" and name in self.stored:
            return _error(412)
        if query["uploadType"] == "resumable" and "upload_id" not in query:
            number = str(len(self._uploads))
            self._uploads[number] = (name, resource, bytearray())
            kept = "&ifGenerationMatch=0" if "ifGenerationMatch" in query else ""
            target = f"{UPLOADS}?uploadType=resumable&upload_id={number}{kept}"
            return Answer(200, b"", {"Location": f"{self.url}{target}"})
        return self._put(name, content, {**resource, **query}, trouble)

    def _put(
        self, name: str, content: bytes, resource: Mapping[str, str], trouble: Trouble | None
    ) -> Answer:
        if trouble is Trouble.DAMAGED:
            content = content[:-1] + bytes([content[-1] ^ 1])
        elif "md5Hash" in resource and resource["md5Hash"] != _md5(content):
            return _error(400)
        answer = self._metadata(name, self.put(name, content), resource)
        if trouble is Trouble.FORGOTTEN:
            self.delete(name)
        return answer

    def _listing(self, query: Mapping[str, str]) -> Answer:
        prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
        names = self._after(query.get("pageToken", prefix), prefix)
        fields = query.get("fields", "").removeprefix("items(").partition(")")[0]
        items: list[dict[str, str]] = []
        folders: list[str] = []
        page = {"kind": "storage#objects", "items": items, "prefixes": folders}
        most = int(query.get("maxResults", PAGE))
        for name in names:
            if len(items) + len(folders) == most:
                return Answer(200, json.dumps({**page, "nextPageToken": name}).encode())
            end = name.find(delimiter, len(prefix)) if delimiter else -1
            if end < 0:
                items.append(_chosen(_resource(name, self.stored.get(name)), fields))
            elif not folders or name[: end + 1] != folders[-1]:
                folders.append(name[: end + 1])
        return Answer(200, json.dumps(page).encode())

    def _after(self, start: str, prefix: str) -> Iterator[str]:
        """Yield the names from `start` on that begin with `prefix`, sorted."""
        found = self._names[bisect_left(self._names, start) :]
        first = bisect_left(self.others, start)
        others = (self.others[one] for one in range(first, len(self.others)))
        for name in merge(found, others):
            if not name.startswith(prefix):
                return
            yield name


def _resource(name: str, stored: Stored | None) -> dict[str, str]:
    md5 = stored.md5 if stored else b64encode(bytes(16)).decode()
    return {
        "kind": "storage#object",
        "id": f"{BUCKET}/{name}/1",
        "selfLink": f"https://www.googleapis.com{OBJECTS}/{name}",
        "mediaLink": f"https://www.googleapis.com/download{OBJECTS}/{name}?alt=media",
        "name": name,
        "bucket": BUCKET,
        "generation": str(stored.generation if stored else 1),
        "metageneration": "1",
        "contentType": "application/octet-stream",
        "storageClass": "STANDARD",
        "size": str(len(stored.content) if stored else 300),
        "crc32c": "AAAAAA==",
        "etag": "CAE=",
        "timeCreated": WRITTEN,
        "updated": WRITTEN,
        **({"md5Hash": md5} if md5 else {}),
    }


def _chosen(resource: dict[str, str], fields: str) -> dict[str, str]:
    chosen = fields.split(",") if fields else resource.keys()
    return {key: value for key, value in resource.items() if key in chosen}


def _md5(content: bytes) -> str:
    return b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()


def _error(status: int) -> Answer:
    return Answer(status, json.dumps({"error": {"code": status, "message": "fault"}}).encode())


def _part(content: bytes, asked: str | None) -> Answer:
    if not asked:
        return Answer(200, content)
    first, _, last = asked.removeprefix("bytes=").partition("-")
    part = content[int(first) : int(last) + 1 if last else None]
    headers = {"Content-Range": f"bytes {first}-{int(first) + len(part) - 1}/{len(content)}"}
    return Answer(206, part, headers)


def _parts(kind: str, body: bytes) -> tuple[dict[str, str], bytes]:
    """Return the resource and the content of a multipart upload, split at its boundary."""
    boundary = b"--" + kind.partition("boundary=")[2].strip('"').encode()
    _, first, second, _ = re.split(rb"(?:^|\r?\n)" + re.escape(boundary), body, maxsplit=3)
    resource, content = (re.split(rb"\r?\n\r?\n", one, maxsplit=1)[1] for one in (first, second))
    return cast("dict[str, str]", json.loads(resource)), content


class _Connection(asyncio.Protocol):
    """A connection over which requests come one after the other."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket, self._data = bucket, bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._data += data
        end = self._data.find(b"\r\n\r\n")
        if end < 0:
            return
        first, *lines = self._data[:end].decode("latin-1").split("\r\n")
        headers = {
            key.lower(): value.strip() for key, _, value in (x.partition(":") for x in lines)
        }
        size = int(headers.get("content-length", 0))
        if len(self._data) < end + 4 + size:
            return
        body = bytes(self._data[end + 4 : end + 4 + size])
        del self._data[: end + 4 + size]
        method, target, _ = first.split(" ")
        try:
            answer = self._bucket.answer(method, target, headers, body)
        except ConnectionError:
            self._transport.abort()
            return
        delay = self._bucket.delay if target != "/counts" else 0
        asyncio.get_running_loop().call_later(delay, self._write, answer)

    def _write(self, answer: Answer) -> None:
        headers = {"Content-Length": len(answer.content), "Content-Type": "application/json"}
        lines = "".join(
            f"{key}: {value}\r\n" for key, value in {**headers, **answer.headers}.items()
        )
        head = f"HTTP/1.1 {answer.status} Status\r\n{lines}\r\n"
        self._transport.write(head.encode() + answer.content)


async def _listen(bucket: Bucket, port: int = 0) -> asyncio.Server:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Connection(bucket), "127.0.0.1", port, backlog=200)
    bucket.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    return server


@contextmanager
def running() -> Iterator[Bucket]:
    """Serve an empty bucket from a thread until the block ends."""
    bucket, loop = Bucket(), asyncio.new_event_loop()
    server = loop.run_until_complete(_listen(bucket))
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield bucket
    finally:
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _serve(bucket: Bucket, port: int) -> None:
    server = await _listen(bucket, port)
    await server.serve_forever()


def main(port: str, delay: str, others: str, folder: str, cache: str = "") -> None:
    bucket = Bucket(float(delay), Others(folder, int(others)))
    for kind in ("files/md5/*/*", "records/*") if cache else ():
        for file in Path(cache).glob(kind):
            bucket.put(f"{folder}/{file.relative_to(cache).as_posix()}", file.read_bytes())
    asyncio.run(_serve(bucket, int(port)))


if __name__ == "__main__":
    main(*sys.argv[1:])
