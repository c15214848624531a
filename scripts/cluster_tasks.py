"""The tasks of a cluster: what they do and with what is pickled, and unpickled on the worker.

Dask's scheduler imports the functions of all tasks. So it needs nothing but Dask for this module,
which imports nothing of this project.
"""

import pickle
from importlib import import_module
from typing import Any


def call(sent: bytes) -> Any:
    """Return the result of a function, whose arguments are sent with it."""
    function, arguments = pickle.loads(sent)  # noqa: S301 - the client may run anything here
    return function(*arguments)


def read(sent: bytes) -> Any:
    """Return the table that a function makes, in the form that Dask divides."""
    return frame(call(sent))


def make(rows: Any, sent: bytes) -> Any:
    """Return the result of a function for the table with `rows`."""
    return call(sent)(import_module("pyarrow").Table.from_pandas(rows.reset_index()))


def frame(table: Any) -> Any:
    """Return `table` in the form that Dask divides; texts stay in the memory of pyarrow."""
    arrow, pandas = import_module("pyarrow"), import_module("pandas")

    def kind(of_column: Any) -> Any:
        return None if arrow.types.is_integer(of_column) else pandas.ArrowDtype(of_column)

    return table.to_pandas(types_mapper=kind)
