"""Show the contact sheet of a pull request in its comment."""

import argparse

from scripts import output
from scripts.github import previews
from scripts.versions.git import Git


def run(_: argparse.Namespace, git: Git) -> None:
    """Run the verb."""
    for line in previews.publish_preview(git):
        output.say(line)
