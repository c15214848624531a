"""Repair: builds a damaged release again, and uploads missing objects."""

from collections.abc import Callable
from dataclasses import dataclass, field

from scripts.dataset import selection
from scripts.dataset.dataset import Dataset
from scripts.dataset.targets import Local
from scripts.errors import UserError
from scripts.git.git import Git
from scripts.releases import continuity, index, indexes, releases, resolve
from scripts.releases.releases import Release
from scripts.sources import copies
from scripts.sources.pointer import path_of
from scripts.sources.table import Table
from scripts.storage import transfer
from scripts.storage.cache import Cache
from scripts.storage.faults import FaultsError
from scripts.storage.records import Records, digest
from scripts.storage.remote import Remote

OWN_SCRIPTS = (
    "git switch --detach {tag}",
    "make clean .venv && source .venv/bin/activate",
    # Older scripts have no repair, and their push looks for every object.
    "python -m scripts repair {tag} || { python -m scripts build && python -m scripts push; }",
)


@dataclass
class Repaired:
    """The result of a repair of the release `tag`, with `files` files, in the remote at `url`.

    `copied` is the number of uploaded objects and records. `removals` are the commands that remove
    damaged ones, which must not be overwritten. `lost` lists what cannot be rebuilt here.
    """

    tag: str
    files: int
    url: str
    copied: int = 0
    removals: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)


def repair(git: Git, tag: str) -> Repaired:
    """Build the release `tag` from its inputs, and upload missing objects.

    Existing objects are not changed. Raises `UserError` if there is no such release, or this code
    cannot build it.
    """
    release = releases.scan(git).get(tag)
    if is_of_other_rule(release):
        raise UserError(
            f"{tag} was made by the selection rule {release.lock.meta.selection}; this code has"
            f" rule {selection.RULE}. {_build_with_own_scripts(tag)}"
        )
    cache, remote = Cache(git.root), releases.remote_of(git, release)
    done = Repaired(tag, release.lock.nfiles, remote.url)
    _restore_shards(git, release, cache, remote, done)
    dataset = resolve.of_release(git, release)
    made = dataset.store(Local(cache))
    if made.md5 != release.lock.md5:
        raise UserError(
            f"this code builds different files than {tag}. {_build_with_own_scripts(tag)}"
        )
    _restore_objects(cache, remote, made.md5, done)
    _restore_records(dataset, release, Records(cache.records, lambda: remote), remote, done)
    return done


def is_of_other_rule(release: Release) -> bool:
    """Return whether a release can only be built with the scripts at its tag."""
    return release.lock.meta.selection != selection.RULE


def own_scripts(tag: str) -> list[str]:
    """Return the commands that build a release with the scripts at its tag, and push it."""
    return [line.replace("{tag}", tag) for line in OWN_SCRIPTS]


def _build_with_own_scripts(tag: str) -> str:
    commands = "".join(f"\n    {line}" for line in own_scripts(tag))
    return f"Build it with the scripts at its tag, in a clone without changes:{commands}"


def _restore_objects(cache: Cache, remote: Remote, manifest_md5: str, done: Repaired) -> None:
    """Upload the missing objects of a folder from `cache`."""
    names = cache.object_names(manifest_md5)
    there = names - remote.missing(names)
    # Read, not only listed, to find the same damage as `verify`.
    done.removals += [remote.removal(name) for name in sorted(remote.damaged(there))]
    done.copied += transfer.push(cache, remote, manifest_md5, verified=there)


def _restore_shards(
    git: Git, release: Release, cache: Cache, remote: Remote, done: Repaired
) -> None:
    """Upload the missing shards of a custom source, if this clone has them.

    Raises `UserError` if it does not, because nothing can be built without them.
    """
    name = release.lock.meta.source.name
    pointer = continuity.pointer_of(git, release.commit, name)
    if pointer is None or not (problems := transfer.check(remote, pointer.md5)):
        return
    if not _holds(cache, pointer.md5):
        wrong = "; ".join(one.text for one in problems)
        raise FaultsError(
            f"{path_of(name)}: {wrong}. This clone does not have all of its images either, and they"
            " cannot be built again. Restore them from the older object versions in the bucket, or"
            f" ingest the same images into {name} again.",
            (line for one in problems for line in one.whole),
        )
    _restore_objects(cache, remote, pointer.md5, done)


def _holds(cache: Cache, manifest_md5: str) -> bool:
    try:
        cache.refuse_damaged(cache.object_names(manifest_md5))
    except UserError:
        return False
    return True


def _restore_records(
    dataset: Dataset, release: Release, records: Records, remote: Remote, done: Repaired
) -> None:
    """Upload the missing index of `release`, and the missing copy of its source."""

    def restore(name: str | None, what: str, content: Callable[[], bytes | None]) -> None:
        there = remote.read_record(name) if name else None
        if name is None or (there is not None and digest(there) == name):
            return
        if there is not None:
            done.removals.append(remote.record_removal(name))
            return
        made = records.cached(name) or content()
        if made is None or digest(made) != name:
            done.lost.append(f"the {what} {name} cannot be rebuilt here; try another machine")
            return
        records.store(made)
        done.copied += 1

    meta, source = release.lock.meta, dataset.source
    # A manifest of shards does not name the images.
    names = meta.samples if release.lock.is_sharded else None
    restore(names, "record of the samples", lambda: dataset.selection.listing)
    made = index.of_dataset(dataset)
    # Older records hold the pixels in the dataset only.
    older = meta.schema_ < indexes.ORIGINALS
    restore(meta.splits, "record of the splits", lambda: (made.as_shown if older else made).content)
    restore(
        meta.source.copy_,
        "copy of the source",
        lambda: copies.render(source) if isinstance(source, Table) else None,
    )
