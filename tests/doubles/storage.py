"""Google Cloud Storage: an emulator behind a proxy that can fail."""

import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

from tests.doubles import proxy
from tests.doubles.process import free_port, serving, session
from tests.doubles.proxy import Answer, Proxy

BUCKET = "bucket"
# Without credentials gcsfs would look for a metadata server and for the type of the bucket.
ENVIRONMENT = {"NO_GCE_CHECK": "true", "GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT": "false"}


@dataclass
class Storage:
    """A bucket; `proxy` is in front of the emulator, which listens on `port`.

    `aged` says when objects were last written, as the proxy lists them.
    """

    port: int
    proxy: Proxy
    aged: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def config(self, path: str) -> str:
        """Return the settings of a remote in `.dvc/config`, from its address on."""
        return f"gs://{BUCKET}/{path}\n    endpointurl = {self.proxy.url}"

    def objects(self) -> list[str]:
        """Return the names of all objects."""
        names: list[str] = []
        query = {"maxResults": "1000"}
        while True:
            page = session().get(f"{self.url}/storage/v1/b/{BUCKET}/o", params=query).json()
            names += [item["name"] for item in page.get("items", [])]
            if not page.get("nextPageToken"):
                return names
            query["pageToken"] = page["nextPageToken"]

    def age(self, names: Iterable[str], days: float) -> None:
        """Let objects be written so many days ago."""
        then = datetime.now(UTC) - timedelta(days=days)
        self.aged |= dict.fromkeys(names, then.strftime("%Y-%m-%dT%H:%M:%S.%fZ"))

    def route(self, method: str, path: str) -> Answer | None:
        """Answer what the emulator does not: preconditions, and objects that are old."""
        query = parse_qs(urlsplit(path).query)
        if query.get("ifGenerationMatch") == ["0"] and self.has(query["name"][0]):
            return 412, b'{"error": {"code": 412, "message": "it exists"}}'
        if method != "GET" or not path.startswith(f"/storage/v1/b/{BUCKET}/o?") or not self.aged:
            return None
        page = session().get(f"{self.url}{path}").json()
        for item in page.get("items", []):
            if then := self.aged.get(item["name"]):
                item |= {"timeCreated": then, "updated": then}
        return 200, json.dumps(page).encode()

    def has(self, name: str) -> bool:
        address = f"{self.url}/storage/v1/b/{BUCKET}/o/{quote(name, safe='')}"
        return session().get(address).ok

    def content(self, name: str) -> bytes:
        address = f"{self.url}/storage/v1/b/{BUCKET}/o/{quote(name, safe='')}"
        response = session().get(address, params={"alt": "media"})
        response.raise_for_status()
        return response.content

    def delete(self, name: str) -> None:
        address = f"{self.url}/storage/v1/b/{BUCKET}/o/{quote(name, safe='')}"
        session().delete(address).raise_for_status()

    def overwrite(self, name: str, content: bytes) -> None:
        address = f"{self.url}/upload/storage/v1/b/{BUCKET}/o"
        query = {"uploadType": "media", "name": name}
        session().post(address, params=query, data=content).raise_for_status()


@contextmanager
def running() -> Iterator[Storage]:
    """Serve an empty bucket until the block ends."""
    port = free_port()
    emulator = Path(sys.executable).with_name("gcp-storage-emulator")
    where = ["--host", "127.0.0.1", "--port", str(port), "--in-memory"]
    command = [str(emulator), "start", *where, "--default-bucket", BUCKET, "-q"]
    with serving(command, f"http://127.0.0.1:{port}/"), proxy.before(port) as network:
        bucket = Storage(port, network)
        network.routes = bucket.route
        yield bucket
