import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from scripts import __version__, commands
from scripts.__main__ import main
from tests.repository import Repository, Run, config_text

LOCAL = (
    *("validate", "plan", "diff", "build", "push", "release", "promote", "verify", "repair", "gc"),
    *("package", "site", "ingest", "remote"),
)
CURATION = ("curate", "similar", "probe", "suspects", "drift")
WORKFLOW = (
    *("check", "report", "comment", "comment-fork", "curate-issue"),
    *("publish-notes", "publish-candidate", "publish-preview", "update-comments"),
    *("report-health", "report-suspects", "report-drift", "publish-machinery"),
    "mirror-hub",
)
MAINTENANCE = ("upgrade", "template-lock", "setup", "doctor")
FIRST = (*LOCAL, *CURATION, *MAINTENANCE, "workflow")
VERBS = (*LOCAL, *CURATION, *MAINTENANCE, *(f"workflow {verb}" for verb in WORKFLOW))
# What each verb needs, in addition to its name.
ARGUMENTS = {
    "package": ["v0", "--out", "files"],
    "site": ["--out", "catalogue"],
    "repair": ["v0"],
    "diff": ["v0", "v1"],
    "curate": ["failures.csv"],
    "similar": ["00058"],
    "ingest": ["flowers", "folder"],
    "drift": ["folder"],
    "remote": ["gs://bucket/path"],
    "workflow check": ["x", "--store", "false"],
    "workflow report": ["x"],
    "workflow comment": ["x"],
    "upgrade": ["1.0.0"],
}
PROGRAM = (sys.executable, "-m", "scripts")
PATIENCE = 60


def process(where: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PROGRAM, *arguments], cwd=where, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(("given", "listed"), [([], FIRST), (["workflow"], WORKFLOW)])
def test_help_lists_every_verb(
    capsys: pytest.CaptureFixture[str], given: list[str], listed: tuple[str, ...]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main([*given, "--help"])

    assert caught.value.code == 0
    printed = capsys.readouterr().out
    for verb in listed:
        assert re.search(rf"^    {verb}\s", printed, flags=re.MULTILINE)


def test_every_verb_has_a_module_and_every_module_is_a_verb() -> None:
    (folder,) = commands.__path__
    files = [file.relative_to(folder) for file in Path(folder).rglob("*.py")]
    modules = {" ".join(file.with_suffix("").parts) for file in files if file.stem != "__init__"}
    assert modules == {verb.replace("-", "_") for verb in VERBS}


def test_the_version_is_that_of_the_machinery(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--version"])

    assert caught.value.code == 0
    assert capsys.readouterr().out == f"python -m scripts {__version__}\n"


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help_that_says_what_it_does(
    verb: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main([*verb.split(), "--help"])

    assert caught.value.code == 0
    printed = capsys.readouterr().out
    assert printed.startswith(f"usage: python -m scripts {verb} ")
    assert len(printed) > 200


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["bild"],
        ["build", "extra"],
        ["plan", "--format", "yaml"],
        ["plan", "--against"],
        ["remote"],
        ["verify", "--slow"],
        ["workflow"],
        ["workflow", "check", "folder"],
        ["workflow", "check", "folder", "--store", "yes"],
        ["workflow", "report"],
        ["workflow", "report", "folder", "--stored", "perhaps"],
        ["upgrade"],
    ],
    ids=" ".join,
)
def test_wrong_usage_exits_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)

    assert caught.value.code == 2
    assert capsys.readouterr().err.startswith("usage: ")


@pytest.mark.parametrize("verb", VERBS)
def test_outside_of_a_repository_every_verb_is_an_error(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))

    result = run(*verb.split(), *ARGUMENTS.get(verb, []), where=tmp_path)

    assert result == (1, "", "error: this is not a git repository. Run this in a clone of one.\n")


def test_verbs_work_from_a_folder_below(repository: Repository, run: Run) -> None:
    (repository.root / "docs").mkdir()

    assert run("build", where=repository.root / "docs").code == 0
    assert run("push", where=repository.root / "docs").code == 0

    assert (repository.root / "dataset").is_dir()
    assert not list((repository.root / "docs").iterdir())


def test_validate_prints_the_counts_that_the_config_gives(repository: Repository, run: Run) -> None:
    repository.configure(config_text(samples={"3": 5, "no3": 9}))
    assert run("validate") == (
        0,
        "dataset_config.yaml is valid: train 3: 3, no3: 7; test 3: 2, no3: 2\n",
        "",
    )


@pytest.mark.parametrize("verb", ["validate", "plan", "build"])
def test_every_problem_of_the_config_is_printed_with_its_line(
    repository: Repository, run: Run, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    repository.configure(config_text(samples=-1, seed="none"))

    result = run(verb)

    assert (result.code, result.out) == (1, "")
    lines = [line.split(": ")[0] for line in result.err.splitlines()]
    assert lines == ["dataset_config.yaml:3:10", "dataset_config.yaml:5:7"]

    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    on_runner = run(verb)
    assert on_runner.err == result.err
    marks = [line.partition("::error ")[2].split("::")[0] for line in on_runner.out.splitlines()]
    assert marks == [
        "file=dataset_config.yaml,line=3,col=10",
        "file=dataset_config.yaml,line=5,col=7",
    ]


def test_a_user_error_in_a_process_is_a_message_without_a_traceback(untouched: Repository) -> None:
    done = process(untouched.root, "push")

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "error: nothing is built yet. Build it first: python -m scripts build\n"


def test_an_error_of_the_machine_is_a_message(repository: Repository, run: Run) -> None:
    file = repository.place / "file"
    file.write_text("a file where a folder is needed")

    result = run("workflow", "report", str(file))

    assert (result.code, result.out) == (1, "")
    assert result.err == f"error: {file}: File exists\n"


def test_a_closed_pipe_is_no_error(repository: Repository) -> None:
    # `plan | head -0`: nothing reads the output any more.
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as closed:
        done = subprocess.run(
            [*PROGRAM, "plan"],
            cwd=repository.root,
            stdout=closed,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )

    assert (done.returncode, done.stderr) == (0, "")


def test_an_interrupted_verb_is_a_message_and_can_be_run_again(
    repository: Repository, run: Run
) -> None:
    # Origin takes its time over the tag, and the user presses Ctrl-C.
    reached = repository.place / "reached"
    hook = repository.check_updates(f"touch {reached}\nexec sleep {PATIENCE}")
    with subprocess.Popen(
        [*PROGRAM, "release"],
        cwd=repository.root,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # Where tests run in the background, what they start would ignore it.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    ) as running:
        deadline = time.monotonic() + PATIENCE
        while not reached.exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        assert reached.exists()
        os.killpg(running.pid, signal.SIGINT)
        out, err = running.communicate(timeout=PATIENCE)

    assert (running.returncode, out) == (130, "")
    assert err.splitlines()[-1] == "interrupted; run it again to continue"
    assert "Traceback" not in err
    assert repository.tags() == []
    hook.unlink()
    assert run("release").code == 0
    assert repository.tags() == ["v0"]


BROKEN = """
import runpy, sys
from scripts.releases import resolve
def broken(*_): raise KeyError("https://ada:secret@host/x")
resolve.work_tree = broken
sys.argv = ["scripts", "build"]
runpy.run_module("scripts", run_name="__main__")
"""


@pytest.mark.parametrize("where", ["a clone", "a workflow", "a full disk"])
def test_an_unexpected_error_is_one_message_and_a_file_to_report_it_with(
    repository: Repository, where: str
) -> None:
    env = os.environ | ({"GITHUB_ACTIONS": "true"} if where == "a workflow" else {})
    if where == "a full disk":
        # Where no file can be written.
        (repository.root / ".dvc" / "tmp").mkdir(exist_ok=True)
        (repository.root / ".dvc" / "tmp" / "errors").write_text("")
    done = subprocess.run(
        [sys.executable, "-c", BROKEN],
        cwd=repository.root,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stdout) == (3, "")
    first, second, *others = done.stderr.splitlines()
    assert first == "unexpected error: KeyError: 'https://host/x'"
    assert second.startswith(f"This is a bug in the machinery, version {__version__}. Please ")
    kept = [*(repository.root / ".dvc" / "tmp" / "errors").glob("*.txt")]
    assert (len(kept), bool(others)) == ((1, False) if where == "a clone" else (0, True))
    details = kept[0].read_text() if kept else done.stderr
    assert "secret" not in done.stderr + details
    for part in ("Traceback (most recent call last)", "git version", "dvc 3.", "Python 3."):
        assert part in details
    assert not kept or second.endswith(str(kept[0].relative_to(repository.root)))
