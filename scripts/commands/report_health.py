"""Keep one issue about what is damaged."""

import argparse

from scripts import output
from scripts.github import health
from scripts.versions.git import Git


def run(_: argparse.Namespace, git: Git) -> None:
    """Run the verb."""
    output.say(health.report(git))
