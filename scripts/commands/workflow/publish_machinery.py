"""Publish a GitHub release of the machinery for the tag that was pushed.

Its notes are the section of the version in CHANGELOG.md; FILES are added to it.
"""

import argparse
import re
from pathlib import Path

from scripts import __version__, output
from scripts.assets.package import describe_file
from scripts.errors import UserError
from scripts.git.git import Git
from scripts.github import actions, uploads
from scripts.github.client import GitHub
from scripts.machinery import TAG_PREFIX

CHANGELOG = "CHANGELOG.md"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb."""
    parser.add_argument(
        "files", metavar="FILE", nargs="*", type=Path, help="a file of the release, such as an SBOM"
    )


def run(options: argparse.Namespace, git: Git) -> None:
    """Run the verb."""
    tag = f"{TAG_PREFIX}{__version__}"
    pushed = actions.event()["ref"].removeprefix("refs/tags/")
    if pushed != tag:
        raise UserError(
            f"the tag {pushed} is not that of the machinery, {tag}: its version is in"
            f" scripts/__init__.py. Remove the tag: git push origin :refs/tags/{pushed}"
        )
    notes = _section((git.root / CHANGELOG).read_text(encoding="utf-8"), tag)
    files = {path: describe_file(path) for path in options.files}
    # The newest release of the dataset stays the latest one.
    output.say(uploads.publish(GitHub(), tag, tag, notes, files, latest=False))


def _section(changelog: str, tag: str) -> str:
    """Return what the changelog says of `tag`; raises `UserError` if it does not name it."""
    found = re.search(rf"^## {re.escape(tag)}\b[^\n]*\n(.*?)(?=^## |\Z)", changelog, re.M | re.S)
    if not found:
        raise UserError(f"{CHANGELOG} has no section '## {tag}'; write one, and tag that commit")
    return found[1].strip()
