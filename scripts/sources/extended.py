"""A source, followed by the additions of the dataset."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from scripts.inputs.additions import Addition
from scripts.sources.source import Pixels, Source


@dataclass(frozen=True, eq=False)
class Extended:
    """The rows of `source`, then one for each of `additions`."""

    source: Source
    additions: Sequence[Addition]

    @cached_property
    def labels(self) -> npt.NDArray[np.str_]:
        """The label of each row; that of an addition is the one in its path."""
        return np.array([*self.source.labels.tolist(), *(one.label for one in self.additions)])

    @cached_property
    def digests(self) -> Sequence[bytes]:
        """The SHA-256 of each row's pixels."""
        if not self.additions:
            return self.source.digests
        return [*self.source.digests, *(one.digest for one in self.additions)]

    def image(self, row: int) -> Pixels:
        """Return the pixels of a row."""
        number = row - len(self.source.labels)
        return self.source.image(row) if number < 0 else self.additions[number].pixels

    def identifier(self, row: int) -> str:
        """Return the identifier of a row, which names its file."""
        number = row - len(self.source.labels)
        return self.source.identifier(row) if number < 0 else self.additions[number].identifier
