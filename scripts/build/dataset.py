"""The dataset that people describe: its selection, its files, its manifest."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from scripts.build import png, selection
from scripts.build.selection import Selection
from scripts.inputs.config import Config
from scripts.inputs.reader import Inputs
from scripts.progress import Bar
from scripts.sources.extended import Extended
from scripts.sources.resized import Resized
from scripts.sources.source import Source
from scripts.storage import manifest
from scripts.storage.cache import Cache
from scripts.storage.manifest import Manifest


@dataclass(frozen=True)
class Dataset:
    """What people wrote, together with the source that it names."""

    inputs: Inputs
    source: Source

    @property
    def config(self) -> Config:
        """The config."""
        return self.inputs.config

    @cached_property
    def images(self) -> Extended:
        """All images that can be selected, as they are written, by row."""
        return Extended(self._resized, self.inputs.additions)

    @cached_property
    def selection(self) -> Selection:
        """Which row goes where; raises `InputError` when what people wrote cannot be."""
        return selection.select(
            self.config, self._resized, self.inputs.curation, self.inputs.additions
        )

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

    @cached_property
    def _resized(self) -> Source:
        size = self.config.size
        if size is None or (self.source.shape or ())[:2] == size:
            return self.source
        return Resized(self.source, size)

    def _files(self) -> Iterator[tuple[str, bytes]]:
        # In the order of the source, which can be read piece by piece.
        rows = sorted(self.selection.files().items(), key=lambda entry: entry[1])
        for name, row in Bar(rows, desc="Encoding images", unit="image"):
            yield name, png.encode(self.images.image(row))
