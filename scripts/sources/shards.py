"""The files of a source of one's own: shards with the images, and an index of each batch.

Both are Parquet. An index has the digest, label, split and size of each image of its batch, so that
images can be selected without their pixels; a shard has digest, label and split, and the images.
"""

import hashlib
import re
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import accumulate
from pathlib import Path
from typing import Any, overload

import numpy as np
import numpy.typing as npt

DIGEST_SIZE = 32
# The columns of an index that hold the size of an image.
SIZE = ("height", "width")
UNKNOWN = (0, 0)
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
class Rows:
    """The digest, label, own split and size of some images.

    The split is empty where there is none. A size is (height, width), or (0, 0) in older indexes,
    which do not say it.
    """

    digests: Digests
    labels: npt.NDArray[np.str_]
    splits: npt.NDArray[np.str_]
    sizes: npt.NDArray[np.uint16]

    @property
    def sha256(self) -> str:
        """The checksum of all of it but the sizes."""
        total = hashlib.sha256(self.digests.raw)
        total.update("\n".join(self.labels.tolist()).encode())
        total.update("\n".join(self.splits.tolist()).encode())
        return total.hexdigest()


def rows(
    digests: Sequence[bytes],
    labels: Sequence[str],
    splits: Sequence[str | None],
    sizes: Sequence[tuple[int, int]] = (),
) -> Rows:
    """Return rows from a value for each of them; without `sizes` these are unknown."""
    return Rows(
        Digests(b"".join(digests)),
        np.array(labels, dtype=np.str_),
        np.array([split or "" for split in splits], dtype=np.str_),
        np.array(sizes or [UNKNOWN] * len(digests), dtype=np.uint16).reshape(-1, 2),
    )


def concatenated(parts: Sequence[Rows]) -> Rows:
    """Return the rows of all `parts`, in their order."""
    return Rows(
        Digests(b"".join(part.digests.raw for part in parts)),
        np.concatenate([part.labels for part in parts]),
        np.concatenate([part.splits for part in parts]),
        np.concatenate([part.sizes for part in parts]),
    )


def read_index(path: Path) -> Rows:
    """Return the rows of a batch; raises what pyarrow raises when the file is not an index."""
    from pyarrow import parquet

    # Not `read_table`, which imports pandas.
    table = parquet.ParquetFile(path).read(columns=["label", "split", "digest", *SIZE])
    digests, labels, splits = (table[name].to_pylist() for name in ("digest", "label", "split"))
    has_sizes = {*SIZE} <= {*table.column_names}
    sizes = zip(*(table[name].to_pylist() for name in SIZE), strict=True) if has_sizes else ()
    return rows(digests, labels, splits, [*sizes])


@dataclass(frozen=True, eq=False)
class Shards:
    """Reads the images of a source shard by shard, and keeps only a few in memory.

    `sizes` is the number of rows of each shard, `path` returns where a shard is.
    """

    sizes: Sequence[int]
    path: Callable[[int], Path]

    def image(self, row: int) -> bytes:
        """Return the PNG of a row; raises what pyarrow raises when its shard is damaged."""
        shard = self.number(row)
        inside = row - self._starts[shard]
        _, starts = self._opened(shard)
        group = bisect_right(starts, inside) - 1
        content: bytes = self._group(shard, group)[inside - starts[group]].as_py()
        return content

    def number(self, row: int) -> int:
        """Return the number of the shard that has a row."""
        return bisect_right(self._starts, row) - 1

    @cached_property
    def _starts(self) -> list[int]:
        return [0, *accumulate(self.sizes)]

    @cached_property
    def _opened(self) -> Callable[[int], tuple[Any, list[int]]]:
        from pyarrow import parquet

        def opened(shard: int) -> tuple[Any, list[int]]:
            # Not mapped: what was read of a shard would count as memory of this process.
            file = parquet.ParquetFile(self.path(shard))
            groups = (file.metadata.row_group(n) for n in range(file.metadata.num_row_groups))
            return file, [0, *accumulate(group.num_rows for group in groups)]

        return lru_cache(maxsize=OPEN_SHARDS)(opened)

    @cached_property
    def _group(self) -> Callable[[int, int], Any]:
        def group(shard: int, number: int) -> Any:
            file, _ = self._opened(shard)
            read = file.read_row_group(number, columns=["image.bytes"])
            return read.column("image").combine_chunks().field("bytes")

        return lru_cache(maxsize=ROW_GROUPS_IN_MEMORY)(group)
