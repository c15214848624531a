"""Keep one issue about what is damaged."""

import argparse

from scripts import output
from scripts.git.git import Git
from scripts.github import health


def run(_: argparse.Namespace, git: Git) -> None:
    """Run the verb."""
    output.say(health.report(git))
