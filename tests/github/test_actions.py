from pathlib import Path

import pytest

from scripts.errors import UserError
from scripts.github import actions


def test_an_output_is_appended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "file"
    file.write_text("of=an earlier step\n")
    monkeypatch.setenv("GITHUB_OUTPUT", str(file))
    actions.output("stored", "yes")
    actions.output("stored", "no")
    assert file.read_text(encoding="utf-8") == "of=an earlier step\nstored=yes\nstored=no\n"


def test_outside_of_a_workflow_an_output_goes_nowhere(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("GITHUB_OUTPUT", raising=False)
    actions.output("stored", "yes")
    assert capsys.readouterr() == ("", "")


def test_a_variable_that_is_missing_or_empty_is_one_message(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GITHUB_REPOSITORY", "octo/ds")
    assert actions.variable("GITHUB_REPOSITORY") == "octo/ds"
    monkeypatch.setenv("GITHUB_REPOSITORY", "")
    with pytest.raises(UserError, match="GITHUB_REPOSITORY is not set"):
        actions.variable("GITHUB_REPOSITORY")
    monkeypatch.delenv("GITHUB_EVENT_PATH", raising=False)
    with pytest.raises(UserError, match="GITHUB_EVENT_PATH is not set"):
        actions.event()


def test_the_event_is_read_whatever_its_language(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "event.json"
    file.write_text('{"pull_request": {"title": "Größer"}}', encoding="utf-8")
    monkeypatch.setenv("GITHUB_EVENT_PATH", str(file))
    assert actions.event() == {"pull_request": {"title": "Größer"}}
