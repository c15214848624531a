"""The MD5 and size of the file of each row, so that no image is encoded twice.

They are stored next to the local copies of sources, for each batch, under a name that depends on
the pixels and the encoder, so they are never out of date. Damaged files are not used.
"""

import hashlib
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import platformdirs

from scripts.dataset.encoding import Encoding, Original
from scripts.sources import summaries
from scripts.sources.copies import FOLDER
from scripts.sources.own import Own
from scripts.sources.source import Batch, Source
from scripts.sources.summaries import FILE
from scripts.storage import kept, manifest

_MD5_HEX = 32


class EncodedFile(NamedTuple):
    """The file of an image: its MD5 in hex, which is the name of its object, and its size."""

    md5: str
    size: int


def of_content(content: bytes) -> EncodedFile:
    """Return the MD5 and size of a file with this content."""
    return EncodedFile(manifest.md5_of(content), len(content))


class EncodedFiles:
    """What is known of the files of `source`. A size of 0 is a file that was never encoded."""

    def __init__(self, source: Source, encoding: Encoding) -> None:
        """Read what earlier runs kept of the files that `encoding` makes."""
        self._source = source
        self._fingerprint = encoding.fingerprint()
        spans = map(_span, source.batches)
        self._files = {span: _file_of(source, span, self._fingerprint) for span in spans}
        self._rows = np.zeros(len(source.labels), FILE)
        for span, file in self._files.items():
            self._rows[span[0] : span[1]] = _read(file, span[1] - span[0])
        if isinstance(encoding, Original) and isinstance(source, Own):
            known = source.rows.files["size"] > 0
            self._rows[known] = source.rows.files[known]

    def known(self, rows: Sequence[int]) -> dict[int, EncodedFile]:
        """Return the files of those of `rows` that are known."""
        return _known(self._rows, rows)

    def planned(self, rows: Sequence[int]) -> dict[int, EncodedFile]:
        """Return the files of those of `rows` that are known, or that `ingest` has noted.

        The latter are not verified here. That is enough for a plan, which stores nothing, but not
        for a build.
        """
        return _known(self._noted(), rows) | self.known(rows)

    def _noted(self) -> npt.NDArray[np.void]:
        noted = np.zeros(len(self._rows), FILE)
        if isinstance(self._source, Own):
            of_encoder = hashlib.sha256(self._fingerprint).hexdigest()
            for number, (start, stop) in enumerate(self._files):
                if self._rows["size"][start:stop].all():
                    continue
                summary = self._source.summary(number)
                found = summary and summaries.read_files(summary, of_encoder, stop - start)
                if found is not None:
                    noted[start:stop] = found
        return noted

    def add(self, encoded: Mapping[int, EncodedFile]) -> None:
        """Keep the files of further rows. A folder that cannot be written costs time, not the run.

        Rows after those of the source are additions, which are not stored.
        """
        rows = sorted(row for row in encoded if row < len(self._rows))
        if not rows:
            return
        found = np.zeros(len(rows), FILE)
        raw = bytes.fromhex("".join(encoded[row].md5 for row in rows))
        found["md5"] = np.frombuffer(raw, np.uint8).reshape(len(rows), -1)
        found["size"] = [encoded[row].size for row in rows]
        self._rows[rows] = found
        for (start, stop), file in self._files.items():
            first = bisect_left(rows, start)
            if first < len(rows) and rows[first] < stop:
                kept.write(file, self._rows[start:stop].tobytes())


def _known(files_of_rows: npt.NDArray[np.void], rows: Sequence[int]) -> dict[int, EncodedFile]:
    own = np.array(rows, dtype=np.int64)
    own = own[own < len(files_of_rows)]
    own = own[files_of_rows["size"][own] > 0]
    found = files_of_rows[own]
    names, sizes = found["md5"].tobytes().hex(), found["size"].tolist()
    return {
        row: EncodedFile(names[at : at + _MD5_HEX], size)
        for at, row, size in zip(range(0, len(names), _MD5_HEX), own.tolist(), sizes, strict=True)
    }


def _span(batch: Batch) -> tuple[int, int]:
    return batch.start, batch.stop


def _file_of(source: Source, span: tuple[int, int], fingerprint: bytes) -> Path:
    name = hashlib.sha256(fingerprint + repr(source.shape).encode())
    name.update(b"".join(source.digests[slice(*span)]))
    return platformdirs.user_cache_path(FOLDER) / "encodings" / name.hexdigest()


def _read(file: Path, count: int) -> npt.NDArray[np.void]:
    """Return the rows in `file`, unknown ones if it is missing or damaged."""
    rows = kept.read(file)
    if rows is not None and len(rows) == count * FILE.itemsize:
        return np.frombuffer(rows, FILE)
    return np.zeros(count, FILE)
