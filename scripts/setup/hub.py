"""How the steps look at a repository at GitHub, and change it."""

import json
from collections.abc import Callable

from scripts.setup.step import (
    Command,
    Json,
    Look,
    Step,
    Verdict,
    Wanted,
    gh,
    look_gh,
    missing,
    wrong,
)

# The environment of the release.
RELEASE = "release"


def path(wanted: Wanted, *parts: str) -> str:
    """Return the path of something of the repository in GitHub's API."""
    return "/".join(("repos", wanted.repository, *parts))


def about(wanted: Wanted) -> Look:
    """Return the look at the repository itself."""
    return look_gh("api", path(wanted))


def variables_of(wanted: Wanted) -> Look:
    """Return the look at the variables of the repository."""
    return look_gh("variable", "list", "--repo", wanted.repository, "--json", "name,value")


def secrets_of(wanted: Wanted, environment: str = "") -> Look:
    """Return the look at the names of the secrets of the repository, or of an environment."""
    where = ("--env", environment) if environment else ()
    words = ("secret", "list", "--repo", wanted.repository, *where, "--json", "name")
    return look_gh(*words, is_admins=True)


def send(where: str, method: str, content: Json) -> Command:
    """Return the request to GitHub's API that sends `content`."""
    text = json.dumps(content, separators=(",", ":"))
    return gh("api", where, "--method", method, "--input", "-", stdin=text)


def values(variables: Json) -> dict[str, str]:
    """Return the values of variables by name."""
    return {one["name"]: one["value"] for one in variables or []}


def names(listed: Json) -> set[str]:
    """Return the names of what is listed."""
    return {one["name"] for one in listed or []}


def variables(
    name: str, why: str, expected: Callable[[Wanted], dict[str, str]], *needs: str
) -> Step:
    """Return the step that sets variables of the repository; none of them is secret."""

    def judge(wanted: Wanted, listed: Json) -> Verdict:
        found, due = values(listed), expected(wanted)
        absent = [key for key in due if key not in found]
        other = [key for key, value in due.items() if key in found and found[key] != value]
        mend = (
            gh("variable", "set", key, "--body", due[key], "--repo", wanted.repository)
            for key in due
            if key in {*absent, *other}
        )
        if not other and absent:
            return missing(f"not set: {', '.join(absent)}", *mend)
        problems = [f"{key} is {found[key]!r}, not {due[key]!r}" for key in other]
        return wrong([*problems, *(f"{key} is not set" for key in absent)], *mend)

    return Step(name, why, lambda wanted: (variables_of(wanted),), judge, needs)
