"""Runs `gh`, `gcloud`, `aws` and other programs with the login of the user."""

import shutil
import subprocess
from collections.abc import Sequence
from typing import NamedTuple

from scripts.git import git_process

# Without a terminal, a question would end a program in the middle.
NO_QUESTIONS = {
    "GH_PROMPT_DISABLED": "1",
    "CLOUDSDK_CORE_DISABLE_PROMPTS": "1",
    "AWS_PAGER": "",
    "NO_COLOR": "1",
}
NOT_FOUND = 127


class Ran(NamedTuple):
    """What a program did: its exit code, and what it printed."""

    code: int
    out: str
    err: str

    @property
    def reason(self) -> str:
        """Why it failed, in one line."""
        return " ".join((self.err or self.out).split())[:400]


def run(words: Sequence[str], stdin: str = "") -> Ran:
    """Run a program; the code is `NOT_FOUND` if it is not installed."""
    program = shutil.which(words[0])
    if program is None:
        return Ran(NOT_FOUND, "", f"{words[0]} is not installed")
    done = subprocess.run(
        [program, *words[1:]],
        input=stdin.encode(),
        env={**git_process.clean_environment(), **NO_QUESTIONS},
        capture_output=True,
        check=False,
    )
    out, err = (part.decode(errors="replace") for part in (done.stdout, done.stderr))
    return Ran(done.returncode, out, err)
