"""Publish what a pull request would release as a branch."""

import argparse

from scripts import output
from scripts.github import candidates
from scripts.versions.git import Git


def run(_: argparse.Namespace, git: Git) -> None:
    """Run the verb."""
    for line in candidates.publish_candidate(git):
        output.say(line)
