"""The dataset of a config: its selection, files and manifest."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from scripts.dataset import added_groups, cuts, selection, targets
from scripts.dataset.cuts import Cutter
from scripts.dataset.encoded_files import EncodedFile, EncodedFiles
from scripts.dataset.encoding import Encoding, encoding_of
from scripts.dataset.folders import folders_of, with_classes
from scripts.dataset.groups import Groups, groups_of
from scripts.dataset.order import order
from scripts.dataset.selection import Selection
from scripts.dataset.targets import Target
from scripts.inputs.config import PARQUET, Config, Split
from scripts.inputs.reader import Inputs
from scripts.progress import Bar
from scripts.sources.extended import Extended
from scripts.sources.resized import Resized
from scripts.sources.source import Source
from scripts.sources.view import view
from scripts.storage.cache import CachedObject
from scripts.storage.manifest import Manifest

if TYPE_CHECKING:
    from scripts.dataset.sharded import Sharded

Result = TypeVar("Result")


@dataclass(frozen=True)
class Dataset:
    """What people wrote, together with the whole source that it names."""

    inputs: Inputs
    whole: Source

    @cached_property
    def source(self) -> Source:
        """The source as the config looks at it: with its labels, without samples it leaves out."""
        return view(self.whole, self.config.label_by, self.config.where)

    @property
    def config(self) -> Config:
        """The config."""
        return self.inputs.config

    @cached_property
    def images(self) -> Extended:
        """All images that can be selected, after resizing, by row."""
        return Extended(self._resized, with_classes(self.inputs.additions, self._resized))

    @property
    def originals(self) -> Extended:
        """The same images before resizing, by the same rows."""
        return Extended(self.source, self.images.additions)

    @cached_property
    def selection(self) -> Selection:
        """The selection; raises `InputError` if the inputs are invalid."""
        return selection.select(
            self.config, self._resized, self.inputs.curation, self.inputs.additions
        )

    @cached_property
    def encoding(self) -> Encoding:
        """What the files are. Where some selected images are in color, all are."""
        if not (self._resized.has_both_modes or self.inputs.additions):
            return encoding_of(self.config)
        are_gray = {self.images.is_gray(row) for row in self._rows}
        return encoding_of(self.config, in_color=len(are_gray) > 1)

    @cached_property
    def manifest(self) -> Manifest:
        """The names and checksums of all files; new images are encoded, but not stored."""
        if self.config.format == PARQUET:
            return self._sharded.manifest()
        return self._encoded(self._files.known(self._rows))

    @cached_property
    def planned(self) -> Manifest:
        """The manifest for a plan, which uses the summaries of `ingest` and reads few images."""
        if "manifest" in vars(self) or self.config.format == PARQUET:
            return self.manifest
        return self._encoded(self._files.planned(self._rows))

    def _encoded(self, known: dict[int, EncodedFile]) -> Manifest:
        """Return the manifest; files that are not `known` are encoded, but not stored."""
        rows = [row for row in self._rows if row not in known]
        encoded = targets.encoded(self.images, self.encoding, rows)
        new = dict(zip(rows, _with_progress(encoded, rows), strict=True))
        self._files.add(new)
        return self._made(known | new)

    def store(self, target: Target) -> Manifest:
        """Store all files and the manifest in `target`. Existing images are not encoded."""
        made = (
            self._sharded.store(target)
            if self.config.format == PARQUET
            else self._store_files(target)
        )
        # Not encoded again for the manifest.
        vars(self)["manifest"] = made
        return made

    def _store_files(self, target: Target) -> Manifest:
        known = self._files.known(self._rows)
        intact = target.intact({file.md5 for file in known.values()})
        rows = [row for row in self._rows if row not in known or known[row].md5 not in intact]
        stored: list[CachedObject] = []
        try:
            for one in _with_progress(target.store(self.images, self.encoding, rows), rows):
                stored.append(one)  # noqa: PERF402 - also what is there when an error ends it
        finally:
            new = {
                row: EncodedFile(one.name, one.size) for row, one in zip(rows, stored, strict=False)
            }
            self._files.add(new)
        made = self._made(known | new)
        target.finish(made, stored)
        return made

    @cached_property
    def groups(self) -> Groups | None:
        """The groups of the rows, None if the config names no column for them."""
        return groups_of(self._resized, self.config) if self.config.group_by else None

    @property
    def groups_by_split(self) -> dict[Split, int]:
        """The number of groups in each split."""
        if self.groups is None:
            return {}
        added = added_groups.groups_of(self.inputs.additions, self.whole, self.config)
        count, found = len(self.source.labels), dict[Split, set[int | str]]()
        for row, (split, _) in self.selection.places().items():
            if row < count:
                found.setdefault(split, set()).add(self.groups.numbers[row])
            elif group := added.get(row - count):
                new = group.name if group.row is None else self.groups.numbers[group.row]
                found.setdefault(split, set()).add(new)
        return {split: len(numbers) for split, numbers in found.items()}

    @property
    def waiting(self) -> dict[Split, int]:
        """The unused images of the dataset's classes, by the split that their group is for."""
        if self.groups is None:
            return {}
        used = self.selection.places()
        folders, _ = folders_of(self.config, self._resized)
        lines = order(self._resized, self.config.seed)
        labels = [label for one in folders.values() for label in one.labels]
        rows = (image.row for label in labels for image in lines[label])
        return dict(Counter(self.groups.split(row) for row in rows if row not in used))

    @cached_property
    def _resized(self) -> Source:
        size = self.config.size
        if size is None or (self.source.shape or ())[:2] == size:
            return self.source
        return Resized(self.source, size)

    @cached_property
    def _sharded(self) -> "Sharded":
        from scripts.dataset.sharded import Sharded  # noqa: PLC0415 - pyarrow takes long to import

        folders, _ = folders_of(self.config, self._resized)
        size = cuts.bytes_of_image(self._resized, self.encoding)
        labels = {folder: contents.labels for folder, contents in folders.items()}
        cutter = Cutter(self._resized, self.config.seed, labels, size, self.groups)
        shards = cutter.cut(self.selection)
        return Sharded(self.images, self.encoding, list(folders), shards)

    @cached_property
    def _rows(self) -> list[int]:
        """The selected rows, in the order of the source, to read it sequentially."""
        return sorted(self.selection.files().values())

    @cached_property
    def _files(self) -> EncodedFiles:
        return EncodedFiles(self._resized, self.encoding)

    def _made(self, files: dict[int, EncodedFile]) -> Manifest:
        return Manifest({name: files[row] for name, row in self.selection.files().items()})


def _with_progress(results: Iterable[Result], rows: Sequence[int]) -> Iterable[Result]:
    return Bar(results, total=len(rows), desc="Encoding images", unit="image")
