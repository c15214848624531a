"""Ingest: append the images of a location to a custom source, as a batch."""

import re
import tempfile
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from scripts.errors import UserError
from scripts.git.git import ORIGIN, TRACKED_MAIN, Git
from scripts.ingest import closing, images_read, reading, writer
from scripts.ingest.images_read import ImagesRead
from scripts.ingest.options import IngestOptions
from scripts.inputs.paths import SOURCES_FOLDER
from scripts.inputs.tree import WorkTree
from scripts.publish import bucket, origin
from scripts.publish.origin import TryAgainError
from scripts.releases import continuity, releases
from scripts.releases.releases import Release
from scripts.runner import LOCAL, Runner
from scripts.sources import digits, own, shards
from scripts.sources import pointer as pointers
from scripts.sources.own import Own
from scripts.sources.pointer import BatchRecord, Pointer, PointerOutput
from scripts.sources.source import SourceRequest
from scripts.sources.summaries import summary_name
from scripts.sources.table import OWN_TEST_SETS
from scripts.storage import files, transfer
from scripts.storage.cache import Cache
from scripts.storage.manifest import Manifest
from scripts.storage.remote import Remote
from scripts.storage.remote_kinds import open_remote
from scripts.storage.settings import CONFIG_PATH

NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,99}")
KNOWN = {digits.NAME, *OWN_TEST_SETS}
# Git and DVC ignore it.
TEMPORARY_FOLDER = ".dvc/tmp"


@dataclass(frozen=True)
class IngestOutcome:
    """The result of an ingest; `pointer` is None if nothing is new."""

    collected: ImagesRead
    remote: str
    pointer: Pointer | None = None
    size: int = 0


def ingest(
    git: Git,
    name: str,
    location: str,
    runner: Runner = LOCAL,
    options: IngestOptions = images_read.DEFAULT,
) -> IngestOutcome:
    """Append the images at `location` that the source `name` does not have to it.

    The shards are in the remote, and verified there, before `sources/NAME.dvc` is written.
    A runner of GitHub's refuses a folder as the remote. Raises `UserError` with every problem; then
    nothing is written.
    """
    _check_name(git.root, name)
    remote, cache = _remote(git, runner), Cache(git.root)
    written = WorkTree(git.root).read(pointers.path_of(name))
    accepted = _releases(git)
    before = _existing(git, name, written, accepted)
    _refuse_other_files(git.root / SOURCES_FOLDER / name, cache)
    fetch = partial(transfer.fetch, cache, lambda: remote)
    with _temporary_folder(git.root) as folder:
        collected = reading.collect(location, name, before, Path(folder), options)
        if not collected.collected.digests:
            return IngestOutcome(collected, remote.url)
        batches = closing.closed(git, before, accepted) if before else []
        known = own.objects(before.pointer, name, fetch) if before else {}
        stored = _store(cache, collected, known, len(batches), Path(folder))
    _push(cache, remote, stored, known, _verified(git, name, accepted, fetch))
    if WorkTree(git.root).read(pointers.path_of(name)) != written:
        raise UserError(f"{pointers.path_of(name)} has changed during the run. Run it again.")
    made = _pointer(name, collected, before, batches, stored)
    if all(cache.path(md5).exists() for md5, _ in stored.files.values()):
        cache.checkout(stored, f"{SOURCES_FOLDER}/{name}")
    files.remove_leftovers(git.root / SOURCES_FOLDER)
    files.write(git.root / pointers.path_of(name), pointers.render(made))
    return IngestOutcome(collected, remote.url, made, stored.size)


def _check_name(root: Path, name: str) -> None:
    if not NAME.fullmatch(name):
        raise UserError(
            f"{name!r} cannot be the name of a source: use letters, digits, _ and -, at most 100"
        )
    if name in KNOWN:
        raise UserError(f"{name} is the name of a known source; choose another one")
    for file in sorted((root / SOURCES_FOLDER).glob("*.dvc")):
        if file.stem != name and file.stem.lower() == name.lower():
            raise UserError(f"there is a source {file.stem} already; use that spelling")


def _remote(git: Git, runner: Runner) -> Remote:
    remote = open_remote(git.root, WorkTree(git.root).read(CONFIG_PATH))
    if bucket.is_lost(remote, runner):
        raise bucket.lost(remote)
    return remote


def _releases(git: Git) -> list[Release]:
    """Return the releases at origin, which determine where a batch is cut."""
    if ORIGIN in git("remote").split():
        try:
            origin.fetch(git)
        except TryAgainError as error:
            raise UserError(f"cannot fetch main and tags from origin: {error}") from None
    return releases.scan(git).accepted


def _existing(git: Git, name: str, written: bytes | None, accepted: list[Release]) -> Own | None:
    """Return the existing source, None if there is none.

    Raises `UserError` if it lacks batches of main or the newest release, or if releases used its
    name for another source.
    """
    revs = [TRACKED_MAIN] if git.has_ref(TRACKED_MAIN) else []
    continuity.check(git, name, written, *revs, *(one.commit for one in accepted[-1:]))
    if written is not None:
        return own.read(
            SourceRequest(name, pointer=written, fetch_object=transfer.fetcher(git.root))
        )
    for release in accepted:
        if release.lock.meta.source.name == name and not continuity.has_pointer(git, release):
            raise UserError(
                f"{release.tag} was made from another source called {name}; choose another name"
            )
    return None


def _refuse_other_files(folder: Path, cache: Cache) -> None:
    """Raise `UserError` if the folder for the shards contains files that are not in the cache."""
    for file in sorted(folder.rglob("*")):
        if file.is_file() or file.is_symlink():
            is_shard = shards.IS_FILE.fullmatch(file.relative_to(folder).as_posix())
            if not is_shard or not cache.path(files.md5(file)).exists():
                raise UserError(
                    f"{folder} is the folder for the shards of the source, but {file.name} is not "
                    f"one of them. Move your files to another folder, and ingest them from there."
                )


def _temporary_folder(root: Path) -> "tempfile.TemporaryDirectory[str]":
    parent = root / TEMPORARY_FOLDER
    parent.mkdir(parents=True, exist_ok=True)
    return tempfile.TemporaryDirectory(dir=parent, prefix="ingest-")


def _store(
    cache: Cache, collected: ImagesRead, known: dict[str, str], batch: int, folder: Path
) -> Manifest:
    """Store new shards, the index and the summaries of their batch; return all files of the source.

    Only the new files have sizes.
    """
    first = sum("/" not in name for name in known)
    made = {
        shards.shard_name(first + number): path
        for number, path in enumerate(collected.writer.paths)
    }
    made[shards.index_name(batch)] = writer.write_index(folder, collected.rows, collected.details)
    if collected.summaries.path:
        made[summary_name(batch)] = collected.summaries.path
    stored = {name: (md5, 0) for name, md5 in known.items()}
    for name, path in made.items():
        content = path.read_bytes()
        stored[name] = cache.put(content), len(content)
    return Manifest(stored)


def _push(
    cache: Cache,
    remote: Remote,
    stored: Manifest,
    known: dict[str, str],
    verified: Collection[str],
) -> None:
    doubtful = remote.doubtful(set(known.values()), verified)
    lost = [md5 for md5 in remote.missing(doubtful) if cache.read(md5) is None]
    if lost:
        raise UserError(
            f"{len(lost):,} of {len(known):,} files of the source are missing in {remote.url}. Copy"
            " them there from a machine that has them, or restore them."
        )
    cache.put_manifest(stored)
    transfer.push(cache, remote, stored.md5, verified)


def _verified(
    git: Git, name: str, accepted: list[Release], fetch: Callable[[str], Path]
) -> set[str]:
    """Return the objects of the source that the newest release has verified."""
    released = continuity.pointer_of(git, accepted[-1].commit, name) if accepted else None
    return {*own.objects(released, name, fetch).values(), released.md5} if released else set()


def _pointer(
    name: str,
    collected: ImagesRead,
    before: Own | None,
    batches: list[BatchRecord],
    stored: Manifest,
) -> Pointer:
    rows = collected.rows
    older = before.pointer.outs[0].size if before else 0
    return pointers.create(
        name,
        PointerOutput(stored.md5, older + stored.size, len(stored.files)),
        collected.shape(before),
        images_read.counts(rows, before),
        [
            *batches,
            BatchRecord(
                shards=collected.writer.sizes, sha256=rows.sha256, skipped=collected.skipped
            ),
        ],
    )
