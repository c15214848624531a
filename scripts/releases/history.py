"""The accepted releases, and the index of each."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import cached_property

from scripts.dataset import selection
from scripts.dataset.dataset import Dataset
from scripts.errors import UserError
from scripts.git.git import Git, GitTree
from scripts.inputs import reader
from scripts.inputs.curation import Curation
from scripts.inputs.problems import InputError
from scripts.inputs.reader import Inputs, InvalidInputsError, Tree, WorkTree
from scripts.progress import Bar
from scripts.releases import continuity, declared, index, releases, resolve
from scripts.releases.index import Index
from scripts.releases.releases import Release, number
from scripts.sources.pointer import Pointer
from scripts.sources.source import Source
from scripts.storage import files, manifest, settings
from scripts.storage.cache import Cache
from scripts.storage.records import Records
from scripts.storage.remote import Remote
from scripts.storage.settings import CONFIG_PATH

# The first schema of locks whose index has digests before and after resizing.
ORIGINALS = 4


class History:
    """All accepted releases of a repository."""

    def __init__(
        self, git: Git, accepted: Sequence[Release] | None = None, tree: Tree | None = None
    ) -> None:
        """Use the releases `accepted`, oldest first; without it, the existing releases.

        `releases.yaml` is that of `tree`; without it, the one on main.
        """
        self._git, self._tree = git, tree
        self.releases = list(releases.scan(git).accepted if accepted is None else accepted)
        self._indexes: dict[str, Index] = {}

    def before(self, release: Release) -> list[Release]:
        """Return the releases with a lower number than `release`, oldest first."""
        return [one for one in self.releases if number(one.tag) < number(release.tag)]

    @property
    def latest(self) -> Release | None:
        """The newest release, None before the first."""
        return self.releases[-1] if self.releases else None

    @cached_property
    def withdrawn(self) -> frozenset[str]:
        """The tags of the withdrawn releases."""
        if self._tree is not None:
            with suppress(InputError):
                return frozenset(declared.read(self._git, self._tree).withdrawn)
        return frozenset(declared.on_main(self._git).withdrawn)

    def index(self, release: Release, source: Source | None = None) -> Index:
        """Return the index of `release`; it is read once.

        With `source` a release that was made from it is selected again, without network. Raises
        `UserError` if the index is not available.
        """
        if release.commit not in self._indexes:
            self._indexes[release.commit] = self._index(release, source)
        return self._indexes[release.commit]

    def _index(self, release: Release, source: Source | None) -> Index:
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
        meta = release.lock.meta
        if meta.schema_ >= ORIGINALS or meta.config.get("image_size") is None:
            return found
        if source and (again := self._selected_again(release, source)):
            return again
        try:
            name = f"{release.lock.md5}.originals"
            return self._kept(release, name, lambda: self._rebuilt(release, found))
        except UserError:
            return found

    def _rebuilt(self, release: Release, found: Index) -> Index:
        """Return the index `found` of `release`, made again from its own source.

        Raises `UserError` if that is not available, or gives a different version.
        """
        tree = GitTree(self._git, release.commit)
        again = index.of_dataset(resolve.of_tree(self._git, tree, release.lock))
        if again.as_shown.places != found.places:
            raise UserError(f"this code selects different images than {release.tag} has")
        return again

    def curation(self, release: Release) -> Curation | None:
        """Return the curation that `release` was made with, None if it cannot be read."""
        inputs: Inputs | None
        try:
            inputs = reader.read(GitTree(self._git, release.commit), release.lock.meta.config)
        except InvalidInputsError as error:
            inputs = error.valid_part
        except UserError:
            inputs = None
        if inputs is None or inputs.curation.sha256 != release.lock.meta.curation:
            return None
        return inputs.curation

    def names(self, release: Release) -> list[str]:
        """Return the name of each image of `release`, such as `train/3/00007.png`.

        Images in shards have the names that they would have as files. Raises `UserError` if they
        are not available.
        """
        if release.lock.is_sharded:
            listing = self._records(release).read(release.lock.meta.samples)
            return listing.decode().splitlines()
        return list(self.files(release))

    def files(self, release: Release) -> dict[str, str]:
        """Return the object of each file of `release`, by name.

        Raises `UserError` if its manifest is not available.
        """
        if (kept := self.kept_files(release)) is not None:
            return kept
        return releases.remote_of(self._git, release).manifest(release.lock.md5)

    def kept_files(self, release: Release) -> dict[str, str] | None:
        """Return the files from the local cache, None if its manifest is missing."""
        content = self._cache.read(release.lock.md5)
        return None if content is None else manifest.entries(content)

    def has_grown(self, release: Release | None, name: str, pointer: Pointer | None) -> bool:
        """Return whether `pointer`, of the source `name`, has all batches that `release` has of it.

        False before the first release.
        """
        if release is None or pointer is None or release.lock.meta.source.name != name:
            return False
        older = self.pointer(release)
        return older is not None and pointer.continues(older)

    def pointer(self, release: Release) -> Pointer | None:
        """Return the pointer of the custom source of `release`, None if it has another source."""
        return continuity.pointer_of(self._git, release.commit, release.lock.meta.source.name)

    def in_remote(self) -> list[Release]:
        """Return the releases whose remote is that of the work tree, oldest first.

        Raises `UserError` if the work tree has none.
        """
        paths = [f"{release.commit}:{CONFIG_PATH}" for release in self.releases]
        configs = self._git.contents(paths)
        here = WorkTree(self._git.root).read(CONFIG_PATH)
        urls = {
            config: settings.remote_section(self._git.root, config)["url"]
            for config in {here, *configs}
        }
        pairs = zip(self.releases, configs, strict=True)
        return [release for release, config in pairs if urls[config] == urls[here]]

    def verified(self, committed: bytes | None) -> set[str]:
        """Return the verified objects in the remote of `committed`, the content of a `.dvc/config`.

        They are those of the newest release if it has the same `.dvc/config`.
        """
        release = self.latest
        if release is None or self._git.file(release.commit, CONFIG_PATH) != committed:
            return set()
        try:
            return {*self.files(release).values(), release.lock.md5}
        except UserError:
            return set()

    def _from_files(self, release: Release) -> Index:
        """Index a release without a record, by reading its files."""

        def made() -> Index:
            remote = releases.remote_of(self._git, release)
            return index.of_files(_read(remote, self._cache, release))

        found = self._kept(release, release.lock.md5, made)
        return self._with_originals(release, found, None)

    def _kept(self, release: Release, name: str, make: Callable[[], Index]) -> Index:
        """Return the index of `release` from the local cache, or from `make`."""
        kept = self._cache.records / name
        with suppress(OSError, UserError):
            found = index.parse(kept.read_bytes())
            if 0 < len(found.places) <= release.lock.images:
                return found
        found = make()
        with suppress(OSError):
            files.write(kept, found.content)
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


def _read(remote: Remote, cache: Cache, release: Release) -> Iterator[tuple[str, bytes]]:
    """Yield the name and content of each file of `release`."""
    names = remote.manifest(release.lock.md5)
    here = {name: content for name in set(names.values()) if (content := cache.read(name))}
    read = remote.read(set(names.values()) - here.keys())
    contents = here | dict(Bar(read, desc=f"Reading {release.tag} (once)"))
    for name, md5 in names.items():
        yield name, contents[md5]
