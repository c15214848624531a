"""Each verb that writes, killed before each of its writes; `make test` does some of them."""

import pytest

from tests.e2e.test_crash import SITUATIONS, Situation
from tests.killing import kill
from tests.repository import Released, Run


@pytest.mark.parametrize("situation", SITUATIONS.values(), ids=SITUATIONS)
def test_a_verb_killed_at_every_write_can_be_run_again(
    released_as: Released, run: Run, situation: Situation
) -> None:
    outcome = kill(situation.prepare(released_as, run), situation.verb, 1)

    assert outcome.failures == []
    assert outcome.points >= situation.writes
