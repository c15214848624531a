"""The dataset that people describe: its selection, its files, its manifest."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TypeVar

from scripts import workers
from scripts.build import png, selection
from scripts.build.cuts import Cutter
from scripts.build.folders import folders_of
from scripts.build.selection import Selection
from scripts.inputs.config import PARQUET, Config
from scripts.inputs.reader import Inputs
from scripts.progress import Bar
from scripts.sources.extended import Extended
from scripts.sources.resized import Resized
from scripts.sources.source import Source
from scripts.storage import manifest
from scripts.storage.cache import Cache, Stored
from scripts.storage.manifest import Manifest

Result = TypeVar("Result")


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
        """The names and checksums of all files; those of new images are encoded, but not stored."""
        known = self._encodings.known(self._rows)
        rows = [row for row in self._rows if row not in known]
        encoded = _with_progress(workers.results(partial(_encoded, self.images), rows), rows)
        return self._made(known, dict(zip(rows, encoded, strict=True)))

    def store(self, cache: Cache) -> Manifest:
        """Store all files and the manifest in `cache`. Images that it has are not encoded."""
        known = self._encodings.known(self._rows)
        intact = cache.intact({file.md5 for file in known.values()})
        rows = [row for row in self._rows if row not in known or known[row].md5 not in intact]
        work = partial(_stored, self.images, cache)
        stored = list(_with_progress(workers.results(work, rows), rows))
        made = self._made(
            known,
            {row: Encoded(one.name, one.size) for row, one in zip(rows, stored, strict=True)},
        )
        cache.put_manifest(made)
        cache.note_intact(made, stored)
        # Not encoded again when somebody asks for the manifest.
        vars(self)["manifest"] = made
        return made

    @cached_property
    def _resized(self) -> Source:
        size = self.config.size
        if size is None or (self.source.shape or ())[:2] == size:
            return self.source
        return Resized(self.source, size)

    def _files(self) -> Iterator[tuple[str, bytes]]:
        return self._shards() if self.config.format == PARQUET else self._pngs()

    def _shards(self) -> Iterator[tuple[str, bytes]]:
        from scripts.build import sharded  # noqa: PLC0415 - pyarrow is not needed for PNG files

        folders, _ = folders_of(self.config, self._resized)
        shards = Cutter(self._resized, self.config.seed, folders).cut(self.selection)
        made, total = sharded.Sharded(self.images, list(folders)), sum(map(len, shards.values()))
        with Bar(desc="Encoding images", unit="image", total=total) as bar:
            for part in sharded.parts(shards, self._resized.shape or ()):
                for (name, rows), content in zip(part, made.contents(part), strict=True):
                    bar.update(len(rows))
                    yield name, content

    def _pngs(self) -> Iterator[tuple[str, bytes]]:
        # In the order of the source, which can be read piece by piece.
        rows = sorted(self.selection.files().items(), key=lambda entry: entry[1])
        for name, row in Bar(rows, desc="Encoding images", unit="image"):
            yield name, png.encode(self.images.image(row))
