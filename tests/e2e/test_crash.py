"""Each verb that writes, killed before some of its writes; `make soak` kills it before each."""

from collections.abc import Callable
from typing import NamedTuple

import pytest

from tests.killing import kill
from tests.repository import Released, Repository, Run, config_text

TINY = config_text(samples=2, test_size=1)
OTHER = config_text(samples=3, test_size=1)
EVERY = 9


class Situation(NamedTuple):
    """A verb, what comes before it, and how many writes it has at least."""

    verb: str
    prepare: Callable[[Released, Run], Repository]
    writes: int


def unbuilt(released_as: Released, _: Run) -> Repository:
    repository = released_as()
    repository.merge(TINY)
    return repository


def built(released_as: Released, run: Run) -> Repository:
    repository = unbuilt(released_as, run)
    assert run("build").code == 0
    return repository


def built_before(released_as: Released, run: Run) -> Repository:
    repository = built(released_as, run)
    repository.configure(OTHER)
    return repository


def released_before(released_as: Released, _: Run) -> Repository:
    repository = released_as(TINY)
    repository.merge(OTHER)
    repository.merge_file("README.md", "Main moves on\n")
    return repository


SITUATIONS = {
    "a first build": Situation("build", unbuilt, 26),
    "a later build": Situation("build", built_before, 26),
    "a push": Situation("push", built, 13),
    # With a warm cache: writing that is what the builds show.
    "a first release": Situation("release", built, 30),
    "a later release": Situation("release", released_before, 40),
}


@pytest.mark.parametrize("situation", SITUATIONS.values(), ids=SITUATIONS)
def test_a_verb_killed_at_any_write_can_be_run_again(
    released_as: Released, run: Run, situation: Situation
) -> None:
    outcome = kill(situation.prepare(released_as, run), situation.verb, EVERY)

    assert outcome.failures == []
    assert outcome.points >= situation.writes
