"""A remote in a bucket of Google Cloud Storage, or of Firebase."""

import shlex
from base64 import b64decode
from collections.abc import Collection
from typing import Any

from scripts.storage import remote
from scripts.storage.remote import Remote

# Seconds for a connection, which is tried six times.
CONNECT_LIMIT = 20.0


class GoogleRemote(Remote):
    """A bucket of Google Cloud Storage, or of Firebase."""

    def __init__(self, dvc_remote: Any) -> None:
        """Use `dvc_remote`; each request ends in the end, also where the server does not answer."""
        from aiohttp import ClientTimeout

        super().__init__(dvc_remote)
        # DVC has no setting for it. Its client, gcsfs, is made from these when it is first used.
        limit = ClientTimeout(total=remote.TIME_LIMIT, sock_connect=CONNECT_LIMIT)
        self.fs.fs_args["requests_timeout"] = limit

    def mismatched(self, names: Collection[str]) -> set[str]:
        """Return which objects do not match the checksum in their name, from one listing.

        Google reports the MD5 of each object, except of composite ones; those are read. See
        https://cloud.google.com/storage/docs/json_api/v1/objects#resource
        """
        reported = {}
        with self.reporting("list the objects in"):
            self.fs.fs.invalidate_cache()
            listed = self.fs.fs.find(self._objects.path, detail=True)
            # By the whole path: an object elsewhere, with the same end, says nothing of this one.
            for name in names:
                if md5 := listed.get(self.path(name), {}).get("md5Hash"):
                    reported[name] = b64decode(md5).hex()
        wrong = {name for name, md5 in reported.items() if md5 != name.removesuffix(".dir")}
        return wrong | self.damaged(set(names) - reported.keys())

    def _removal(self, path: str) -> str:
        return f"gcloud storage rm {shlex.quote(super()._removal(path))}"
