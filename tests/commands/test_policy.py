"""The policy of the config, in all verbs that know it."""

import json

import pytest

from tests.repository import Released, Repository, Run, config_text

SMALL, LARGE = config_text(samples=8), config_text(samples=30, test_size=10)
RULES = "require:\n  min_per_class: {0}\n  max_imbalance: 3\n"
REFUSED = (
    "dataset_config.yaml:7:18: require.min_per_class: each class needs 20 images, and 3 has 8, no3"
    " has 8\n"
)


@pytest.fixture
def released(released_as: Released) -> Repository:
    return released_as(config_text())


def test_a_change_that_breaks_a_rule_is_refused_on_its_line(released: Repository, run: Run) -> None:
    released.configure(SMALL + RULES.format(20))
    folder = released.place / "report"

    assert run("validate") == (1, "", REFUSED)
    assert run("workflow", "check", str(folder), "--store", "false").code == 1
    plan = json.loads((folder / "report.json").read_bytes())["plan"]
    assert plan["policy"]["met"] == ["max_imbalance"]
    assert plan["policy"]["broken"].keys() == {"min_per_class"}
    # The whole change is shown all the same.
    assert plan["version"] == "v1"
    assert "warning     Policy: the rule min_per_class is not met" in run("plan").out
    shown = run("plan", "--format", "markdown").out
    assert shown.startswith("### dataset v1: policy not met, +6 samples, 2 classes\n")
    assert "- **policy**: 1 of 2 rules met\n" in shown


def test_a_change_that_meets_all_rules_passes(released: Repository, run: Run) -> None:
    released.configure(LARGE + RULES.format(20) + "  probe_drop: 1.0\n")

    result = run("validate")

    assert result.code == 0
    assert result.err.splitlines()[-1] == (
        "The rule probe_drop is not checked, because the probe says nothing about this change."
    )
    assert "policy      2 of 3 rules met; probe_drop not checked" in run("plan").out


def test_the_release_refuses_too_and_a_later_commit_mends_it(
    released: Repository, run: Run
) -> None:
    released.merge(SMALL + RULES.format(20))
    refused = run("release")
    assert refused.code == 1
    assert REFUSED.strip() in refused.err
    assert released.tags() == ["v0"]

    released.merge(LARGE + RULES.format(20))
    assert run("release").code == 0
    assert released.tags() == ["v0", "v1"]


def test_a_change_of_the_rules_alone_makes_no_version(released: Repository, run: Run) -> None:
    released.merge(config_text() + RULES.format(5))

    assert run("release").code == 0
    assert released.tags() == ["v0"]
    # The lock keeps the rules of the version that was released with them.
    released.merge(SMALL + RULES.format(5))
    assert run("release").code == 0
    released.git("pull", "--quiet", "--ff-only", "origin", "main")
    assert "min_per_class: 5" in released.lock.read_text()
    assert run("verify").code == 0
