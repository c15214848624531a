"""The two passes in which shards are made, on a Dask cluster: Dask's own shuffle between workers.

Each piece of the source is read by one task, which gives its rows to the workers that need them. A
worker keeps what it gets on its disk. If a worker is lost, Dask begins the shuffle again on the
others; the shards that are finished are not made again.

What is sent is pickled here, and only workers unpickle it: the scheduler needs nothing of this
project.
"""

import pickle
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from scripts.progress import Bar

# The column by which rows are divided.
KEY = "shard"
READ = "read"
# What Dask calls the tasks that give the rows of a piece to the workers.
GIVEN = "shuffle-transfer"
# Seconds between two looks at the progress.
INTERVAL = 1.0


@dataclass(frozen=True)
class TwoPasses:
    """What is done: `read` returns a table of pyarrow for each of `pieces`.

    `make` gets each of `groups` with the rows whose key is in its part of `divisions`. `empty` is a
    table without rows.
    """

    read: Callable[[Any], Any]
    pieces: Iterator[Any]
    make: Callable[[Any, Any], Any]
    groups: Sequence[Any]
    divisions: Sequence[int]
    empty: Any

    def results(self, client: Any, retries: int) -> Iterator[Any]:
        """Yield the result of `make` for each group, in order."""
        dask, frames = import_module("dask"), import_module("dask.dataframe")
        sent = [pickle.dumps((self.read, piece)) for piece in self.pieces]
        meta = _frame(self.empty)
        source = frames.from_map(_read, sent, meta=meta, enforce_metadata=False, label=READ)
        divided = source.set_index(KEY, divisions=list(self.divisions), shuffle_method="p2p")
        tasks = [
            dask.delayed(_make)(rows, pickle.dumps((self.make, group)))
            for rows, group in zip(divided.to_delayed(), self.groups, strict=True)
        ]
        futures = client.compute(tasks, retries=retries)
        try:
            _wait_for_source(client, futures[0], len(sent))
            while futures:
                yield futures[0].result()
                del futures[0]
        finally:
            client.cancel(futures)


def _wait_for_source(client: Any, first: Any, pieces: int) -> None:
    """Show how many of the `pieces` were read, until the `first` result is there."""
    with Bar(total=pieces, desc="Reading the source on the cluster", unit="piece") as bar:
        while not first.done():
            states = client.sync(client.scheduler.get_task_prefix_states).get(GIVEN, {})
            bar.update(max(0, states.get("memory", 0) - bar.n))
            time.sleep(INTERVAL)


def _read(sent: bytes) -> Any:
    """Read a piece: a task."""
    read, piece = pickle.loads(sent)  # noqa: S301 - from the client, which may run anything here
    return _frame(read(piece))


def _make(rows: Any, sent: bytes) -> Any:
    """Put a group together: a task."""
    make, group = pickle.loads(sent)  # noqa: S301
    return make(group, import_module("pyarrow").Table.from_pandas(rows.reset_index()))


def _frame(table: Any) -> Any:
    """Return `table` for Dask; texts and files stay in the memory of pyarrow."""
    arrow, pandas = import_module("pyarrow"), import_module("pandas")

    def kind(of_column: Any) -> Any:
        return None if arrow.types.is_integer(of_column) else pandas.ArrowDtype(of_column)

    return table.to_pandas(types_mapper=kind)
