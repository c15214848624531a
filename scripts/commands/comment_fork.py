"""Post the report of a fork's workflow run on its pull request."""

import argparse

from scripts import output
from scripts.github import comments
from scripts.versions.git import Git


def run(_: argparse.Namespace, __: Git) -> None:
    """Run the verb."""
    output.say(comments.comment_fork())
