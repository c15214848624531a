"""The files of your own source: shards with the images, and an index of each batch.

Both are Parquet. A shard has the file of each image, as it came, and what is known of it. An index
has all of that but the file, so that images are selected without reading them. Shards of older
machinery have a PNG of each image in place of its file, and their indexes know less.
"""

import hashlib
import json
import re
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from itertools import accumulate
from pathlib import Path
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from scripts.sources.summaries import FILE, MD5_SIZE, SummaryRows

DIGEST_SIZE = 32
# The columns of an index that hold the size of an image.
SIZE = ("height", "width")
UNKNOWN = (0, 0)
# The files in the shards of older machinery.
OLD_ENDING = ".png"
# What is kept of an open shard is small: where its groups begin.
OPEN_SHARDS = 32
# Rows that lie together are read together, so a few groups are enough.
ROW_GROUPS_IN_MEMORY = 8
# The name of a file in the folder of a source.
IS_FILE = re.compile(r"(index/|summary/)?[0-9]{5,}\.parquet")


def shard_name(number: int) -> str:
    """Return the name of a shard in the folder of its source."""
    return f"{number:05}.parquet"


def index_name(batch: int) -> str:
    """Return the name of the index of a batch in the folder of its source."""
    return f"index/{batch:05}.parquet"


def file_names(shards_by_batch: Sequence[int]) -> list[str]:
    """Return the names of all files of a source, given the number of shards of each batch."""
    indexes = [index_name(batch) for batch in range(len(shards_by_batch))]
    return [*map(shard_name, range(sum(shards_by_batch))), *indexes]


@dataclass(frozen=True)
class Digests(Sequence[bytes]):
    """The SHA-256 of each row's pixels, in one piece of memory."""

    raw: bytes

    def __len__(self) -> int:
        """The number of rows."""
        return len(self.raw) // DIGEST_SIZE

    @overload
    def __getitem__(self, row: int) -> bytes: ...
    @overload
    def __getitem__(self, row: slice) -> Sequence[bytes]: ...
    def __getitem__(self, row: int | slice) -> bytes | Sequence[bytes]:
        """Return the digest of a row, or those of several."""
        if isinstance(row, slice):
            return [self[one] for one in range(*row.indices(len(self)))]
        start = DIGEST_SIZE * (row if row >= 0 else row + len(self))
        if not 0 <= start < len(self.raw):
            raise IndexError(row)
        return self.raw[start : start + DIGEST_SIZE]


@dataclass(frozen=True)
class Details:
    """What came with each image: its name, the SHA-256 of its file, and its metadata as JSON."""

    names: list[str]
    checksums: list[bytes]
    metadata: list[str]

    @property
    def sha256(self) -> str:
        """The checksum of all of it."""
        total = hashlib.sha256(b"".join(self.checksums))
        total.update(json.dumps([[*self.names], [*self.metadata]]).encode())
        return total.hexdigest()


@dataclass(frozen=True)
class Rows:
    """What is known of some images: digest, label, own split, size, file and colors.

    The split is empty where there is none. A size is (height, width). In older indexes sizes are
    (0, 0), files have no size, and modes are empty: they do not say them. `details` is the checksum
    of a batch's details, empty in older ones.
    """

    digests: Digests
    labels: npt.NDArray[np.str_]
    splits: npt.NDArray[np.str_]
    sizes: npt.NDArray[np.int32]
    files: SummaryRows
    endings: npt.NDArray[np.str_]
    modes: npt.NDArray[np.str_]
    details: str = ""

    @property
    def sha256(self) -> str:
        """The checksum of all of it but the sizes and what follows from the files."""
        total = hashlib.sha256(self.digests.raw)
        total.update("\n".join(self.labels.tolist()).encode())
        total.update("\n".join(self.splits.tolist()).encode())
        total.update(self.details.encode())
        return total.hexdigest()


@dataclass
class RowList:
    """Rows as they are collected: a value for each image in every list.

    Without `sizes`, `files` and what follows, these are unknown.
    """

    digests: list[bytes] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    splits: list[str | None] = field(default_factory=list)
    sizes: list[tuple[int, int]] = field(default_factory=list)
    files: list[tuple[bytes, int]] = field(default_factory=list)
    endings: list[str] = field(default_factory=list)
    modes: list[str] = field(default_factory=list)

    def rows(self, details: str = "") -> Rows:
        """Return all of them; `details` is the checksum of their details."""
        count = len(self.digests)
        files = np.zeros(count, FILE)
        if self.files:
            md5s, sizes = zip(*self.files, strict=True)
            files["md5"] = np.frombuffer(b"".join(md5s), np.uint8).reshape(-1, MD5_SIZE)
            files["size"] = sizes
        return Rows(
            Digests(b"".join(self.digests)),
            np.array(self.labels, dtype=np.str_),
            np.array([split or "" for split in self.splits], dtype=np.str_),
            np.array(self.sizes or [UNKNOWN] * count, dtype=np.int32).reshape(-1, 2),
            files,
            np.array(self.endings or [OLD_ENDING] * count, dtype=np.str_),
            np.array(self.modes or [""] * count, dtype=np.str_),
            details,
        )


def concatenated(parts: Sequence[Rows]) -> Rows:
    """Return the rows of all `parts`, in their order."""
    return Rows(
        Digests(b"".join(part.digests.raw for part in parts)),
        np.concatenate([part.labels for part in parts]),
        np.concatenate([part.splits for part in parts]),
        np.concatenate([part.sizes for part in parts]),
        np.concatenate([part.files for part in parts]),
        np.concatenate([part.endings for part in parts]),
        np.concatenate([part.modes for part in parts]),
    )


def read_index(path: Path) -> Rows:
    """Return the rows of a batch; raises errors of pyarrow if the file is not an index."""
    from pyarrow import parquet

    # Not `read_table`, which imports pandas.
    file = parquet.ParquetFile(path)
    table = file.read(columns=["label", "split", "digest", *SIZE, "md5", "bytes", "ending", "mode"])
    found = {name: table[name].to_pylist() for name in table.column_names}
    details = (file.metadata.metadata or {}).get(b"details", b"").decode()
    sizes = zip(*(found[name] for name in SIZE), strict=True) if "height" in found else ()
    files = zip(found["md5"], found["bytes"], strict=True) if "md5" in found else ()
    return RowList(
        found["digest"],
        found["label"],
        found["split"],
        [*sizes],
        [*files],
        found.get("ending", []),
        found.get("mode", []),
    ).rows(details)


def read_details(path: Path) -> Details | None:
    """Return the details of a batch, None in the index of older machinery."""
    from pyarrow import parquet

    file = parquet.ParquetFile(path)
    if "metadata" not in file.schema_arrow.names:
        return None
    table = file.read(columns=["name", "checksum", "metadata"])
    return Details(*(table[name].to_pylist() for name in ("name", "checksum", "metadata")))


@dataclass(frozen=True, eq=False)
class Shards:
    """Reads the images of a source shard by shard, and keeps only a few in memory.

    `starts` are the first rows of the shards, `opened` returns the path of a shard, or what
    pyarrow opened.
    """

    starts: Sequence[int]
    opened: Callable[[int], Any]

    def file(self, row: int) -> bytes:
        """Return the file of a row; raises what pyarrow raises when its shard is damaged."""
        shard = self.number(row)
        inside = row - self.starts[shard]
        _, starts = self._opened(shard)
        group = bisect_right(starts, inside) - 1
        content: bytes = self._group(shard, group)[inside - starts[group]].as_py()
        return content

    def number(self, row: int) -> int:
        """Return the number of the shard that has a row."""
        return bisect_right(self.starts, row) - 1

    # These functions do not refer to this object, so it is freed as soon as nothing else does.
    @cached_property
    def _opened(self) -> Callable[[int], tuple[Any, list[int]]]:
        from pyarrow import parquet

        open_shard = self.opened

        def opened(shard: int) -> tuple[Any, list[int]]:
            # Not memory-mapped, because that would count as memory of this process.
            found = open_shard(shard)
            file = parquet.ParquetFile(found) if isinstance(found, Path) else found
            groups = (file.metadata.row_group(n) for n in range(file.metadata.num_row_groups))
            return file, [0, *accumulate(group.num_rows for group in groups)]

        return lru_cache(maxsize=OPEN_SHARDS)(opened)

    @cached_property
    def _group(self) -> Callable[[int, int], Any]:
        opened = self._opened

        def group(shard: int, number: int) -> Any:
            file, _ = opened(shard)
            read = file.read_row_group(number, columns=["image.bytes"])
            return read.column("image").combine_chunks().field("bytes")

        return lru_cache(maxsize=ROW_GROUPS_IN_MEMORY)(group)
