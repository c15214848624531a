"""Batches of your own sources, written as `ingest` writes them."""

import hashlib
from pathlib import Path

from scripts.ingest.decoding import DecodedImage, outcome
from scripts.ingest.writer import ShardRow, ShardWriter, write_index
from scripts.sources.shards import Details, RowList, Rows


class BatchWriter:
    """Writes files to shards in `folder`, and then the index of them."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.shards = folder, ShardWriter(folder)
        self.collected, self.details = RowList(), Details([], [], [])

    def add(self, content: bytes, label: str, split: str | None = None) -> None:
        found = outcome(content)
        assert isinstance(found, DecodedImage)
        name = f"{len(self.details.names)}{found.ending}"
        checksum = hashlib.sha256(content).digest()
        row = (content, label, split, found.digest, name, checksum, "{}", found.ending)
        self.shards.add(ShardRow(*row))
        self.collected.digests.append(found.digest)
        self.collected.labels.append(label)
        self.collected.splits.append(split)
        self.collected.sizes.append(found.size)
        self.collected.files.append((found.md5, len(content)))
        self.collected.endings.append(found.ending)
        self.collected.modes.append(found.mode)
        self.details.names.append(name)
        self.details.checksums.append(checksum)
        self.details.metadata.append("{}")

    @property
    def rows(self) -> Rows:
        return self.collected.rows(self.details.sha256)

    def index(self) -> Path:
        return write_index(self.folder, self.rows, self.details)
