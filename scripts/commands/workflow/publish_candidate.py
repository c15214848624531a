"""Publish the candidate of a pull request as the branch candidate/NUMBER.

For a workflow that runs after another one has stored the files. The comment shows how to get it.
Candidates of closed pull requests are removed.
"""

import argparse

from scripts import output
from scripts.git.git import Git
from scripts.github import candidates


def run(_: argparse.Namespace, git: Git) -> None:
    """Run the verb."""
    for line in candidates.publish_candidate(git):
        output.say(line)
