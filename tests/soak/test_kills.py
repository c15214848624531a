"""A release, killed before each of its writes; `make test` kills it before some of them."""

import pytest

from tests import test_crash
from tests.repository import Repository, Run
from tests.test_crash import OTHER, kill_at_writes

tiny = test_crash.tiny


@pytest.mark.parametrize("is_first", [True, False])
def test_a_release_killed_at_every_write_can_be_run_again(
    tiny: Repository, run: Run, *, is_first: bool
) -> None:
    if not is_first:
        assert run("release", where=tiny.root).code == 0
        tiny.merge(OTHER)
        tiny.merge_file("README.md", "Main moves on\n")

    assert kill_at_writes(tiny, "release") > 40
