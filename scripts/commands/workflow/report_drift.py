"""Compare the images in production with the newest release, and report it in one issue.

The issue is opened when they differ by more than chance, updated by later runs, and closed when
they do not.
"""

import argparse

from scripts import output
from scripts.git.git import Git
from scripts.github import drift


def run(_: argparse.Namespace, git: Git) -> None:
    """Run the verb."""
    output.say(drift.report(git))
