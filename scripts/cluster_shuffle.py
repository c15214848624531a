"""The two passes in which shards are made, on a Dask cluster: Dask's own shuffle between workers.

Each piece of the source is read by one task, which gives its rows to the workers that need them. A
worker keeps what it gets on its disk. If a worker is lost, Dask begins the shuffle again on the
others; the shards that are finished are not made again.
"""

import pickle
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import Any

from scripts import cluster_tasks
from scripts.progress import Bar

# The column by which rows are divided.
KEY = "shard"
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
        sent = [pickle.dumps((self.read, (piece,))) for piece in self.pieces]
        meta = cluster_tasks.frame(self.empty)
        source = frames.from_map(cluster_tasks.read, sent, meta=meta, enforce_metadata=False)
        divided = source.set_index(KEY, divisions=list(self.divisions), shuffle_method="p2p")
        tasks = [
            dask.delayed(cluster_tasks.make)(rows, pickle.dumps((partial, (self.make, group))))
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
