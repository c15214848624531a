"""GitHub Actions: the environment, the event, the log, the outputs of a step."""

import json
import os
import uuid
from operator import attrgetter
from pathlib import Path
from typing import Any

from scripts.errors import UserError
from scripts.inputs.problems import InputError
from scripts.storage import faults

# https://docs.github.com/actions/reference/limits
MAX_ANNOTATIONS = 10


def running() -> bool:
    """Return whether this is a workflow run."""
    return os.environ.get("GITHUB_ACTIONS") == "true"


def has_token() -> bool:
    """Return whether the environment says how to use GitHub's API."""
    return bool(os.environ.get("GITHUB_TOKEN") and os.environ.get("GITHUB_REPOSITORY"))


def variable(name: str) -> str:
    """Return the environment variable `name`; raises `UserError` outside of a workflow."""
    value = os.environ.get(name)
    if not value:
        raise UserError(f"{name} is not set: this command runs in a GitHub workflow only.")
    return value


def event() -> dict[str, Any]:
    """Return the event that started the workflow."""
    content: dict[str, Any] = json.loads(
        Path(variable("GITHUB_EVENT_PATH")).read_text(encoding="utf-8")
    )
    return content


def pushed_commit() -> str | None:
    """Return the commit whose push started the workflow, None where something else did."""
    return os.environ.get("GITHUB_SHA") if os.environ.get("GITHUB_EVENT_NAME") == "push" else None


def annotations(error: InputError) -> str:
    """Return the log lines with which GitHub shows each problem on its line of the file.

    It shows the first few of a step only, so they are of every kind.
    """
    # https://docs.github.com/actions/reference/workflow-commands-for-github-actions
    return "\n".join(
        f"::error file={_escaped_property(file)},line={mark.line},col={mark.column}"
        f"::{_escaped(message)}"
        for file, mark, message in faults.kinds_first(
            error.problems, attrgetter("message"), MAX_ANNOTATIONS
        )
    )


def notice(title: str, message: str) -> None:
    """Show a message on the page of the workflow run."""
    if running():
        print(f"::notice title={title}::{_escaped(message)}")


def output(name: str, value: str) -> None:
    """Set an output of the step, in place of what this step has set before."""
    # Lines are set off by a word that is in none of them.
    end = uuid.uuid4().hex
    setting = f"{name}<<{end}\n{value}\n{end}" if "\n" in value else f"{name}={value}"
    _append("GITHUB_OUTPUT", f"{setting}\n")


def summarize(markdown: str) -> None:
    """Add `markdown` to the summary of the job."""
    _append("GITHUB_STEP_SUMMARY", markdown)


def _append(variable_name: str, text: str) -> None:
    if file := os.environ.get(variable_name):
        with Path(file).open("a", encoding="utf-8") as opened:
            opened.write(text)


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _escaped_property(text: str) -> str:
    return _escaped(text).replace(":", "%3A").replace(",", "%2C")
