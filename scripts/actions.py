"""What GitHub Actions gives to a step and takes from it: the environment, the event, the log."""

import json
import os
from pathlib import Path
from typing import Any

from scripts.config import ConfigError
from scripts.errors import UserError


def running() -> bool:
    """Return whether this is a workflow run."""
    return os.environ.get("GITHUB_ACTIONS") == "true"


def variable(name: str) -> str:
    """Return the environment variable `name`; raises `UserError` outside of a workflow."""
    value = os.environ.get(name)
    if not value:
        raise UserError(f"{name} is not set: this runs in a GitHub workflow only.")
    return value


def event() -> dict[str, Any]:
    """Return the event that started the workflow."""
    content: dict[str, Any] = json.loads(Path(variable("GITHUB_EVENT_PATH")).read_text())
    return content


def annotations(error: ConfigError) -> str:
    """Return the log lines with which GitHub shows each problem on its line of the file."""
    # https://docs.github.com/actions/reference/workflow-commands-for-github-actions
    return "\n".join(
        f"::error file={error.file},line={place.line},col={place.column}::{_data(message)}"
        for place, message in error.problems
    )


def summarize(markdown: str) -> None:
    """Add `markdown` to the summary of the job."""
    if file := os.environ.get("GITHUB_STEP_SUMMARY"):
        with Path(file).open("a", encoding="utf-8") as summary:
            summary.write(markdown)


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
