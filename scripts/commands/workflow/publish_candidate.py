"""Publish what a pull request would release as the branch candidate/NUMBER.

For a workflow that follows another one, after the files were stored. The comment shows how to get
it. Candidates of closed pull requests are removed.
"""

import argparse

from scripts import output
from scripts.git.git import Git
from scripts.github import candidates


def run(_: argparse.Namespace, git: Git) -> None:
    """Run the verb."""
    for line in candidates.publish_candidate(git):
        output.say(line)
