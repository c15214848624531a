"""Hooks of pytest with which a test fails that is skipped although it is due."""

import os
import re
import sys
from collections.abc import Generator

import pytest

# Where every change is checked, a test may be skipped for these reasons only: what is installed by
# `make tools` or pinned is there.
IS_CHECKED = os.environ.get("CI") == "true" and sys.platform == "linux"
MAY_BE_SKIPPED = re.compile(
    r"root can read every folder"
    r"|this machine has no second (core|file system)"
    r"|a team's own README has other sections"
    r"|(SCIKIT_LEARN_DATA|CIFAR10_TEST_IMAGES) is not set"
)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Let a test fail that is skipped although it is due."""
    report = yield
    _refuse_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Let a whole module fail that is skipped although it is due."""
    report = yield
    _refuse_skip(report)
    return report


def _refuse_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    if not (IS_CHECKED and report.skipped):
        return
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    if not MAY_BE_SKIPPED.search(reason):
        report.outcome, report.longrepr = "failed", f"may not be skipped where CI=true: {reason}"
