import re

import pytest

from tests.e2e.forge import Forge, Run, config

# What each job of ci.yml runs; `test` runs once for each version of Python.
TARGETS = ["e2e", "lint", "test", "test", "tools", "tools"]
ALL = dict.fromkeys(("changes", "lint", "test", "e2e", "platforms", "passed"), "success")
NONE = {"changes": "success", "passed": "success"}
DATA = {"dataset_config.yaml": config(samples=20)}
MACHINERY = {"scripts/review/render.py": "# new\n"}


def targets(run: Run) -> list[str]:
    """Return the targets of make that a run asked for."""
    return sorted(re.findall(r"^make (\S+)$", run.log, re.MULTILINE))


def test_a_change_of_data_only_skips_the_checks_of_the_machinery(forge: Forge) -> None:
    pull = forge.open_pull("data", DATA)
    run = forge.on_pull_request(pull, "opened", "ci.yml")
    assert run.jobs == NONE
    assert targets(run) == []
    assert "machinery: no change\n" in run.summary

    run = forge.on_merge_group(forge.queue(pull), "ci.yml")
    assert run.jobs == NONE


def test_a_change_of_the_machinery_is_checked(forge: Forge) -> None:
    pull = forge.open_pull("machinery", {**DATA, **MACHINERY})
    run = forge.on_pull_request(pull, "opened", "ci.yml")
    assert run.jobs == ALL
    assert targets(run) == TARGETS
    assert run.log.count("python -m pytest ") == 2
    assert "--require-hashes" in run.log
    assert "-r requirements-dev.txt\n" in run.log
    assert "machinery: scripts/review/render.py\n" in run.summary


def test_a_push_to_main_is_always_checked(forge: Forge) -> None:
    run = forge.on_push("ci.yml")
    assert run.jobs == ALL
    assert targets(run) == TARGETS


@pytest.mark.parametrize("target", ["lint", "test"])
def test_a_check_that_fails_fails_the_required_check(forge: Forge, target: str) -> None:
    forge.environment["FAILING_TARGET"] = target
    pull = forge.open_pull("machinery", MACHINERY)
    run = forge.on_pull_request(pull, "opened", "ci.yml")
    assert run.jobs == {**ALL, target: "failure", "passed": "failure"}


def test_a_failure_on_windows_or_macos_does_not_fail_the_required_check(forge: Forge) -> None:
    forge.environment["FAILING_TARGET"] = "pytest"
    pull = forge.open_pull("machinery", MACHINERY)
    run = forge.on_pull_request(pull, "opened", "ci.yml")
    assert run.jobs == {**ALL, "platforms": "failure"}


def test_without_a_decision_about_the_changes_the_required_check_fails(forge: Forge) -> None:
    pull = forge.open_pull("broken", {"scripts/github/changed_paths.py": "raise SystemExit(1)\n"})
    run = forge.on_pull_request(pull, "opened", "ci.yml")
    assert run.jobs == {"changes": "failure", "passed": "failure"}
    assert targets(run) == []
