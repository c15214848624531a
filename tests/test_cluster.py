"""What can be said of a cluster without one."""

import io
import sys
import zipfile
from concurrent.futures import Future
from typing import Any
from unittest.mock import Mock

import pytest

from scripts import cluster, runner
from scripts.errors import UserError
from tests.repository import PROJECT


def test_without_a_scheduler_there_is_no_executor() -> None:
    with cluster.connected(runner.LOCAL) as executor:
        assert executor is None


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:8786", "127.0.0.1:8786", "ws://host:1"])
def test_a_scheduler_without_encryption_is_refused(address: str) -> None:
    here = runner.of_environment({"DASK_SCHEDULER_ADDRESS": address})

    with pytest.raises(UserError, match="not encrypted"), cluster.connected(here):
        pass


def test_a_missing_dask_is_one_message(monkeypatch: pytest.MonkeyPatch) -> None:
    here = runner.of_environment({"DASK_SCHEDULER_ADDRESS": "tls://127.0.0.1:8786"})
    monkeypatch.setitem(sys.modules, "distributed", None)

    with pytest.raises(UserError, match=r"requirements-dask\.txt"), cluster.connected(here):
        pass


@pytest.mark.parametrize("event", ["pull_request", "pull_request_target", "merge_group"])
def test_a_pull_request_never_uses_a_cluster(event: str) -> None:
    given = {"DASK_SCHEDULER_ADDRESS": "tls://127.0.0.1:8786", "GITHUB_EVENT_NAME": event}
    here = runner.of_environment(given)

    with pytest.raises(UserError, match="never uses a cluster"), cluster.connected(here):
        pass


def test_the_code_that_workers_get_is_all_of_it_and_named_by_its_content() -> None:
    name, content = cluster.code()

    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = set(archive.namelist())
    assert names == {
        file.relative_to(PROJECT).as_posix() for file in (PROJECT / "scripts").rglob("*.py")
    }
    assert (name, content) == cluster.code()


def test_only_a_bounded_number_of_tasks_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "WAITING", 3)
    waiting: list[Future[int]] = []
    most = 0

    def submit(_: Any, number: int) -> Future[int]:
        nonlocal most
        future = Mock(Future)
        waiting.append(future)
        most = max(most, len(waiting))

        def result() -> int:
            waiting.remove(future)
            return number

        future.result.side_effect = result
        return future

    tasks = iter([(number,) for number in range(20)])

    found = list(cluster.in_order(Mock(submit=submit), print, tasks))

    assert found == list(range(20))
    assert most == 3
