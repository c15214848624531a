"""Show the contact sheet of a pull request in its comment."""

import argparse

from scripts import output
from scripts.git.git import Git
from scripts.github import previews


def run(_: argparse.Namespace, git: Git) -> None:
    """Run the verb."""
    for line in previews.publish_preview(git):
        output.say(line)
