"""Writes the summaries of a batch as its images arrive, so that only a few are in memory."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from scripts.dataset.parquet import column
from scripts.ingest.writer import OPTIONS, temporary
from scripts.sources.summaries import SHAPE

ROWS_IN_GROUP = 1_000

SUMMARY = pa.schema(
    [
        *(pa.field(name, pa.int32(), nullable=False) for name in SHAPE),
        pa.field("thumbnail", pa.binary(), nullable=False),
    ]
)


class SummaryWriter:
    """Writes summaries to a temporary file in `folder`, which the caller removes."""

    def __init__(self, folder: Path) -> None:
        """Begin without a file."""
        self._folder = folder
        self._file: Any = None
        self._group: list[tuple[tuple[int, int, int], bytes]] = []
        self.path: Path | None = None

    def add(self, shape: tuple[int, int, int], levels: bytes) -> None:
        """Add the shape of an image and its thumbnail, which is empty for a small one."""
        self._group.append((shape, levels))
        if len(self._group) >= ROWS_IN_GROUP:
            self._write_group()

    def close(self) -> None:
        """Write the remaining rows."""
        self._write_group()
        if self._file is not None:
            self._file.close()
            # A file object cannot be sent to the parent process.
            self._file = None

    def _write_group(self) -> None:
        if not self._group:
            return
        if self._file is None:
            self.path = temporary(self._folder)
            options = OPTIONS | {"use_dictionary": list(SHAPE)}
            self._file = parquet.ParquetWriter(self.path, SUMMARY, **options)
        shapes, levels = zip(*self._group, strict=True)
        columns = [
            *(pa.array(np.array(values, np.int32)) for values in zip(*shapes, strict=True)),
            column(levels, pa.binary()),
        ]
        self._file.write_table(pa.Table.from_arrays(columns, schema=SUMMARY))
        self._group = []
