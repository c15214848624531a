"""The files that a new copy of the template must change, and the first pull request."""

import os
import re
import tempfile
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from scripts.errors import UserError
from scripts.git.git import MAIN
from scripts.setup import rules
from scripts.setup.hub import about, path
from scripts.setup.step import (
    SETUP,
    Command,
    Json,
    Look,
    State,
    Step,
    Store,
    Verdict,
    Wanted,
    gh,
    look_gh,
    missing,
    right,
)
from scripts.storage import settings

BRANCH = "setup"
TITLE = "Keep the dataset in our bucket"
BODY = "Its merge publishes the first release."
OWNERS_FILE, PROJECT_FILE = ".github/CODEOWNERS", "pyproject.toml"
# How the template names whoever uses it.
PLACEHOLDER = "OWNER"
TEMPLATE = re.compile(rf'^template = "https://github\.com/{PLACEHOLDER}/[^"]*"$', re.MULTILINE)
TEAM = re.compile(rf"@{PLACEHOLDER}/[\w-]+")


class Edit(NamedTuple):
    """A change of a file: how, and what is wrong without it."""

    path: str
    change: Callable[[str, Wanted, Json], str]
    problem: str


class Place(NamedTuple):
    """Where a bucket is: the store, its name, and the storage account if it is at Azure."""

    store: Store = Store.GOOGLE
    bucket: str = ""
    account: str = ""


def address(wanted: Wanted) -> str:
    """Return the address of the remote: a folder of the repository's own in the bucket."""
    return f"{wanted.address}/{wanted.name}"


def with_remote(text: str, wanted: Wanted, _: Json) -> str:
    """Return `.dvc/config` with the bucket as the remote, unless it has a folder of it already."""
    account = wanted.account if wanted.store == Store.AZURE else None
    has = _remote(text)
    if f"{has.get('url')}/".startswith(f"{wanted.address}/") and has.get("account_name") == account:
        return text
    return _with_address(text, address(wanted), account)


@cache
def _with_address(text: str, url: str, account: str | None) -> str:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / settings.CONFIG_PATH
        file.parent.mkdir()
        file.write_text(text, encoding="utf-8")
        settings.set_remote(Path(folder), url, account)
        return file.read_text(encoding="utf-8")


def place_of(text: str) -> Place:
    """Return where the remote in `.dvc/config` is, without a bucket if it is none."""
    section = _remote(text)
    scheme, _, rest = section.get("url", "").partition("://")
    if scheme not in {*Store}:
        return Place()
    return Place(Store(scheme), rest.partition("/")[0], section.get("account_name", ""))


@cache
def _remote(text: str) -> dict[str, Json]:
    try:
        # The text is of a branch at GitHub: no local configuration belongs to it.
        return settings.remote_section(Path(os.devnull), text.encode())
    except UserError:
        return {}


def with_owners(text: str, wanted: Wanted, repository: Json) -> str:
    """Return CODEOWNERS with the teams of the organization, or the one person who owns it."""
    owner = repository["owner"]
    login = wanted.repository.partition("/")[0]
    if owner["type"] == "Organization":
        return text.replace(f"@{PLACEHOLDER}/", f"@{login}/")
    return TEAM.sub(f"@{login}", text)


def with_template(text: str, _: Wanted, repository: Json) -> str:
    """Return pyproject.toml with the address of the template, where GitHub knows it."""
    template = (repository.get("template_repository") or {}).get("html_url")
    return TEMPLATE.sub(f'template = "{template}"', text) if template else text


REMOTE = Edit(settings.CONFIG_PATH, with_remote, "the remote is not the bucket")
NAMES = (
    Edit(OWNERS_FILE, with_owners, "CODEOWNERS names nobody of yours"),
    Edit(PROJECT_FILE, with_template, "pyproject.toml does not name the template"),
)


def file_on(wanted: Wanted, branch: str, name: str) -> Look:
    """Return the look at a file on a branch."""
    return look_gh("api", f"{path(wanted, 'contents', name)}?ref={branch}")


def text_of(found: Json) -> str:
    """Return the text of a file, empty if there is none."""
    return b64decode(found["content"]).decode() if found else ""


def pull_requests(wanted: Wanted) -> Look:
    """Return the look at the open pull requests from the branch of the setup."""
    owner = wanted.repository.partition("/")[0]
    return look_gh("api", f"{path(wanted, 'pulls')}?state=open&head={owner}:{BRANCH}")


def _look_names(wanted: Wanted) -> tuple[Look, ...]:
    return (about(wanted), rules.look(wanted), *(file_on(wanted, MAIN, one.path) for one in NAMES))


def _judge_names(wanted: Wanted, repository: Json, rulesets: Json, *files: Json) -> Verdict:
    """Judge what is committed to main itself, as long as there are no rules that forbid it.

    In a pull request, it would start all tests of the machinery, which take long.
    """
    if rules.of_main(rulesets):
        return right()
    edits = [*_edits(NAMES, files, wanted, repository, MAIN)]
    problems = (edit.problem for edit, _ in edits)
    return missing("; ".join(problems), *(command for _, command in edits)) if edits else right()


def _looks(wanted: Wanted) -> tuple[Look, ...]:
    return (
        about(wanted),
        rules.look(wanted),
        look_gh("api", path(wanted, "git", "ref", "heads", MAIN)),
        look_gh("api", path(wanted, "git", "ref", "heads", BRANCH)),
        pull_requests(wanted),
        *(
            file_on(wanted, branch, one.path)
            for branch in (MAIN, BRANCH)
            for one in (REMOTE, *NAMES)
        ),
    )


def _judge(wanted: Wanted, *found: Json) -> Verdict:
    repository, rulesets, main, branch, pulls, *files = found
    if not wanted.bucket:
        return missing("the remote is no bucket", Command(tuple(SETUP.split())))
    if main is None:
        return Verdict(State.UNKNOWN, f"the repository has no branch {MAIN}")
    due = (REMOTE, *NAMES) if rules.of_main(rulesets) else (REMOTE,)
    half = len(files) // 2
    on_main, on_branch = files[:half], files[half:]
    of_main = dict(_edits(due, on_main, wanted, repository, BRANCH))
    if not of_main:
        return right()
    detail = "; ".join(edit.problem for edit in of_main)
    of_branch = dict(_edits(due, on_branch, wanted, repository, BRANCH)) if branch else of_main
    mend = [command for edit, command in of_branch.items() if edit in of_main]
    if branch is None:
        start = ("-f", f"ref=refs/heads/{BRANCH}", "-f", f"sha={main['object']['sha']}")
        mend.insert(0, gh("api", path(wanted, "git", "refs"), "--method", "POST", *start))
    if pulls:
        return missing(f"{detail}; merge {pulls[0]['html_url']}", *mend)
    where = ("--repo", wanted.repository, "--head", BRANCH, "--base", MAIN)
    return missing(detail, *mend, gh("pr", "create", *where, "--title", TITLE, "--body", BODY))


def _edits(
    edits: Sequence[Edit], files: Sequence[Json], wanted: Wanted, repository: Json, branch: str
) -> Iterator[tuple[Edit, Command]]:
    """Yield each edit that changes its file, with the command that commits it to `branch`."""
    for edit, found in zip(edits, files, strict=False):
        text = text_of(found)
        changed = edit.change(text, wanted, repository)
        if changed != text:
            yield (
                edit,
                gh(
                    *("api", path(wanted, "contents", edit.path), "--method", "PUT"),
                    *("-f", f"message={TITLE}", "-f", f"branch={branch}"),
                    *("-f", f"content={b64encode(changed.encode()).decode()}"),
                    *(("-f", f"sha={found['sha']}") if found else ()),
                ),
            )


NAMES_STEP = Step(
    "owners and template",
    "CODEOWNERS names who approves; `upgrade` fetches newer versions from the template.",
    _look_names,
    _judge_names,
)
STEPS = (
    Step(
        "first pull request",
        "It sets the bucket as the remote; its merge publishes the first release.",
        _looks,
        _judge,
    ),
)
