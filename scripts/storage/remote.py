"""The remote: the bucket or folder where the objects of all releases are kept."""

from base64 import b64decode
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

from dvc.data_cloud import Remote as DvcRemote
from dvc.exceptions import DvcException
from dvc.fs import get_cloud_fs
from dvc_objects.fs.generic import copy
from fsspec.callbacks import TqdmCallback

from scripts.errors import UserError
from scripts.progress import Bar
from scripts.storage import manifest, settings
from scripts.storage.cache import Cache
from scripts.storage.dvc import silence

READ_AT_ONCE = 500
MAX_REASON = 300


class Remote:
    """A remote of any kind that DVC knows. Kinds that can do better have a class below."""

    is_folder = False

    def __init__(self, dvc_remote: Any) -> None:
        """Use `dvc_remote`, an object of `dvc.data_cloud.Remote`."""
        self.fs: Any = dvc_remote.fs
        self._path: str = dvc_remote.path
        self._objects: Any = dvc_remote.odb

    @cached_property
    def url(self) -> str:
        """The remote's address."""
        return str(self.fs.unstrip_protocol(self._path))

    def path(self, name: str) -> str:
        """Return the path of the object called `name`, as the remote's file system knows it."""
        return str(self._objects.oid_to_path(name))

    def missing(self, names: Collection[str]) -> set[str]:
        """Return which objects are not in the remote; raises `UserError` when it is unreachable."""
        with self.reporting("list the objects in"):
            # The remote itself is listed: DVC's index of it can be out of date.
            return set(names) - set(self._objects.oids_exist(list(names))) if names else set()

    def mismatched(self, names: Collection[str]) -> set[str]:
        """Return which objects have another checksum than their name says.

        Where the remote reports checksums they are compared, otherwise the objects are read.
        """
        return self.damaged(names)

    def damaged(self, names: Collection[str]) -> set[str]:
        """Read objects and return those whose checksum does not match their name."""
        found, ordered = set(), sorted(names)
        bar = Bar(total=len(ordered), desc="Reading objects")
        with self.reporting("read from"), bar:
            for start in range(0, len(ordered), READ_AT_ONCE):
                part = ordered[start : start + READ_AT_ONCE]
                contents = self._read([self.path(name) for name in part])
                found |= {
                    name
                    for name, content in zip(part, contents, strict=True)
                    if not manifest.matches(name, content)
                }
                bar.update(len(part))
        return found

    def manifest(self, manifest_md5: str) -> dict[str, str]:
        """Return the object of each file of a version, by file name.

        Raises `UserError` when the manifest is missing or damaged.
        """
        with self.reporting("read from"):
            try:
                content = self.fs.cat_file(self.path(manifest_md5))
            except FileNotFoundError:
                raise UserError(f"the manifest {manifest_md5} is missing in {self.url}") from None
        if not manifest.matches(manifest_md5, content):
            raise UserError(f"checksum mismatch for the manifest {manifest_md5} in {self.url}")
        return manifest.entries(content)

    def upload(self, cache: Cache, names: Collection[str]) -> list[BaseException]:
        """Copy objects from `cache`; return the errors."""
        if not names:
            return []
        errors: list[BaseException] = []
        ordered = sorted(names)
        targets = [self.path(name) for name in ordered]
        bar = {"desc": f"Pushing to {self.url}"}
        with TqdmCallback(bar, tqdm_cls=Bar) as callback:
            callback.set_size(len(ordered))
            # Not DVC's own `add`: in a folder it writes under the final name.
            copy(
                cache.fs,
                [str(cache.path(name)) for name in ordered],
                self.fs,
                targets,
                callback=callback,
                batch_size=self.fs.jobs,
                on_error=lambda _source, _target, error: errors.append(error),
            )
        for target in targets:
            self._objects.protect(target)
        return errors

    @contextmanager
    def reporting(self, action: str) -> Iterator[None]:
        """Turn any error of the remote's client into one message."""
        try:
            yield
        except UserError:
            raise
        except Exception as error:  # noqa: BLE001 - each of DVC's clients raises its own
            raise UserError(f"cannot {action} {self.url}: {reason([error])}") from None

    def _read(self, paths: Sequence[str]) -> list[bytes]:
        # Many at once; the client returns them by path.
        contents = self.fs.fs.cat(list(paths))
        return [contents[path] for path in paths]


class FolderRemote(Remote):
    """A folder of this machine, or one that is mounted."""

    is_folder = True

    def missing(self, names: Collection[str]) -> set[str]:
        """Return which objects are not in the folder."""
        # DVC's own check removes damaged objects, and the evidence with them.
        with self.reporting("list the objects in"):
            return {name for name in names if not Path(self.path(name)).exists()}

    def _read(self, paths: Sequence[str]) -> list[bytes]:
        return [Path(path).read_bytes() for path in paths]


class GoogleRemote(Remote):
    """A bucket of Google Cloud Storage, or of Firebase."""

    def mismatched(self, names: Collection[str]) -> set[str]:
        """Return which objects have another checksum than their name says, from one listing.

        Google reports the MD5 of each object, except of composite ones; those are read. See
        https://cloud.google.com/storage/docs/json_api/v1/objects#resource
        """
        reported = {}
        with self.reporting("list the objects in"):
            self.fs.fs.invalidate_cache()
            for path, info in self.fs.fs.find(self._objects.path, detail=True).items():
                if md5 := info.get("md5Hash"):
                    reported["".join(path.split("/")[-2:])] = b64decode(md5).hex()
        known = set(names) & reported.keys()
        wrong = {name for name in known if reported[name] != name.removesuffix(".dir")}
        return wrong | self.damaged(set(names) - known)


# By the protocol of DVC's file system.
KINDS: dict[str, type[Remote]] = {"local": FolderRemote, "gs": GoogleRemote}


def open_remote(root: Path, committed: bytes | None, where: str = settings.CONFIG_PATH) -> Remote:
    """Return the remote that `committed`, the content of a `.dvc/config`, names.

    Raises `UserError` when there is none or DVC cannot use it; `where` names the file.
    """
    silence()
    section = settings.remote_section(root, committed, where)
    try:
        kind, config, path = get_cloud_fs({"core": {}, "remote": {"": section}}, **section)
        fs = kind(**config)
        opened = DvcRemote("remote", path, fs, **config)
    except (DvcException, ImportError) as error:
        raise UserError(f"{where}: the remote cannot be used ({error})") from None
    protocol = fs.protocol if isinstance(fs.protocol, str) else fs.protocol[0]
    return KINDS.get(protocol, Remote)(opened)


def reason(errors: Sequence[BaseException]) -> str:
    """Return the first of `errors` in one line."""
    if not errors:
        return "they were copied, but are missing"
    text = " ".join(str(errors[0]).split()) or type(errors[0]).__name__
    return text[:MAX_REASON]
