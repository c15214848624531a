"""What a run shows: never a command to the runner, never a control character."""

import ast
import json
import logging
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from scripts import output
from scripts.__main__ import main
from tests.repository import PROJECT, Repository, Run, config_text

SCRIPTS = PROJECT / "scripts"
# What a stranger can put into a name: each would begin a line.
BREAKS = ("\n", "\r", "\r\n", "\v", "\f", "\x1c", "\x85", "\u2028", "\u2029")
# Where the runner sees lines, and what it takes for a command: it trims white space first, and
# looks for the older form anywhere.
LINE_END = re.compile("\r\n|\r|\n")
COMMAND = re.compile(r"^\s*::|##\[", re.MULTILINE)
NASTY = st.text(st.sampled_from(": #[]\\au003\n\r\t\v\f\x1b\x85\xa0\u2028\u202e\u3000\ufeff"))
NAMES = [f"x{end}::error::owned" for end in BREAKS]
EVIL = "x\n::error file=a::owned\r##[set-env]b\x1b[2J\u202e"


def commands(shown: str) -> list[str]:
    """Return the lines that the runner would take for commands."""
    return [line for line in LINE_END.split(shown) if COMMAND.search(line)]


def controls(shown: str) -> set[str]:
    return {x for x in shown if not (x.isprintable() or x == "\n")}


@given(st.one_of(st.text(), NASTY))
@example("a\n  ::error::b")
@example("###[group]")
@example("\u3000::error::b")
@example(":::error::b")
def test_no_text_is_a_command_or_controls_a_terminal(text: str) -> None:
    shown = output.shown(text)

    assert commands(shown) == []
    assert controls(shown) == set()
    assert output.shown(shown) == shown


@given(st.text())
def test_a_value_in_json_is_still_the_same(text: str) -> None:
    assert json.loads(output.shown(json.dumps({"a": f"##[{text}"}))) == {"a": f"##[{text}"}


def test_other_text_stays_as_it_is() -> None:
    text = "a::b, # [x], ## [x]\n  Größe 数: 1:2\n"
    assert output.shown(text) == text


def test_lines_are_complete(capsys: pytest.CaptureFixture[str]) -> None:
    for text in ("a", "b\n", "c\n\n", ""):
        output.say(text)
        output.log(text)
    assert capsys.readouterr() == ("a\nb\nc\n\n\n", "a\nb\nc\n\n\n")


@given(st.text(), st.text())
def test_an_annotation_is_one_line(title: str, message: str) -> None:
    line = output._annotation("error", f"##[{message}", file=title, line=1)

    assert controls(line) == set()
    assert "\n" not in line
    assert line.startswith("::error file=")
    assert "##[" not in line
    properties, _, rest = line.removeprefix("::error ").partition("::")
    assert [one.partition("=")[0] for one in properties.split(",")] == ["file", "line"]
    assert "%" not in re.sub("%(25|3A|2C)", "", rest + properties)


def test_an_annotation_appears_in_a_workflow_only(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    output.annotate("notice", "a\nb", title="No bucket yet")
    assert capsys.readouterr().out == ""
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    output.annotate("notice", "50%\r\nb", title="No bucket yet: a, b")
    assert capsys.readouterr().out == ("::notice title=No bucket yet%3A a%2C b::50%25\\r\\nb\n")


def test_a_summary_is_appended_and_goes_nowhere_outside_of_a_workflow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "summary"
    file.write_text("of an earlier step\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(file))
    output.summarize("### Ünicode\x1b[2J\n")
    assert file.read_text(encoding="utf-8") == "of an earlier step\n### Ünicode\\x1b[2J\n"
    monkeypatch.delenv("GITHUB_STEP_SUMMARY")
    output.summarize("text")
    assert capsys.readouterr() == ("", "")


# At the command line.


@pytest.mark.parametrize("verb", ["validate", "plan", "build", "workflow report folder"])
def test_the_name_of_a_class_is_no_command(
    repository: Repository, run: Run, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    summary = repository.place / "summary"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    event = repository.place / "event.json"
    event.write_text("{}")
    monkeypatch.setenv("GITHUB_EVENT_PATH", str(event))
    repository.configure(config_text(class_=[*NAMES, "3"]))

    result = run(*verb.split())

    assert "owned" in result.out + result.err + (summary.read_text() if summary.exists() else "")
    assert controls(result.out + result.err) == set()
    assert commands(result.err) == []
    for line in commands(result.out):
        assert line.startswith("::error file=dataset_config.yaml,line=")
        assert "##[" not in line
    if summary.exists():
        assert controls(summary.read_text()) == set()


@pytest.mark.parametrize("verb", ["similar", "verify"])
def test_an_argument_is_no_command(repository: Repository, run: Run, verb: str) -> None:
    result = run(verb, EVIL)

    assert "owned" in result.err
    assert (controls(result.err), commands(result.err)) == (set(), [])


def test_wrong_usage_is_no_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["plan", "--format", EVIL])

    err = capsys.readouterr().err
    assert "owned" in err
    assert (controls(err), commands(err)) == (set(), [])


def test_the_json_of_a_plan_is_json_whatever_it_quotes(repository: Repository, run: Run) -> None:
    reason = "##[error] ü 😀"
    (repository.root / "curation.csv").write_text(
        f"sample,action,label,new_label,reason\n0003,exclude,,,{reason}\n"
    )

    result = run("plan", "--format", "json")

    assert result.code == 0, result.err
    assert commands(result.out) == []
    assert json.loads(result.out)["curated"]["changes"][0]["reason"] == reason


CRASH = """\
import logging, warnings
from scripts import output
from scripts.__main__ import main

output.take_over()
evil = {evil!r}
logging.getLogger("a library").warning("%s", evil)
warnings.warn(evil)
try:
    raise ValueError(evil)
except ValueError:
    logging.getLogger("a library").exception("failed")
raise ValueError(evil)
"""


def test_what_python_and_libraries_print_is_no_command_either() -> None:
    done = subprocess.run(
        [sys.executable, "-c", CRASH.format(evil=EVIL)],
        cwd=PROJECT,
        capture_output=True,
        check=False,
    )
    err = done.stderr.decode()

    assert done.returncode == 1
    assert err.count("owned") == 4
    assert "Traceback" in err
    assert (controls(err), commands(err)) == (set(), [])


def test_a_log_record_keeps_what_a_handler_needs() -> None:
    record = output._record("name", logging.INFO, "path", 1, "%s is %d", ("a\n::b", 2), None)
    assert record.getMessage() == "a\n\\u003a:b is 2"


# The rule.


def test_only_the_output_module_prints() -> None:
    wrong = []
    for file in SCRIPTS.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())) if file.name != "output.py" else ():
            is_print = isinstance(node, ast.Name) and node.id == "print"
            is_write = isinstance(node, ast.Attribute) and node.attr in {"write", "writelines"}
            if is_print or (is_write and "sys.std" in ast.unparse(node)):
                wrong.append(f"{file}: {ast.unparse(node)}")
    assert wrong == []
