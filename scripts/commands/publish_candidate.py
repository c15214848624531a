"""Publish what a pull request would release as a branch."""

import argparse

from scripts import output
from scripts.git.git import Git
from scripts.github import candidates


def run(_: argparse.Namespace, git: Git) -> None:
    """Run the verb."""
    for line in candidates.publish_candidate(git):
        output.say(line)
