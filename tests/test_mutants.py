import pytest

from tests import mutants
from tests.mutants import PACKAGES, SETTINGS
from tests.repository import PROJECT

MODULES = sorted(
    file.relative_to(PROJECT).as_posix()
    for package in PACKAGES
    for file in (PROJECT / "scripts" / package).glob("*.py")
    if file.name != "__init__.py"
)


@pytest.mark.parametrize("path", MODULES)
def test_each_module_has_tests_that_are_run_for_its_faults(path: str) -> None:
    assert mutants.tests_of(path)


def test_the_tests_of_a_module_come_first() -> None:
    assert mutants.tests_of("scripts/storage/transfer.py")[0] == "tests/storage/test_transfer.py"


def test_every_test_that_is_named_for_a_module_exists() -> None:
    for name, tests in SETTINGS["tests"].items():
        assert name in PACKAGES or f"scripts/{name}.py" in MODULES
        assert all((PROJECT / test).exists() for test in tests)


def test_a_fault_changes_one_place() -> None:
    faults = list(mutants.faults_of("scripts/storage/transfer.py"))

    assert len(faults) > 20
    assert len({fault.content for fault in faults}) == len(faults)
    removed = "    remote.remove_leftovers()"
    assert [f"-{removed}", "+    pass"] in [fault.diff() for fault in faults]


def test_a_share_that_is_not_noticed_is_reported(capsys: pytest.CaptureFixture[str]) -> None:
    faults = list(mutants.faults_of("scripts/storage/transfer.py"))[:4]

    share = mutants.report(faults, [True, False, True, True])

    assert share == 0.75
    printed = capsys.readouterr().out
    assert "planted: 4; not noticed: 1, of them explained: 0\n" in printed
    assert f"scripts/storage/transfer.py:{faults[1].line}\n" in printed
    assert "\n".join(faults[1].diff()) in printed
    assert printed.splitlines()[-1].startswith("noticed: 75%; ")


def test_each_explained_fault_can_still_be_planted() -> None:
    explained = SETTINGS["explained"]
    files = {known["file"] for known in explained}
    found = {(file, one.reason()) for file in files for one in mutants.faults_of(file)}
    assert {(known["file"], known["reason"]) for known in explained} <= found
