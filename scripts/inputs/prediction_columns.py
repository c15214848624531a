"""Reads the columns of a Parquet file that name samples and predictions, and no images."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

from scripts.inputs.problems import START, InputError, Problem

MAGIC = b"PAR1"
# Rows that are read together.
BATCH = 10_000


def is_parquet(opened: BinaryIO) -> bool:
    """Return whether the content of a file begins as a Parquet file does."""
    opened.seek(0)
    begins = opened.read(len(MAGIC)) == MAGIC
    opened.seek(0)
    return begins


@dataclass(frozen=True)
class PredictionColumns:
    """An open Parquet file: the number of its rows, and the names of its columns."""

    count: int
    names: Sequence[str]
    _file: str
    _parquet: Any

    def rows(self, names: Sequence[str]) -> Iterator[dict[str, str]]:
        """Yield the values of the columns `names` in each row, as a CSV file would have them.

        Raises `InputError` if the file is damaged, or has a column that is no text and no number.
        """
        wanted = [name for name in names if name in self.names]
        try:
            for batch in self._parquet.iter_batches(BATCH, columns=wanted):
                columns = [[_text(value) for value in batch[name].to_pylist()] for name in wanted]
                for values in zip(*columns, strict=True):
                    yield dict(zip(wanted, values, strict=True))
        except Exception as error:  # noqa: BLE001 - pyarrow raises many kinds
            raise _unreadable(self._file, error) from None


def open_table(opened: BinaryIO, file: str) -> PredictionColumns:
    """Return the columns of `opened`, called `file`; raises `InputError` if it is damaged."""
    # It takes long to import, and most files are CSV.
    from pyarrow import parquet  # noqa: PLC0415

    try:
        table = parquet.ParquetFile(opened)
        return PredictionColumns(table.metadata.num_rows, table.schema_arrow.names, file, table)
    except Exception as error:  # noqa: BLE001 - pyarrow raises many kinds
        raise _unreadable(file, error) from None


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        # Where a value is missing, pandas makes floats of whole numbers.
        return str(int(value))
    if isinstance(value, str | int | float):
        return str(value)
    raise TypeError(f"a value is a {type(value).__name__}; expected text or numbers")


def _unreadable(file: str, error: Exception) -> InputError:
    reason = str(error).split("\n", maxsplit=1)[0][:200]
    return InputError([Problem(file, START, f"the Parquet file cannot be read: {reason}")])
