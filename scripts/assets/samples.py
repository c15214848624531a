"""The samples of a release, with what is known of each, and the bytes of their files."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from scripts.build.dataset import Dataset
from scripts.build.decisions import decisions_of
from scripts.errors import UserError
from scripts.inputs.config import SPLITS
from scripts.storage import manifest
from scripts.storage.cache import Cache
from scripts.storage.remote import Remote
from scripts.versions import releases, resolve
from scripts.versions.git import Git, GitTree
from scripts.versions.releases import Release

# How many files are in memory at the same time.
READ_AT_ONCE = 500


class Sample(NamedTuple):
    """One sample: its file, such as `train/3/00007.png`, and what is known of it.

    `source_label` is the label that the source gives it, `curation` how it was curated; both are
    None where they are not known, or it was not.
    """

    file: str
    md5: str
    source_label: str | None = None
    curation: str | None = None

    @property
    def split(self) -> str:
        """The split."""
        return self.file.split("/")[0]

    @property
    def label(self) -> str:
        """The class, which is the folder."""
        return self.file.split("/")[1]

    @property
    def identifier(self) -> str:
        """The identifier, which is the name of the file."""
        return self.file.split("/")[2].removesuffix(".png")


@dataclass(frozen=True)
class Version:
    """A release: its samples, sorted by file, and where their bytes are."""

    release: Release
    samples: Sequence[Sample]
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

    def contents(self, samples: Sequence[Sample]) -> Iterator[tuple[Sample, bytes]]:
        """Yield `samples`, each with the bytes of its file, verified by their checksum.

        Raises `UserError` when one is missing or damaged.
        """
        for start in range(0, len(samples), READ_AT_ONCE):
            part = samples[start : start + READ_AT_ONCE]
            found = self._read({sample.md5 for sample in part})
            yield from ((sample, found[sample.md5]) for sample in part)

    def _read(self, names: set[str]) -> dict[str, bytes]:
        here = {name: content for name in names if (content := self.cache.read(name)) is not None}
        for name, content in self.remote.read(names - here.keys()):
            if not manifest.matches(name, content):
                raise UserError(f"checksum mismatch for the object {name} in {self.remote.url}")
            here[name] = content
        return here


def version_of(git: Git, release: Release) -> Version:
    """Return `release` with its samples; raises `UserError` when it cannot be read."""
    listed = list_samples(git, release)
    known = _details(git, release)
    samples = [Sample(one.file, one.md5, *known.get(one.file, ())) for one in listed.samples]
    return replace(listed, samples=samples)


def list_samples(git: Git, release: Release) -> Version:
    """Return `release` with its samples, without what is known of them from the source.

    Raises `UserError` when it cannot be read.
    """
    cache, remote = Cache(git.root), releases.remote_of(git, release)
    kept = cache.read(release.lock.md5)
    files = manifest.entries(kept) if kept else remote.manifest(release.lock.md5)
    samples = [Sample(file, md5) for file, md5 in sorted(files.items())]
    return Version(release, samples, cache, remote)


def _details(git: Git, release: Release) -> Mapping[str, tuple[str, str | None]]:
    """Return the source's label and the curation of each file.

    They come from the source. A release that an older selection rule made has none: only its own
    code could select it again.
    """
    dataset = resolve.of_tree(git, GitTree(git, release.commit), release.lock)
    if dataset.selection.sha256 != release.lock.meta.samples:
        return {}
    curated = _curated(dataset)
    labels = dataset.images.labels
    return {
        file: (str(labels[row]), curated.get(row))
        for file, row in dataset.selection.files().items()
    }


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
