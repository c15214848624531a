"""Computes the bytes that a version adds to the remote.

Objects that only a pull request has pushed count as new, so that a plan is the same before and
after the push. No bucket is listed.
"""

from collections.abc import Iterator

from scripts.dataset.dataset import Dataset
from scripts.errors import UserError
from scripts.inputs.config import PARQUET
from scripts.releases.cumulative import CumulativeIndex
from scripts.releases.history import History
from scripts.releases.index import Index
from scripts.releases.indexes import name_of
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
    return objects + sum(_sizes_of_records(dataset, index, stored, history))


def _of_objects(dataset: Dataset, made: Manifest, stored: list[Release], history: History) -> int:
    """Return the size of the objects that no release in `stored` has.

    A manifest has a line for each file. Where the cumulative index tells, which the leak guard
    needs anyway, no manifest is read: an image that both versions have is the same file in both.
    Raises `UserError` if the size depends on a release that cannot be read.
    """
    by_manifest = {release.lock.md5: release for release in stored}
    if made.md5 in by_manifest:
        return 0
    together, unknown = history.cumulative(dataset.source)
    of_format = [one for one in by_manifest.values() if _has_format(one, dataset)]
    told = {
        name_of(one)
        for one in of_format
        if one.tag not in unknown and not _is_encoded_otherwise(one, dataset)
    }
    new, unreadable = _not_in(made, dataset, together, told), None
    for release in reversed(of_format):
        if not new:
            break
        if name_of(release) in told:
            continue
        try:
            there = {*history.files(release).values()}
            new = {name: size for name, size in new.items() if name not in there}
        except UserError as error:
            unreadable = error
    if new and unreadable:
        raise unreadable
    return sum(new.values()) + len(made.content)


def _not_in(
    made: Manifest, dataset: Dataset, together: CumulativeIndex, told: set[str]
) -> dict[str, int]:
    """Return the size of each object of `made` whose image none of the releases `told` has."""
    objects = made.objects()
    if not told:
        return objects
    digests, rows = dataset.images.digests, dataset.selection.files()
    shown = {md5: digests[rows[name]] for name, (md5, _) in made.files.items()}
    known = together.known([shown[name] for name in objects], told)
    pairs = zip(objects.items(), known.tolist(), strict=True)
    return {name: size for (name, size), is_known in pairs if not is_known}


def _has_format(release: Release, dataset: Dataset) -> bool:
    return release.lock.is_sharded == (dataset.config.format == PARQUET)


def _is_encoded_otherwise(release: Release, dataset: Dataset) -> bool:
    """Return whether the files of `release` can be others for the same images."""
    meta = release.lock.meta
    if release.lock.is_sharded or not meta.splits:
        return True
    if meta.config.get("encoding") != dataset.config.record().get("encoding"):
        return True
    # Equal names with a different manifest: the images were encoded by different code.
    return meta.samples == dataset.selection.sha256


def _sizes_of_records(
    dataset: Dataset, index: Index, stored: list[Release], history: History
) -> Iterator[int]:
    """Yield the size of each record that no release in `stored` has."""
    known = [release.lock.meta for release in stored]
    if index.sha256 not in {meta.splits for meta in known}:
        yield len(index.content)
    together = history.cumulative(dataset.source)[0].with_index(index.sha256, index)
    if together.sha256 not in {meta.cumulative for meta in known}:
        yield len(together.content)
    listed = {release.lock.meta.samples for release in stored if release.lock.is_sharded}
    if dataset.config.format == PARQUET and dataset.selection.sha256 not in listed:
        yield len(dataset.selection.listing)
    source = dataset.source
    copied = {meta.source.sha256 for meta in known if meta.source.copy_}
    if isinstance(source, Table) and source.sha256 not in copied:
        yield len(copies.render(source))
