"""Summaries: metadata of each image of a batch, so that a plan need not read the images.

`ingest` writes them into a Parquet file for each batch, beside its index: the shape of each image,
and its thumbnail if that is smaller. Those of older machinery have the MD5 and size of its PNG too,
and older batches have none.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from scripts.sources.thumbnails import SIZE

MD5_SIZE = 16
# The key in the footer that tells what encoded the PNGs.
ENCODER = "encoder"
# The file of each row.
FILE = np.dtype([("md5", np.uint8, MD5_SIZE), ("size", "<u4")])
# A row, the shape of its image (1 color if it is gray), and its thumbnail.
THUMBNAIL = np.dtype([("row", "<i8"), ("shape", "<i4", 3), ("levels", np.uint8, SIZE)])
SHAPE = ("height", "width", "colors")

SummaryRows = npt.NDArray[np.void]


def summary_name(batch: int) -> str:
    """Return the name of the summaries of a batch in the folder of its source."""
    return f"summary/{batch:05}.parquet"


def has_thumbnail(shape: Sequence[int]) -> bool:
    """Return whether images of this shape have more pixels than a thumbnail."""
    return shape[0] * shape[1] > SIZE


def read_files(path: Path, encoder: str, count: int) -> SummaryRows | None:
    """Return the file of each of `count` rows, as `FILE`.

    None if another encoder made them, or the summaries are damaged.
    """
    from pyarrow import parquet

    try:
        file = parquet.ParquetFile(path)
        if file.metadata.metadata.get(ENCODER.encode()) != encoder.encode():
            return None
        columns = file.read(columns=["md5", "bytes"])
        found = np.zeros(count, FILE)
        found["md5"] = _bytes(columns.column("md5").to_pylist(), MD5_SIZE)
        found["size"] = columns.column("bytes").to_numpy()
    except Exception:  # noqa: BLE001 - pyarrow raises many kinds for a file that is damaged
        return None
    return found


def read_thumbnails(path: Path, count: int) -> SummaryRows | None:
    """Return the thumbnails of those of `count` rows that have one, as `THUMBNAIL`, by row.

    None if the summaries are damaged.
    """
    from pyarrow import parquet

    try:
        columns = parquet.ParquetFile(path).read(columns=[*SHAPE, "thumbnail"])
        levels = columns.column("thumbnail").to_pylist()
        rows = [row for row, one in enumerate(levels) if one]
        found = np.zeros(len(rows), THUMBNAIL)
        found["row"] = rows
        found["levels"] = _bytes(levels, SIZE)
        for place, name in enumerate(SHAPE):
            found["shape"][:, place] = columns.column(name).to_numpy()[rows]
    except Exception:  # noqa: BLE001 - pyarrow raises many kinds for a file that is damaged
        return None
    return found if len(levels) == count else None


def _bytes(values: Sequence[bytes], size: int) -> npt.NDArray[np.uint8]:
    return np.frombuffer(b"".join(values), np.uint8).reshape(-1, size)
