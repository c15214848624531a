"""A bucket of Amazon S3, through botocore.

See https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html
"""

import hashlib
import re
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any

from botocore import UNSIGNED
from botocore.config import Config as ClientConfig
from botocore.exceptions import ClientError, ConnectTimeoutError, ReadTimeoutError
from botocore.session import Session

from scripts.errors import UserError
from scripts.storage import remote
from scripts.storage.remote_bucket import BucketObject

# A request is tried so often. Fewer than with Google, because one without an answer is tried again.
ATTEMPTS = 4
CONNECT_LIMIT = 20.0
# Bytes that are in memory.
PART = 1024 * 1024
ERRORS: dict[int, type[OSError]] = {
    HTTPStatus.FORBIDDEN: PermissionError,
    HTTPStatus.NOT_FOUND: FileNotFoundError,
    # Another run is storing the same object.
    HTTPStatus.CONFLICT: FileExistsError,
    HTTPStatus.PRECONDITION_FAILED: FileExistsError,
}
# DVC's settings for new objects.
STORED_WITH = {"acl": "ACL", "sse": "ServerSideEncryption", "sse_kms_key_id": "SSEKMSKeyId"}
# DVC's settings for the files of the user.
FILES = {"credentialpath": "credentials_file", "configpath": "config_file"}
UNSUPPORTED = {
    *("sse_customer_algorithm", "sse_customer_key"),
    *("grant_full_control", "grant_read", "grant_read_acp", "grant_write_acp"),
}
MD5 = re.compile("[0-9a-f]{32}")


class S3Bucket:
    """The objects of a bucket by name. Can be used by many threads."""

    def __init__(self, name: str, settings: Mapping[str, Any], connections: int) -> None:
        """Use the bucket `name` with DVC's `settings` of a remote, and some `connections`."""
        self._name, self._settings = name, settings
        self._connections = connections
        if unsupported := sorted(UNSUPPORTED & settings.keys()):
            raise UserError(f"{', '.join(unsupported)}: this setting of s3:// is not supported")
        # Made now, not when threads already use it.
        self._s3 = self._client()

    def look(self, name: str) -> BucketObject:
        """Return what is known of an object; raises `FileNotFoundError`."""
        with self._reporting():
            found = self._s3.head_object(Bucket=self._name, Key=name)
        return _described(name, found["ContentLength"], found)

    def read(self, name: str, part: tuple[int, int] | None = None) -> bytes:
        """Return the content of an object; raises `FileNotFoundError`.

        With `part` only the bytes from one offset to before another are transferred.
        """
        what = {"Range": f"bytes={part[0]}-{part[1] - 1}"} if part else {}
        with self._reporting():
            found = self._s3.get_object(Bucket=self._name, Key=name, **what)
            return bytes(found["Body"].read())

    def md5(self, name: str) -> str:
        """Return the checksum of the content of an object, which is not kept in memory."""
        made = hashlib.md5(usedforsecurity=False)
        with self._reporting():
            for part in self._s3.get_object(Bucket=self._name, Key=name)["Body"].iter_chunks(PART):
                made.update(part)
        return made.hexdigest()

    def delete(self, name: str) -> None:
        """Delete an object, if it is there."""
        with self._reporting():
            self._s3.delete_object(Bucket=self._name, Key=name)

    def pages(self, prefix: str) -> Iterator[list[BucketObject]]:
        """Yield what is known of the objects whose name begins with `prefix`, in parts, sorted."""
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._name, Prefix=prefix)
        with self._reporting():
            for page in pages:
                yield [_described(one["Key"], one["Size"], one) for one in page.get("Contents", [])]

    def create(self, name: str, content: bytes | Path, md5: str) -> str | None:
        """Store an object that does not exist yet; return the MD5 that S3 reports of it.

        `md5` is the checksum of `content`, in hex. S3 stores nothing that does not match it, and
        nothing in place of another object: raises `FileExistsError`. One request has up to 5 GiB.
        """
        with self._reporting():
            if isinstance(content, Path):
                with content.open("rb") as file:
                    answer = self._put(name, file, md5)
            else:
                answer = self._put(name, content, md5)
        # S3 has compared the content; what it reports of an object that a key encrypts is no MD5.
        encrypted = answer.get("ServerSideEncryption", "AES256") != "AES256"
        return md5 if encrypted else _md5_in(answer)

    def _put(self, name: str, content: Any, md5: str) -> dict[str, Any]:
        settings = self._settings
        answer: dict[str, Any] = self._s3.put_object(
            Bucket=self._name,
            Key=name,
            Body=content,
            ContentMD5=b64encode(bytes.fromhex(md5)).decode(),
            IfNoneMatch="*",
            **{STORED_WITH[key]: settings[key] for key in STORED_WITH.keys() & settings.keys()},
        )
        return answer

    @contextmanager
    def _reporting(self) -> Iterator[None]:
        try:
            yield
        except (ConnectTimeoutError, ReadTimeoutError):
            raise TimeoutError from None
        except ClientError as error:
            status = error.response["ResponseMetadata"].get("HTTPStatusCode", 0)
            found = error.response["Error"]
            text = f"{found['Code']}: s3://{self._name}: {found.get('Message', '')}"
            raise ERRORS.get(status, OSError)(text) from None

    def _client(self) -> Any:
        settings = self._settings
        session = Session(profile=settings.get("profile"))
        for key, variable in FILES.items():
            if key in settings:
                session.set_config_variable(variable, settings[key])
        signature = {"signature_version": UNSIGNED} if settings.get("allow_anonymous_login") else {}
        limits = {
            "connect_timeout": min(CONNECT_LIMIT, remote.TIME_LIMIT),
            "read_timeout": remote.TIME_LIMIT,
            "retries": {"mode": "standard", "total_max_attempts": ATTEMPTS},
            "max_pool_connections": self._connections,
            # Content-MD5 protects what is sent. Stores with the same interface know no others.
            "request_checksum_calculation": "when_required",
            "response_checksum_validation": "when_required",
        }
        return session.create_client(
            "s3",
            region_name=settings.get("region"),
            endpoint_url=settings.get("endpointurl"),
            use_ssl=settings.get("use_ssl", True),
            verify=settings.get("ssl_verify"),
            aws_access_key_id=settings.get("access_key_id"),
            aws_secret_access_key=settings.get("secret_access_key"),
            aws_session_token=settings.get("session_token"),
            config=ClientConfig(**limits, **signature),
        )


def _described(name: str, size: int, found: Mapping[str, Any]) -> BucketObject:
    return BucketObject(name, size, found["LastModified"].timestamp(), _md5_in(found))


def _md5_in(found: Mapping[str, Any]) -> str | None:
    """Return the checksum of an object; what was sent in several parts has none."""
    etag = found["ETag"].strip('"')
    return etag if MD5.fullmatch(etag) else None
