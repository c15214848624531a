"""Verify all releases and keep one issue about damaged ones.

The issue lists the damage and how to repair it; it is updated by every run, and closed when all
releases are complete and intact.
"""

import argparse

from scripts import output
from scripts.git.git import Git
from scripts.github import health


def run(_: argparse.Namespace, git: Git) -> None:
    """Run the verb."""
    output.say(health.report(git))
