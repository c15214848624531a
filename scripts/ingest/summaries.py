"""Writes the summaries of a batch as its images arrive, so that only a few are in memory."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from scripts.dataset import png
from scripts.dataset.parquet import column
from scripts.ingest.writer import OPTIONS, temporary
from scripts.sources import thumbnails
from scripts.sources.source import Pixels
from scripts.sources.summaries import ENCODER, SHAPE, has_thumbnail
from scripts.storage import manifest

ROWS_IN_GROUP = 1_000

SUMMARY = pa.schema(
    [
        *(pa.field(name, pa.int32(), nullable=False) for name in SHAPE),
        pa.field("thumbnail", pa.binary(), nullable=False),
        pa.field("md5", pa.binary(), nullable=False),
        pa.field("bytes", pa.int32(), nullable=False),
    ]
)


class SummaryWriter:
    """Writes summaries to a temporary file in `folder`, which the caller removes."""

    def __init__(self, folder: Path) -> None:
        """Begin without a file."""
        self._folder = folder
        self._file: Any = None
        self._group: list[tuple[tuple[int, int, int], bytes, bytes, int]] = []
        self.path: Path | None = None

    def add(self, pixels: Pixels, encoded: bytes) -> None:
        """Add an image, with the file that was made of it."""
        levels = (
            thumbnails.thumbnails_of(pixels[np.newaxis]).tobytes()
            if has_thumbnail(pixels.shape)
            else b""
        )
        md5 = bytes.fromhex(manifest.md5_of(encoded))
        self._group.append((thumbnails.shape_of(pixels), levels, md5, len(encoded)))
        if len(self._group) >= ROWS_IN_GROUP:
            self._write_group()

    def close(self) -> None:
        """Write what is left."""
        self._write_group()
        if self._file is not None:
            self._file.add_key_value_metadata(
                {ENCODER: hashlib.sha256(png.fingerprint()).hexdigest()}
            )
            self._file.close()
            # A file cannot be handed over to the process that reads the result.
            self._file = None

    def _write_group(self) -> None:
        if not self._group:
            return
        if self._file is None:
            self.path = temporary(self._folder)
            options = OPTIONS | {"use_dictionary": list(SHAPE)}
            self._file = parquet.ParquetWriter(self.path, SUMMARY, **options)
        shapes, levels, md5, sizes = zip(*self._group, strict=True)
        columns = [
            *(pa.array(np.array(values, np.int32)) for values in zip(*shapes, strict=True)),
            column(levels, pa.binary()),
            column(md5, pa.binary()),
            pa.array(np.array(sizes, np.int32)),
        ]
        self._file.write_table(pa.Table.from_arrays(columns, schema=SUMMARY))
        self._group = []
