"""A remote in a bucket of Google Cloud Storage, or of Firebase."""

import shlex

from scripts.storage.remote_bucket import Bucket, BucketRemote


class GoogleRemote(BucketRemote):
    """A bucket of Google Cloud Storage, or of Firebase."""

    scheme = "gs"
    is_sure = True

    def _opened(self) -> Bucket:
        from scripts.storage.google_bucket import GoogleBucket

        return GoogleBucket(self._bucket_name, self._section, self._jobs)

    def _removal(self, path: str) -> str:
        return f"gcloud storage rm {shlex.quote(f'gs://{path}')}"
