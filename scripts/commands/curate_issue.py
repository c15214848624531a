"""Propose what an issue reports about samples."""

import argparse

from scripts import output
from scripts.git.git import Git
from scripts.github import reported_samples


def run(_: argparse.Namespace, git: Git) -> None:
    """Run the verb."""
    output.say(reported_samples.curate(git))
