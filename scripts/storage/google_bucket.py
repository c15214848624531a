"""A bucket of Google Cloud Storage, through its JSON API.

DVC's client needs ten times the processor time for each object, and a second to be imported.
See https://cloud.google.com/storage/docs/json_api/v1/objects
"""

import hashlib
import io
import json
import random
import secrets
import threading
import time
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from functools import cached_property, partial
from http import HTTPStatus
from http.client import responses
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlencode, urlsplit
from urllib.request import getproxies, proxy_bypass

import urllib3
from google.auth import default, load_credentials_from_file
from google.auth.exceptions import DefaultCredentialsError, TransportError
from google.auth.transport.urllib3 import Request

from scripts.storage import remote
from scripts.storage.remote_bucket import BucketObject

DOMAIN = "googleapis.com"
SCOPE = "https://www.googleapis.com/auth/devstorage.full_control"
# Seconds for a connection.
CONNECT_LIMIT = 20.0
# A request is tried so often. The seconds before the second attempt; each wait is twice the one
# before.
ATTEMPTS = 6
FIRST_WAIT = 1.0
RETRIED = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS}
ERRORS: dict[int, type[OSError]] = {
    HTTPStatus.FORBIDDEN: PermissionError,
    HTTPStatus.NOT_FOUND: FileNotFoundError,
    HTTPStatus.PRECONDITION_FAILED: FileExistsError,
}
# Bytes. More are sent in parts of this size, and a file is not read into memory as a whole.
PART = 1024 * 1024
# Asked for of each object: the answer is ten times smaller than with all there is.
FIELDS = "name,size,updated,md5Hash"

Resource = dict[str, Any]


class TemporaryError(OSError):
    """The server is overloaded or unreachable: the same request can succeed later."""


class GoogleBucket:
    """The objects of a bucket by name. Can be used by many threads."""

    def __init__(self, name: str, settings: Mapping[str, Any], connections: int) -> None:
        """Use the bucket `name` with DVC's `settings` of a remote, and some `connections`."""
        self._name, self._settings = name, settings
        self._connections = connections
        self._lock = threading.Lock()

    def look(self, name: str) -> BucketObject:
        """Return what is known of an object; raises `FileNotFoundError`."""
        return _described(self._json("GET", self._object(name), {"fields": FIELDS}))

    def read(self, name: str, part: tuple[int, int] | None = None) -> bytes:
        """Return the content of an object; raises `FileNotFoundError`.

        With `part` only the bytes from one offset to before another are transferred.
        """
        headers = {"Range": f"bytes={part[0]}-{part[1] - 1}"} if part else {}
        content: bytes = self._request("GET", self._object(name), {"alt": "media"}, headers)
        return content

    def md5(self, name: str) -> str:
        """Return the checksum of the content of an object, which is not kept in memory."""
        found: str = self._request("GET", self._object(name), {"alt": "media"}, answer=_md5)
        return found

    def delete(self, name: str) -> None:
        """Delete an object; raises `FileNotFoundError`."""
        self._request("DELETE", self._object(name), {})

    def pages(self, prefix: str) -> Iterator[list[BucketObject]]:
        """Yield what is known of the objects whose name begins with `prefix`, in parts, sorted."""
        query = {"prefix": prefix, "fields": f"items({FIELDS}),nextPageToken"}
        while True:
            page = self._json("GET", f"/storage/v1/b/{self._name}/o", query)
            yield [_described(resource) for resource in page.get("items", [])]
            if not page.get("nextPageToken"):
                return
            query["pageToken"] = page["nextPageToken"]

    def create(self, name: str, content: bytes | Path, md5: str) -> str | None:
        """Store an object that does not exist yet; return the MD5 that Google reports of it.

        `md5` is the checksum of `content`, in hex. Google stores nothing that does not match it,
        and nothing in place of another object: raises `FileExistsError`.
        """
        described = {"name": name, "md5Hash": b64encode(bytes.fromhex(md5)).decode()}
        boundary = secrets.token_hex(16)
        before = (
            f"--{boundary}\r\nContent-Type: application/json; charset=UTF-8\r\n\r\n"
            f"{json.dumps(described)}\r\n--{boundary}\r\nContent-Type: application/octet-stream"
            "\r\n\r\n"
        ).encode()
        after = f"\r\n--{boundary}--\r\n".encode()
        query = {
            "uploadType": "multipart",
            "name": name,
            "ifGenerationMatch": "0",
            "fields": FIELDS,
        }
        kind = {"Content-Type": f"multipart/related; boundary={boundary}"}
        path = f"/upload/storage/v1/b/{self._name}/o"
        size = content.stat().st_size if isinstance(content, Path) else len(content)
        kind["Content-Length"] = str(len(before) + size + len(after))
        body = partial(_parts, before, content, after)
        return _md5_in(self._json("POST", path, query, kind, body))

    def _object(self, name: str) -> str:
        return f"/storage/v1/b/{self._name}/o/{quote(name, safe='')}"

    def _json(self, *request: Any) -> Resource:
        """Return the answer to a request, which is given as to `_request`."""
        found: Resource = json.loads(self._request(*request))
        return found

    def _request(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        headers: Mapping[str, str] | None = None,
        body: Callable[[], bytes | Iterator[bytes]] = bytes,
        *,
        answer: Callable[[Iterator[bytes]], Any] = b"".join,
    ) -> Any:
        """Return what `answer` makes of the parts of the answer.

        A request is tried again after temporary errors. Raises `TimeoutError` at once if there is
        no answer, because each attempt would wait as long.
        """
        with self._lock:
            url = f"{self._address}{path}?{urlencode(query)}"
        for number in range(ATTEMPTS - 1):
            with suppress(TemporaryError):
                return self._attempt(method, url, dict(headers or {}), body(), answer)
            time.sleep(FIRST_WAIT * (2**number + random.random()))  # noqa: S311 - spreads requests
        return self._attempt(method, url, dict(headers or {}), body(), answer)

    def _attempt(
        self,
        method: str,
        url: str,
        headers: dict[str, str],
        body: bytes | Iterator[bytes],
        answer: Callable[[Iterator[bytes]], Any],
    ) -> Any:
        # The first is also for each part that is sent.
        limits = min(CONNECT_LIMIT, remote.TIME_LIMIT), remote.TIME_LIMIT
        try:
            self._authorize(method, url, headers)
            response = self._pool.request(
                method,
                url,
                headers=headers,
                body=body or None,
                timeout=urllib3.Timeout(connect=limits[0], read=limits[1]),
                retries=False,
                preload_content=False,
            )
            parts = _received(response)
            if response.status >= HTTPStatus.BAD_REQUEST:
                raise self._error(response.status, b"".join(parts))
            return answer(parts)
        except urllib3.exceptions.ReadTimeoutError:
            raise TimeoutError from None
        except (urllib3.exceptions.HTTPError, TransportError) as error:
            if any(isinstance(one, TimeoutError) for one in error.args):
                raise TimeoutError from None
            raise TemporaryError(str(error)) from None

    def _error(self, status: int, content: bytes) -> OSError:
        try:
            message = json.loads(content)["error"]["message"]
        except (ValueError, KeyError, TypeError):
            message = content.decode(errors="replace")
        text = f"{responses.get(status, status)}: gs://{self._name}: {message}"
        return ERRORS.get(status, TemporaryError if _is_temporary(status) else OSError)(text)

    def _authorize(self, method: str, url: str, headers: dict[str, str]) -> None:
        if self._credentials:
            # Renews the token if necessary, which must not happen twice at the same time.
            with self._lock:
                self._credentials.before_request(self._transport, method, url, headers)

    @cached_property
    def _address(self) -> str:
        domain = self._credentials.universe_domain if self._credentials else DOMAIN
        return str(self._settings.get("endpointurl") or f"https://storage.{domain}").rstrip("/")

    @cached_property
    def _credentials(self) -> Any:
        """Who sends the requests; None for nobody in particular."""
        if self._settings.get("allow_anonymous_login"):
            return None
        if file := self._settings.get("credentialpath"):
            found = load_credentials_from_file(file, [SCOPE], request=self._transport)  # type: ignore[no-untyped-call]
            return found[0]
        with suppress(DefaultCredentialsError):
            return default([SCOPE], request=self._transport)[0]
        return None

    @cached_property
    def _transport(self) -> Request:
        return Request(self._pool)  # type: ignore[no-untyped-call]

    @cached_property
    def _pool(self) -> urllib3.PoolManager:
        """The connections, through the proxy that the environment names, if any."""
        parts = urlsplit(self._settings.get("endpointurl") or f"https://storage.{DOMAIN}")
        proxy = getproxies().get(parts.scheme)
        if not proxy or proxy_bypass(parts.netloc):
            return urllib3.PoolManager(maxsize=self._connections)
        user = urlsplit(proxy).netloc.rpartition("@")[0]
        headers = urllib3.make_headers(proxy_basic_auth=unquote(user) or None)
        return urllib3.ProxyManager(proxy, maxsize=self._connections, proxy_headers=headers)


def _described(resource: Resource) -> BucketObject:
    modified = datetime.fromisoformat(resource["updated"]).timestamp()
    return BucketObject(resource["name"], int(resource["size"]), modified, _md5_in(resource))


def _md5_in(resource: Resource) -> str | None:
    """Return the checksum of an object; composite ones have none."""
    return b64decode(resource["md5Hash"]).hex() if "md5Hash" in resource else None


def _is_temporary(status: int) -> bool:
    return status in RETRIED or status >= HTTPStatus.INTERNAL_SERVER_ERROR


def _received(response: urllib3.BaseHTTPResponse) -> Iterator[bytes]:
    """Yield the parts of an answer; raises `TimeoutError` if that takes too long."""
    end = time.monotonic() + remote.TIME_LIMIT
    while part := response.read1():
        yield part
        if time.monotonic() > end:
            response.close()
            raise TimeoutError
    response.release_conn()


def _md5(parts: Iterator[bytes]) -> str:
    found = hashlib.md5(usedforsecurity=False)
    for part in parts:
        found.update(part)
    return found.hexdigest()


def _parts(before: bytes, content: bytes | Path, after: bytes) -> Iterator[bytes]:
    # Together as far as they are small, because each part is a packet of its own.
    with content.open("rb") if isinstance(content, Path) else io.BytesIO(content) as file:
        part = before + file.read(PART)
        while following := file.read(PART):
            yield part
            part = following
        yield part + after
