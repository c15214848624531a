"""The dataset that a config describes: its selection, its files, its manifest."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from scripts.build import png, selection
from scripts.build.selection import Selection
from scripts.inputs.config import Config
from scripts.progress import Bar
from scripts.sources.source import Source
from scripts.storage import manifest
from scripts.storage.cache import Cache
from scripts.storage.manifest import Manifest


@dataclass(frozen=True)
class Dataset:
    """A config together with its source."""

    config: Config
    source: Source

    @cached_property
    def selection(self) -> Selection:
        """Which row goes where; raises `InputError` when the source has too few images."""
        return selection.select(self.config, self.source)

    @cached_property
    def manifest(self) -> Manifest:
        """The names and checksums of all files; the files are encoded, but not stored."""
        return manifest.of_files(self._files())

    def store(self, cache: Cache) -> Manifest:
        """Store all files and the manifest in `cache`."""
        stored = manifest.of_files(self._files(), cache.put)
        cache.put_manifest(stored)
        # Not encoded again when somebody asks for the manifest.
        vars(self)["manifest"] = stored
        return stored

    def _files(self) -> Iterator[tuple[str, bytes]]:
        rows = self.selection.files()
        for name, row in Bar(rows.items(), desc="Encoding images", unit="image"):
            yield name, png.encode(self.source.image(row))
