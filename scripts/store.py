"""The bytes: everything that touches DVC, its cache, its remote and `dataset/`."""

import hashlib
import json
import logging
import os
import shutil
import sqlite3
import tempfile
from base64 import b64decode
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from dvc.config import Config as DvcConfig
from dvc.exceptions import DvcException
from dvc.fs import get_cloud_fs
from dvc.lock import LockError
from dvc.repo import Repo
from dvc_objects.fs.generic import copy
from fsspec.callbacks import TqdmCallback
from tqdm import tqdm

from scripts import actions
from scripts.errors import UserError
from scripts.lock import DATASET

# DVC protects the files of its cache in the same way; its own checks count on it.
READ_ONLY = 0o444
LOCAL_SCHEME = "local"
READ_AT_ONCE = 500


@dataclass(frozen=True)
class Listing:
    """The files of one version of the dataset: for each name the MD5 and the size of its bytes."""

    files: dict[str, tuple[str, int]]

    def content(self) -> bytes:
        """Return DVC's own object for a folder: a list of names and hashes, sorted by name."""
        entries = [{"md5": md5, "relpath": name} for name, (md5, _) in sorted(self.files.items())]
        return json.dumps(entries).encode()

    @property
    def md5(self) -> str:
        """The name of the object that holds this listing."""
        return _md5(self.content()) + ".dir"

    @property
    def size(self) -> int:
        """The size of all files, in bytes."""
        return sum(size for _, size in self.files.values())

    def objects(self) -> dict[str, int]:
        """Return the size of each object that the files need; equal files share one."""
        return dict(self.files.values())


class Store:
    """A repository's DVC cache and remote.

    With `rev` the remote is the one that `.dvc/config` names at that git revision: what a
    consumer of the revision will ask. Where it is not today's, `config.local` says nothing of it.
    """

    def __init__(self, root: Path, rev: str | None = None) -> None:
        """Open the DVC repository at `root`; raises `UserError` when there is none."""
        # They report each failed file in logs of their own; here one message says it all.
        for name in ("dvc", "dvc_data", "dvc_objects", "gcsfs"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
        try:
            config = _remote_config(root, rev) if rev else None
            self._repo: Any = Repo(str(root), config=config)
        except (DvcException, sqlite3.Error) as error:
            raise UserError(f"DVC cannot use this repository: {error}") from None
        self._cache: Any = self._repo.cache.local
        self._root = root

    @property
    def url(self) -> str:
        """The remote's address."""
        return str(self._remote.fs.unstrip_protocol(self._base))

    @property
    def is_local(self) -> bool:
        """Whether the remote is a folder of this machine."""
        return bool(self._remote.fs.protocol == LOCAL_SCHEME)

    def put(self, data: bytes) -> str:
        """Put one object into the cache, unless it is there already; return its name."""
        name = _md5(data)
        self._write(name, data)
        return name

    def put_listing(self, listing: Listing) -> None:
        """Put the object that lists a version's files into the cache."""
        self._write(listing.md5, listing.content())

    def checkout(self, listing: Listing) -> None:
        """Make `dataset/` hold exactly the files of `listing`, out of the cache.

        The folder is made beside the old one and takes its place when it is whole. Raises
        `UserError` when another run is doing the same.
        """
        new, old = self._root / f"{DATASET}.new", self._root / f"{DATASET}.old"
        target = self._root / DATASET
        with self._locked():
            for leftover in (new, old):
                _remove(leftover)
            for folder in sorted({os.path.dirname(name) for name in listing.files}):  # noqa: PTH120
                (new / folder).mkdir(parents=True)
            for name, (md5, _) in _progress(listing.files.items(), "Writing dataset/"):
                _link(self._cache.oid_to_path(md5), f"{new}/{name}")
            if os.path.lexists(target):
                target.rename(old)
            new.rename(target)
            _remove(old)

    def push(self, listing_md5: str) -> int:
        """Copy the objects of a version to the remote and prove that each is there, and true.

        The listing goes last, so that a listing in the remote always has its files. Returns how
        many objects were copied. Raises `UserError` when some object is not there in the end or
        has other bytes than its name says, and in a workflow when the remote is a folder.
        """
        if self.is_local and actions.running():
            raise UserError(
                f"the remote is {self.url}, a folder on this runner's disk, which is gone after"
                " the run. Point the repository at a bucket and commit it:"
                " python -m scripts remote gs://BUCKET/PATH"
            )
        names = self._cached_names(listing_md5)
        with self._reporting("push to"):
            absent = names - self._present(names)
            self._refuse_damaged(absent)
            reasons = self._copy(absent - {listing_md5})
            # One that another run copied at the same time is no failure: only absence is.
            missing = absent - {listing_md5} - self._present(absent)
            if not missing:
                reasons = self._copy(absent & {listing_md5})
                missing = names - self._present(names)
        if missing:
            raise UserError(
                f"{len(missing):,} of {len(names):,} objects did not reach {self.url}"
                f" ({_reason(reasons)}). Nothing is lost: run it again."
            )
        if wrong := self._unlike(names):
            raise UserError(
                f"{len(wrong):,} of {len(names):,} objects in {self.url} have other bytes than"
                f" their names say, such as {min(wrong)}. Somebody put them there: remove them"
                " from the remote, and run it again."
            )
        return len(absent)

    def missing(self, names: Collection[str]) -> set[str]:
        """Return which of these objects are not in the remote; raises `UserError` if it is down."""
        with self._reporting("ask"):
            if self.is_local:
                # DVC's own check of a folder removes what is damaged, and with it the evidence.
                return {n for n in names if not Path(self._remote.oid_to_path(n)).exists()}
            return set(names) - self._present(names)

    def remote_listing(self, listing_md5: str) -> list[dict[str, str]]:
        """Return the list of files (`md5` and `relpath`) of a version, out of the remote.

        Raises `UserError` when it is not there or is not what its name says.
        """
        with self._reporting("read from"):
            try:
                content = self._remote.fs.cat_file(self._remote.oid_to_path(listing_md5))
            except FileNotFoundError:
                raise UserError(f"the list of files {listing_md5} is not in {self.url}") from None
        if not _is_named(listing_md5, content):
            raise UserError(f"the list of files {listing_md5} in {self.url} has other bytes")
        entries: list[dict[str, str]] = json.loads(content)
        return entries

    def damaged(self, names: Collection[str]) -> set[str]:
        """Return which of these objects of the remote have other bytes than their name says."""
        found, ordered = set(), sorted(names)
        with self._reporting("read from"), _bar(len(ordered), "Reading objects") as bar:
            for start in range(0, len(ordered), READ_AT_ONCE):
                part = ordered[start : start + READ_AT_ONCE]
                contents = self._read([self._remote.oid_to_path(name) for name in part])
                found |= {
                    name
                    for name, content in zip(part, contents, strict=True)
                    if not _is_named(name, content)
                }
                bar.update(len(part))
        return found

    def set_remote(self, url: str) -> None:
        """Write `url` into `.dvc/config` as the remote of this repository.

        Raises `UserError` when DVC knows no such kind of address.
        """
        try:
            parts = urlsplit(url)
        except ValueError as error:
            raise UserError(f"{url!r} is no address: {error}") from None
        if not url.strip():
            raise UserError("the address is empty; write one such as gs://bucket/path")
        secret = parts.password or (parts.scheme in ("http", "https") and parts.username)
        if not url.isprintable() or secret:
            raise UserError("the address is kept in git: no passwords, and no line breaks in it")
        if parts.scheme == "file":
            url = parts.path
        elif parts.scheme and not parts.netloc:
            raise UserError(f"{url!r} names no bucket; write it as {parts.scheme}://bucket/path")
        if parts.scheme in ("", "file"):
            url = str((self._root / url).resolve())
        name = self._repo.config["core"].get("remote") or "storage"
        try:
            get_cloud_fs({"remote": {name: {"url": url}}, "core": {}}, name=name)
            with DvcConfig(self._repo.dvc_dir).edit("repo") as config:
                config["core"]["remote"] = name
                config["remote"][name] = {**config["remote"].get(name, {}), "url": url}
        except (DvcException, ImportError) as error:
            raise UserError(f"{url!r} cannot be a remote: {error}") from None

    @cached_property
    def _remote(self) -> Any:
        try:
            return self._repo.cloud.get_remote_odb()
        except DvcException as error:
            raise UserError(
                f"no usable remote in .dvc/config ({error})."
                " Set one with: python -m scripts remote URL"
            ) from None

    @property
    def _base(self) -> str:
        # DVC keeps its objects in files/md5 below the address.
        return os.path.dirname(os.path.dirname(str(self._remote.path)))  # noqa: PTH120

    def _unlike(self, names: set[str]) -> set[str]:
        """Return which of these objects of the remote are not what their names say.

        Google Cloud Storage tells the MD5 of what it holds; from elsewhere they are read.
        """
        if self.is_local:
            return self.damaged(names)
        fs, known = self._remote.fs.fs, {}
        with self._reporting("ask"):
            fs.invalidate_cache()
            for path, info in fs.find(self._remote.path, detail=True).items():
                if told := info.get("md5Hash"):
                    known["".join(path.split("/")[-2:])] = b64decode(told).hex()
        unlike = {n for n in names & known.keys() if known[n] != n.removesuffix(".dir")}
        return unlike | self.damaged(names - known.keys())

    def _read(self, paths: list[str]) -> list[bytes]:
        if self.is_local:
            return [Path(path).read_bytes() for path in paths]
        # Many at once; the client gives them back by path.
        contents = self._remote.fs.fs.cat(paths)
        return [contents[path] for path in paths]

    def _write(self, name: str, data: bytes) -> None:
        path = Path(self._cache.oid_to_path(name))
        if path.exists() and path.read_bytes() == data:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".tmp", delete=False) as file:
            file.write(data)
        Path(file.name).chmod(READ_ONLY)
        Path(file.name).replace(path)

    def _cached_names(self, listing_md5: str) -> set[str]:
        path = Path(self._cache.oid_to_path(listing_md5))
        content = path.read_bytes() if path.exists() else b""
        if not _is_named(listing_md5, content):
            raise UserError(
                f"the cache does not hold {listing_md5}, which dataset.dvc names."
                " Make it first: python -m scripts build"
            )
        return {entry["md5"] for entry in json.loads(content)} | {listing_md5}

    def _refuse_damaged(self, names: set[str]) -> None:
        """Raise `UserError` rather than store bytes for good under a name that is not theirs.

        A file of `dataset/` shares its bytes with the cache, so an edit of one changes both.
        """
        for name in names:
            path = Path(self._cache.oid_to_path(name))
            if not path.exists() or not _is_named(name, path.read_bytes()):
                raise UserError(
                    f"{path} was changed or removed since it was made."
                    " Make it again: python -m scripts build"
                )

    def _present(self, names: Collection[str]) -> set[str]:
        # Asked of the remote itself: what DVC remembers of it may no longer be so.
        return set(self._remote.oids_exist(list(names))) if names else set()

    def _copy(self, names: set[str]) -> list[BaseException]:
        """Copy objects from the cache to the remote; return what went wrong."""
        if not names:
            return []
        errors: list[BaseException] = []
        ordered = sorted(names)
        targets = [self._remote.oid_to_path(name) for name in ordered]
        bar = {"desc": f"Pushing to {self.url}", "unit": "file", "disable": None, "leave": False}
        with TqdmCallback(bar, tqdm_cls=tqdm) as callback:
            callback.set_size(len(ordered))
            # Not the remote's own `add`: in a folder it writes under the final name.
            copy(
                self._cache.fs,
                [self._cache.oid_to_path(name) for name in ordered],
                self._remote.fs,
                targets,
                callback=callback,
                batch_size=self._remote.fs.jobs,
                on_error=lambda _source, _target, error: errors.append(error),
            )
        for target in targets:
            self._remote.protect(target)
        return errors

    @contextmanager
    def _locked(self) -> Iterator[None]:
        try:
            with self._repo.lock:
                yield
        except LockError:
            raise UserError("another run is at work in this repository; wait for it.") from None

    @contextmanager
    def _reporting(self, action: str) -> Iterator[None]:
        """Turn whatever a remote's client raises into one message."""
        try:
            yield
        except UserError:
            raise
        except Exception as error:  # noqa: BLE001 - each of DVC's many clients raises its own
            raise UserError(f"cannot {action} {self.url}: {_reason([error])}") from None


def list_files(files: Iterable[tuple[str, bytes]], put: Callable[[bytes], str] | None) -> Listing:
    """Return the listing of `files`, giving each file's bytes to `put` on the way."""
    name_of = put or _md5
    return Listing({name: (name_of(data), len(data)) for name, data in files})


def write_text(path: Path, text: str) -> None:
    """Replace the file at `path` by one with `text`; a reader sees the old or the new one."""
    # What a killed run leaves is known by this name: git ignores it, the next run replaces it.
    temporary = path.with_name(f"{path.name}.new")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        # Another file system, or one without hard links.
        shutil.copyfile(source, target)


def _remove(path: Path) -> None:
    if path.is_symlink() or path.is_file():
        path.unlink()
    elif path.exists():
        shutil.rmtree(path)


def _remote_config(root: Path, rev: str) -> dict[str, Any]:
    """Return what to change in DVC's configuration to use the remote that `rev` names."""
    with Repo(str(root), rev=rev) as repo:
        name = repo.config["core"].get("remote")
        remote = dict(repo.config["remote"].get(name, {}))
    if not remote:
        raise UserError(f".dvc/config at {rev[:10]} names no remote, so nobody could get its files")
    # A relative folder counts from .dvc/, and inside git DVC takes the repository's top for "/".
    inside = Path("/.dvc")
    if Path(remote["url"]).is_relative_to(inside):
        remote["url"] = str(root / ".dvc" / Path(remote["url"]).relative_to(inside))
    with Repo(str(root)) as repo:
        if repo.config["remote"].get(name, {}).get("url") == remote["url"]:
            # The same; what config.local says of it, such as credentials, counts too.
            return {"core": {"remote": name}}
    # Under a name of its own, or DVC would mix its settings with those of today's remote.
    return {"core": {"remote": "released"}, "remote": {"released": remote}}


def _bar(total: int, description: str) -> Any:
    return tqdm(total=total, desc=description, unit="file", disable=None, leave=False)


def _progress(items: Collection[Any], description: str) -> Any:
    return tqdm(items, desc=description, unit="file", disable=None, leave=False)


def _md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def _is_named(name: str, content: bytes) -> bool:
    """Return whether `name` is the one that `content` must have."""
    return _md5(content) == name.removesuffix(".dir")


def _reason(errors: list[BaseException]) -> str:
    if not errors:
        return "they were copied, but are not there"
    text = " ".join(str(errors[0]).split()) or type(errors[0]).__name__
    return text[:300]
