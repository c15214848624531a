"""The archive of a release: its files in folders, with `metadata.csv`, as a zip file."""

import csv
import io
import zipfile
from collections.abc import Sequence
from pathlib import Path

from scripts.assets.columns import MetadataColumn
from scripts.assets.samples import ReleasedSample

# The first possible date in a zip file, so that the same files give the same bytes.
DATE = (1980, 1, 1, 0, 0, 0)
UNIX, MODE = 3, 0o100644
METADATA = "metadata.csv"
COLUMNS = ("file_name", "label", "source_label", "sample", "curation")
# Bytes of a file in addition to its content and twice its name, and of the end of the archive.
PER_FILE, END = 30 + 46, 22


class Archive:
    """Writes a zip file, without compression, because PNGs are compressed."""

    def __init__(self, path: Path) -> None:
        """Write to `path`."""
        self._zip = zipfile.ZipFile(path, "w", zipfile.ZIP_STORED)

    def add(self, name: str, content: bytes) -> None:
        """Append a file."""
        info = zipfile.ZipInfo(name, DATE)
        info.create_system, info.external_attr = UNIX, MODE << 16
        self._zip.writestr(info, content)

    def close(self) -> None:
        """Finish the archive."""
        self._zip.close()


def metadata(samples: Sequence[ReleasedSample], columns: Sequence[MetadataColumn] = ()) -> bytes:
    """Return the `metadata.csv` of the samples, as `datasets` reads it next to the images.

    See https://huggingface.co/docs/datasets/image_dataset#imagefolder.
    """
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow((*COLUMNS, *(one.name for one in columns)))
    for one in samples:
        known = (one.file, one.label, one.source_label, one.identifier, one.curation)
        rows.writerow((*known, *(column.cell(one) for column in columns)))
    return text.getvalue().encode()


def size_of(
    samples: Sequence[ReleasedSample], columns: Sequence[MetadataColumn], total: int
) -> int:
    """Return the size of the archive of `samples`, whose files have `total` bytes."""
    names = sum(2 * len(sample.file) + PER_FILE for sample in samples)
    table = metadata(samples, columns)
    return total + names + len(table) + 2 * len(METADATA) + PER_FILE + END
