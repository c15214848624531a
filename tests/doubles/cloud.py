"""Stand-ins for `gh`, `gcloud`, `aws` and `az` that keep what is made with them in a file.

They are called in the process of a test, or run as programs on the PATH:

    CLOUD_STATE=state.json python -m tests.doubles.cloud gh api repos/octo/ds

They know only the commands that the setup uses, and refuse others, unknown options, and what does
not exist, in the words of the real programs.
"""

import json
import os
import re
import shlex
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scripts.setup.shell import Ran
from tests.doubles import cloud_aws, cloud_azure, cloud_github, cloud_google
from tests.doubles.cloud_parts import CommandError

State = dict[str, Any]
READING = re.compile(r"describe|list|view|status|show|get-.*")
PROGRAMS = {
    "gh": cloud_github.run,
    "gcloud": cloud_google.run,
    "aws": cloud_aws.run,
    "az": cloud_azure.run,
}


def new() -> State:
    """Return a copy of the template at GitHub, and stores without anything in them."""
    return {
        "github": cloud_github.new(),
        "google": cloud_google.new(),
        "aws": cloud_aws.new(),
        "azure": cloud_azure.new(),
        # The commands that changed something, and those that failed.
        "log": [],
        # Which of them fails: before or after it did its work.
        "fail_at": None,
        "fail_late": False,
        # How many commands do not know a new account yet.
        "fresh": 0,
    }


def run(state: State, words: Sequence[str], stdin: str = "") -> Ran:
    """Run a command on `state`; return its exit code, and what it prints."""
    program, *rest = words
    is_reading = _is_reading(rest)
    if not is_reading:
        state["log"].append(shlex.join(words))
    fails = not is_reading and state["fail_at"] == len(state["log"])
    if fails and not state["fail_late"]:
        return Ran(1, "", f"{program}: connection reset by peer")
    try:
        out = PROGRAMS[program](state, rest, stdin)
    except CommandError as error:
        return Ran(1, error.out, str(error))
    if fails:
        return Ran(1, "", f"{program}: connection reset by peer")
    return Ran(0, out, "")


def _is_reading(words: Sequence[str]) -> bool:
    return any(map(READING.fullmatch, words[:4])) or (words[0] == "api" and "--method" not in words)


@dataclass
class Cloud:
    """The stand-ins in the process of a test, in place of `scripts.setup.shell.run`."""

    state: State = field(default_factory=new)

    def __call__(self, words: Sequence[str], stdin: str = "") -> Ran:
        if words[0] == "git":
            return Ran(0, "git version 2.50.0\n", "")
        return run(self.state, words, stdin)

    @property
    def log(self) -> list[str]:
        log: list[str] = self.state["log"]
        return log

    @property
    def github(self) -> State:
        github: State = self.state["github"]
        return github

    @property
    def google(self) -> State:
        google: State = self.state["google"]
        return google

    @property
    def aws(self) -> State:
        aws: State = self.state["aws"]
        return aws

    @property
    def azure(self) -> State:
        azure: State = self.state["azure"]
        return azure

    def copy(self) -> "Cloud":
        return Cloud(deepcopy(self.state))

    def settled(self) -> State:
        """Return what is set up, without what differs between two runs."""
        state = deepcopy(self.state)
        for key in ("log", "fail_at", "fail_late", "fresh"):
            del state[key]
        return state

    def merge(self) -> None:
        """Merge the open pull request."""
        (pull,) = self.github["pulls"]
        self.github["branches"]["main"] |= {
            name: text
            for name, text in self.github["branches"].pop(pull["head"]).items()
            if text != cloud_github.TEMPLATE_FILES[name]
        }
        self.github["pulls"].clear()


def install(folder: Path, state: State) -> Path:
    """Write the programs and the state to `folder`; return the file of the state."""
    file = folder / "state.json"
    file.write_text(json.dumps(state))
    for name in PROGRAMS:
        program = folder / name
        program.write_text(
            f"#!/bin/sh\nCLOUD_STATE={shlex.quote(str(file))} exec {shlex.quote(sys.executable)}"
            f' -m tests.doubles.cloud {name} "$@"\n'
        )
        program.chmod(0o755)
    return file


@contextmanager
def _locked(file: Path) -> Iterator[None]:
    """Let one program use the state at a time: the setup reads with several."""
    lock = file.with_suffix(".lock")
    while True:
        try:
            os.close(os.open(lock, os.O_CREAT | os.O_EXCL))
            break
        except FileExistsError:
            time.sleep(0.002)
    try:
        yield
    finally:
        lock.unlink()


def _main() -> int:
    words = sys.argv[1:]
    file = Path(os.environ["CLOUD_STATE"])
    stdin = "" if _is_reading(words[1:]) or sys.stdin.isatty() else sys.stdin.read()
    with _locked(file):
        state = json.loads(file.read_text())
        code, out, err = run(state, words, stdin)
        if not _is_reading(words[1:]):
            file.write_text(json.dumps(state))
    sys.stdout.write(out)
    sys.stderr.write(f"{err}\n" if err else "")
    return code


if __name__ == "__main__":
    sys.exit(_main())
