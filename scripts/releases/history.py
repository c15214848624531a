"""The accepted releases, and the index of each."""

from collections.abc import Sequence
from contextlib import suppress
from functools import cached_property

from scripts.errors import UserError
from scripts.git.git import Git, GitTree
from scripts.inputs import reader
from scripts.inputs.curation import Curation
from scripts.inputs.problems import InputError
from scripts.inputs.reader import Inputs, InvalidInputsError
from scripts.inputs.tree import Tree, WorkTree
from scripts.releases import continuity, declared, released_files, releases
from scripts.releases.cumulative import CumulativeIndex
from scripts.releases.index import Index
from scripts.releases.indexes import Indexes
from scripts.releases.releases import Release, number
from scripts.sources.pointer import Pointer
from scripts.sources.source import Source
from scripts.storage import settings
from scripts.storage.cache import Cache
from scripts.storage.records import Records
from scripts.storage.settings import CONFIG_PATH


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
        self._indexes = Indexes(git)
        self._cumulative: dict[str, tuple[CumulativeIndex, dict[str, str]]] = {}

    def add(self, release: Release) -> None:
        """Add a new release."""
        self.releases.append(release)
        self._cumulative.clear()

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
        """Return the index of `release`, as `Indexes.of` does."""
        return self._indexes.of(release, source)

    def cumulative(self, source: Source | None = None) -> tuple[CumulativeIndex, dict[str, str]]:
        """Return the cumulative index of all releases; see `Indexes.cumulative`."""
        key = source.sha256 if source else ""
        if key not in self._cumulative:
            self._cumulative[key] = self._indexes.cumulative(self.releases, source)
        return self._cumulative[key]

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
        return released_files.of_release(self._git, release)

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

    def _records(self, release: Release) -> Records:
        return Records(self._cache.records, lambda: releases.remote_of(self._git, release))

    @cached_property
    def _cache(self) -> Cache:
        return Cache(self._git.root)
