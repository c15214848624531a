"""The archive of a release: its files in folders, with what is known of them, as a zip file.

`metadata.csv` is for people. `metadata.parquet` in the folder of each split is for readers such as
`datasets`: it says which images are in the split and what their classes are, whatever these are
called. Otherwise images of a class `test-tube` would be a test set, and `01` in a CSV file be 1.
"""

import csv
import io
import re
import zipfile
from collections.abc import Sequence
from pathlib import Path

from scripts.assets import parquet
from scripts.assets.columns import MetadataColumn
from scripts.assets.samples import ReleasedSample
from scripts.inputs.curation import FORMULA

# The first possible date in a zip file, so that the same files give the same bytes.
DATE = (1980, 1, 1, 0, 0, 0)
UNIX, MODE = 3, 0o100644
METADATA, OF_SPLIT = "metadata.csv", "metadata.parquet"
COLUMNS = ("file_name", "label", "source_label", "sample", "curation")
# Names that a spreadsheet takes for nothing but a number or a name.
HARMLESS = re.compile(r"[A-Za-z0-9_.+-]*")
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


def tables(
    samples: Sequence[ReleasedSample],
    labels: Sequence[str],
    columns: Sequence[MetadataColumn] = (),
) -> dict[str, bytes]:
    """Return the tables of the samples in the archive, by name.

    `labels` are the names of the classes. `datasets` reads the table of a split beside its images;
    see https://huggingface.co/docs/datasets/image_dataset#imagefolder.
    """
    found = {METADATA: _metadata(samples, columns)}
    for split in sorted({sample.split for sample in samples}):
        of_split = [sample for sample in samples if sample.split == split]
        found[f"{split}/{OF_SPLIT}"] = parquet.metadata(of_split, labels, columns)
    return found


def size_of(
    samples: Sequence[ReleasedSample],
    labels: Sequence[str],
    columns: Sequence[MetadataColumn],
    total: int,
) -> int:
    """Return the size of the archive of `samples`, whose files have `total` bytes together."""
    known = tables(samples, labels, columns)
    names = [*known, *(sample.file for sample in samples)]
    around = sum(2 * len(name.encode()) + PER_FILE for name in names)
    return total + around + sum(map(len, known.values())) + END


def _metadata(samples: Sequence[ReleasedSample], columns: Sequence[MetadataColumn]) -> bytes:
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow((*COLUMNS, *(one.name for one in columns)))
    for one in samples:
        names = _inert(one.label), _inert(one.source_label or "")
        known = (one.file, *names, one.identifier, one.curation)
        rows.writerow((*known, *(_inert(column.cell(one)) for column in columns)))
    return text.getvalue().encode()


def _inert(name: str) -> str:
    """Return text as a value that a spreadsheet does not run as a formula."""
    is_formula = name.startswith(FORMULA) and not HARMLESS.fullmatch(name)
    return f"'{name}" if is_formula else name
