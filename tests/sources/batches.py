"""Batches of custom sources, written as `ingest` writes them."""

from pathlib import Path

from scripts.ingest.decoding import DecodedImage, outcome
from scripts.ingest.images_read import ImagesRead
from scripts.ingest.known_images import KnownImages
from scripts.ingest.labeled_image import LabeledImage
from scripts.ingest.summaries import SummaryWriter
from scripts.ingest.writer import ShardWriter, write_index
from scripts.sources.shards import Rows


class BatchWriter:
    """Writes files to shards in `folder`, and then the index of them."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.shards = folder, ShardWriter(folder)
        self.made = ImagesRead("", self.shards, SummaryWriter(folder), KnownImages())

    def add(self, content: bytes, label: str, split: str | None = None) -> None:
        found = outcome(content)
        assert isinstance(found, DecodedImage)
        name = f"{len(self.made.details.names)}{found.ending}"
        self.made.add(LabeledImage(name, split, label, content), found, found.digest)

    @property
    def rows(self) -> Rows:
        return self.made.rows

    def index(self) -> Path:
        return write_index(self.folder, self.rows, self.made.details)
