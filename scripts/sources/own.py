"""Your own source: images that `ingest` has stored in shards, named by `sources/NAME.dvc`."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import accumulate
from pathlib import Path

import numpy as np
import numpy.typing as npt

from scripts.errors import UserError
from scripts.inputs.config import TEST, VALIDATION
from scripts.inputs.values import MetadataValue
from scripts.sources import identity, own_reader, shards
from scripts.sources import pointer as pointers
from scripts.sources.own_reader import OwnReader
from scripts.sources.pointer import DIFFERENT, BatchRecord, Pointer
from scripts.sources.shards import Details, Digests, Rows, Shards
from scripts.sources.source import Batch, FetchObject, OpenObject, Pixels, SourceRequest, classes
from scripts.sources.summaries import summary_name
from scripts.storage import manifest

COLORS = 3
UNREADABLE = (
    "source {name}: its images cannot be read here ({reason}). Runs for forks cannot access the "
    "remote: open the pull request from a branch of this repository instead."
)


@dataclass(frozen=True, eq=False)
class Own:
    """The rows of all batches.

    A sample's identifier is `s` and the beginning of its digest. `pointer` is the content of
    `sources/NAME.dvc`, `files` are the objects of its files, which `fetch` returns.
    """

    name: str
    pointer: Pointer
    rows: Rows
    shards: Shards
    files: Mapping[str, str]
    fetch: FetchObject

    @property
    def labels(self) -> npt.NDArray[np.str_]:
        """The label of each row."""
        return self.rows.labels

    @property
    def digests(self) -> Digests:
        """The digest of each row."""
        return self.rows.digests

    @property
    def keys(self) -> Digests:
        """The digests, which determine the order of the rows."""
        return self.digests

    @cached_property
    def batches(self) -> Sequence[Batch]:
        """The batches, oldest first."""
        labels = classes(self)
        starts = [0, *accumulate(batch.images for batch in self.pointer.batches)]
        return tuple(
            Batch(start, start + batch.images, batch.zones_of(labels))
            for start, batch in zip(starts, self.pointer.batches, strict=False)
        )

    @cached_property
    def own_test(self) -> npt.NDArray[np.bool_] | None:
        """Whether each row was ingested in a test set; None without test sets."""
        return self.rows.splits == TEST if self.rows.splits.any() else None

    @cached_property
    def own_validation(self) -> npt.NDArray[np.bool_] | None:
        """Whether each row was ingested in a validation set; None without validation sets."""
        found = self.rows.splits == VALIDATION
        return found if found.any() else None

    @property
    def shape(self) -> tuple[int, ...] | None:
        """The shape of every image's pixels; None if they differ."""
        mode, size = self.pointer.shape
        is_one = size and mode != DIFFERENT
        return (*size, *([COLORS] if mode == "RGB" else [])) if size and is_one else None

    @property
    def size(self) -> tuple[int, int] | None:
        """The (height, width) of every image; None where they differ."""
        return self.pointer.shape.size

    @property
    def has_files(self) -> bool:
        """Images of your own came as files."""
        return True

    @property
    def has_both_modes(self) -> bool:
        """Whether some images are gray and others are not."""
        return self.pointer.shape.mode == DIFFERENT

    def is_gray(self, row: int) -> bool:
        """Return whether the pixels of a row are gray."""
        mode = self.pointer.shape.mode
        return (str(self.rows.modes[row]) if mode == DIFFERENT else mode) == "gray"

    @property
    def sha256(self) -> str:
        """The checksum of the digests, labels and splits of all rows."""
        return self.pointer.meta.sha256

    def image(self, row: int) -> Pixels:
        """Return the pixels of a row; raises `UserError` if they are not available."""
        return own_reader.image(self.name, self.shards, row, self.digests[row])

    def file(self, row: int) -> bytes:
        """Return the file of a row as it came; raises `UserError` when it is not available."""
        return own_reader.file(self.name, self.shards, row, self.digests[row], self.rows.files[row])

    def ending(self, row: int) -> str:
        """Return how the name of a row's file ends, by its content."""
        return str(self.rows.endings[row])

    def reader(self, rows: Sequence[int], opened: OpenObject) -> "OwnReader":
        """Return a reader of `rows`, which are sorted, for another machine."""
        numbers = sorted({self.shards.number(row) for row in rows})
        starts = [self.shards.starts[number] for number in numbers]
        names = [self.files[shards.shard_name(number)] for number in numbers]
        digests = Digests(b"".join(self.digests[row] for row in rows))
        known = self.rows.files[np.array(rows, np.int64)]
        return OwnReader(self.name, starts, names, tuple(rows), digests, known, opened)

    def column(self, name: str) -> list[MetadataValue]:
        """Return the value of each row in a column of metadata, None where it has none.

        Raises `UserError` when an index is not available.
        """
        return [one.get(name) for one in self.metadata]

    @cached_property
    def columns(self) -> list[str]:
        """The names of all columns of metadata, sorted."""
        return sorted({name for one in self.metadata for name in one})

    @cached_property
    def metadata(self) -> Sequence[Mapping[str, MetadataValue]]:
        """The metadata of each row, by column; that of older batches is empty."""
        found: list[Mapping[str, MetadataValue]] = []
        for details, batch in zip(self._details, self.pointer.batches, strict=True):
            found += map(json.loads, details.metadata) if details else [{}] * batch.images
        return found

    @cached_property
    def names(self) -> Sequence[str]:
        """The name of each row's file as it came, empty in older batches."""
        found: list[str] = []
        for details, batch in zip(self._details, self.pointer.batches, strict=True):
            found += details.names if details else [""] * batch.images
        return found

    def known_files(self) -> dict[bytes, bytes]:
        """Return the digest of each image by the SHA-256 of its file, as far as that is known.

        Raises `UserError` when an index is not available.
        """
        found: dict[bytes, bytes] = {}
        for details, batch in zip(self._details, self.batches, strict=True):
            if details:
                digests = self.digests[batch.start : batch.stop]
                found.update(zip(details.checksums, digests, strict=True))
        return found

    @cached_property
    def _details(self) -> list[Details | None]:
        """The details of each batch, None where older machinery wrote it."""
        names = map(shards.index_name, range(len(self.pointer.batches)))
        return [shards.read_details(self.fetch(self.files[name])) for name in names]

    def summary(self, batch: int) -> Path | None:
        """Return the file with the summaries of a batch, None for older batches.

        Raises `UserError` if it is not available.
        """
        name = self.files.get(summary_name(batch))
        return self.fetch(name) if name else None

    def identifier(self, row: int) -> str:
        """Return the identifier of a row."""
        return identity.identifier(self.digests[row])

    def find(self, identifier: str) -> int | None:
        """Return the first row with this identifier, None if there is none."""
        try:
            shown = bytes.fromhex(identifier.removeprefix(identity.PREFIX))
        except ValueError:
            return None
        if len(shown) != identity.SHOWN or not identifier.startswith(identity.PREFIX):
            return None
        sorted_, positions = self._sorted
        at = int(np.searchsorted(sorted_, int.from_bytes(shown)))
        is_there = at < len(sorted_) and int(sorted_[at]) == int.from_bytes(shown)
        return int(positions[at]) if is_there else None

    @cached_property
    def _sorted(self) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.intp]]:
        """The prefixes of all digests as sorted numbers, and the row of each."""
        raw = np.frombuffer(self.digests.raw, np.uint8).reshape(-1, shards.DIGEST_SIZE)
        numbers = (
            np.ascontiguousarray(raw[:, : identity.SHOWN]).view(">u8").ravel().astype(np.uint64)
        )
        positions = np.argsort(numbers, kind="stable")
        return numbers[positions], positions


def provides(request: SourceRequest) -> bool:
    """Return whether there is a custom source with this name."""
    return request.pointer is not None


def read(request: SourceRequest) -> Own:
    """Return the source; only its indexes are read.

    Raises `InputError` if its pointer is damaged, `UserError` if an object is not available.
    """
    if request.pointer is None or request.fetch_object is None:
        raise ValueError("a custom source needs its pointer and a way to get its objects")
    name, fetch_object = request.name, request.fetch_object
    pointer = pointers.parse(request.pointer, name)

    def fetch(md5: str) -> Path:
        try:
            return fetch_object(md5)
        except UserError as error:
            raise UserError(UNREADABLE.format(name=name, reason=error)) from None

    files = objects(pointer, name, fetch)
    found = [
        _rows(name, number, batch, fetch(files[shards.index_name(number)]))
        for number, batch in enumerate(pointer.batches)
    ]
    starts = [0, *accumulate(size for batch in pointer.batches for size in batch.shards)]
    # Objects are verified when they are fetched.
    path = cache(lambda number: fetch(files[shards.shard_name(number)]))
    reader = Shards(starts[:-1], path)
    return Own(name, pointer, shards.concatenated(found), reader, files, fetch)


def objects(pointer: Pointer, name: str, fetch: Callable[[str], Path]) -> dict[str, str]:
    """Return the object of each file of the source `name`, by file name.

    Raises `InputError` if they do not match the pointer.
    """
    files = manifest.entries(fetch(pointer.md5).read_bytes())
    expected = shards.file_names([len(batch.shards) for batch in pointer.batches])
    optional = map(summary_name, range(len(pointer.batches)))
    if {*expected} != files.keys() - {*optional}:
        raise pointers.not_readable(name, "its batches do not match the files that it names")
    return files


def _rows(name: str, number: int, batch: BatchRecord, path: Path) -> Rows:
    try:
        found = shards.read_index(path)
    except Exception:  # noqa: BLE001 - pyarrow raises many kinds for a file that is not an index
        raise pointers.not_readable(name, f"the index of batch {number} is damaged") from None
    if found.sha256 != batch.sha256 or len(found.digests) != batch.images:
        raise pointers.not_readable(name, f"the checksum of batch {number} does not match")
    return found
