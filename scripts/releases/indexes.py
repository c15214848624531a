"""Reads the index of each release, and the cumulative index of many."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path

from scripts.dataset import selection
from scripts.dataset.dataset import Dataset
from scripts.errors import UserError
from scripts.git.git import Git, GitTree
from scripts.inputs import reader
from scripts.inputs.reader import Inputs
from scripts.progress import Bar
from scripts.releases import cumulative, index, releases, resolve
from scripts.releases.cumulative import CumulativeIndex
from scripts.releases.index import Index
from scripts.releases.releases import Release
from scripts.sources.source import Source
from scripts.storage import files, kept
from scripts.storage.cache import Cache
from scripts.storage.records import Records
from scripts.storage.remote import Remote

# The first schema of locks whose index has digests before and after resizing.
ORIGINALS = 4


class Indexes:
    """The indexes of the releases of a repository, from the cache, the source or the remote."""

    def __init__(self, git: Git) -> None:
        """Read those of the repository `git`."""
        self._git = git
        self._known: dict[str, Index] = {}

    def of(self, release: Release, source: Source | None = None) -> Index:
        """Return the index of `release`; it is read once.

        With `source` a release that was made from it is selected again, without network. Raises
        `UserError` if the index is not available.
        """
        if release.commit not in self._known:
            self._known[release.commit] = self._read(release, source)
        return self._known[release.commit]

    def cumulative(
        self, accepted: Sequence[Release], source: Source | None
    ) -> tuple[CumulativeIndex, dict[str, str]]:
        """Return the cumulative index of `accepted`, oldest first, and why the others are missing.

        Missing are those whose index cannot be read: their tags, each with the reason. Only indexes
        are read that no kept cumulative index has.
        """
        found = self._largest(accepted)
        lasting = [one for one in accepted if _has_originals(one)]
        covered, unknown = len(found.names), dict[str, str]()
        found = self._with_each(found, lasting, source, unknown)
        if len(found.names) > covered and not unknown:
            kept.write(self._path_of(lasting), found.content)
        return self._with_each(found, accepted, source, unknown), unknown

    def _with_each(
        self,
        found: CumulativeIndex,
        accepted: Iterable[Release],
        source: Source | None,
        unknown: dict[str, str],
    ) -> CumulativeIndex:
        """Return `found` with the index of each release that it lacks; note those without one."""
        names = {*found.names}
        for release in accepted:
            name = name_of(release)
            if name in names or release.tag in unknown:
                continue
            try:
                # Not kept in memory: there can be hundreds.
                known = self._known.get(release.commit) or self._read(release, source)
            except UserError as error:
                unknown[release.tag] = str(error)
                continue
            found = found.with_index(name, known)
            names.add(name)
        return found

    def _largest(self, accepted: Sequence[Release]) -> CumulativeIndex:
        """Return the cumulative index of as many of `accepted` as possible, without reading others.

        The remote is asked for one only if more than one index would be read instead.
        """
        lasting = [one for one in accepted if _has_originals(one)]
        for count in range(len(lasting), 0, -1):
            if (found := self._kept(lasting[:count])) is not None:
                break
        else:
            count, found = 0, CumulativeIndex()
        if len(lasting) - count > 1:
            for release in reversed(lasting):
                if name := release.lock.meta.cumulative:
                    with suppress(UserError):
                        return cumulative.parse(self._records(release).read(name))
                    break
        return found

    def _kept(self, lasting: Sequence[Release]) -> CumulativeIndex | None:
        """Return the cumulative index of `lasting` from the cache, None if none is intact.

        It is the one that the newest of them names, or one that was made here.
        """
        with suppress(UserError):
            name = lasting[-1].lock.meta.cumulative
            if name and (content := self._records(lasting[-1]).cached(name)) is not None:
                return cumulative.parse(content)
        with suppress(UserError):
            content = kept.read(self._path_of(lasting))
            return cumulative.parse(content) if content is not None else None
        return None

    def _path_of(self, lasting: Sequence[Release]) -> Path:
        """Return the file in which the cumulative index of `lasting` is kept here."""
        named = " ".join(name_of(release) for release in lasting)
        digest = hashlib.sha256(f"{cumulative.FORMAT} {named}".encode()).hexdigest()
        return self._cache.records / f"{digest}.cumulative"

    def _read(self, release: Release, source: Source | None) -> Index:
        name = release.lock.meta.splits
        if name and (content := self._records(release).cached(name)) is not None:
            return self._with_originals(release, index.parse(content), source)
        if source and (again := self._selected_again(release, source)):
            return again
        if name:
            content = self._records(release).read(name)
            return self._with_originals(release, index.parse(content), source)
        return self._from_files(release)

    def _with_originals(self, release: Release, found: Index, source: Source | None) -> Index:
        """Return the index `found` of `release` with the pixels before resizing.

        Older records lack them; they are computed again if the source is available.
        """
        if _has_originals(release):
            return found
        if source and (again := self._selected_again(release, source)):
            return again
        try:
            name = f"{release.lock.md5}.originals"
            return self._kept_or(release, name, lambda: self._rebuilt(release, found))
        except UserError:
            return found

    def _rebuilt(self, release: Release, found: Index) -> Index:
        """Return the index `found` of `release`, made again from its own source.

        Raises `UserError` if that is not available, or gives a different version.
        """
        again = index.of_dataset(resolve.of_release(self._git, release))
        if again.as_shown.places != found.places:
            raise UserError(f"this code selects different images than {release.tag} has")
        return again

    def _from_files(self, release: Release) -> Index:
        """Index a release without a record, by reading its files."""

        def made() -> Index:
            remote = releases.remote_of(self._git, release)
            return index.of_files(_read(remote, self._cache, release))

        found = self._kept_or(release, release.lock.md5, made)
        return self._with_originals(release, found, None)

    def _kept_or(self, release: Release, name: str, make: Callable[[], Index]) -> Index:
        """Return the index of `release` from the local cache, or from `make`."""
        file = self._cache.records / name
        with suppress(OSError, UserError):
            found = index.parse(file.read_bytes())
            if 0 < len(found.places) <= release.lock.images:
                return found
        found = make()
        with suppress(OSError):
            files.write(file, found.content)
        return found

    def _selected_again(self, release: Release, source: Source) -> Index | None:
        try:
            inputs = reader.read(GitTree(self._git, release.commit), release.lock.meta.config)
        except UserError:
            return None
        return selected_again(release, inputs, source)

    def _records(self, release: Release) -> Records:
        return Records(self._cache.records, lambda: releases.remote_of(self._git, release))

    @cached_property
    def _cache(self) -> Cache:
        return Cache(self._git.root)


def name_of(release: Release) -> str:
    """Return the name of the index of `release` in a cumulative index.

    It is that of its record, so releases with the same index have the same name.
    """
    return (
        (release.lock.meta.splits or release.lock.md5) if _has_originals(release) else release.tag
    )


def selected_again(release: Release, inputs: Inputs, source: Source) -> Index | None:
    """Return the index of `release`, whose commit holds `inputs`, selected again from `source`.

    None if it was made from different rows or by another selection rule.
    """
    meta = release.lock.meta
    if meta.source.sha256 != source.sha256 or meta.selection != selection.RULE:
        return None
    try:
        dataset = Dataset(inputs, source)
        return index.of_dataset(dataset) if dataset.selection.sha256 == meta.samples else None
    except UserError:
        return None


def _has_originals(release: Release) -> bool:
    """Return whether the record of `release` says what its images were before resizing.

    Otherwise its index depends on whether the source is available, so it is not kept with others.
    """
    meta = release.lock.meta
    return meta.schema_ >= ORIGINALS or meta.config.get("image_size") is None


def _read(remote: Remote, cache: Cache, release: Release) -> Iterator[tuple[str, bytes]]:
    """Yield the name and content of each file of `release`."""
    names = remote.manifest(release.lock.md5)
    here = {name: content for name in set(names.values()) if (content := cache.read(name))}
    read = remote.read(set(names.values()) - here.keys())
    contents = here | dict(Bar(read, desc=f"Reading {release.tag} (once)"))
    for name, md5 in names.items():
        yield name, contents[md5]
