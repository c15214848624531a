"""Azure Blob Storage: its emulator, behind a proxy that can fail."""

import shutil
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from azure.storage.blob import ContainerClient, ContentSettings

from tests.doubles import proxy
from tests.doubles.process import free_port, serving
from tests.doubles.proxy import Proxy

HERE = Path(__file__).parent
PROGRAM = HERE / "node_modules" / "azurite" / "dist" / "src" / "blob" / "main.js"
CONTAINER = "bucket"
ACCOUNT = "account"
KEY = b64encode(b"the key of the account").decode()
MISSING = next(
    (
        reason
        for there, reason in (
            (shutil.which("node"), "node is not installed"),
            (PROGRAM.is_file(), "Azure's emulator is not installed: make tools"),
        )
        if not there
    ),
    None,
)


@dataclass
class Azure:
    """A container; `proxy` is in front of the emulator, and `client` asks the emulator itself."""

    proxy: Proxy
    client: ContainerClient

    def config(self, path: str) -> str:
        """Return the settings of a remote in `.dvc/config`, from its address on."""
        address = connection(self.proxy.port)
        return f"azure://{CONTAINER}/{path}\n    connection_string = {address}"

    def objects(self) -> list[str]:
        """Return the names of all objects."""
        return [*self.client.list_blob_names()]

    def content(self, name: str) -> bytes:
        return self.client.download_blob(name).readall()

    def delete(self, name: str) -> None:
        self.client.delete_blob(name)

    def overwrite(self, name: str, content: bytes) -> None:
        self.client.upload_blob(name, content, overwrite=True)

    def without_checksum(self, name: str, content: bytes) -> None:
        """Store an object for which Azure reports no MD5."""
        self.overwrite(name, content)
        self.client.get_blob_client(name).set_http_headers(ContentSettings())


def connection(port: int) -> str:
    endpoint = f"BlobEndpoint=http://127.0.0.1:{port}/{ACCOUNT}"
    return f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={KEY};{endpoint}"


@contextmanager
def running() -> Iterator[Azure]:
    """Serve an empty container until the block ends."""
    port = free_port()
    with TemporaryDirectory() as folder:
        where = ["--blobHost", "127.0.0.1", "--blobPort", str(port), "--location", folder]
        how = ["--skipApiVersionCheck", "--disableTelemetry", "--silent"]
        command = ["node", str(PROGRAM), *where, *how]
        with serving(command, f"http://127.0.0.1:{port}/", AZURITE_ACCOUNTS=f"{ACCOUNT}:{KEY}"):
            client = ContainerClient.from_connection_string(connection(port), CONTAINER)
            client.create_container()
            with proxy.before(port) as network:
                yield Azure(network, client)
