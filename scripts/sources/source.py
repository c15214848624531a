"""The protocol of sources."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from io import RawIOBase
from pathlib import Path
from typing import Literal, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from scripts.errors import UserError

# The label of a sample that has none: it is in no dataset.
NO_LABEL = ""
# Returns the path of an object, which is fetched when it is not here.
FetchObject = Callable[[str], Path]
# Returns an open object of the remote, of which only what is read is transferred.
OpenObject = Callable[[str], RawIOBase]
# One image: gray values in the shape (height, width), or RGB in the shape (height, width, 3).
Pixels = npt.NDArray[np.uint8]


# Characters of the name of a class, and those that a message shows of a longer one.
MAX_LABEL = 100
MAX_SHOWN = 40


class SourceError(UserError):
    """The source is unknown or unsupported; trying again cannot help."""


@dataclass(frozen=True)
class SourceRequest:
    """The source in a config: its name, and the order of color channels in its table.

    For a custom source, `pointer` is the content of its `.dvc` file, and `fetch_object` returns the
    path of an object, from the cache or the remote.
    """

    name: str
    channels: Literal["first", "last"] | None = None
    pointer: bytes | None = None
    fetch_object: FetchObject | None = None


class Zones(NamedTuple):
    """The zones of the splits of one label in a closed batch, by place.

    Test begins at `test`, validation begins at `validation` and ends at a fixed place, and train
    has the rest. With `split_by: source`, validation begins at `own_validation`.
    """

    validation: float
    test: float
    own_validation: float


@dataclass(frozen=True)
class Batch:
    """Rows that were added to a source together: from `start` to `stop` (exclusive).

    `zones` are the zones by label if the batch is closed.
    """

    start: int
    stop: int
    zones: Mapping[str, Zones] = field(default_factory=dict)


class ImageReader(Protocol):
    """Reads some rows of a source. It is small and can be pickled."""

    def image(self, row: int) -> Pixels:
        """Return the pixels of a row."""

    def file(self, row: int) -> bytes:
        """Return the file of a row as it came."""


class WithoutFiles:
    """Pixels that never were files."""

    has_files = False
    own_validation = None

    def file(self, row: int) -> bytes:
        """Raise `ValueError`: the config cannot ask for original files of it."""
        raise ValueError(f"row {row} has no file")

    def ending(self, row: int) -> str:
        """Raise `ValueError`, as `file` does."""
        raise ValueError(f"row {row} has no file")


class OneShape(WithoutFiles):
    """A source of pixels, all in one shape."""

    has_both_modes = False
    shape: tuple[int, ...]

    @property
    def size(self) -> tuple[int, int]:
        """The (height, width) of every image."""
        return self.shape[0], self.shape[1]

    def is_gray(self, _row: int) -> bool:
        """Return whether the pixels of a row are gray."""
        return len(self.shape) == 2  # noqa: PLR2004 - height and width


@dataclass(frozen=True)
class Held(WithoutFiles):
    """Pixels, by row."""

    pixels: Mapping[int, Pixels]

    def image(self, row: int) -> Pixels:
        """Return the pixels of a row."""
        return self.pixels[row]


class Source(Protocol):
    """Labeled images in a fixed order, with identifiers that never change."""

    @property
    def name(self) -> str:
        """The name in the config."""

    @property
    def labels(self) -> npt.NDArray[np.str_]:
        """The label of each row, in the shape (rows,)."""

    @property
    def digests(self) -> Sequence[bytes]:
        """The SHA-256 of each row's pixels: equal images have equal digests."""

    @property
    def keys(self) -> Sequence[bytes]:
        """The digests before resizing, which determine the order of the rows."""

    @property
    def batches(self) -> Sequence[Batch]:
        """The batches, oldest first; together they are all rows. The newest one is open."""

    @property
    def own_test(self) -> npt.NDArray[np.bool_] | None:
        """Whether each row is in the test set of the source; None if it has none."""

    @property
    def own_validation(self) -> npt.NDArray[np.bool_] | None:
        """Whether each row is in the source's own validation set; None where it has none."""

    @property
    def shape(self) -> tuple[int, ...] | None:
        """The shape of every image's pixels; None where size or mode differ."""

    @property
    def sha256(self) -> str:
        """The checksum of all rows, independent of the file that they were read from."""

    @property
    def size(self) -> tuple[int, int] | None:
        """The (height, width) of every image; None where they differ."""

    @property
    def has_files(self) -> bool:
        """Whether its images came as files, which a dataset can have as they are."""

    @property
    def has_both_modes(self) -> bool:
        """Whether some images are gray and others are not."""

    def is_gray(self, row: int, /) -> bool:
        """Return whether the pixels of a row are gray."""

    def image(self, row: int) -> Pixels:
        """Return the pixels of a row."""

    def file(self, row: int) -> bytes:
        """Return the file of a row as it came; raises `UserError` when it is not available."""

    def ending(self, row: int) -> str:
        """Return how the name of a row's own file ends."""

    def reader(self, rows: Sequence[int], opened: OpenObject) -> "ImageReader":
        """Return a reader of `rows` for another machine, where `opened` opens objects."""

    def identifier(self, row: int) -> str:
        """Return the identifier of a row, the name of its file."""

    def find(self, identifier: str) -> int | None:
        """Return the row of a sample, None if there is none."""

    def __hash__(self) -> int:
        """Sources are hashed by identity, so that results can be cached."""


def classes(source: Source) -> list[str]:
    """Return every label of `source`: by number where all are numbers, otherwise by name."""
    labels = [label for label in np.unique(source.labels).tolist() if label != NO_LABEL]
    return sorted(labels, key=int) if all(x.isdecimal() for x in labels) else sorted(labels)


def check_classes(name: str, labels: Sequence[str]) -> None:
    """Raise `SourceError` if a label of the source `name` is not text that a person can read."""
    for label in labels:
        if not label.strip():
            raise SourceError(f"source {name} has a class without a name: {label!r}.")
        if len(label) > MAX_LABEL:
            raise SourceError(
                f"source {name} has the class {label[:MAX_SHOWN]!r}…, whose name has"
                f" {len(label):,} characters; at most {MAX_LABEL} are allowed."
            )
        if wrong := [character for character in label if not character.isprintable()]:
            raise SourceError(
                f"source {name} has the class {label!r}; the character U+{ord(wrong[0]):04X} in its"
                " name cannot be printed."
            )
