"""The files of a version in Parquet."""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import platformdirs

from scripts.dataset import cuts, encoded_files, parquet
from scripts.dataset.encoded_files import EncodedFile
from scripts.dataset.encoding import Encoding
from scripts.dataset.parquet import ParquetRow
from scripts.dataset.shuffle import Shard, Shuffle
from scripts.dataset.targets import Target
from scripts.progress import Bar
from scripts.sources.copies import FOLDER
from scripts.sources.extended import Extended
from scripts.storage import files
from scripts.storage.manifest import Manifest

KNOWN = re.compile(r"([0-9a-f]{32}) ([0-9]+)")

Result = TypeVar("Result")


@dataclass(frozen=True)
class Sharded:
    """The files of a version in Parquet: `shards` are their rows in `images`, by name.

    `encoding` says what the files in them are. `labels` are the names of the version's
    classes, in order. What a shard is, is kept beside the local
    copies of sources, under a name that depends on all that its bytes depend on. So no shard is
    made twice, not even in a run that continues another one.
    """

    images: Extended
    encoding: Encoding
    labels: Sequence[str]
    shards: Mapping[str, Sequence[int]]

    def manifest(self) -> Manifest:
        """Return the names and checksums of all shards; new ones are made, but not stored."""
        kept = self._kept()
        known = _read(kept)
        new = [shard for shard in self.shards.items() if shard[0] not in known]
        made = self._shuffle(new).results(encoded_files.of_content)
        for (name, _), one in zip(new, _with_progress(made, new), strict=True):
            known[name] = one
            _keep(kept[name], one)
        return Manifest({name: known[name] for name in self.shards})

    def store(self, target: Target) -> Manifest:
        """Store all shards and the manifest in `target`. Existing shards are not made."""
        kept = self._kept()
        known = _read(kept)
        intact = target.intact({one.md5 for one in known.values()})
        new = [
            shard
            for shard in self.shards.items()
            if shard[0] not in known or known[shard[0]].md5 not in intact
        ]
        stored = []
        made = target.store_shards(self._shuffle(new))
        for (name, _), one in zip(new, _with_progress(made, new), strict=True):
            stored.append(one)
            known[name] = EncodedFile(one.name, one.size)
            _keep(kept[name], known[name])
        complete = Manifest({name: known[name] for name in self.shards})
        target.finish(complete, stored)
        return complete

    def _shuffle(self, new: Sequence[Shard]) -> Shuffle:
        return Shuffle(self.images, self.encoding, self.labels, new)

    def _kept(self) -> dict[str, Path]:
        """Return the file in which each shard is recorded."""
        folder, prefix = platformdirs.user_cache_path(FOLDER) / "shards", self._prefix()
        return {name: folder / self._digest(prefix, name) for name in self.shards}

    def _prefix(self) -> bytes:
        """Return what tells apart all that decides the bytes of a shard, besides its rows."""
        sample = parquet.encode([ParquetRow("sample.png", "label", b"")], 0, self.labels)
        return self.encoding.fingerprint() + sample

    def _digest(self, prefix: bytes, name: str) -> str:
        digests = self.images.digests
        total = hashlib.sha256(prefix)
        total.update(repr((self.images.source.shape, cuts.place_of(name)[1])).encode())
        for row in self.shards[name]:
            total.update(digests[row])
            total.update(f"{self.images.identifier(row)} {self.images.label(row)}\n".encode())
        return total.hexdigest()


def _read(kept: Mapping[str, Path]) -> dict[str, EncodedFile]:
    """Return the shards that are known, by name."""
    known = {}
    for name, file in kept.items():
        with suppress(OSError):
            if found := KNOWN.fullmatch(file.read_text(errors="replace")):
                known[name] = EncodedFile(found[1], int(found[2]))
    return known


def _keep(file: Path, made: EncodedFile) -> None:
    """Keep what a shard is. A folder that cannot be written costs time, not the run."""
    with suppress(OSError):
        files.write(file, f"{made.md5} {made.size}".encode())


def _with_progress(made: Iterable[Result], shards: Sequence[Shard]) -> Iterable[Result]:
    return Bar(made, total=len(shards), desc="Making shards", unit="shard")
