"""Verify all releases and keep one issue about damaged ones, and about wrong settings.

The issue lists the damage and how to repair it; it is updated by every run, and closed when all
releases are complete and intact, and the settings that the workflow may see are right.
"""

import argparse

from scripts import output
from scripts.git.git import Git
from scripts.github import health
from scripts.setup import weekly


def run(_: argparse.Namespace, git: Git) -> None:
    """Run the verb."""
    output.say(health.report(git, weekly.check(git)))
