"""A connection to an existing Dask cluster.

Tasks are sent as pickled objects, so anybody who can send one can run any code. A cluster is used
only by releases, never for a pull request, and only over mutual TLS.
"""

import importlib
import logging
import pickle
import tempfile
import zipfile
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Executor, Future
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts import cluster_tasks, fingerprint, output
from scripts.cluster_shuffle import TwoPasses
from scripts.errors import UserError
from scripts.runner import SCHEDULER, Runner

# How often a task is tried again, on another worker, when its own fails or is lost.
RETRIES = 3
# The maximum number of pending tasks.
WAITING = 200
# Seconds to wait for workers.
WAIT_FOR_WORKERS = 600
PACKAGE = Path(__file__).parent
DATE = (1980, 1, 1, 0, 0, 0)
TLS = (
    "DASK_DISTRIBUTED__COMM__TLS__CA_FILE, DASK_DISTRIBUTED__COMM__TLS__CLIENT__CERT and"
    " DASK_DISTRIBUTED__COMM__TLS__CLIENT__KEY"
)


@dataclass(frozen=True)
class Connection:
    """A cluster that can be used; `client` is that of Dask."""

    client: Any

    def results(self, work: Callable[..., Any], tasks: Iterator[tuple[Any, ...]]) -> Iterator[Any]:
        """Yield the result of `work` for the arguments of each of `tasks`, in order."""
        sent = ((pickle.dumps((work, task)),) for task in tasks)
        executor = self.client.get_executor(retries=RETRIES, pure=False)
        return in_order(executor, cluster_tasks.call, sent)

    def shuffled(self, passes: TwoPasses) -> Iterator[Any]:
        """Yield the result for each group of `passes`, in order."""
        return passes.results(self.client, RETRIES)


def in_order(
    executor: Executor, work: Callable[..., Any], tasks: Iterator[tuple[Any, ...]]
) -> Iterator[Any]:
    """Yield the results of `tasks` in order, with a limited number of pending tasks."""
    waiting: deque[Future[Any]] = deque()
    try:
        for task in tasks:
            waiting.append(executor.submit(work, *task))
            if len(waiting) >= WAITING:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()


@contextmanager
def connected(runner: Runner) -> Iterator[Connection | None]:
    """Give a connection to the cluster whose scheduler `runner` names.

    None without a scheduler. Raises `UserError` if the cluster cannot be used, also when it is lost
    within the block.
    """
    address = runner.scheduler
    if not address:
        yield None
        return
    if not runner.is_trusted:
        raise UserError(f"{SCHEDULER} is set, but a pull request never uses a cluster")
    if not address.startswith("tls://"):
        raise UserError(
            f"{SCHEDULER} is {address}, which is not encrypted. Use a scheduler with mutual TLS,"
            " and an address with tls://"
        )
    dask = _dask()
    with _client(dask, address) as client:
        try:
            yield Connection(client)
        except dask.KilledWorker as error:
            raise UserError(
                f"a task killed {RETRIES + 1} workers of {address}, perhaps because memory ran out"
                f" there ({_in_one_line(error)}). Give the workers more memory, and run it again."
            ) from None
        except (CancelledError, OSError, TimeoutError) as error:
            raise UserError(
                f"the connection to the scheduler {address} was lost ({_in_one_line(error)})."
                " Run it again: stored files are not stored again."
            ) from None


def code() -> tuple[str, bytes]:
    """Return the code of this project as a zip file, and its name, which depends on its content."""
    with tempfile.TemporaryFile() as made:
        with zipfile.ZipFile(made, "w") as archive:
            for file in sorted(PACKAGE.rglob("*.py")):
                name = file.relative_to(PACKAGE.parent).as_posix()
                archive.writestr(zipfile.ZipInfo(name, DATE), file.read_bytes())
        made.seek(0)
        return f"dataset-{fingerprint.of('')[:16]}.zip", made.read()


def _dask() -> Any:
    """Return the module of Dask, an optional dependency."""
    try:
        found = importlib.import_module("distributed")
    except ImportError:
        raise UserError(
            f"{SCHEDULER} is set, but Dask is not installed:"
            " pip install --require-hashes -r requirements-dask.txt"
        ) from None
    # One message reports the errors of all connections.
    for name in ("asyncio", "tornado.application", *logging.root.manager.loggerDict):
        if name.startswith(("distributed", "asyncio", "tornado")):
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    return found


@contextmanager
def _client(dask: Any, address: str) -> Iterator[Any]:
    """Connect to the scheduler, and send it the code of this project."""
    try:
        security = dask.Security(require_encryption=True)
        client = dask.Client(address, security=security, set_as_default=False)
    except (OSError, TimeoutError, RuntimeError, ValueError) as error:
        raise UserError(
            f"cannot connect to the scheduler {address} ({_in_one_line(error)}). It must be"
            f" running, and {TLS} must name your certificate for it."
        ) from None
    try:
        _prepare(client, address)
        yield client
    finally:
        client.close(timeout=1)


def _prepare(client: Any, address: str) -> None:
    name, content = code()
    try:
        client.wait_for_workers(1, timeout=WAIT_FOR_WORKERS)
        client.get_versions(check=True)
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / name
            file.write_bytes(content)
            client.upload_file(str(file))
            threads = client.nthreads().values()
            output.log(
                f"using the cluster {address}: {len(threads):,} workers, {sum(threads):,} threads"
            )
    except ValueError as error:
        raise UserError(
            f"the cluster at {address} has different versions than this machine: "
            f"{_in_one_line(error)}."
            " Install requirements.txt and requirements-dask.txt there too."
        ) from None
    except (OSError, TimeoutError) as error:
        raise UserError(
            f"the cluster at {address} does not respond ({_in_one_line(error)}). Check that it has "
            f"workers."
        ) from None


def _in_one_line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
