"""Computes the bytes that a version adds to the remote.

Objects that only a pull request has pushed count as new, so that a plan is the same before and
after the push. No bucket is listed.
"""

from collections.abc import Iterable, Iterator, Set

from scripts.dataset.dataset import Dataset
from scripts.errors import UserError
from scripts.inputs.config import PARQUET
from scripts.releases.history import History
from scripts.releases.index import Index
from scripts.releases.releases import Release
from scripts.sources import copies
from scripts.sources.table import Table
from scripts.storage.manifest import Manifest


def bytes_to_store(dataset: Dataset, made: Manifest, index: Index, history: History) -> int | None:
    """Return the number of bytes that a release of `dataset` adds to the remote; None if unknown.

    `made` are its files, `index` is its index. The remote is that of the work tree; releases in
    other remotes are ignored.
    """
    if history.latest and history.latest.lock.md5 == made.md5:
        return 0  # it is not released again
    try:
        stored = history.in_remote()
        objects = _of_objects(dataset, made, stored, history)
    except UserError:
        return None
    return objects + sum(_sizes_of_records(dataset, index, stored))


def _of_objects(dataset: Dataset, made: Manifest, stored: list[Release], history: History) -> int:
    """Return the size of the objects that no release in `stored` has.

    Raises `UserError` if that depends on a release that cannot be read.
    """
    by_manifest = {release.lock.md5: release for release in stored}
    if made.md5 in by_manifest:
        return 0
    new, unreadable = made.objects(), None
    for release in reversed(by_manifest.values()):
        if not new:
            break
        try:
            for name in _stored(new, release, dataset, made, history):
                del new[name]
        except UserError as error:
            unreadable = error
    if new and unreadable:
        raise unreadable
    return sum(new.values()) + len(made.content)


def _stored(
    objects: Iterable[str], release: Release, dataset: Dataset, made: Manifest, history: History
) -> Set[str]:
    """Return the `objects` of `made` that `release` has stored.

    A manifest has a line for each file, so where it is not here, the index tells, which the leak
    guard needs anyway: an image that both have is the same file in both.
    """
    if release.lock.is_sharded != (dataset.config.format == PARQUET):
        return set()
    files = history.kept_files(release)
    if files is None and not _is_encoded_otherwise(release, dataset):
        digests, rows = dataset.images.digests, dataset.selection.files()
        images = history.index(release, dataset.source).as_shown.places
        digest_of = {md5: digests[rows[name]] for name, (md5, _) in made.files.items()}
        return {name for name in objects if digest_of[name] in images}
    there = {*(history.files(release) if files is None else files).values()}
    return {name for name in objects if name in there}


def _is_encoded_otherwise(release: Release, dataset: Dataset) -> bool:
    """Return whether the images of `release` may have been encoded differently."""
    meta = release.lock.meta
    # Equal names with a different manifest: the images were encoded by different code.
    return release.lock.is_sharded or not meta.splits or meta.samples == dataset.selection.sha256


def _sizes_of_records(dataset: Dataset, index: Index, stored: list[Release]) -> Iterator[int]:
    """Yield the size of each record that no release in `stored` has."""
    known = [release.lock.meta for release in stored]
    if index.sha256 not in {meta.splits for meta in known}:
        yield len(index.content)
    listed = {release.lock.meta.samples for release in stored if release.lock.is_sharded}
    if dataset.config.format == PARQUET and dataset.selection.sha256 not in listed:
        yield len(dataset.selection.listing)
    source = dataset.source
    copied = {meta.source.sha256 for meta in known if meta.source.copy_}
    if isinstance(source, Table) and source.sha256 not in copied:
        yield len(copies.render(source))
