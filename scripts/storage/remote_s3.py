"""A remote in a bucket of Amazon S3, or of a store with the same interface."""

import shlex

from scripts.storage.remote_bucket import Bucket, BucketRemote


class S3Remote(BucketRemote):
    """A bucket of Amazon S3. What it reports of an encrypted object looks like an MD5."""

    scheme = "s3"

    def _opened(self) -> Bucket:
        from scripts.storage.s3_bucket import S3Bucket

        return S3Bucket(self._bucket_name, self._section, self._jobs)

    def _removal(self, path: str) -> str:
        return f"aws s3 rm {shlex.quote(f's3://{path}')}"
