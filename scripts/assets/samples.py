"""The samples of a release, with what is known of each, and their files."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from scripts.dataset import cuts, parquet
from scripts.dataset.dataset import Dataset
from scripts.dataset.decisions import decisions_of
from scripts.dataset.parquet import ParquetRow
from scripts.errors import UserError
from scripts.git.git import Git
from scripts.inputs import image_name
from scripts.inputs.config import SPLITS
from scripts.inputs.image_name import ImageName
from scripts.inputs.values import MetadataValue
from scripts.releases import releases, resolve
from scripts.releases.history import History
from scripts.releases.releases import Release
from scripts.sources.own import Own
from scripts.storage import manifest, transfer
from scripts.storage.cache import Cache
from scripts.storage.remote import Remote

NO_METADATA: Mapping[str, MetadataValue] = {}
# The column with the name of the file as it came.
ORIGINAL_NAME = "original_name"
# How many files are in memory at the same time.
READ_AT_ONCE = 500


class ReleasedSample(NamedTuple):
    """One sample: its file, such as `train/3/00007.png`, and its metadata.

    A sample in a shard has the name that it would have as a file. `md5` is that of its file, empty
    until somebody asks for it. `source_label` is the label that the source gives it, None where it
    is not known; `curation` is how it was curated, None where it was not.
    """

    file: str
    md5: str = ""
    source_label: str | None = None
    curation: str | None = None
    metadata: Mapping[str, MetadataValue] = NO_METADATA

    @property
    def name(self) -> ImageName:
        """The parts of the file's name."""
        return image_name.parse(self.file)

    @property
    def split(self) -> str:
        """The split."""
        return self.name.split

    @property
    def label(self) -> str:
        """The class, which is the folder."""
        return self.name.folder

    @property
    def identifier(self) -> str:
        """The identifier, which names the file."""
        return self.name.identifier


@dataclass(frozen=True)
class Version:
    """A release: its samples, sorted by file, and the objects of its files."""

    release: Release
    samples: Sequence[ReleasedSample]
    files: Mapping[str, str]
    cache: Cache
    remote: Remote

    @property
    def splits(self) -> list[str]:
        """The splits that have samples."""
        there = {sample.split for sample in self.samples}
        return [split for split in SPLITS if split in there]

    @property
    def labels(self) -> list[str]:
        """The classes, in the order of the lock."""
        counts = self.release.lock.meta.counts.values()
        return list(dict.fromkeys(folder for of_split in counts for folder in of_split))

    @property
    def size(self) -> int:
        """The size of all files; raises `UserError` when a shard is missing or damaged."""
        if not self.release.lock.is_sharded:
            return self.release.lock.size
        return sum(len(row.content) for file in self.files for row in self._rows(file))

    def contents(self, split: str) -> Iterator[tuple[ReleasedSample, bytes]]:
        """Yield the samples of a split, each with its file, verified by a checksum.

        Samples in shards come in their order. Raises `UserError` if an object is missing or
        damaged.
        """
        samples = [sample for sample in self.samples if sample.split == split]
        if self.release.lock.is_sharded:
            yield from self._in_shards(samples, split)
            return
        for start in range(0, len(samples), READ_AT_ONCE):
            part = samples[start : start + READ_AT_ONCE]
            found = self._read({self.files[sample.file] for sample in part})
            yield from ((sample, found[self.files[sample.file]]) for sample in part)

    def read(self, samples: Sequence[ReleasedSample]) -> dict[str, bytes]:
        """Return the file of each of `samples`, by file; raises as `contents` does."""
        if not self.release.lock.is_sharded:
            found = self._read({sample.md5 for sample in samples})
            return {sample.file: found[sample.md5] for sample in samples}
        wanted = {sample.file for sample in samples}
        places = {(sample.split, sample.label) for sample in samples}
        return {
            name: content
            for file in self.files
            if cuts.place_of(file) in places
            for name, content in self._named(file)
            if name in wanted
        }

    def with_md5(self) -> "Version":
        """Return this version with the MD5 of each sample, which are read from the shards."""
        if not self.release.lock.is_sharded:
            return self
        names = {
            name: manifest.md5_of(content)
            for file in self.files
            for name, content in self._named(file)
        }
        return replace(
            self, samples=[sample._replace(md5=names[sample.file]) for sample in self.samples]
        )

    def _in_shards(
        self, samples: Sequence[ReleasedSample], split: str
    ) -> Iterator[tuple[ReleasedSample, bytes]]:
        known = {sample.file: sample for sample in samples}
        for file in self.files:
            if cuts.place_of(file)[0] == split:
                yield from ((known[name], content) for name, content in self._named(file))

    def _named(self, file: str) -> Iterator[tuple[str, bytes]]:
        """Yield the files in a shard, each with the name that it would have as a file."""
        split, folder = cuts.place_of(file)
        yield from ((f"{split}/{folder}/{row.file}", row.content) for row in self._rows(file))

    def _rows(self, file: str) -> Iterator[ParquetRow]:
        path = transfer.fetch(self.cache, lambda: self.remote, self.files[file])
        with path.open("rb") as opened:
            yield from parquet.read(opened)

    def _read(self, names: set[str]) -> dict[str, bytes]:
        here = {name: content for name in names if (content := self.cache.read(name)) is not None}
        for name, content in self.remote.read(names - here.keys()):
            if not manifest.matches(name, content):
                raise UserError(f"checksum mismatch for the object {name} in {self.remote.url}")
            here[name] = content
        return here


def version_of(git: Git, release: Release) -> Version:
    """Return `release` with its samples; raises `UserError` if it cannot be read."""
    listed = list_samples(git, release)
    dataset = resolve.of_release(git, release)
    known = {one.file: one for one in described(dataset, release)}
    samples = [known.get(one.file, one)._replace(md5=one.md5) for one in listed.samples]
    return replace(listed, samples=samples)


def list_samples(git: Git, release: Release) -> Version:
    """Return `release` with its samples, without metadata from the source.

    Raises `UserError` if it cannot be read.
    """
    cache, remote = Cache(git.root), releases.remote_of(git, release)
    history = History(git, [release])
    files = dict(sorted(history.files(release).items()))
    samples = [ReleasedSample(name, files.get(name, "")) for name in sorted(history.names(release))]
    return Version(release, samples, files, cache, remote)


def described(dataset: Dataset, release: Release) -> Iterator[ReleasedSample]:
    """Yield the samples of `release`, whose inputs are in `dataset`, with what is known of each.

    Releases that were made by an older selection rule have none: only their own code could select
    them again.
    """
    if dataset.selection.sha256 != release.lock.meta.samples:
        return
    curated = _curated(dataset)
    labels, metadata = dataset.images.labels, _metadata(dataset)
    for file, row in dataset.selection.files().items():
        found = metadata.get(row, NO_METADATA)
        yield ReleasedSample(file, "", str(labels[row]), curated.get(row), found)


def _metadata(dataset: Dataset) -> Mapping[int, Mapping[str, MetadataValue]]:
    """Return the metadata of each row of a custom source, and of additions, with their names."""
    source, added = dataset.whole, dataset.inputs.additions
    metadata = {
        row: {ORIGINAL_NAME: addition.name, **addition.metadata}
        for row, addition in enumerate(added, len(source.labels))
        if addition.path in dataset.inputs.table.metadata
    }
    if not isinstance(source, Own):
        return metadata
    rows = enumerate(zip(source.names, source.metadata, strict=True))
    return metadata | {row: {ORIGINAL_NAME: name, **found} for row, (name, found) in rows if name}


def _curated(dataset: Dataset) -> dict[int, str]:
    decisions, _ = decisions_of(dataset.inputs.curation, dataset.source, dataset.config.splits)
    labels = dataset.source.labels
    words: dict[int, list[str]] = {}
    for row, label in decisions.relabeled.items():
        words.setdefault(row, []).append(f"relabel {labels[row]} -> {label}")
    for row, split in decisions.pins.items():
        words.setdefault(row, []).append(str(split))
    for row in range(len(labels), len(dataset.images.labels)):
        words[row] = ["addition"]
    return {row: "; ".join(said) for row, said in words.items()}
