from collections.abc import Callable
from pathlib import Path

import pytest

from scripts.errors import UserError
from scripts.github import actions
from scripts.inputs.problems import InputError, Mark, Problem


@pytest.mark.parametrize(
    ("function", "variable", "line"),
    [
        (lambda: actions.output("stored", "yes"), "GITHUB_OUTPUT", "stored=yes\n"),
        (lambda: actions.summarize("### Ünicode\n"), "GITHUB_STEP_SUMMARY", "### Ünicode\n"),
    ],
    ids=["output", "summary"],
)
def test_outputs_and_summaries_are_appended(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    function: Callable[[], None],
    variable: str,
    line: str,
) -> None:
    file = tmp_path / "file"
    file.write_text("of an earlier step\n")
    monkeypatch.setenv(variable, str(file))
    function()
    function()
    assert file.read_text(encoding="utf-8") == f"of an earlier step\n{line}{line}"


def test_outside_of_a_workflow_outputs_and_summaries_go_nowhere(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"):
        monkeypatch.delenv(name, raising=False)
    actions.output("stored", "yes")
    actions.summarize("text")
    assert capsys.readouterr() == ("", "")


def test_each_problem_is_an_annotation_on_its_line() -> None:
    error = InputError(
        [
            Problem("dataset_config.yaml", Mark(3, 10), "samples: must be at least 1, found -1"),
            Problem("dataset.dvc", Mark(1, 1), "changed"),
        ]
    )
    assert actions.annotations(error).splitlines() == [
        "::error file=dataset.dvc,line=1,col=1::changed",
        "::error file=dataset_config.yaml,line=3,col=10::samples: must be at least 1, found -1",
    ]


def test_an_annotation_is_one_line_whatever_its_message() -> None:
    error = InputError([Problem("a.yaml", Mark(1, 2), "100%\r\n::set-env name=A::b\n%0A")])
    assert actions.annotations(error) == (
        "::error file=a.yaml,line=1,col=2::100%25%0D%0A::set-env name=A::b%0A%250A"
    )


def test_an_annotation_is_one_line_whatever_the_name_of_the_file() -> None:
    error = InputError([Problem("additions/a,line=9::\n::set-env %.png", Mark(1, 2), "empty")])
    assert actions.annotations(error) == (
        "::error file=additions/a%2Cline=9%3A%3A%0A%3A%3Aset-env %25.png,line=1,col=2::empty"
    )


def test_a_notice_is_one_line_and_appears_in_a_workflow_only(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    actions.notice("No bucket yet", "a\nb")
    assert capsys.readouterr().out == ""
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    actions.notice("No bucket yet", "50%\r\nb")
    assert capsys.readouterr().out == "::notice title=No bucket yet::50%25%0D%0Ab\n"


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
