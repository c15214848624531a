"""Update the comments on open pull requests."""

import argparse

from scripts.github import comments
from scripts.versions.git import Git


def run(_: argparse.Namespace, git: Git) -> None:
    """Run the verb."""
    for line in comments.update_comments(git):
        print(line)
