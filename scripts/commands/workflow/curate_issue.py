"""Propose the samples that an issue reports.

Pushes a branch that edits curation.csv, and comments on the issue with the link that opens the pull
request. The text of the issue is not trusted.
"""

import argparse

from scripts import output
from scripts.git.git import Git
from scripts.github import reported_samples


def run(_: argparse.Namespace, git: Git) -> None:
    """Run the verb."""
    output.say(reported_samples.curate(git))
