"""GitHub Actions: the environment, the event, the outputs of a step."""

import json
import os
import uuid
from pathlib import Path
from typing import Any

from scripts import runner as runners
from scripts.errors import UserError
from scripts.runner import Runner


def running() -> bool:
    """Return whether this is a workflow run."""
    return os.environ.get("GITHUB_ACTIONS") == "true"


def runner() -> Runner:
    """Return what this run must know of its machine; raises `UserError` for invalid variables."""
    return runners.of_environment(os.environ)


def has_token() -> bool:
    """Return whether the environment has a token for GitHub's API."""
    return bool(os.environ.get("GITHUB_TOKEN") and os.environ.get("GITHUB_REPOSITORY"))


def variable(name: str) -> str:
    """Return the environment variable `name`; raises `UserError` outside of a workflow."""
    value = os.environ.get(name)
    if not value:
        raise UserError(f"{name} is not set: this command runs only in a GitHub workflow.")
    return value


def secret(name: str) -> str:
    """Return a secret of the environment `release`; raises `UserError` if it is not set."""
    value = os.environ.get(name)
    if not value:
        raise UserError(f"the secret {name} is not set: gh secret set {name} --env release")
    return value


def variables() -> dict[str, str]:
    """Return the variables of the repository, which the workflow passes as JSON."""
    found: dict[str, str] = json.loads(os.environ.get("REPOSITORY_VARIABLES") or "{}")
    return found


def event() -> dict[str, Any]:
    """Return the event that started the workflow."""
    content: dict[str, Any] = json.loads(
        Path(variable("GITHUB_EVENT_PATH")).read_text(encoding="utf-8")
    )
    return content


def pushed_commit() -> str | None:
    """Return the commit whose push started the workflow, None if something else did."""
    return os.environ.get("GITHUB_SHA") if os.environ.get("GITHUB_EVENT_NAME") == "push" else None


def output(name: str, value: str) -> None:
    """Set an output of the step; a second call replaces the value."""
    # The delimiter must not occur in the value.
    end = uuid.uuid4().hex
    setting = f"{name}<<{end}\n{value}\n{end}" if "\n" in value else f"{name}={value}"
    if file := os.environ.get("GITHUB_OUTPUT"):
        with Path(file).open("a", encoding="utf-8") as opened:
            opened.write(f"{setting}\n")
