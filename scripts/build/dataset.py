"""The dataset that people describe: its selection, its files, its manifest."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TypeVar

from scripts import workers
from scripts.build import png, selection
from scripts.build.encodings import Encoded, Encodings
from scripts.build.selection import Selection
from scripts.inputs.config import Config
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

    @cached_property
    def _rows(self) -> list[int]:
        """The selected rows, in the order of the source, which can be read piece by piece."""
        return sorted(self.selection.files().values())

    @cached_property
    def _encodings(self) -> Encodings:
        return Encodings(self._resized)

    def _made(self, known: dict[int, Encoded], new: dict[int, Encoded]) -> Manifest:
        self._encodings.add(new)
        files = known | new
        return Manifest({name: files[row] for name, row in self.selection.files().items()})


def _encoded(images: Extended, rows: Sequence[int]) -> list[Encoded]:
    """Encode the images of `rows`."""
    contents = (png.encode(images.image(row)) for row in rows)
    return [Encoded(manifest.md5_of(content), len(content)) for content in contents]


def _stored(images: Extended, cache: Cache, rows: Sequence[int]) -> list[Stored]:
    """Encode the images of `rows` and store them in `cache`."""
    return [cache.store(png.encode(images.image(row))) for row in rows]


def _with_progress(results: Iterable[Result], rows: Sequence[int]) -> Iterable[Result]:
    return Bar(results, total=len(rows), desc="Encoding images", unit="image")
