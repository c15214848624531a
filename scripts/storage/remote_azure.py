"""A remote in a container of Azure Blob Storage."""

import shlex

from scripts.storage.remote_bucket import Bucket, BucketRemote


class AzureRemote(BucketRemote):
    """A container of Azure Blob Storage. Some writers claim the MD5 that it reports."""

    scheme = "azure"

    def _opened(self) -> Bucket:
        from scripts.storage.azure_container import AzureContainer

        return AzureContainer(self._bucket_name, self._section, self._jobs)

    def _removal(self, path: str) -> str:
        container, _, name = path.partition("/")
        account = self._section.get("account_name")
        where = ["--account-name", account] if account else []
        what = ["--container-name", container, "--name", name]
        return shlex.join(
            ["az", "storage", "blob", "delete", "--auth-mode", "login", *where, *what]
        )
