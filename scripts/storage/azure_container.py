"""A container of Azure Blob Storage, through its own client.

See https://learn.microsoft.com/en-us/rest/api/storageservices/blob-service-rest-api
"""

import hashlib
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import IO, Any

import requests
from azure.core.exceptions import (
    AzureError,
    HttpResponseError,
    ResourceExistsError,
    ServiceRequestTimeoutError,
    ServiceResponseTimeoutError,
)
from azure.core.pipeline.transport import RequestsTransport
from azure.identity import ClientSecretCredential, DefaultAzureCredential
from azure.storage.blob import BlobProperties, ContainerClient, ContentSettings, ExponentialRetry
from knack.config import CLIConfig
from requests.adapters import HTTPAdapter

from scripts.errors import UserError
from scripts.storage import remote
from scripts.storage.remote_bucket import BucketObject

# A request is tried so often. Seconds before the second attempt, and for a connection.
ATTEMPTS = 6
FIRST_WAIT = 1
CONNECT_LIMIT = 20.0
# Bytes. What is created by one request is compared with its MD5 by Azure. More is not accepted.
ONE_REQUEST = 5000 * 1024**2
# Bytes that are requested at once.
PART = 32 * 1024**2
ERRORS: dict[int | None, type[OSError]] = {
    HTTPStatus.FORBIDDEN: PermissionError,
    HTTPStatus.NOT_FOUND: FileNotFoundError,
    HTTPStatus.PRECONDITION_FAILED: FileExistsError,
}
# What Azure's tools read from the environment or their configuration, in place of DVC's settings.
OF_TOOLS = {
    "connection_string": "connection_string",
    "account_name": "account",
    "account_key": "key",
    "sas_token": "sas_token",
}
UNANSWERED = (ServiceRequestTimeoutError, ServiceResponseTimeoutError)
SERVICE_PRINCIPAL = ("tenant_id", "client_id", "client_secret")


class Retry(ExponentialRetry):
    """Tries a request again, unless it had no answer: each attempt would wait as long."""

    def increment(
        self, settings: dict[str, Any], request: Any, response: Any = None, error: Any = None
    ) -> bool:
        """Return whether there is another attempt."""
        return not isinstance(error, UNANSWERED) and super().increment(
            settings, request, response, error
        )


class AzureContainer:
    """The objects of a container by name. Can be used by many threads."""

    def __init__(self, name: str, settings: Mapping[str, Any], connections: int) -> None:
        """Use the container `name` with DVC's `settings` of a remote, and some `connections`."""
        # An error is raised, and would be logged too, with all credentials that were tried.
        logging.getLogger("azure").setLevel(logging.CRITICAL)
        self._name = name
        self._container = _client(name, _with_those_of_tools(settings), connections)

    def look(self, name: str) -> BucketObject:
        """Return what is known of an object; raises `FileNotFoundError`."""
        with self._reporting():
            return _described(self._container.get_blob_client(name).get_blob_properties())

    def read(self, name: str, part: tuple[int, int] | None = None) -> bytes:
        """Return the content of an object; raises `FileNotFoundError`.

        With `part` only the bytes from one offset to before another are transferred.
        """
        offset, length = (part[0], part[1] - part[0]) if part else (None, None)
        with self._reporting():
            found = self._container.download_blob(name, offset=offset, length=length)
            return bytes(found.readall())

    def md5(self, name: str) -> str:
        """Return the checksum of the content of an object, of which one part is in memory."""
        made = hashlib.md5(usedforsecurity=False)
        with self._reporting():
            for part in self._container.download_blob(name).chunks():
                made.update(part)
        return made.hexdigest()

    def delete(self, name: str) -> None:
        """Delete an object; raises `FileNotFoundError`."""
        with self._reporting():
            self._container.delete_blob(name)

    def pages(self, prefix: str) -> Iterator[list[BucketObject]]:
        """Yield what is known of the objects whose name begins with `prefix`, in parts, sorted."""
        with self._reporting():
            for page in self._container.list_blobs(name_starts_with=prefix).by_page():
                yield [_described(one) for one in page]

    def create(self, name: str, content: bytes | Path, md5: str) -> str | None:
        """Store an object that does not exist yet; return the MD5 that Azure reports of it.

        `md5` is the checksum of `content`, in hex. Azure stores nothing that does not match it, and
        nothing in place of another object: raises `FileExistsError`.
        """
        with self._reporting():
            if isinstance(content, Path):
                with content.open("rb") as file:
                    return self._put(name, file, content.stat().st_size, md5)
            return self._put(name, content, len(content), md5)

    def _put(self, name: str, content: bytes | IO[bytes], size: int, md5: str) -> str | None:
        claimed = ContentSettings(content_md5=bytearray.fromhex(md5))
        answer = self._container.get_blob_client(name).upload_blob(
            content, length=size, overwrite=False, content_settings=claimed
        )
        return _in_hex(answer.get("content_md5"))

    @contextmanager
    def _reporting(self) -> Iterator[None]:
        try:
            yield
        except UNANSWERED:
            raise TimeoutError from None
        except ResourceExistsError as error:
            raise FileExistsError(self._text(error)) from None
        except HttpResponseError as error:
            raise ERRORS.get(error.status_code, OSError)(self._text(error)) from None
        except AzureError as error:
            raise OSError(self._text(error)) from None

    def _text(self, error: AzureError) -> str:
        # Further lines name the request and the time.
        code = getattr(error, "error_code", None) or type(error).__name__
        message = error.message.splitlines()[0]
        return f"{getattr(code, 'value', code)}: azure://{self._name}: {message}"


def _client(name: str, settings: Mapping[str, Any], connections: int) -> ContainerClient:
    session = requests.Session()
    session.mount("https://", HTTPAdapter(pool_maxsize=connections))
    session.mount("http://", HTTPAdapter(pool_maxsize=connections))
    how = {
        "max_single_put_size": ONE_REQUEST,
        "max_single_get_size": PART,
        "max_chunk_get_size": PART,
        "retry_policy": Retry(FIRST_WAIT, increment_base=2, retry_total=ATTEMPTS - 1),
        "transport": RequestsTransport(
            session=session,
            connection_timeout=min(CONNECT_LIMIT, remote.TIME_LIMIT),
            read_timeout=remote.TIME_LIMIT,
        ),
    }
    if text := settings.get("connection_string"):
        return ContainerClient.from_connection_string(text, name, **how)
    if not settings.get("account_name"):
        raise UserError(
            f"azure://{name} needs the name of its storage account: python -m scripts remote"
            f" azure://{name}/PATH --account NAME"
        )
    address = f"https://{settings['account_name']}.blob.core.windows.net"
    return ContainerClient(address, name, _credential(settings), **how)


def _credential(settings: Mapping[str, Any]) -> Any:
    """Return who sends the requests; None for nobody in particular."""
    if settings.get("allow_anonymous_login"):
        return None
    if all(settings.get(key) for key in SERVICE_PRINCIPAL):
        return ClientSecretCredential(*(settings[key] for key in SERVICE_PRINCIPAL))
    if secret := settings.get("account_key") or settings.get("sas_token"):
        return secret
    excluded = {key: value for key, value in settings.items() if key.startswith("exclude_")}
    return DefaultAzureCredential(**excluded)


def _with_those_of_tools(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return DVC's settings; what they lack is taken where DVC and Azure's tools take it from."""
    tools = CLIConfig(config_dir=str(Path.home() / ".azure"), config_env_var_prefix="AZURE")
    found = {key: tools.get("storage", name, None) for key, name in OF_TOOLS.items()}
    return {**found, **settings}


def _described(found: BlobProperties) -> BucketObject:
    md5 = _in_hex(found.content_settings.content_md5)
    return BucketObject(found.name, found.size, found.last_modified.timestamp(), md5)


def _in_hex(md5: bytes | bytearray | None) -> str | None:
    return bytes(md5).hex() if md5 else None
