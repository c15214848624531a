"""Upgrades the machinery: the files that come from the template."""

import os
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

import scripts
from scripts.errors import UserError
from scripts.git.address import without_credentials
from scripts.git.git import Git, GitError
from scripts.inputs.paths import CONFIG_FILE, RELEASES_FILE
from scripts.releases.lock import LOCK_FILE
from scripts.storage.settings import CONFIG_PATH

VERSION = re.compile(r"[0-9]{1,5}\.[0-9]{1,5}\.[0-9]{1,5}")
# Tags of the machinery; they differ from those of datasets.
TAG_PREFIX = "machinery-"
# The namespace for tags of the template, separate from the tags of the clone.
REFS = "refs/machinery/"
# Files of the team, which an upgrade does not change.
OWNED_FILES = {
    CONFIG_FILE,
    "curation.csv",
    LOCK_FILE,
    RELEASES_FILE,
    CONFIG_PATH,
    ".github/CODEOWNERS",
    "README.md",
    "card.md",
}
OWNED_FOLDERS = ("additions/", "sources/")


@dataclass(frozen=True)
class Upgrade:
    """The result of an upgrade; `edited` are changed files, which were not replaced."""

    old: str
    new: str
    replaced: list[str]
    removed: list[str]
    edited: list[str]


def upgrade(git: Git, version: str) -> Upgrade:
    """Replace the machinery in the work tree by `version` of the template.

    A file is replaced only if it is unchanged since the last upgrade. Raises `UserError` if there
    are uncommitted changes, or the template or a version of it is not available.
    """
    if not VERSION.fullmatch(version):
        raise UserError(f"{version!r} is not a version; write it as 1.2.0")
    if git("status", "--porcelain"):
        raise UserError("there are uncommitted changes. Commit or stash them first.")
    old, new = scripts.__version__, version
    _fetch(git, old, new)
    ours, before, after = (git.entries(rev) for rev in ("HEAD", f"{REFS}{old}", f"{REFS}{new}"))
    changed = {
        path
        for path in before.keys() | after.keys()
        if not _is_owned(path) and ours.get(path) != after.get(path)
    }
    edited = sorted(
        path
        for path in changed
        # A file that git ignores belongs to the user too.
        if ours.get(path) != before.get(path)
        or (path not in ours and os.path.lexists(git.root / path))
    )
    taken = changed - set(edited)
    _apply(git, {path: after.get(path) for path in taken})
    return Upgrade(
        old=old,
        new=new,
        replaced=sorted(taken & after.keys()),
        removed=sorted(taken - after.keys()),
        edited=edited,
    )


def template(root: Path) -> str:
    """Return the address of the template; raises `UserError` if there is none."""
    try:
        settings = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
        return str(settings["tool"]["dataset"]["template"])
    except (OSError, KeyError, TypeError, ValueError):
        raise UserError(
            "pyproject.toml has no address of the template; add it below [tool.dataset] as"
            ' template = "https://github.com/OWNER/REPOSITORY"'
        ) from None


def _fetch(git: Git, *versions: str) -> None:
    address = template(git.root)
    for version in versions:
        tag = f"{TAG_PREFIX}{version}"
        try:
            git.fetch(f"+refs/tags/{tag}:{REFS}{version}", address=address)
        except GitError as error:
            shown = without_credentials(address)
            raise UserError(f"cannot fetch {tag} from {shown}: {error.output}") from None


def _is_owned(path: str) -> bool:
    return path in OWNED_FILES or path.startswith(OWNED_FOLDERS)


def _apply(git: Git, changes: dict[str, str | None]) -> None:
    """Change files of the work tree and the index in one step; None removes a file."""
    git("read-tree", "-m", "-u", "HEAD", git.tree("HEAD", changes))
