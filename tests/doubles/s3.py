"""Amazon S3: the server of moto, behind a proxy that can fail."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.config import Config
from botocore.session import Session

from tests.doubles import proxy
from tests.doubles.process import free_port, serving
from tests.doubles.proxy import Proxy

BUCKET = "bucket"
# The server believes any.
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "key",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_DEFAULT_REGION": "us-east-1",
}


@dataclass
class S3:
    """A bucket; `proxy` is in front of the server, and `client` asks the server itself."""

    proxy: Proxy
    client: Any

    def config(self, path: str) -> str:
        """Return the settings of a remote in `.dvc/config`, from its address on."""
        return f"s3://{BUCKET}/{path}\n    endpointurl = {self.proxy.url}"

    def objects(self) -> list[str]:
        """Return the names of all objects."""
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
        return [one["Key"] for page in pages for one in page.get("Contents", [])]

    def content(self, name: str) -> bytes:
        return bytes(self.client.get_object(Bucket=BUCKET, Key=name)["Body"].read())

    def delete(self, name: str) -> None:
        self.client.delete_object(Bucket=BUCKET, Key=name)

    def overwrite(self, name: str, content: bytes) -> None:
        self.client.put_object(Bucket=BUCKET, Key=name, Body=content)

    def without_checksum(self, name: str, content: bytes) -> None:
        """Store an object for which S3 reports no MD5."""
        where = {"Bucket": BUCKET, "Key": name}
        number = self.client.create_multipart_upload(**where)["UploadId"]
        part = {"PartNumber": 1, "UploadId": number}
        tag = self.client.upload_part(**where, **part, Body=content)["ETag"]
        parts = {"Parts": [{"PartNumber": 1, "ETag": tag}]}
        self.client.complete_multipart_upload(**where, UploadId=number, MultipartUpload=parts)


@contextmanager
def running() -> Iterator[S3]:
    """Serve an empty bucket until the block ends."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    command = [str(Path(sys.executable).with_name("moto_server"))]
    with serving([*command, "-H", "127.0.0.1", "-p", str(port)], address):
        client = Session().create_client(
            "s3",
            endpoint_url=address,
            aws_access_key_id=ENVIRONMENT["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=ENVIRONMENT["AWS_SECRET_ACCESS_KEY"],
            region_name=ENVIRONMENT["AWS_DEFAULT_REGION"],
            config=Config(proxies={}),
        )
        client.create_bucket(Bucket=BUCKET)
        with proxy.before(port) as network:
            yield S3(network, client)
